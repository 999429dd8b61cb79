from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.models import Invalid
from webapp.workspace import csv_files
from webapp.workspace.csv_files import MAX_BYTES, MAX_LINES

UMLAUTS = "Titel;Fällig\nÄpfel;31.12.2026\n"


def cells(text):
    return [line.cells for line in csv_files.read(text).lines]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_files_are_read_in_the_characters_that_offices_write(encoding):
    assert csv_files.decode(UMLAUTS.encode(encoding)) == UMLAUTS


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_what_parts_the_cells_is_seen_in_the_first_line(delimiter):
    table = csv_files.read(f"Title{delimiter}Tags\n1,5;2{delimiter}b\n" if delimiter == "\t" else f"a{delimiter}b\nc\n")
    assert (table.delimiter, len(table.head)) == (delimiter, 2)


def test_excels_own_first_line_says_it_and_is_no_head():
    table = csv_files.read("sep=;\r\nTitle, in short;Done\r\nA;x\r\n")
    assert table.head == ("Title, in short", "Done")
    assert (table.lines[0].number, table.lines[0].cells) == (3, ("A", "x"))


def test_line_breaks_within_quotes_stay_and_count_as_lines():
    table = csv_files.read('Title,Text\nA,"one\ntwo"\n\nB,\n')
    assert [(line.number, line.cells) for line in table.lines] == [(2, ("A", "one\ntwo")), (5, ("B", ""))]


def test_old_line_ends_are_line_ends():
    assert cells("Title\rA\rB") == [("A",), ("B",)]


def test_what_is_written_is_computed_by_no_spreadsheet_and_read_as_it_was():
    rows = [["Title", "Sum"], ["=1+1", "-5"], ["@x", "it's"]]
    text = csv_files.written(rows)
    assert "\r\n=" not in text
    assert cells(text) == [("=1+1", "-5"), ("@x", "it's")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", csv_files.NO_LINES),
        (b"Title\n", csv_files.NO_LINES),
        (b"\n\n  \n", csv_files.NO_LINES),
        (b"Title\nA\0B\n", csv_files.NO_TEXT),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", csv_files.NO_TEXT),
        (b"\xff\xfeA", csv_files.NO_TEXT),
        (b"Title\nA\x81\n", csv_files.NO_TEXT),
        (b"Title\n" + b"x" * MAX_BYTES, csv_files.TOO_LARGE),
        (b"Title\n" + b"A\n" * (MAX_LINES + 1), csv_files.TOO_LONG),
        (b"," * 10_000 + b"x\n1\n", csv_files.TOO_WIDE),
        (b"Title\nA\n" + b"," * 10_000 + b"x\n", csv_files.TOO_WIDE),
        (b'Title\nA\n"open\nB\n', csv_files.NOT_CLOSED),
        (b'Title\n"A"B\n', csv_files.NOT_CLOSED),
    ],
)
def test_files_that_are_none_are_refused_with_a_sentence(content, sentence):
    with pytest.raises(Invalid) as caught:
        csv_files.read(csv_files.decode(content))
    assert (caught.value.field, caught.value.template) == ("file", sentence)


def test_quotes_that_do_not_fit_are_told_with_their_line():
    with pytest.raises(Invalid, match="from line 3 on"):
        csv_files.read('Title\nA\n"open\nB\n')


@given(st.binary(max_size=400) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "ignore")))
def test_no_bytes_break_the_reading(content):
    try:
        table = csv_files.read(csv_files.decode(content))
    except Invalid as error:
        refused = error.field
    else:
        refused = ""
    assert refused in {"", "file"}
    if refused:
        return
    assert table.lines
    assert all(len(line.cells) >= len(table.head) for line in table.lines)
    numbers = [line.number for line in table.lines]
    assert numbers == sorted(set(numbers))


@given(st.lists(st.text(alphabet="ab ;,\"\n\r\t='|", max_size=12), min_size=1, max_size=30))
def test_no_text_of_quotes_and_marks_breaks_the_reading(parts):
    with contextlib.suppress(Invalid):
        assert csv_files.read("".join(parts)).lines
