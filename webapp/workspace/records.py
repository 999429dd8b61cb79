"""Records: the things on the board. Each change that somebody may want to know publishes one event."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from webapp.delivery import outbox, payloads
from webapp.extensions import db
from webapp.models import Forbidden, Record, RecordList, User, transaction
from webapp.models.texts import one_line
from webapp.workspace import access, positions

TITLE_LENGTH = 250


def create(title: str, *, list_: RecordList, by: User, top: bool = False) -> Record:
    """A new record at the bottom of a list, or on top. Raises Invalid at `title`, Forbidden, Conflict when archived."""
    title, list_id = _title(title), list_.id
    with transaction() as session:
        list_ = access.load_list(list_id, by)
        access.demand(list_.project, by, "edit_records")
        position = _position(list_id, 0 if top else None)
        record = Record(title=title, list=list_, position=position, created_by_id=by.id)
        session.add(record)
        session.flush()
        _publish("TODO_CREATED", record, by, current=payloads.record(record))
    return record


def rename(record: Record, title: str, *, by: User) -> None:
    """Another title; the same one publishes nothing. Raises Invalid at `title`, Forbidden, Conflict when archived."""
    title, record_id = _title(title), record.id
    with transaction() as session:
        record = _editable(record_id, by)
        if record.title == title:
            return
        previous = payloads.record(record)
        record.title = title
        session.flush()
        _publish("TODO_NAME_CHANGED", record, by, previous=previous, current=payloads.record(record))


def set_done(record: Record, done: bool, *, by: User) -> None:
    """Done or not; what it is already publishes nothing. Raises Forbidden, Conflict when archived."""
    record_id = record.id
    with transaction() as session:
        record = _editable(record_id, by)
        if record.done == done:
            return
        previous = payloads.record(record)
        record.done = done
        session.flush()
        _publish("TODO_DONE_STATUS_UPDATED", record, by, previous=previous, current=payloads.record(record))


def move(record: Record, *, list_: RecordList, by: User, place: int | None = None) -> None:
    """Put a record into a list, at the place counted from 0 among the others there (None = bottom).

    Another list publishes TODO_MOVED, another place in the same list nothing. Only administrators of both projects may
    move it into another one; the event is the destination's. Raises NotFound, Forbidden, Conflict when one is archived.
    """
    record_id, list_id = record.id, list_.id
    with transaction() as session:
        record = _editable(record_id, by)
        target, source = access.load_list(list_id, by), record.list
        access.demand(target.project, by, "edit_records")
        if target.project_id != source.project_id:
            _demand_administrator(source, target, by)
        previous = payloads.record(record)
        record.position = _position(list_id, place, without=record_id)
        record.list = target
        session.flush()
        if target is not source:
            crossed = source.project if target.project_id != source.project_id else None
            current = payloads.record(record)
            _publish("TODO_MOVED", record, by, previous=previous, current=current, source_project=crossed)


def shift(record: Record, steps: int, *, by: User) -> None:
    """Move a record up (negative) or down within its list; publishes nothing. Raises Forbidden, Conflict."""
    record_id = record.id
    with transaction():
        record = _editable(record_id, by)
        ids = [id_ for id_, _ in _places(record.list_id)]
        place = min(max(ids.index(record_id) + steps, 0), len(ids) - 1)
        record.position = _position(record.list_id, place, without=record_id)


def delete(record: Record, *, by: User) -> None:
    """Delete a record for good. Raises Forbidden, Conflict when its project is archived."""
    record_id = record.id
    with transaction() as session:
        record = _editable(record_id, by)
        _publish("TODO_DELETED", record, by, previous=payloads.record(record), current=None)
        session.delete(record)


def on_board(lists: list[RecordList]) -> dict[str, list[Record]]:
    """The records of each list, by the list's id, in their order."""
    records: dict[str, list[Record]] = {list_.id: [] for list_ in lists}
    query = sa.select(Record).where(Record.list_id.in_(records), ~Record.archived)
    for record in db.session.scalars(query.order_by(Record.position, Record.id)):
        records[record.list_id].append(record)
    return records


def _title(title: str) -> str:
    return one_line("title", title, longest=TITLE_LENGTH, empty="Enter a title.")


def _editable(record_id: str, by: User) -> Record:
    record = access.load_record(record_id, by, is_locked=True)
    access.demand(record.list.project, by, "edit_records")
    return record


def _demand_administrator(source: RecordList, target: RecordList, by: User) -> None:
    for list_ in (source, target):
        if access.role_in(list_.project, by) not in access.ADMINISTRATORS:
            raise Forbidden("Only administrators of both projects move a record from one to the other.")


def _places(list_id: str, without: str | None = None) -> list[tuple[str, float]]:
    """Id and position of the records in a list, in their order; `without` is left out."""
    query = sa.select(Record.id, Record.position).where(Record.list_id == list_id, Record.id != (without or ""))
    return [(id_, position) for id_, position in db.session.execute(query.order_by(Record.position, Record.id))]


def _position(list_id: str, place: int | None, without: str | None = None) -> float:
    """The position at a place (None = bottom) among a list's others; without room there, they are numbered anew."""
    others = _places(list_id, without)
    place = len(others) if place is None else min(max(place, 0), len(others))
    taken = [position for _, position in others]
    if not positions.has_room(*positions.edges(taken, place)):
        taken = positions.numbered(len(others))
        _number([id_ for id_, _ in others], taken)
    return positions.between(*positions.edges(taken, place))


def _number(ids: list[str], numbers: list[float]) -> None:
    """Set positions that keep the order. Nobody changed these records, so their `updated_at` stays."""
    for id_, number in zip(ids, numbers, strict=True):
        change = sa.update(Record).where(Record.id == id_)
        db.session.execute(change.values(position=number, updated_at=Record.updated_at))


def _publish(code: str, record: Record, by: User, **values: Any) -> None:
    outbox.publish(code, project=record.list.project, by=by, record_id=record.id, **values)
