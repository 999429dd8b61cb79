"""Files of lines and cells, as spreadsheets write them: which characters they are in, and what parts their cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from webapp.models import Invalid

MAX_BYTES = 2 * 1024 * 1024
MAX_LINES = 5_000  # below the head
MAX_COLUMNS = 100
DELIMITERS = (",", ";", "\t")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet compute a cell
SEPARATOR_LINE = "sep="  # Excel's own first line

TOO_LARGE = "A file may have 2 MB at most."
TOO_LONG = "A file may have %(most)s lines at most. Split it in two."
TOO_WIDE = "A file may have %(most)s columns at most."
NO_TEXT = "This is no text file. Save your table as CSV first."
NO_LINES = "There is nothing below the first line, which names the columns."
NOT_CLOSED = "The quotation marks from line %(line)s on do not fit together. Close each one that is opened."


@dataclass(frozen=True)
class Line:
    """The cells of one line, and the number that it has in the file; line breaks within a cell count, too."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A file, read: the names of the columns, and the lines below that are not empty."""

    delimiter: str
    head: tuple[str, ...]
    lines: tuple[Line, ...]


def decode(content: bytes) -> str:
    """The text of a file: UTF-8, UTF-16, else Windows' own letters. Raises Invalid at `file`."""
    if len(content) > MAX_BYTES:
        raise Invalid("file", TOO_LARGE)
    for encoding in _encodings(content):
        try:
            text = content.decode(encoding).removeprefix("\ufeff")
        except UnicodeError:
            continue
        return checked(text)
    raise Invalid("file", NO_TEXT)


def checked(text: str) -> str:
    """The same text, if it may be kept and is no larger than a file may be. Raises Invalid at `file`."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise Invalid("file", NO_TEXT)
    if len(text.encode()) > 2 * MAX_BYTES:  # what had one byte for an umlaut has two now
        raise Invalid("file", TOO_LARGE)
    return text


def read(text: str) -> Table:
    """The lines of a file. Raises Invalid at `file`, with a sentence that says what is wrong where."""
    first, _, rest = text.partition("\n")
    told = first.strip().strip('"').removeprefix("\ufeff")
    if told.lower().startswith(SEPARATOR_LINE) and len(told) <= len(SEPARATOR_LINE) + 1:
        delimiter = told[len(SEPARATOR_LINE) :] or "\t"
        lines = _lines(rest, delimiter if delimiter in {*DELIMITERS, "|"} else ",", skipped=1)
    else:
        delimiter = _sniff(text)
        lines = _lines(text, delimiter)
    if len(lines) < 2:
        raise Invalid("file", NO_LINES)
    if len(lines) > MAX_LINES + 1:
        raise Invalid("file", TOO_LONG, most=MAX_LINES)
    return Table(delimiter, tuple(cell.strip() for cell in lines[0].cells), tuple(lines[1:]))


def written(rows: Iterable[Iterable[str]]) -> str:
    """Rows as a file. What a spreadsheet would compute gets an apostrophe, which read() takes away again."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([["'" + cell if cell.startswith(FORMULA) else cell for cell in row] for row in rows])
    return text.getvalue()


def _encodings(content: bytes) -> list[str]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ["utf-16"]
    start = content[:200]
    if start[1::2].count(0) > len(start) // 4:
        return ["utf-16-le"]
    if start[::2].count(0) > len(start) // 4:
        return ["utf-16-be"]
    return ["utf-8", "cp1252"]


def _sniff(text: str) -> str:
    """What parts the cells of the first line into most; a comma when nothing does."""
    return max(DELIMITERS, key=lambda delimiter: _width(text, delimiter))


def _width(text: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), []))
    except csv.Error:
        return 0


def _lines(text: str, delimiter: str, skipped: int = 0) -> list[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: list[Line] = []
    number = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                lines.append(_line(number + skipped, cells, lines))
            number = reader.line_num + 1
            if len(lines) > MAX_LINES + 1:
                break
    except csv.Error:
        raise Invalid("file", NOT_CLOSED, line=number + skipped) from None
    return lines


def _line(number: int, cells: list[str], above: list[Line]) -> Line:
    """The cells, as many as the head has; further ones stay, for they are a mistake unless they are empty."""
    while len(cells) > 1 and not cells[-1].strip():
        cells.pop()
    if len(cells) > MAX_COLUMNS:
        raise Invalid("file", TOO_WIDE, most=MAX_COLUMNS)
    width = len(above[0].cells) if above else 0
    return Line(number, (*map(_bare, cells), *[""] * (width - len(cells))))


def _bare(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell
