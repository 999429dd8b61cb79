"""What hangs on a record, as payloads show it: people, tags, and the values of custom fields."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from tests.factories import Make
from tests.schemas import check_bodies
from tests.shapes import check_shape
from webapp.delivery import payloads
from webapp.delivery.compacting import compact_of
from webapp.extensions import db
from webapp.models import CustomField, Event, FieldKind, Record, User
from webapp.workspace import custom_fields, records, tags
from webapp.workspace.custom_fields import Choice


@pytest.fixture
def ada(make: Make) -> User:
    return make.user(name="Ada Moreno")


@pytest.fixture
def record(make: Make, ada: User) -> Record:
    return make.record(make.list(make.project(owner=ada)))


def shown(record: Record) -> Any:
    """The record as a receiver reads it, from rows that nobody has loaded yet."""
    db.session.expire_all()
    value = json.loads(payloads.to_json(payloads.record(record)))
    check_shape("TODO_CREATED", value)
    return value


def a_value_of_each_kind(make: Make, record: Record) -> dict[str, Any]:
    given: dict[FieldKind, Any] = {
        FieldKind.TEXT: "Größe",
        FieldKind.NUMBER: 7,
        FieldKind.CHECKBOX: True,
        FieldKind.DATE: "2026-05-04",
        FieldKind.URL: "https://example.com",
        FieldKind.EMAIL: "ada@example.com",
        FieldKind.CURRENCY: {"amount": 12.5, "currency": "EUR"},
        FieldKind.RATING: 4,
    }
    fields = {kind: make.field(record.list.project, kind, options="Small Large", name=kind) for kind in FieldKind}
    values = {fields[kind].id: value for kind, value in given.items()}
    values[fields[FieldKind.SELECT_SINGLE].id] = fields[FieldKind.SELECT_SINGLE].options[1].id
    values[fields[FieldKind.SELECT_MULTI].id] = [each.id for each in fields[FieldKind.SELECT_MULTI].options]
    return values


def test_people_and_tags_hang_on_a_record_with_rows_of_their_own(make: Make, ada: User, record: Record) -> None:
    tag = make.tag(record.list.project)
    records.edit(record, {"assignee_ids": [ada.id], "tag_ids": [tag.id]}, by=ada)
    value = shown(record)
    (assignee,), (link,) = value["todoUsers"], value["todoTags"]
    assert (assignee["todoId"], assignee["userId"], assignee["user"]["firstName"]) == (record.id, ada.id, "Ada")
    assert (link["todoId"], link["tagId"], link["tag"]["title"]) == (record.id, tag.id, "Urgent")
    assert len({assignee["id"], link["id"], tag.id, ada.id}) == 4
    assert "password" not in json.dumps(value)


def test_values_of_all_kinds_have_one_shape(make: Make, ada: User, record: Record) -> None:
    records.edit(record, {"field_values": a_value_of_each_kind(make, record)}, by=ada)
    values = {value["customField"]["type"]: value for value in shown(record)["todoCustomFields"]}
    assert set(values) == set(FieldKind)
    assert values["NUMBER"]["number"] == 7
    assert values["SELECT_SINGLE"]["customFieldOption"]["title"] == "Large"
    assert values["SELECT_SINGLE"]["todoCustomFieldOptions"] == []
    links = values["SELECT_MULTI"]["todoCustomFieldOptions"]
    assert [link["customFieldOption"]["title"] for link in links] == ["Small", "Large"]
    assert {link["todoCustomFieldId"] for link in links} == {values["SELECT_MULTI"]["id"]}
    assert (values["CURRENCY"]["number"], values["CURRENCY"]["currency"]) == (12.5, "EUR")


def test_whole_numbers_have_no_point(make: Make, ada: User, record: Record) -> None:
    field = make.field(record.list.project, "NUMBER", min=0.0, max=10.0)
    records.edit(record, {"field_values": {field.id: "7.0"}}, by=ada)
    body = payloads.to_json(payloads.record(record))
    assert b'"number":7,' in body
    assert b'"min":0,"max":10,' in body


def test_everything_that_happens_to_tags_fields_and_values_fits_both_formats(
    make: Make, ada: User, record: Record
) -> None:
    project = record.list.project
    records.edit(record, {"field_values": a_value_of_each_kind(make, record), "tag_titles": ["a"]}, by=ada)
    tag = tags.of(project)[0].tag
    tags.edit(tag, title="b", by=ada)
    field = db.session.scalars(sa.select(CustomField).where(CustomField.kind == FieldKind.SELECT_MULTI)).one()
    custom_fields.edit(
        field, {"options": [Choice("New"), *[Choice(o.title, o.color, o.id) for o in field.options]]}, by=ada
    )
    custom_fields.delete(field, by=ada)
    tags.delete(tag, by=ada)
    events = list(db.session.scalars(sa.select(Event).order_by(Event.seq)))
    for event in events:
        check_bodies(event)
    assert [event.type for event in events] == [
        "TAG_CREATED",
        "TODO_TAG_ADDED",
        "TODO_CUSTOM_FIELD_UPDATED",
        "TAG_UPDATED",
        "CUSTOM_FIELD_UPDATED",
        "CUSTOM_FIELD_DELETED",
        "TAG_DELETED",
    ]


def test_the_compact_form_names_what_changed(make: Make, ada: User, record: Record) -> None:
    records.edit(record, {"tag_titles": ["Urgent"]}, by=ada)
    made, added = db.session.scalars(sa.select(Event).order_by(Event.seq))
    tag = json.loads(compact_of(db.session(), made.seq))
    assert (tag["event"], tag["tag"]["title"], "project" in tag["tag"]) == ("TAG_CREATED", "Urgent", False)
    document = json.loads(compact_of(db.session(), added.seq))
    assert (document["event"], list(document["changes"])) == ("RECORD_TAG_ADDED", ["todoTags"])
    assert document["changes"]["todoTags"]["from"] == []
    assert [link["tag"]["title"] for link in document["record"]["todoTags"]] == ["Urgent"]
    assert document["user"] == {"id": ada.id}
