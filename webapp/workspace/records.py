"""Records: the things on the board. Each change that somebody may want to know publishes one event."""

from __future__ import annotations

import sqlalchemy as sa

from webapp.delivery import payloads
from webapp.extensions import db
from webapp.models import CustomField, Invalid, Record, RecordList, User, transaction
from webapp.workspace import access, field_values, record_changes
from webapp.workspace.record_changes import RecordChanges, publish
from webapp.workspace.record_moves import free_positions, move, shift
from webapp.workspace.value_rules import Given

__all__ = [
    "RecordChanges",
    "create",
    "delete",
    "edit",
    "move",
    "on_board",
    "rename",
    "set_done",
    "set_value",
    "shift",
]


def create(
    title: str, *, list_: RecordList, by: User, top: bool = False, values: RecordChanges | None = None
) -> Record:
    """A new record at the bottom of a list, or on top, with these values: one event, and one for each new tag.

    Raises Invalid with each wrong field, Forbidden, Conflict when archived.
    """
    changes, list_id = RecordChanges(**(values or {})), list_.id
    changes["title"] = title
    with transaction():
        list_ = access.load_list(list_id, by)
        access.demand(list_.project, by, "edit_records")
        (position,) = free_positions(list_id, 0 if top else None)
        return record_changes.add(list_, changes, position=position, by=by)


def edit(record: Record, changes: RecordChanges, *, by: User) -> None:
    """Change a record: one event for each kind of change, and one for each new tag. Nothing changed publishes nothing.

    Raises Invalid with each wrong field, Forbidden, Conflict when its project is archived.
    """
    record_id = record.id
    with transaction():
        record = _editable(record_id, by)
        with record_changes.told(record, by=by):
            record_changes.apply(record, changes, by=by)


def rename(record: Record, title: str, *, by: User) -> None:
    """Another title; the same one publishes nothing. Raises Invalid at `title`, Forbidden, Conflict when archived."""
    edit(record, {"title": title}, by=by)


def set_done(record: Record, done: bool, *, by: User) -> None:
    """Done or not; what it is already publishes nothing. Raises Forbidden, Conflict when archived."""
    edit(record, {"done": done}, by=by)


def set_value(record: Record, field: CustomField, value: Given, *, by: User) -> None:
    """The value of one field; None or empty is none, the same one publishes nothing. Raises Invalid at `value`."""
    try:
        edit(record, {"field_values": {field.id: value}}, by=by)
    except Invalid as error:
        raise Invalid("value", error.template, **error.values) from None


def delete(record: Record, *, by: User) -> None:
    """Delete a record for good. Raises Forbidden, Conflict when its project is archived."""
    record_id = record.id
    with transaction() as session:
        record = _editable(record_id, by)
        publish("TODO_DELETED", record, by, previous=payloads.record(record), current=None)
        session.delete(record)


def on_board(lists: list[RecordList]) -> dict[str, list[Record]]:
    """The records of each list, by the list's id, in their order."""
    records: dict[str, list[Record]] = {list_.id: [] for list_ in lists}
    query = sa.select(Record).where(Record.list_id.in_(records), ~Record.archived)
    for record in db.session.scalars(query.order_by(Record.position, Record.id)):
        records[record.list_id].append(record)
    return records


def _editable(record_id: str, by: User) -> Record:
    record = access.load_record(record_id, by, is_locked=True)
    access.demand(record.list.project, by, "edit_records")
    field_values.refresh([record_id])
    return record
