"""Checklists of a record. Their items come and go with them, without events of their own."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from webapp.delivery import outbox, payloads
from webapp.extensions import db
from webapp.models import Checklist, ChecklistItem, Invalid, Record, User, transaction
from webapp.models.texts import one_line
from webapp.workspace import access, ordering, positions

TITLE_LENGTH = 100
MAX_CHECKLISTS = 50  # of one record


def create(title: str, *, record: Record, by: User) -> Checklist:
    """A new checklist behind the others. Raises Invalid at `title`, Forbidden, Conflict when archived."""
    title, record_id = _title(title), record.id
    with transaction() as session:
        record = access.load_record(record_id, by, is_locked=True)
        access.demand(record.list.project, by, "edit_records")
        count, highest = session.execute(
            sa.select(sa.func.count(), sa.func.max(Checklist.position)).where(Checklist.record_id == record_id)
        ).one()
        if count >= MAX_CHECKLISTS:
            raise Invalid("title", "A record has at most %(most)s checklists.", most=MAX_CHECKLISTS)
        checklist = Checklist(title=title, position=positions.last(highest), record=record, created_by_id=by.id)
        session.add(checklist)
        session.flush()
        _publish("TODO_CHECKLIST_CREATED", checklist, by, current=payloads.checklist(checklist))
    return checklist


def rename(checklist: Checklist, title: str, *, by: User) -> None:
    """Another title; the same one publishes nothing. Raises Invalid at `title`, Forbidden, Conflict when archived."""
    title, checklist_id = _title(title), checklist.id
    with transaction() as session:
        checklist = _editable(checklist_id, by)
        if checklist.title == title:
            return
        previous = payloads.checklist(checklist)
        checklist.title = title
        session.flush()
        current = payloads.checklist(checklist)
        _publish("TODO_CHECKLIST_NAME_CHANGED", checklist, by, previous=previous, current=current)


def shift(checklist: Checklist, steps: int, *, by: User) -> None:
    """Move a checklist up (negative) or down on its record; publishes nothing. Raises Forbidden, Conflict."""
    checklist_id = checklist.id
    with transaction():
        checklist = _editable(checklist_id, by)
        ordering.shift(checklist, steps, among=Checklist.record_id == checklist.record_id)


def delete(checklist: Checklist, *, by: User) -> None:
    """Delete a checklist with its items: one event, its own. Raises Forbidden, Conflict when archived."""
    checklist_id = checklist.id
    with transaction() as session:
        checklist = _editable(checklist_id, by)
        previous = payloads.checklist(checklist)
        _publish("TODO_CHECKLIST_DELETED", checklist, by, previous=previous, current=None)
        session.delete(checklist)


def of(record: Record) -> list[Checklist]:
    """The checklists of a record in their order, with items and assignees."""
    query = sa.select(Checklist).where(Checklist.record_id == record.id).options(selectinload(Checklist.items))
    return list(db.session.scalars(query.order_by(Checklist.position, Checklist.id)))


def progress(record_ids: Collection[str] | sa.Select[str]) -> dict[str, tuple[int, int]]:
    """How many checklist items of each of these records are done, and how many there are; ids as for comments."""
    done = sa.func.sum(sa.cast(ChecklistItem.done, sa.Integer))
    query = sa.select(Checklist.record_id, done, sa.func.count()).join(Checklist.items)
    query = query.where(Checklist.record_id.in_(record_ids)).group_by(Checklist.record_id)
    return {record_id: (done, count) for record_id, done, count in db.session.execute(query)}


def _title(title: str) -> str:
    return one_line("title", title, longest=TITLE_LENGTH, empty="Enter a title.")


def _editable(checklist_id: str, by: User) -> Checklist:
    checklist = access.load_checklist(checklist_id, by, is_locked=True)
    access.demand(checklist.record.list.project, by, "edit_records")
    return checklist


def _publish(code: str, checklist: Checklist, by: User, **values: Any) -> None:
    record = checklist.record
    outbox.publish(code, project=record.list.project, by=by, record_id=record.id, **values)
