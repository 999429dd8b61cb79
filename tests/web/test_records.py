from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.page_checker import check_page, check_part
from webapp.extensions import db
from webapp.models import Event, Role
from webapp.workspace import records

HTMX = {"HX-Request": "true", "HX-Target": "board"}


@pytest.fixture
def ada(cast, client):
    client.sign_in(cast.admin)
    return cast.admin


@pytest.fixture
def project(ada, make):
    return make.project_of(ada)


@pytest.fixture
def todo(project, make):
    return make.list(project)


@pytest.fixture
def record(todo, make):
    return make.record(todo)


def codes():
    return list(db.session.scalars(sa.select(Event.type).order_by(Event.seq)))


def titles(list_):
    return [record.title for record in records.on_board([list_])[list_.id]]


def test_the_page_of_a_record_renames_it(client, record):
    url = f"/records/{record.id}"
    page = check_page(client.get(url))
    assert (page.h1, page.find("input", name="title").attrs["value"]) == ("Call Ada", "Call Ada")
    assert client.post(f"{url}/title", data={"title": "Call Grace"}).location == url
    assert check_page(client.get(url)).h1 == "Call Grace"
    page = check_page(client.post(f"{url}/title", data={"title": "t" * 251}), 422)
    assert page.errors() == ["Use at most 250 characters."]
    assert page.h1 == "Call Grace"
    assert codes() == ["TODO_NAME_CHANGED"]


def test_a_record_is_done_and_not_done_on_its_page_and_on_the_board(client, project, record):
    url = f"/records/{record.id}"
    form = check_page(client.get(url)).find("form", action=f"{url}/completion")
    values = {field.attrs["name"]: field.attrs["value"] for field in form.find_all("input")}
    assert client.post(f"{url}/completion", data=values).location == url
    assert "Mark as not done" in check_page(client.get(url)).text
    part = check_part(client.post(f"{url}/completion", data={"done": "0"}, headers=HTMX))
    assert part.find(id=f"done-{record.id}").attrs["aria-checked"] == "false"
    assert client.post(f"{url}/completion", data={"done": "1"}).location == f"/projects/{project.id}"
    assert codes() == ["TODO_DONE_STATUS_UPDATED"] * 3


def test_a_record_moves_to_another_list(client, project, todo, record, make):
    done = make.list(project, title="Done", position=131070.0)
    make.record(done, title="Old")
    part = check_part(
        client.post(f"/records/{record.id}/place", data={"list_id": done.id, "place": "bottom"}, headers=HTMX)
    )
    assert part.find(id=f"list-{done.id}").find(id=f"record-card-{record.id}") is not None
    assert titles(done) == ["Old", "Call Ada"]
    values = {"list_id": todo.id, "place": "top", "next": f"/records/{record.id}"}
    assert client.post(f"/records/{record.id}/place", data=values).location == f"/records/{record.id}"
    assert titles(todo) == ["Call Ada"]
    assert codes() == ["TODO_MOVED", "TODO_MOVED"]


def test_a_record_moves_to_another_project_only_for_administrators_of_both(client, cast, ada, record, make):
    other = make.project(owner=ada)
    target = make.list(other, title="Elsewhere")
    assert "Elsewhere" in check_page(client.get(f"/records/{record.id}")).text
    client.sign_in(cast.teammate)
    make.member(other, cast.teammate, Role.ADMIN)
    assert "Elsewhere" not in check_page(client.get(f"/records/{record.id}")).text
    assert client.post(f"/records/{record.id}/place", data={"list_id": target.id}).status_code == 422
    assert titles(target) == []
    client.sign_in(ada)
    client.post(f"/records/{record.id}/place", data={"list_id": target.id, "place": "bottom"})
    assert titles(target) == ["Call Ada"]


@pytest.mark.parametrize("list_id", ["", "no-such-list"])
def test_a_list_that_is_not_offered_is_refused(client, record, list_id):
    page = check_page(client.post(f"/records/{record.id}/place", data={"list_id": list_id}), 422)
    assert len(page.errors()) == 1
    assert codes() == []


def test_records_change_their_order_without_an_event(client, todo, record, make):
    make.record(todo, title="Second", position=131070.0)
    part = check_part(client.post(f"/records/{record.id}/order", data={"to": "down"}, headers=HTMX))
    assert part.text.index("Second") < part.text.index("Call Ada")
    client.post(f"/records/{record.id}/order", data={"to": "up"})
    client.post(f"/records/{record.id}/order", data={"to": "sideways"})
    assert titles(todo) == ["Call Ada", "Second"]
    assert codes() == []


def test_a_record_is_deleted_after_a_question(client, project, todo, record):
    url = f"/records/{record.id}/delete"
    assert check_page(client.get(url)).h1 == "Delete the record “Call Ada”?"
    assert titles(todo) == ["Call Ada"]
    answer = client.post(url)
    assert answer.location == f"/projects/{project.id}"
    assert "The record “Call Ada” is deleted." in check_page(client.get(answer.location)).text
    assert titles(todo) == []
    assert client.get(url).status_code == 404


CHANGES = {
    "title": {"title": "Mine"},
    "completion": {"done": "1"},
    "place": {"list_id": "none"},
    "order": {"to": "down"},
    "delete": {},
}


@pytest.mark.parametrize("path", CHANGES)
def test_strangers_and_signed_out_people_change_nothing(client, cast, todo, record, path):
    client.sign_in(cast.stranger)
    assert client.post(f"/records/{record.id}/{path}", data=CHANGES[path]).status_code == 404
    assert client.get(f"/records/{record.id}").status_code == 404
    client.delete_cookie("session")
    assert client.post(f"/records/{record.id}/{path}", data=CHANGES[path]).location.startswith("/login")
    assert titles(todo) == ["Call Ada"]
    assert codes() == []


@pytest.mark.parametrize("path", ["title", "completion", "order", "delete"])
def test_readers_are_refused_with_the_role_that_is_needed(client, project, record, make, path):
    reader = make.user()
    make.member(project, reader, Role.COMMENT_ONLY)
    client.sign_in(reader)
    page = check_page(client.post(f"/records/{record.id}/{path}", data=CHANGES[path]), 403)
    assert "role Client" in page.text
    assert codes() == []
