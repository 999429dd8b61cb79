"""Records: the things on the board. Every change publishes its events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for

from webapp.api import cursors
from webapp.api.authentication import caller
from webapp.api.resource import Resource
from webapp.api.schemas import records as shapes
from webapp.api.schemas.people import PERSON
from webapp.api.schemas.tags import ID as TAG_ID
from webapp.workspace import access, custom_fields, record_pages, records
from webapp.workspace.record_changes import RecordChanges
from webapp.workspace.record_pages import RecordFilter

bp = Resource("records", "The things on the board. Changing them needs the role Client.")


@bp.call("GET", "/projects/<project_id>/records", "listRecords")
@bp.asks(shapes.RecordQuery)
@bp.gives(200, shapes.RecordPageShown, example={"items": [shapes.SHOWN], "nextCursor": None})
def index(query: dict[str, Any], project_id: str) -> dict[str, Any]:
    """List the records of a project in the order of their ids, archived ones only when asked for."""
    cursor, limit = query.pop("cursor", None), query.pop("limit")
    project = access.load_project(project_id, caller())
    page = record_pages.page(project, RecordFilter(**query), cursors.decode_id("records", cursor), limit)
    items = [shapes.shown(record) for record in page.records]
    return {"items": items, "next_cursor": cursors.encode_id("records", page.last_id)}


@bp.call("POST", "/lists/<list_id>/records", "createRecord")
@bp.takes(shapes.RecordBody, example=shapes.EXAMPLE)
@bp.gives(201, shapes.RecordShown, example=shapes.SHOWN)
def create(values: dict[str, Any], list_id: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Add a record to a list. Publishes TODO_CREATED, and TAG_CREATED for each new tag."""
    list_, is_top = access.load_list(list_id, caller()), values.pop("place") == "top"
    title, others = values.pop("title"), RecordChanges(**values)  # type: ignore[typeddict-item]
    record = records.create(title, list_=list_, by=caller(), top=is_top, values=others)
    return shapes.shown(record), 201, {"Location": url_for("api_records.show", record_id=record.id)}


@bp.call("GET", "/records/<record_id>", "readRecord")
@bp.gives(200, shapes.RecordShown, example=shapes.SHOWN)
def show(record_id: str) -> dict[str, Any]:
    """Read one record."""
    return shapes.shown(access.load_record(record_id, caller()))


@bp.call("PATCH", "/records/<record_id>", "changeRecord")
@bp.takes(shapes.RecordPatch, example=shapes.PATCH)
@bp.gives(200, shapes.RecordShown, example=shapes.SHOWN)
def edit(changes: RecordChanges, record_id: str) -> dict[str, Any]:
    """Change a record. One event for each kind of change, all with the same values before and after.

    What is there already publishes nothing.
    """
    record = access.load_record(record_id, caller())
    records.edit(record, changes, by=caller())
    return shapes.shown(record)


@bp.call("DELETE", "/records/<record_id>", "deleteRecord")
@bp.gives(204)
def delete(record_id: str) -> None:
    """Delete a record for good. Publishes TODO_DELETED; what hangs on it goes along without events."""
    records.delete(access.load_record(record_id, caller()), by=caller())


@bp.call("POST", "/records/<record_id>/moves", "moveRecord")
@bp.takes(shapes.MoveBody, example={"listId": shapes.SHOWN["listId"], "place": 0})
@bp.gives(200, shapes.RecordShown, example=shapes.SHOWN)
def create_move(values: Mapping[str, Any], record_id: str) -> dict[str, Any]:
    """Move a record. Another list publishes TODO_MOVED, another place in the same list nothing.

    Administrators of both projects may move it into another project; tags, values and people that do not exist there
    go.
    """
    record, list_ = access.load_record(record_id, caller()), access.load_list(values["list_id"], caller())
    records.move(record, list_=list_, by=caller(), place=values["place"])
    return shapes.shown(record)


@bp.call("PUT", "/records/<record_id>/assignees", "assignRecord")
@bp.takes(shapes.AssigneesOfRecord, example={"assigneeIds": [PERSON["id"]]})
@bp.gives(200, shapes.RecordShown, example=shapes.SHOWN)
def put_assignees(values: RecordChanges, record_id: str) -> dict[str, Any]:
    """Say who cares for a record. Publishes TODO_ASSIGNEE_ADDED, TODO_ASSIGNEE_REMOVED, both, or nothing."""
    record = access.load_record(record_id, caller())
    records.edit(record, values, by=caller())
    return shapes.shown(record)


@bp.call("PUT", "/records/<record_id>/tags", "tagRecord")
@bp.takes(shapes.TagsBody, example={"tagIds": [TAG_ID], "tagTitles": ["New"]})
@bp.gives(200, shapes.RecordShown, example=shapes.SHOWN)
def put_tags(values: RecordChanges, record_id: str) -> dict[str, Any]:
    """Say which tags a record carries. Publishes TODO_TAG_ADDED, TODO_TAG_REMOVED, both, or nothing.

    A new title makes a tag, which publishes TAG_CREATED and needs the role Member.
    """
    record = access.load_record(record_id, caller())
    records.edit(record, values, by=caller())
    return shapes.shown(record)


@bp.call("PUT", "/records/<record_id>/field-values/<field_id>", "putFieldValue")
@bp.takes(shapes.ValueBody, example={"value": "Newsletter"})
@bp.gives(200, shapes.RecordShown, example=shapes.SHOWN)
def put_value(values: Mapping[str, Any], record_id: str, field_id: str) -> dict[str, Any]:
    """Set the value of a custom field. Another one publishes TODO_CUSTOM_FIELD_UPDATED."""
    record, field = access.load_record(record_id, caller()), custom_fields.load(field_id, caller())
    records.set_value(record, field, values["value"], by=caller())
    return shapes.shown(record)


@bp.call("DELETE", "/records/<record_id>/field-values/<field_id>", "deleteFieldValue")
@bp.gives(204)
def delete_value(record_id: str, field_id: str) -> None:
    """Clear a custom field. Publishes TODO_CUSTOM_FIELD_UPDATED when there was a value."""
    record, field = access.load_record(record_id, caller()), custom_fields.load(field_id, caller())
    records.set_value(record, field, None, by=caller())
