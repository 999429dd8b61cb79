"""Checklists and their items over REST: each change with its events, and how it is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from tests.api.conftest import Program
from tests.conftest import Cast
from tests.factories import Make
from webapp.extensions import db
from webapp.models import ChecklistItem, Event, Record, Role, User, transaction

Programs = Callable[[User], Program]


@pytest.fixture
def record(make: Make, cast: Cast) -> Record:
    return make.record(make.list(make.project_of(cast.admin)))


@pytest.fixture
def item(make: Make, record: Record) -> ChecklistItem:
    return make.item(make.checklist(record))


def codes() -> list[str]:
    found = db.session.scalars(sa.select(Event.type).order_by(Event.seq))
    return [code.removeprefix("TODO_CHECKLIST_") for code in found]


def test_a_checklist_is_made_read_renamed_and_deleted(api: Program, record: Record) -> None:
    answer = api.post(f"/records/{record.id}/checklists", {"title": " Before  launch"})
    assert answer.status_code == 201
    made = answer.json
    assert answer.headers["Location"] == f"/api/v1/checklists/{made['id']}"
    assert list(made) == ["id", "recordId", "title", "items", "createdAt", "updatedAt"]
    assert (made["recordId"], made["title"], made["items"]) == (record.id, "Before launch", [])
    item = api.post(f"/checklists/{made['id']}/items", {"title": "Check every link"}).json
    assert api.get(f"/checklists/{made['id']}").json == made | {"items": [item]}
    renamed = api.patch(f"/checklists/{made['id']}", {"title": "Before it goes live"}).json
    assert (renamed["title"], renamed["items"]) == ("Before it goes live", [item])
    assert api.get(f"/records/{record.id}/checklists").json == {"items": [renamed]}
    assert api.delete(f"/checklists/{made['id']}").status_code == 204
    assert api.get(f"/checklist-items/{item['id']}").status_code == 404
    assert codes() == ["CREATED", "ITEM_CREATED", "NAME_CHANGED", "DELETED"]


def test_an_item_is_made_changed_and_deleted(api: Program, cast: Cast, make: Make, record: Record) -> None:
    checklist = make.checklist(record)
    answer = api.post(f"/checklists/{checklist.id}/items", {"title": "Check every link"})
    assert answer.status_code == 201
    made = answer.json
    assert answer.headers["Location"] == f"/api/v1/checklist-items/{made['id']}"
    assert list(made) == [
        "id", "checklistId", "title", "done", "startedAt", "duedAt", "assignees", "createdAt", "updatedAt",
    ]  # fmt: skip
    path = f"/checklist-items/{made['id']}"
    changes = {"title": "Check all links", "done": True, "duedAt": "2026-05-08T18:00:00+02:00"}
    changed = api.patch(path, changes | {"assigneeIds": [cast.teammate.id]}).json
    assert (changed["title"], changed["done"]) == ("Check all links", True)
    assert (changed["startedAt"], changed["duedAt"]) == (None, "2026-05-08T16:00:00.000Z")
    assert changed["assignees"] == [{"id": cast.teammate.id, "name": "Tim Teammate"}]
    assert api.patch(path, {}).json == changed == api.get(path).json
    assert api.patch(path, {"duedAt": None}).json["duedAt"] is None
    assert api.delete(path).status_code == 204
    assert codes() == [
        "ITEM_CREATED", "ITEM_NAME_CHANGED", "ITEM_DUE_DATE_ADDED", "ITEM_ASSIGNEE_ADDED", "ITEM_DONE_STATUS_UPDATED",
        "ITEM_DUE_DATE_REMOVED", "ITEM_DELETED",
    ]  # fmt: skip


def test_assignees_are_put_as_a_whole(api: Program, cast: Cast, item: ChecklistItem) -> None:
    path = f"/checklist-items/{item.id}/assignees"
    first = api.put(path, {"assigneeIds": [cast.admin.id]})
    assert (first.status_code, [one["name"] for one in first.json["assignees"]]) == (200, ["Ada Admin"])
    second = api.put(path, {"assigneeIds": [cast.teammate.id]}).json
    assert [one["name"] for one in second["assignees"]] == ["Tim Teammate"]
    assert api.put(path, {"assigneeIds": [cast.teammate.id]}).json == second
    assert api.put(path, {"assigneeIds": []}).json["assignees"] == []
    assert codes() == ["ITEM_ASSIGNEE_ADDED", "ITEM_ASSIGNEE_ADDED", "ITEM_ASSIGNEE_REMOVED", "ITEM_ASSIGNEE_REMOVED"]


CALLS: dict[str, tuple[str, str, Any]] = {
    "list": ("GET", "/records/{record}/checklists", None),
    "create": ("POST", "/records/{record}/checklists", {"title": "Mine"}),
    "read": ("GET", "/checklists/{checklist}", None),
    "rename": ("PATCH", "/checklists/{checklist}", {"title": "Mine"}),
    "delete": ("DELETE", "/checklists/{checklist}", None),
    "add item": ("POST", "/checklists/{checklist}/items", {"title": "Mine"}),
    "read item": ("GET", "/checklist-items/{item}", None),
    "change item": ("PATCH", "/checklist-items/{item}", {"done": True}),
    "delete item": ("DELETE", "/checklist-items/{item}", None),
    "assign": ("PUT", "/checklist-items/{item}/assignees", {"assigneeIds": []}),
}


@pytest.mark.parametrize(("method", "path", "body"), CALLS.values(), ids=CALLS)
def test_members_read_clients_write_and_to_strangers_there_is_nothing(
    program: Programs, make: Make, cast: Cast, item: ChecklistItem, method: str, path: str, body: Any
) -> None:
    commenter, checklist = make.user(), item.checklist
    make.member(checklist.record.list.project, commenter, Role.COMMENT_ONLY)
    address = path.format(record=checklist.record_id, checklist=checklist.id, item=item.id)
    assert program(cast.stranger)(method, address, body).status_code == 404
    answer = program(commenter)(method, address, body)
    if method == "GET":
        assert answer.status_code == 200
    else:
        assert answer.status_code == 403
        assert "role Client" in answer.json["detail"]
        with transaction():
            checklist.record.list.project.archived = True
        assert program(cast.admin)(method, address, body).status_code == 409
    assert codes() == []


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/records/{record}/checklists", {"title": ""}, "title"),
        ("/records/{record}/checklists", {"title": "t" * 101}, "title"),
        ("/records/{record}/checklists", {}, "title"),
        ("/checklists/{checklist}/items", {"title": "t" * 251}, "title"),
        ("/checklist-items/{item}", {"title": " "}, "title"),
        ("/checklist-items/{item}", {"done": "yes"}, "done"),
        ("/checklist-items/{item}", {"duedAt": "tomorrow"}, "duedAt"),
        ("/checklist-items/{item}", {"duedAt": 20260508}, "duedAt"),
        ("/checklist-items/{item}", {"startedAt": "2026-05-08T16:00:00Z", "duedAt": "2026-05-07T16:00:00Z"}, "duedAt"),
        ("/checklist-items/{item}", {"assigneeIds": ["nobody"]}, "assigneeIds"),
        ("/checklist-items/{item}", {"assigneeIds": None}, "assigneeIds"),
        ("/checklist-items/{item}", {"position": 1}, "position"),
        ("/checklist-items/{item}/assignees", {"assigneeIds": ["nobody"]}, "assigneeIds"),
        ("/checklist-items/{item}/assignees", {}, "assigneeIds"),
    ],
)
def test_a_wrong_value_is_refused_at_its_field(
    api: Program, item: ChecklistItem, path: str, body: dict[str, Any], field: str
) -> None:
    address = path.format(record=item.checklist.record_id, checklist=item.checklist_id, item=item.id)
    method = "PUT" if path.endswith("assignees") else "POST" if path.endswith("s") else "PATCH"
    answer = api(method, address, body)
    assert answer.status_code == 422, answer.json
    assert [error["field"] for error in answer.json["errors"]] == [field]
    assert codes() == []
