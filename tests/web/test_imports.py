from __future__ import annotations

import csv
import io

import pytest

from tests.page_checker import check_page, check_part
from webapp.extensions import db
from webapp.models import RecordImport
from webapp.workspace import importing, lists, records

HTMX = {"HX-Request": "true"}


@pytest.fixture
def ada(cast, client):
    client.sign_in(cast.admin)
    return cast.admin


@pytest.fixture
def project(ada, make):
    return make.project_of(ada)


@pytest.fixture
def todo(project, make):
    return make.list(project, title="Ideas")


@pytest.fixture
def send(client, todo):
    """Send a file; the address of its preview."""

    def post(content, name="plan.csv"):
        data = {"file": (io.BytesIO(content if isinstance(content, bytes) else content.encode()), name)}
        answer = client.post(f"/lists/{todo.id}/imports", data=data, content_type="multipart/form-data")
        assert answer.status_code == 303, answer.text
        return answer.location

    return post


def sent(content):
    """A form with this file. The test client itself would leave a temporary file open when it is large."""
    head = b'--cut\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\n'
    return {"data": head + content + b"\r\n--cut--\r\n", "content_type": "multipart/form-data; boundary=cut"}


def titles(todo):
    return [record.title for record in records.on_board([todo])[todo.id]]


def test_a_file_is_looked_at_imported_and_seen_through(client, todo, send):
    check_page(client.get(f"/lists/{todo.id}/imports/new"))
    preview = send("Title,Due date,Tags\nCall Ada,2026-05-04,home\n<b>Write</b>,,\n")
    page = check_page(client.get(preview))
    assert page.h1 == "Import records into “Ideas”"
    assert "2 lines, all of them right" in page.text
    assert "1 new tag is made: home" in page.text
    assert "<b>Write</b>" in page.text
    assert titles(todo) == []

    answer = client.post(f"{preview}/start")
    assert (answer.status_code, answer.location) == (303, preview)
    running = check_page(client.get(preview))
    assert "Running" in running.text
    assert "No worker is running" in running.text
    assert check_part(client.get(preview, headers=HTMX)).find(id="import-progress").attrs["hx-trigger"] == "every 1s"

    importing.work(pause=lambda _: None)
    over = check_part(client.get(preview, headers=HTMX))
    assert "Done" in over.text
    assert "hx-trigger" not in over.find(id="import-progress").attrs
    assert titles(todo) == ["Call Ada", "<b>Write</b>"]


def test_pasted_lines_are_as_good_as_a_file(client, todo):
    answer = client.post(f"/lists/{todo.id}/imports", data={"text": "Titel\tErledigt\r\nA\tja\r\n"})
    assert "1 line, and it is right" in check_page(client.get(answer.location)).text


def test_wrong_lines_are_told_downloaded_and_left_out(client, todo, send):
    preview = send("Title,Due date,Sum\nA,,\nB,tomorrow,=1+1\n")
    page = check_page(client.get(preview))
    sentence = "Line 3, Due date: Enter a date such as 2026-05-04, or with a time: 2026-05-04T14:30."
    assert "1 of 2 lines are right" in page.text
    assert sentence in page.text
    before = client.get(f"{preview}/refused.csv")
    rows = list(csv.reader(io.StringIO(before.data.decode("utf-8-sig"))))
    assert rows[0] == ["Title", "Due date", "Sum", "What is wrong"]
    assert rows[1][:3] == ["B", "tomorrow", "'=1+1"]
    assert rows[1][3] == sentence.removeprefix("Line 3, ")

    assert "Some lines are wrong" in check_page(client.post(f"{preview}/start"), 422).text
    client.post(f"{preview}/start", data={"only_right": "1"})
    importing.work(pause=lambda _: None)
    assert titles(todo) == ["A"]
    assert sentence in check_page(client.get(preview)).text
    assert client.get(f"{preview}/refused.csv").data == before.data


def test_columns_are_chosen_by_hand(client, send, project, make):
    field = make.field(project, "NUMBER", name="Size")
    preview = send("What,,When,How much\nA,x,03/04/2026,3\n")
    page = check_page(client.get(preview))
    assert "Choose which column is the title." in page.text
    assert page.find_all("button", id="import") == []
    columns = ["title", "", "dued_at", f"field:{field.id}"]
    assert client.post(f"{preview}/columns", data={"column": columns}).status_code == 303
    page = check_page(client.get(preview))
    assert "the day or the month" in page.text
    client.post(f"{preview}/columns", data={"column": columns, "date_order": "day"})
    page = check_page(client.get(preview))
    assert "Apr 3, 2026" in page.text
    answer = client.post(f"{preview}/columns", data={"column": ["title", "title", "", ""]})
    assert "Two columns cannot be the same" in check_page(answer, 422).text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Choose a file, or paste its lines."),
        (b"Title\n", "There is nothing below the first line"),
        (b"\x00\x01\x02", "This is no text file"),
        (b"Title\n" + b"x" * 2 * 1024 * 1024, "A file may have 2 MB at most."),
        (b'Title\n"open', "The quotation marks from line 2 on do not fit together"),
    ],
)
def test_files_that_are_none_come_back_to_the_form(client, todo, content, sentence):
    answer = client.post(f"/lists/{todo.id}/imports", **sent(content))
    page = check_page(answer, 422)
    assert sentence in page.errors()[0]
    assert db.session.query(RecordImport).count() == 0


def test_a_file_far_too_large_is_not_even_read(client, todo):
    answer = client.post(f"/lists/{todo.id}/imports", **sent(b"x" * 5 * 1024 * 1024))
    check_page(answer, 413)


def test_a_running_import_is_stopped(client, todo, send):
    preview = send("Title\nA\n")
    client.post(f"{preview}/start")
    client.post(f"{preview}/cancellation")
    page = check_page(client.get(preview))
    assert "Stopped" in page.text
    assert "1 line was given up" in page.text
    importing.work(pause=lambda _: None)
    assert titles(todo) == []


def test_a_list_that_is_deleted_meanwhile_is_said(client, ada, todo, send):
    preview = send("Title\nA\n")
    client.post(f"{preview}/start")
    lists.delete(todo, by=ada)
    importing.work(pause=lambda _: None)
    page = check_page(client.get(preview))
    assert "Ended early" in page.text
    assert "The list was deleted." in page.text


def test_a_file_whose_list_is_deleted_is_still_shown(client, ada, todo, send):
    preview = send("Title\nA\n")
    lists.delete(todo, by=ada)
    page = check_page(client.get(preview))
    assert "The list was deleted." in page.text
    assert client.post(f"{preview}/start").status_code == 409


def test_somebody_elses_import_is_not_there(client, cast, send):
    preview = send("Title\nA\n")
    client.sign_in(cast.teammate)
    assert client.get(preview).status_code == 404
    assert client.post(f"{preview}/start").status_code == 404


def test_the_menu_of_a_list_leads_to_the_import(client, project, todo):
    assert f"/lists/{todo.id}/imports/new" in check_page(client.get(f"/projects/{project.id}")).links.values()
