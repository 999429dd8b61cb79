"""Lists and records over REST: the same actions as on the pages, their events, and what is refused where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from tests.api.conftest import Program
from tests.conftest import Cast
from tests.factories import Make
from webapp.extensions import db
from webapp.models import Event, Project, RecordList, Role, User

Programs = Callable[[User], Program]


@pytest.fixture
def project(cast: Cast, make: Make) -> Project:
    return make.project_of(cast.admin)


@pytest.fixture
def todo(make: Make, project: Project) -> str:
    return make.list(project).id


@pytest.fixture
def record(make: Make, project: Project, todo: str) -> str:
    return make.record(db.session.get_one(RecordList, todo)).id


@pytest.fixture
def codes() -> Callable[[], list[str]]:
    """The events so far."""
    return lambda: list(db.session.scalars(sa.select(Event.type).order_by(Event.seq)))


def fields(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [error["field"] for error in answer.json["errors"]]


def test_a_list_is_made_renamed_and_deleted(api: Program, project: Project, codes: Callable[[], list[str]]) -> None:
    made = api.post(f"/projects/{project.id}/lists", {"title": "To do"})
    assert (made.status_code, made.json["title"], made.json["projectId"]) == (201, "To do", project.id)
    path = f"/lists/{made.json['id']}"
    assert made.headers["Location"].endswith(path)
    assert api.patch(path, {"title": "Doing"}).json["title"] == "Doing"
    assert api.get(path).json["title"] == "Doing"
    assert [item["id"] for item in api.get(f"/projects/{project.id}/lists").json["items"]] == [made.json["id"]]
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404
    assert codes() == ["TODO_LIST_CREATED", "TODO_LIST_NAME_CHANGED", "TODO_LIST_DELETED"]


def test_a_list_with_records_is_not_deleted(api: Program, make: Make, todo: str, project: Project) -> None:
    api.post(f"/lists/{todo}/records", {"title": "Call Ada"})
    refused = api.delete(f"/lists/{todo}")
    assert (refused.status_code, refused.json["detail"]) == (409, "Move or delete its 1 records first.")


def test_a_record_is_made_with_all_it_shall_have(
    api: Program, cast: Cast, make: Make, project: Project, todo: str, codes: Callable[[], list[str]]
) -> None:
    channel, price = make.field(project).id, make.field(project, "CURRENCY", name="Price", position=2.0).id
    made = api.post(
        f"/lists/{todo}/records",
        {
            "title": "Write the welcome page",
            "description": "For\neverybody",
            "startedAt": "2026-05-04",
            "duedAt": "2026-05-08T18:00",
            "timezone": "Europe/Berlin",
            "assigneeIds": [cast.teammate.id],
            "tagTitles": ["Urgent"],
            "fieldValues": {channel: "Newsletter", price: {"amount": 12.5, "currency": "EUR"}},
            "place": "top",
        },
    )
    assert made.status_code == 201, made.text
    shown = made.json
    assert made.headers["Location"].endswith(f"/records/{shown['id']}")
    assert list(shown) == [
        "id", "projectId", "listId", "title", "description", "position", "done", "archived", "startedAt", "duedAt",
        "timezone", "assignees", "tags", "fieldValues", "createdById", "createdAt", "updatedAt",
    ]  # fmt: skip
    assert (shown["projectId"], shown["listId"], shown["createdById"]) == (project.id, todo, cast.admin.id)
    assert (shown["description"], shown["done"], shown["archived"]) == ("For\neverybody", False, False)
    assert (shown["startedAt"], shown["duedAt"]) == ("2026-05-03T22:00:00.000Z", "2026-05-08T16:00:00.000Z")
    assert shown["assignees"] == [{"id": cast.teammate.id, "name": cast.teammate.name}]
    assert [(tag["title"], tag["color"]) for tag in shown["tags"]] == [("Urgent", "#4a9fff")]
    assert shown["fieldValues"] == [
        {"fieldId": channel, "name": "Channel", "kind": "TEXT_SINGLE", "value": "Newsletter"},
        {"fieldId": price, "name": "Price", "kind": "CURRENCY", "value": {"amount": 12.5, "currency": "EUR"}},
    ]
    assert api.get(f"/records/{shown['id']}").json == shown
    assert codes() == ["TAG_CREATED", "TODO_CREATED"]


def test_one_patch_changes_several_things_and_what_comes_back_changes_nothing(
    api: Program, cast: Cast, make: Make, project: Project, record: str, codes: Callable[[], list[str]]
) -> None:
    path = f"/records/{record}"
    field = make.field(project, "SELECT_MULTI", options="a b")
    patch = {
        "title": "Call Grace",
        "description": "Soon",
        "done": True,
        "duedAt": "2026-05-08T18:00:00.123Z",
        "assigneeIds": [cast.admin.id],
        "tagTitles": ["Urgent"],
        "fieldValues": {field.id: [field.options[0].id]},
    }
    shown = api.patch(path, patch).json
    assert (shown["title"], shown["description"], shown["duedAt"]) == ("Call Grace", "Soon", patch["duedAt"])
    changed = [
        "TAG_CREATED", "TODO_NAME_CHANGED", "TODO_DONE_STATUS_UPDATED", "TODO_DUE_DATE_ADDED", "TODO_ASSIGNEE_ADDED",
        "TODO_TAG_ADDED", "TODO_CUSTOM_FIELD_UPDATED",
    ]  # fmt: skip
    assert codes() == changed
    same = {key: shown[key] for key in ("title", "description", "done", "startedAt", "duedAt", "timezone")}
    assert api.patch(path, same | {"tagIds": [tag["id"] for tag in shown["tags"]]}).json == shown
    assert api.patch(path, {}).json == shown
    assert codes() == changed
    cleared = {"description": None, "duedAt": None, "assigneeIds": [], "tagIds": [], "fieldValues": {field.id: None}}
    shown = api.patch(path, cleared).json
    assert (shown["description"], shown["duedAt"], shown["assignees"], shown["tags"], shown["fieldValues"]) == (
        "", None, [], [], [],
    )  # fmt: skip
    assert codes()[len(changed) :] == [
        "TODO_DUE_DATE_REMOVED", "TODO_ASSIGNEE_REMOVED", "TODO_TAG_REMOVED", "TODO_CUSTOM_FIELD_UPDATED",
    ]  # fmt: skip


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({"title": ""}, ["title"]),
    ({"title": "t" * 251, "duedAt": "soon"}, ["title", "duedAt"]),
    ({"title": None}, ["title"]),
    ({"done": 1}, ["done"]),
    ({"startedAt": "2026-05-04", "duedAt": "2026-05-03"}, ["duedAt"]),
    ({"startedAt": 5}, ["startedAt"]),
    ({"timezone": "Mars"}, ["timezone"]),
    ({"assigneeIds": ["nobody"]}, ["assigneeIds"]),
    ({"assigneeIds": "me"}, ["assigneeIds"]),
    ({"tagIds": ["none"]}, ["tagIds"]),
    ({"tagTitles": ["t" * 51]}, ["tagTitles"]),
    ({"tagTitles": ["a\0b"]}, ["tagTitles.0"]),
    ({"fieldValues": {"none": 1}}, ["fieldValues.none"]),
    ({"fieldValues": ["x"]}, ["fieldValues"]),
    ({"fieldValues": {"a\0b": 1}}, ["fieldValues.a\0b.key"]),
    ({"listId": "x"}, ["listId"]),
]


@pytest.mark.parametrize(("body", "wrong"), WRONG)
def test_a_wrong_value_is_named_at_its_field(
    api: Program, record: str, body: dict[str, Any], wrong: list[str], codes: Callable[[], list[str]]
) -> None:
    assert fields(api.patch(f"/records/{record}", body)) == wrong
    assert codes() == []


@pytest.mark.parametrize("given", [10**300, -(10**4000 // 7), {}, [], {"amount": {}}, [[]], "x" * 50_000, 1e300])
@pytest.mark.parametrize("kind", ["NUMBER", "CURRENCY", "RATING", "TEXT_SINGLE", "SELECT_MULTI", "DATE", "CHECKBOX"])
def test_no_value_breaks_a_field(
    api: Program, make: Make, project: Project, record: str, kind: str, given: Any
) -> None:
    field = make.field(project, kind, currency="EUR")
    answer = api.put(f"/records/{record}/field-values/{field.id}", {"value": given})
    if answer.status_code != 200:
        assert answer.status_code in {400, 422}
        assert answer.status_code == 400 or fields(answer) == ["value"]


def test_people_tags_and_values_have_addresses_of_their_own(
    api: Program, cast: Cast, make: Make, project: Project, record: str, codes: Callable[[], list[str]]
) -> None:
    path, tag, field = f"/records/{record}", make.tag(project), make.field(project, "NUMBER", max=5.0)
    shown = api.put(f"{path}/assignees", {"assigneeIds": [cast.admin.id]}).json
    assert [person["id"] for person in shown["assignees"]] == [cast.admin.id]
    shown = api.put(f"{path}/tags", {"tagIds": [tag.id], "tagTitles": ["New"]}).json
    assert [each["title"] for each in shown["tags"]] == ["Urgent", "New"]
    assert api.put(f"{path}/tags", {"tagIds": [tag.id]}).json["tags"] == shown["tags"][:1]
    value = f"{path}/field-values/{field.id}"
    assert api.put(value, {"value": 3}).json["fieldValues"][0]["value"] == 3
    assert fields(api.put(value, {"value": 7})) == ["value"]
    assert api.delete(value).status_code == 204
    assert api.delete(value).status_code == 204
    assert codes() == [
        "TODO_ASSIGNEE_ADDED", "TAG_CREATED", "TODO_TAG_ADDED", "TODO_TAG_REMOVED",
        "TODO_CUSTOM_FIELD_UPDATED", "TODO_CUSTOM_FIELD_UPDATED",
    ]  # fmt: skip


def test_a_record_moves_and_is_deleted(
    api: Program, make: Make, project: Project, record: str, codes: Callable[[], list[str]]
) -> None:
    done = make.list(project, title="Done")
    moved = api.post(f"/records/{record}/moves", {"listId": done.id, "place": 0})
    assert (moved.status_code, moved.json["listId"]) == (200, done.id)
    assert api.post(f"/records/{record}/moves", {"listId": done.id}).status_code == 200
    assert fields(api.post(f"/records/{record}/moves", {"listId": done.id, "place": -1})) == ["place"]
    assert api.post(f"/records/{record}/moves", {"listId": make.list().id}).status_code == 404
    assert api.delete(f"/records/{record}").status_code == 204
    assert api.get(f"/records/{record}").status_code == 404
    assert codes() == ["TODO_MOVED", "TODO_DELETED"]


def test_many_records_change_in_one_call(
    api: Program, make: Make, project: Project, todo: str, codes: Callable[[], list[str]]
) -> None:
    ids = [api.post(f"/lists/{todo}/records", {"title": title}).json["id"] for title in "abc"]
    done = make.list(project, title="Done").id
    assert api.post("/records/completions", {"recordIds": ids}).json == {"count": 3}
    assert api.post("/records/moves", {"recordIds": ids[:2], "listId": done, "place": 0}).json == {"count": 2}
    assert api.post("/records/moves", {"recordIds": [*ids, "none"], "listId": done}).status_code == 404
    assert fields(api.post("/records/deletions", {"recordIds": []})) == ["recordIds"]
    assert api.post("/records/deletions", {"recordIds": ids}).json == {"count": 3}
    assert codes()[3:] == ["TODO_DONE_STATUS_UPDATED"] * 3 + ["TODO_MOVED"] * 2 + ["TODO_DELETED"] * 3


def test_records_are_listed_in_pages_and_narrowed(
    api: Program, cast: Cast, make: Make, project: Project, todo: str
) -> None:
    tag = make.tag(project).id
    bodies: list[dict[str, Any]] = [
        {"title": "plain"},
        {"title": "done", "done": True},
        {"title": "tagged", "tagIds": [tag]},
        {"title": "assigned", "assigneeIds": [cast.admin.id], "duedAt": "2026-05-04"},
        {"title": "archived", "archived": True},
    ]
    for body in bodies:
        assert api.post(f"/lists/{todo}/records", body).status_code == 201
    make.record(make.list(project, title="Done"), title="elsewhere")
    path = f"/projects/{project.id}/records"

    def titles(query: str) -> list[str]:
        return [item["title"] for item in api.get(f"{path}?{query}").json["items"]]

    everything = ["plain", "done", "tagged", "assigned", "elsewhere"]
    assert titles("") == everything
    assert titles(f"listId={todo}") == everything[:4]
    assert titles("done=true") == ["done"]
    assert titles(f"tagId={tag}") == ["tagged"]
    assert titles(f"assigneeId={cast.admin.id}&done=false") == ["assigned"]
    assert titles("archived=true") == ["archived"]
    assert titles("dueBefore=2026-05-06T00:00:00Z") == ["assigned"]
    seen, cursor = [], ""
    while cursor is not None:
        page = api.get(f"{path}?limit=2{cursor and '&cursor='}{cursor}").json
        seen += [item["title"] for item in page["items"]]
        cursor = page["nextCursor"]
    assert seen == everything
    assert api.get(f"{path}?cursor=mine").status_code == 400
    assert fields(api.get(f"{path}?done=maybe")) == ["done"]


def test_a_page_of_records_costs_the_same_questions_however_many_there_are(
    api: Program, cast: Cast, make: Make, project: Project, todo: str
) -> None:
    field, tag = make.field(project, "SELECT_MULTI", options="a b"), make.tag(project)
    body = {
        "title": "x",
        "tagIds": [tag.id],
        "assigneeIds": [cast.admin.id],
        "fieldValues": {field.id: [option.id for option in field.options]},
    }
    asked: list[str] = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    counts = []
    for many in (2, 10):
        for _ in range(many):
            api.post(f"/lists/{todo}/records", body)
        asked.clear()
        assert len(api.get(f"/projects/{project.id}/records").json["items"]) >= many
        counts.append(len(asked))
    assert counts[0] == counts[1]


CALLS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("POST", "/lists/{list}/records", {"title": "x"}),
    ("PATCH", "/records/{record}", {"title": "x"}),
    ("DELETE", "/records/{record}", None),
    ("POST", "/records/{record}/moves", {"listId": "{list}"}),
    ("PUT", "/records/{record}/assignees", {"assigneeIds": []}),
    ("PUT", "/records/{record}/tags", {"tagIds": []}),
    ("PATCH", "/lists/{list}", {"title": "x"}),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_who_only_comments_is_told_the_role_that_is_needed(
    program: Programs, make: Make, project: Project, todo: str, record: str, method: str, path: str, body: Any
) -> None:
    reader = make.user()
    make.member(project, reader, Role.COMMENT_ONLY)
    if body and "listId" in body:
        body = {"listId": todo}
    refused = program(reader)(method, path.format(list=todo, record=record), body)
    assert refused.status_code == 403
    assert refused.json["detail"].endswith("Ask an administrator for the role Client.")


def test_an_archived_project_takes_no_writes(api: Program, make: Make, cast: Cast) -> None:
    record = make.record(make.list(make.project(owner=cast.admin, archived=True)))
    refused = api.patch(f"/records/{record.id}", {"done": True})
    assert (refused.status_code, refused.json["detail"]) == (409, "This project is archived: read only.")
    assert api.get(f"/records/{record.id}").status_code == 200
