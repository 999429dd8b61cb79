"""Many records at once: all or none, one event for each that changes."""

from __future__ import annotations

from collections.abc import Collection

from webapp.delivery import payloads
from webapp.models import Invalid, Record, RecordList, User, transaction
from webapp.workspace import access, field_values, record_changes, record_moves

MAX_RECORDS = 200  # in one call


def set_done(record_ids: Collection[str], done: bool, *, by: User) -> int:
    """Done or not; how many were not so yet. Raises Invalid at `record_ids`, NotFound, Forbidden, Conflict."""
    with transaction():
        records = [record for record in _editable(record_ids, by) if record.done != done]
        for record in records:
            with record_changes.told(record, by=by):
                record.done = done
    return len(records)


def move(record_ids: Collection[str], *, list_: RecordList, by: User, place: int | None = None) -> int:
    """Put records into a list in the order of their ids here, from a place on (None = bottom); how many came new.

    Raises Invalid at `record_ids`, NotFound, Forbidden, Conflict as move() does.
    """
    list_id = list_.id
    with transaction():
        records, target = _editable(record_ids, by), access.load_list(list_id, by)
        newcomers = sum(record.list is not target for record in records)
        record_moves.put(records, target, by=by, place=place)
    return newcomers


def delete(record_ids: Collection[str], *, by: User) -> int:
    """Delete records for good; how many. Raises Invalid at `record_ids`, NotFound, Forbidden, Conflict."""
    with transaction() as session:
        records = _editable(record_ids, by)
        for record in records:
            record_changes.publish("TODO_DELETED", record, by, previous=payloads.record(record), current=None)
            session.delete(record)
    return len(records)


def _editable(record_ids: Collection[str], by: User) -> list[Record]:
    """These records in the order of their ids here, nobody changing them meanwhile."""
    ids = list(dict.fromkeys(record_ids))
    if not 1 <= len(ids) <= MAX_RECORDS:
        raise Invalid("record_ids", "Choose 1 to %(most)s records.", most=MAX_RECORDS)
    field_values.refresh(ids)
    found = {record.id: record for record in access.load_records(ids, by)}
    for project in {record.list.project_id: record.list.project for record in found.values()}.values():
        access.demand(project, by, "edit_records")
    return [found[record_id] for record_id in ids]
