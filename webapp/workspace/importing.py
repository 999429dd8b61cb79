"""Importing: the lines of a file become records, a few in each transaction.

How far it is stands in the same transaction as the records, so a worker that dies loses none and doubles none.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.extensions import db
from webapp.models import Forbidden, Invalid, Project, RecordImport, RecordList, RefusedLine, User, transaction
from webapp.models.errors import RequestError
from webapp.workspace import access, csv_files, imports, record_changes
from webapp.workspace.csv_files import Table
from webapp.workspace.import_columns import Choices
from webapp.workspace.import_lines import Fault, Judge, Judged
from webapp.workspace.record_moves import free_positions

BATCH = 50  # records of one transaction
PAUSE_S = 0.01  # between two, and at least; else as long as the last one held the lock
SUSPENDED = "You may no longer sign in."


def work(*, pause: Callable[[float], object] = time.sleep) -> None:
    """Go on with every import that was started, until none is left. Others may do the same."""
    running = sa.select(RecordImport.id, RecordImport.text).where(
        RecordImport.started_at.is_not(None), RecordImport.finished_at.is_(None)
    )
    for import_id, text in db.session.execute(running.order_by(RecordImport.started_at)).all():
        table = csv_files.read(text or "")
        while _advance(import_id, table, pause):
            pass


def _advance(import_id: str, table: Table, pause: Callable[[float], object]) -> bool:
    """A few lines more; whether there is still something to do for us."""
    began = time.monotonic()
    try:
        goes_on = _step(import_id, table, BATCH)
    except Invalid:  # somebody changed the project since the lines were judged: find out which one it is
        goes_on = _step_alone(import_id, table)
    pause(max(PAUSE_S, time.monotonic() - began))
    return goes_on


def _step_alone(import_id: str, table: Table) -> bool:
    try:
        return _step(import_id, table, 1)
    except Invalid as error:
        faults = tuple(Fault("", each) for each in error.fields.values())
    with transaction() as session:
        found = _lock(session, import_id)
        if found is None:
            return False
        line = table.lines[found.taken]
        _refuse(session, found, Judged(line, {}, faults))
        return _count(session, found, taken=1, created=0)


def _step(import_id: str, table: Table, size: int) -> bool:
    with transaction() as session:
        found = _lock(session, import_id)
        if found is None:
            return False
        try:
            list_, by = _target(session, found)
        except RequestError as error:
            imports.finish(session, found, because=error.template)
            return False
        judge = Judge(list_.project, Choices.of(found.choices), table.head, by=by)
        judged = [judge.judge(line) for line in table.lines[found.taken : found.taken + size]]
        created = _create([one for one in judged if not one.faults], list_, by)
        for one in judged:
            if one.faults:
                _refuse(session, found, one)
        return _count(session, found, taken=len(judged), created=created)


def _create(judged: list[Judged], list_: RecordList, by: User) -> int:
    """Inside transaction(): records of these lines, at the bottom of the list; how many."""
    free = free_positions(list_.id, None, count=len(judged)) if judged else []
    for one, position in zip(judged, free, strict=True):
        record_changes.add(list_, one.changes, position=position, by=by)
    return len(judged)


def _count(session: Session, found: RecordImport, *, taken: int, created: int) -> bool:
    """Whether there are further lines."""
    found.taken += taken
    found.created += created
    if found.taken >= found.total:
        imports.finish(session, found)
    return found.taken < found.total


def _refuse(session: Session, found: RecordImport, one: Judged) -> None:
    kept = [fault.kept() for fault in one.faults]
    session.add(RefusedLine(import_id=found.id, number=one.line.number, cells=list(one.line.cells), faults=kept))


def _lock(session: Session, import_id: str) -> RecordImport | None:
    """The import, after its list and project as everywhere; None while somebody else has it, or when it is over."""
    target = sa.select(RecordImport.list_id).where(RecordImport.id == import_id).scalar_subquery()
    places = sa.select(RecordList.id).join(RecordList.project).where(RecordList.id == target)
    session.execute(places.with_for_update(read=True, key_share=True, of=[RecordList, Project]))
    running = sa.select(RecordImport).where(RecordImport.id == import_id, RecordImport.finished_at.is_(None))
    locked = running.with_for_update(skip_locked=True, of=RecordImport)
    return session.scalars(locked.execution_options(populate_existing=True)).one_or_none()


def _target(session: Session, found: RecordImport) -> tuple[RecordList, User]:
    """The list, and who fills it. Raises the named error that says why it may not be filled any more."""
    by = session.get_one(User, found.created_by_id)
    if not by.is_active:
        raise Forbidden(SUSPENDED)
    if found.list_id is None:
        raise Forbidden(imports.LIST_GONE)
    list_ = access.load_list(found.list_id, by)
    access.demand(list_.project, by, "edit_records")
    return list_, by
