"""What events are about, by name: who did it, in which project, on which record, as far as somebody may see that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import Event, Project, ProjectMember, Record, RecordList, User

MAX_PEOPLE = 500


@dataclass(frozen=True)
class Subjects:
    """Names by id. What is not there any more, or not for this person's eyes, is missing."""

    people: dict[str, str]
    projects: dict[str, str]
    records: dict[str, str]


def of(events: Sequence[Event], user: User) -> Subjects:
    """The names that belong to these events."""
    mine = sa.select(ProjectMember.project_id).where(ProjectMember.user_id == user.id)
    places = {each for event in events for each in (event.project_id, event.source_project_id)}
    people = sa.select(User.id, User.name).where(User.id.in_({event.user_id for event in events} - {None}))
    projects = sa.select(Project.id, Project.name).where(Project.id.in_(places - {None}), Project.id.in_(mine))
    records = (
        sa.select(Record.id, Record.title)
        .join(RecordList, RecordList.id == Record.list_id)
        .where(Record.id.in_({event.record_id for event in events} - {None}), RecordList.project_id.in_(mine))
    )
    return Subjects(*({row[0]: row[1] for row in db.session.execute(query)} for query in (people, projects, records)))


def people(user: User) -> list[User]:
    """Whom somebody works with in any project, by name; the first of them when they are many."""
    mine = sa.select(ProjectMember.project_id).where(ProjectMember.user_id == user.id)
    fellows = sa.select(ProjectMember.user_id).where(ProjectMember.project_id.in_(mine))
    query = sa.select(User).where(User.id.in_(fellows)).order_by(sa.func.lower(User.name), User.id)
    return list(db.session.scalars(query.limit(MAX_PEOPLE)))
