"""Moving records: within their list, to another one, to another project, one or many."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from webapp.delivery import payloads
from webapp.extensions import db
from webapp.models import Forbidden, Record, RecordList, User, transaction
from webapp.workspace import access, crossing, field_values, positions, record_changes


def move(record: Record, *, list_: RecordList, by: User, place: int | None = None) -> None:
    """Put a record into a list, at the place counted from 0 among the others there (None = bottom).

    Another list publishes TODO_MOVED, another place in the same list nothing. Only administrators of both projects may
    move it into another one; the event is the destination's, and what does not exist there by name goes. Raises
    NotFound, Forbidden, Conflict when one is archived.
    """
    record_id, list_id = record.id, list_.id
    with transaction():
        record = access.load_record(record_id, by, is_locked=True)
        field_values.refresh([record_id])
        put([record], access.load_list(list_id, by), by=by, place=place)


def shift(record: Record, steps: int, *, by: User) -> None:
    """Move a record up (negative) or down within its list; publishes nothing. Raises Forbidden, Conflict."""
    record_id = record.id
    with transaction():
        record = access.load_record(record_id, by, is_locked=True)
        access.demand(record.list.project, by, "edit_records")
        ids = [id_ for id_, _ in _places(record.list_id)]
        place = min(max(ids.index(record_id) + steps, 0), len(ids) - 1)
        (record.position,) = free_positions(record.list_id, place, without=[record_id])


def put(records: list[Record], target: RecordList, *, by: User, place: int | None) -> None:
    """Inside transaction(): let these records stand in this list, one after the other, from this place on."""
    for project in {record.list.project_id: record.list.project for record in records}.values():
        access.demand(project, by, "edit_records")
    access.demand(target.project, by, "edit_records")
    for record in records:
        if record.list.project_id != target.project_id:
            _demand_administrator(record.list, target, by)
    free = free_positions(target.id, place, without=[record.id for record in records], count=len(records))
    for record, position in zip(records, free, strict=True):
        _put(record, target, position, by)


def free_positions(list_id: str, place: int | None, *, without: Collection[str] = (), count: int = 1) -> list[float]:
    """Positions at a place (None = bottom) among a list's others; without room there, those are numbered anew."""
    others = _places(list_id, without)
    place = len(others) if place is None else min(max(place, 0), len(others))
    taken = [position for _, position in others]
    free = positions.spread(*positions.edges(taken, place), count)
    if free is None:
        numbers = positions.numbered(len(others) + count)
        _number([id_ for id_, _ in others], numbers[:place] + numbers[place + count :])
        free = numbers[place : place + count]
    return free


def _put(record: Record, target: RecordList, position: float, by: User) -> None:
    source = record.list
    if target is source:
        record.position = position
        return
    previous = payloads.record(record)
    crossed = source.project if target.project_id != source.project_id else None
    record.position, record.list = position, target
    if crossed:
        crossing.adapt(record)
    db.session.flush()
    current = payloads.record(record)
    record_changes.publish("TODO_MOVED", record, by, previous=previous, current=current, source_project=crossed)


def _demand_administrator(source: RecordList, target: RecordList, by: User) -> None:
    for list_ in (source, target):
        if access.role_in(list_.project, by) not in access.ADMINISTRATORS:
            raise Forbidden("Only administrators of both projects move a record from one to the other.")


def _places(list_id: str, without: Collection[str] = ()) -> list[tuple[str, float]]:
    """Id and position of the records in a list, in their order; those of `without` are left out."""
    query = sa.select(Record.id, Record.position).where(Record.list_id == list_id)
    rows = db.session.execute(query.order_by(Record.position, Record.id))
    return [(id_, position) for id_, position in rows if id_ not in without]


def _number(ids: list[str], numbers: list[float]) -> None:
    """Set positions that keep the order. Nobody changed these records, so their `updated_at` stays."""
    for id_, number in zip(ids, numbers, strict=True):
        change = sa.update(Record).where(Record.id == id_)
        db.session.execute(change.values(position=number, updated_at=Record.updated_at))
