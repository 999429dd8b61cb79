"""Imports of records: a file is looked at first, and becomes records when somebody says so. A worker does the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.extensions import db, import_bell
from webapp.models import (
    Conflict,
    CustomField,
    Invalid,
    NotFound,
    Project,
    ProjectMember,
    RecordImport,
    RecordList,
    RefusedLine,
    User,
    transaction,
    utc_now,
)
from webapp.workspace import access, csv_files, custom_fields, import_columns
from webapp.workspace.csv_files import Table
from webapp.workspace.import_columns import CHOOSE_TITLE, Choices
from webapp.workspace.import_lines import Fault, Judge, Judged

NAME_LENGTH = 250
NO_IMPORT = "There is no such import."
NOTHING_SENT = "Choose a file, or paste its lines."
BEGUN = "This import has begun already."
RUNNING = "Another import into this list is running. Wait until it is done, or stop it first."
LIST_GONE = "The list was deleted."
NOTHING_RIGHT = "No line is right yet."
NOT_ALL_RIGHT = "Some lines are wrong. Import those that are right, or correct the file."


@dataclass(frozen=True)
class Preview:
    """What would become of a file. While no column is the title, no line is judged."""

    table: Table
    choices: Choices
    fields: list[CustomField]
    right: list[Judged]
    wrong: list[Judged]
    new_tags: list[str]

    @property
    def needs_title(self) -> bool:
        """Whether somebody must say first which column is the title."""
        return "title" not in self.choices.columns


@dataclass(frozen=True)
class Refused:
    """A line that became no record, as it stood in the file, and why."""

    number: int
    cells: Sequence[str]
    faults: Sequence[Fault]


def upload(content: bytes | str, file_name: str, *, list_: RecordList, by: User, zone: str) -> RecordImport:
    """Keep a file, to be looked at; one that this person looked at before and did not start goes.

    Raises Invalid at `file`, Forbidden, Conflict in an archived project.
    """
    if not content:
        raise Invalid("file", NOTHING_SENT)
    text = csv_files.decode(content) if isinstance(content, bytes) else csv_files.checked(content)
    table, list_id = csv_files.read(text), list_.id
    choices = import_columns.guess(table, _fields(list_.project), zone)
    with transaction() as session:
        list_ = access.load_list(list_id, by)
        access.demand(list_.project, by, "edit_records")
        session.execute(
            sa.delete(RecordImport).where(RecordImport.created_by_id == by.id, RecordImport.started_at.is_(None))
        )
        found = RecordImport(
            list=list_,
            list_title=list_.title,
            project_id=list_.project_id,
            created_by_id=by.id,
            file_name=" ".join(file_name.split())[-NAME_LENGTH:],
            head=list(table.head),
            text=text,
            choices=choices.kept(),
            total=len(table.lines),
        )
        session.add(found)
    return found


def load(import_id: str, user: User) -> RecordImport:
    """An import of this person, in a project that they are a member of; raises NotFound."""
    return _load(_mine(import_id, user))


def preview(found: RecordImport, *, by: User) -> Preview:
    """What would become of the file now. Raises Conflict once it was started."""
    if found.started_at is not None or found.text is None:
        raise Conflict(BEGUN)
    table, choices, fields = csv_files.read(found.text), Choices.of(found.choices), _fields(found.project)
    if "title" not in choices.columns:
        return Preview(table, choices, fields, [], [], [])
    judge = Judge(found.project, choices, table.head, by=by)
    judged = [judge.judge(line) for line in table.lines]
    right, wrong = [one for one in judged if not one.faults], [one for one in judged if one.faults]
    return Preview(table, choices, fields, right, wrong, judge.new_tags)


def arrange(found: RecordImport, columns: Sequence[str], date_order: str, decimal_mark: str, *, by: User) -> None:
    """Say what the columns are, and how dates and numbers are written. Raises Invalid at `columns`, Conflict."""
    import_id = found.id
    with transaction() as session:
        found = _locked(session, import_id, by)
        fields, former = _fields(found.project), Choices.of(found.choices)
        found.choices = import_columns.changed(former, columns, date_order, decimal_mark, fields).kept()


def start(found: RecordImport, *, only_right: bool, by: User) -> None:
    """Let a worker make records of it: of all lines, or of those that are right.

    Raises Invalid at `lines` when that is none, or not all; Forbidden; Conflict while another one runs in this list.
    """
    _demand_right(preview(found, by=by), only_right)
    import_id = found.id
    with transaction() as session:
        found = _locked(session, import_id, by)
        running = sa.select(RecordImport.id).where(
            RecordImport.list_id == found.list_id,
            RecordImport.started_at.is_not(None),
            RecordImport.finished_at.is_(None),
        )
        if session.scalar(running.limit(1)) is not None:
            raise Conflict(RUNNING)
        found.started_at = utc_now()
    import_bell.ring()


def stop(found: RecordImport, *, by: User) -> None:
    """What is a record already stays one; the other lines are given up. Does nothing to an import that is over."""
    import_id = found.id
    with transaction() as session:
        found = _load(_mine(import_id, by).with_for_update(of=RecordImport))
        if found.finished_at is not None:
            return
        found.stopped_at = utc_now()
        finish(session, found)


def finish(session: Session, found: RecordImport, because: str | None = None) -> None:
    """Inside transaction(): it is over. Its text goes; the lines that were refused stay for a while."""
    found.finished_at, found.text, found.ended_because = utc_now(), None, because
    session.flush()


def refused(found: RecordImport, *, by: User) -> list[Refused]:
    """The lines that became no record; before the start, those that would become none."""
    if found.started_at is None and found.finished_at is None:
        wrong = preview(found, by=by).wrong
        return [Refused(one.line.number, one.line.cells, one.faults) for one in wrong]
    query = sa.select(RefusedLine).where(RefusedLine.import_id == found.id).order_by(RefusedLine.number)
    return [
        Refused(line.number, line.cells, [Fault.of(kept) for kept in line.faults]) for line in db.session.scalars(query)
    ]


def _demand_right(seen: Preview, only_right: bool) -> None:
    if seen.needs_title:
        raise Invalid("columns", CHOOSE_TITLE)
    if not seen.right:
        raise Invalid("lines", NOTHING_RIGHT)
    if seen.wrong and not only_right:
        raise Invalid("lines", NOT_ALL_RIGHT)


def _locked(session: Session, import_id: str, by: User) -> RecordImport:
    """One that has not begun, nobody changing it meanwhile, and whose list this person may still fill."""
    found = _load(_mine(import_id, by).with_for_update(of=RecordImport))
    if found.started_at is not None or found.finished_at is not None:
        raise Conflict(BEGUN)
    if found.list_id is None:
        raise Conflict(LIST_GONE)
    access.demand(found.project, by, "edit_records")
    session.execute(sa.select(RecordList.id).where(RecordList.id == found.list_id).with_for_update(of=RecordList))
    return found


def _mine(import_id: str, user: User) -> sa.Select[RecordImport]:
    query = sa.select(RecordImport).join(RecordImport.project).join(Project.members)
    return query.where(
        RecordImport.id == import_id, RecordImport.created_by_id == user.id, ProjectMember.user_id == user.id
    )


def _load(query: sa.Select[RecordImport]) -> RecordImport:
    found = db.session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotFound(NO_IMPORT)
    return found


def _fields(project: Project) -> list[CustomField]:
    return [use.field for use in custom_fields.of(project)]
