"""Comments, checklists and items in both formats, made by the actions of people, on both databases."""

from __future__ import annotations

import concurrent.futures
import json
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import Make
from tests.schemas import check_body
from tests.shapes import check_shape
from webapp.delivery import payloads
from webapp.delivery.event_types import event_types
from webapp.extensions import db
from webapp.models import Event, PayloadFormat, Record, User
from webapp.workspace import access, checklist_items, checklists, comments


@pytest.fixture
def ada(make: Make) -> User:
    return make.user(name="Ada King")


@pytest.fixture
def record(make: Make, ada: User) -> Record:
    return make.record(make.list(make.project(owner=ada)))


def discuss(record: Record, ada: User) -> None:
    """Everything that can happen to comments, checklists and items."""
    comment = comments.create("Größe < 2 m", record=record, by=ada)
    comments.edit(comment, "Größe < 3 m", by=ada)
    comments.delete(comment, by=ada)
    checklist = checklists.create("Before", record=record, by=ada)
    checklists.rename(checklist, "Before launch", by=ada)
    item = checklist_items.create("Links", checklist=checklist, by=ada)
    for changes in (
        {"title": "All links"},
        {"dued_at": "2026-03-20T16:00:00Z"},
        {"dued_at": "2026-03-20T17:00:00Z"},
        {"assignee_ids": [ada.id]},
        {"done": True},
    ):
        checklist_items.edit(item, changes, by=ada)  # type: ignore[arg-type]
    checklists.rename(checklist, "After launch", by=ada)
    checklist_items.edit(item, {"dued_at": None}, by=ada)
    checklist_items.edit(item, {"assignee_ids": ()}, by=ada)
    checklist_items.delete(item, by=ada)
    checklists.delete(checklist, by=ada)


@pytest.fixture
def events(record: Record, ada: User) -> list[Event]:
    discuss(record, ada)
    return list(db.session.scalars(sa.select(Event).order_by(Event.seq)))


def test_all_fifteen_types_come_out_with_blues_keys_in_blues_order(events: list[Event]) -> None:
    assert len({event.type for event in events}) == 15
    for event in events:
        for value in (event.previous_value, event.current_value):
            shown = json.loads(value or b"null")
            if shown is not None:
                check_shape(event.type, shown)


def test_created_has_no_previous_value_and_deleted_a_null(events: list[Event]) -> None:
    for event in events:
        assert (event.previous_value is None) == event.type.endswith("_CREATED")
        assert (event.current_value == b"null") == event.type.endswith("_DELETED")


def test_every_event_names_its_record_project_and_author(events: list[Event], record: Record, ada: User) -> None:
    project = record.list.project
    found = {(event.record_id, event.project_id, event.company_id, event.user_id) for event in events}
    assert found == {(record.id, project.id, project.company_id, ada.id)}


def compact(event: Event) -> Any:
    return json.loads(
        payloads.compact(
            code=event.type,
            previous=event.previous_value,
            current=event.current_value,
            company_id=event.company_id,
            project_id=event.project_id,
            user_id=event.user_id,
        )
    )


def test_the_compact_form_has_the_entity_beside_its_record_and_no_parents(events: list[Event], record: Record) -> None:
    for event in events:
        body, entity = compact(event), event_types(None)[event.type].entity
        check_body(event.type, PayloadFormat.COMPACT, body)
        changes = [] if event.type.endswith(("_CREATED", "_DELETED")) else ["changes"]
        assert list(body) == ["event", entity, "record", *changes, "company", "project", "user"]
        assert body["record"]["id"] == record.id
        assert "todo" not in body[entity]
        assert "project" not in body["record"]["todoList"]


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("COMMENT_UPDATED", {"text": {"from": "Größe < 2 m", "to": "Größe < 3 m"}}),
        ("TODO_CHECKLIST_NAME_CHANGED", {"title": {"from": "Before", "to": "Before launch"}}),
        ("TODO_CHECKLIST_ITEM_DONE_STATUS_UPDATED", {"done": {"from": False, "to": True}}),
        ("TODO_CHECKLIST_ITEM_DUE_DATE_ADDED", {"duedAt": {"from": None, "to": "2026-03-20T16:00:00.000Z"}}),
    ],
)
def test_the_compact_form_says_what_changed(events: list[Event], code: str, changes: dict[str, Any]) -> None:
    told = compact(next(event for event in events if event.type == code))["changes"]
    assert {key: change for key, change in told.items() if key != "html"} == changes


def test_positions_are_numbers_and_html_is_escaped(events: list[Event]) -> None:
    created = {event.type: event.current_value or b"" for event in events if event.type.endswith("_CREATED")}
    assert b'"position":65535,' in created["TODO_CHECKLIST_CREATED"]
    assert b'"position":65535,' in created["TODO_CHECKLIST_ITEM_CREATED"]
    assert '"html":"<p>Größe &lt; 2 m</p>","text":"Größe < 2 m"'.encode() in created["COMMENT_CREATED"]


def test_changes_at_once_each_tell_what_they_really_changed(app: Flask, make: Make, ada: User, record: Record) -> None:
    item_id, user_id = make.item(make.checklist(record)).id, ada.id

    def rename(number: int) -> None:
        with app.app_context():
            try:
                user = db.session.get_one(User, user_id)
                checklist_items.edit(access.load_checklist_item(item_id, user), {"title": f"Title {number}"}, by=user)
            finally:
                db.session.remove()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(rename, range(8)))
    db.session.rollback()
    values = [
        (json.loads(event.previous_value or b"")["title"], json.loads(event.current_value or b"")["title"])
        for event in db.session.scalars(sa.select(Event).order_by(Event.seq))
    ]
    links, title = dict(values), "Check every link"
    for _ in range(8):
        title = links.pop(title)
    assert not links
