"""Tags and custom fields over REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from tests.api.conftest import Program
from tests.conftest import Cast
from tests.factories import Make
from webapp.extensions import db
from webapp.models import Event, Project, Role, User

Programs = Callable[[User], Program]


@pytest.fixture
def project(cast: Cast, make: Make) -> Project:
    return make.project_of(cast.admin)


@pytest.fixture
def codes() -> Callable[[], list[str]]:
    """The events so far."""
    return lambda: list(db.session.scalars(sa.select(Event.type).order_by(Event.seq)))


def fields(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["field"] for error in answer.json["errors"]]


def test_a_tag_is_made_changed_and_deleted(api: Program, project: Project, codes: Callable[[], list[str]]) -> None:
    made = api.post(f"/projects/{project.id}/tags", {"title": "Urgent"})
    assert (made.status_code, made.json["color"], made.json["projectId"]) == (201, "#4a9fff", project.id)
    path = f"/tags/{made.json['id']}"
    assert made.headers["Location"].endswith(path)
    assert api.patch(path, {"color": "#FF0000"}).json["color"] == "#ff0000"
    assert api.patch(path, {"title": "Urgent"}).status_code == 200
    shown = api.get(path).json
    assert (shown["title"], shown["color"]) == ("Urgent", "#ff0000")
    assert api.get(f"/projects/{project.id}/tags").json["items"] == [shown | {"records": 0}]
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404
    assert codes() == ["TAG_CREATED", "TAG_UPDATED", "TAG_DELETED"]


def test_a_wrong_tag_is_refused_at_its_field(api: Program, make: Make, project: Project) -> None:
    make.tag(project)
    path = f"/projects/{project.id}/tags"
    assert fields(api.post(path, {"title": "urgent"})) == ["title"]
    assert fields(api.post(path, {"title": "t" * 51, "color": "red"})) == ["title", "color"]
    assert fields(api.post(path, {"color": "#ffffff"})) == ["title"]


def test_a_field_is_made_changed_and_deleted(api: Program, project: Project, codes: Callable[[], list[str]]) -> None:
    body = {"name": "Size", "kind": "SELECT_SINGLE", "options": [{"title": "Small"}, {"title": "Large"}]}
    made = api.post(f"/projects/{project.id}/custom-fields", body)
    assert (made.status_code, made.json["kind"], made.json["projectId"]) == (201, "SELECT_SINGLE", project.id)
    assert list(made.json) == [
        "id", "projectId", "name", "kind", "description", "min", "max", "currency", "options", "createdAt", "updatedAt",
    ]  # fmt: skip
    path, (small, large) = f"/custom-fields/{made.json['id']}", made.json["options"]
    assert made.headers["Location"].endswith(path)
    assert api.patch(path, {"options": [small, large]}).json == made.json
    changed = api.patch(
        path, {"description": "Of the parcel", "options": [large, {"title": "Huge", "color": "#00ff00"}]}
    )
    assert [option["title"] for option in changed.json["options"]] == ["Large", "Huge"]
    assert changed.json["options"][0]["id"] == large["id"]
    assert api.get(path).json == changed.json
    assert api.get(f"/projects/{project.id}/custom-fields").json["items"] == [changed.json | {"records": 0}]
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404
    assert codes() == ["CUSTOM_FIELD_CREATED", "CUSTOM_FIELD_UPDATED", "CUSTOM_FIELD_DELETED"]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"kind": "NUMBER"}, ["name"]),
        ({"name": "N"}, ["kind"]),
        ({"name": "N", "kind": "BUTTON"}, ["kind"]),
        ({"name": "N", "kind": "NUMBER", "min": 2, "max": 1}, ["max"]),
        ({"name": "N", "kind": "NUMBER", "min": {}, "max": True}, ["min", "max"]),
        ({"name": "N", "kind": "NUMBER", "min": 10**400}, ["min"]),
        ({"name": "N", "kind": "TEXT_SINGLE", "options": [{"title": "a"}]}, ["options"]),
        ({"name": "N", "kind": "SELECT_MULTI", "options": [{"title": "a"}, {"title": ""}]}, ["options.1.title"]),
        ({"name": "N", "kind": "SELECT_MULTI", "options": [{"title": "a", "id": "b"}]}, ["options.0.id"]),
        ({"name": "N", "kind": "SELECT_MULTI", "options": ["a"]}, ["options.0"]),
        ({"name": "N", "kind": "CURRENCY", "currency": "MONEY"}, ["currency"]),
    ],
)
def test_a_wrong_field_is_refused_where_it_is_wrong(
    api: Program, project: Project, body: dict[str, Any], wrong: list[str]
) -> None:
    assert fields(api.post(f"/projects/{project.id}/custom-fields", body)) == wrong


def test_the_kind_of_a_field_never_changes(api: Program, make: Make, project: Project) -> None:
    field = make.field(project)
    assert fields(api.patch(f"/custom-fields/{field.id}", {"kind": "NUMBER"})) == ["kind"]


def test_fields_and_tags_tell_how_many_records_have_them(api: Program, make: Make, project: Project) -> None:
    todo, tag, field = make.list(project), make.tag(project), make.field(project)
    api.post(f"/lists/{todo.id}/records", {"title": "x", "tagIds": [tag.id], "fieldValues": {field.id: "y"}})
    for noun in ("tags", "custom-fields"):
        assert [item["records"] for item in api.get(f"/projects/{project.id}/{noun}").json["items"]] == [1]


@pytest.mark.parametrize("role", [Role.MEMBER, Role.CLIENT])
def test_the_role_that_is_needed_is_named(program: Programs, make: Make, project: Project, role: Role) -> None:
    person, tag, field = make.user(), make.tag(project), make.field(project)
    make.member(project, person, role)
    api = program(person)
    for answer in (
        api.post(f"/projects/{project.id}/tags", {"title": "New"}),
        api.post(f"/projects/{project.id}/custom-fields", {"name": "New", "kind": "NUMBER"}),
    ):
        assert answer.status_code == (201 if role is Role.MEMBER else 403)
        assert role is Role.MEMBER or answer.json["detail"].endswith("Ask an administrator for the role Member.")
    for path in (f"/tags/{tag.id}", f"/custom-fields/{field.id}"):
        for answer in (api.patch(path, {}), api.delete(path)):
            assert answer.status_code == 403
            assert answer.json["detail"].startswith("Only owners and administrators change")
