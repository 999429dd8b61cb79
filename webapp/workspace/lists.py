"""Lists: the columns of a project's board."""

from __future__ import annotations

import sqlalchemy as sa

from webapp.delivery import outbox, payloads
from webapp.extensions import db
from webapp.models import Conflict, Invalid, Project, Record, RecordList, User, transaction
from webapp.models.texts import one_line
from webapp.workspace import access, ordering, positions

TITLE_LENGTH = 250
MAX_LISTS = 50  # of one project, as in Blue


def create(title: str, *, project: Project, by: User) -> RecordList:
    """A new list behind the others. Raises Invalid at `title`, Forbidden, Conflict in an archived project."""
    title, project_id = _title(title), project.id
    with transaction() as session:
        project = access.load_project(project_id, by)
        access.demand(project, by, "edit_lists")
        count, highest = session.execute(
            sa.select(sa.func.count(), sa.func.max(RecordList.position)).where(RecordList.project_id == project_id)
        ).one()
        if count >= MAX_LISTS:
            raise Invalid("title", "A project has at most %(most)s lists.", most=MAX_LISTS)
        list_ = RecordList(title=title, position=positions.last(highest), project=project, created_by_id=by.id)
        session.add(list_)
        session.flush()
        outbox.publish("TODO_LIST_CREATED", project=project, by=by, current=payloads.record_list(list_))
    return list_


def rename(list_: RecordList, title: str, *, by: User) -> None:
    """Another title; the same one publishes nothing. Raises Invalid at `title`, Forbidden, Conflict."""
    title, list_id = _title(title), list_.id
    with transaction() as session:
        list_ = access.load_list(list_id, by, is_locked=True)
        access.demand(list_.project, by, "rename_lists")
        if list_.title == title:
            return
        previous = payloads.record_list(list_)
        list_.title = title
        session.flush()
        current = payloads.record_list(list_)
        outbox.publish("TODO_LIST_NAME_CHANGED", project=list_.project, by=by, previous=previous, current=current)


def shift(list_: RecordList, steps: int, *, by: User) -> None:
    """Move a list left (negative) or right on its board; publishes nothing. Raises Forbidden, Conflict."""
    list_id = list_.id
    with transaction():
        list_ = access.load_list(list_id, by, is_locked=True)
        access.demand(list_.project, by, "edit_lists")
        ordering.shift(list_, steps, among=RecordList.project_id == list_.project_id)


def delete(list_: RecordList, *, by: User) -> None:
    """Delete an empty list. Raises Conflict when it holds records or its project is archived, Forbidden."""
    list_id = list_.id
    with transaction() as session:
        list_ = access.load_list(list_id, by, is_locked=True)
        access.demand(list_.project, by, "edit_lists")
        records = session.scalar(sa.select(sa.func.count()).where(Record.list_id == list_id)) or 0
        if records:
            raise Conflict("Move or delete its %(records)s records first.", records=records)
        previous = payloads.record_list(list_)
        outbox.publish("TODO_LIST_DELETED", project=list_.project, by=by, previous=previous, current=None)
        session.delete(list_)


def of(project: Project) -> list[RecordList]:
    """A project's lists in their order."""
    query = sa.select(RecordList).where(RecordList.project_id == project.id)
    return list(db.session.scalars(query.order_by(RecordList.position, RecordList.id)))


def _title(title: str) -> str:
    return one_line("title", title, longest=TITLE_LENGTH, empty="Enter a title.")
