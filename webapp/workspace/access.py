"""Who may see and do what. Everything is fetched through the person who asks; what they may not see is not there."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Literal, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, selectinload

from webapp import config
from webapp.extensions import db
from webapp.models import (
    Checklist,
    ChecklistItem,
    Comment,
    Company,
    Conflict,
    Forbidden,
    NotFound,
    Project,
    ProjectMember,
    Record,
    RecordList,
    Role,
    User,
)
from webapp.models.account import webhook_roles

Row = TypeVar("Row")
Right = Literal[
    "comment",
    "edit_records",
    "rename_lists",
    "edit_lists",
    "add_tags",
    "add_fields",
    "publish_events",
    "edit_tags",
    "edit_fields",
    "edit_project",
]

ADMINISTRATORS = frozenset([Role.OWNER, Role.ADMIN])
MEMBERS = ADMINISTRATORS | {Role.MEMBER}
CLIENTS = MEMBERS | {Role.CLIENT}
COMMENTERS = CLIENTS | {Role.COMMENT_ONLY}

_ROLES: dict[Right, frozenset[Role]] = {
    "comment": COMMENTERS,
    "edit_records": CLIENTS,
    "rename_lists": CLIENTS,
    "edit_lists": MEMBERS,
    "add_tags": MEMBERS,
    "add_fields": MEMBERS,
    "publish_events": MEMBERS,
    "edit_tags": ADMINISTRATORS,
    "edit_fields": ADMINISTRATORS,
    "edit_project": ADMINISTRATORS,
}
_NEEDED: dict[Right, str] = {
    "comment": "Your role in this project only reads. Ask an administrator for the role Comment only.",
    "edit_records": "Your role in this project does not change records. Ask an administrator for the role Client.",
    "rename_lists": "Your role in this project does not rename lists. Ask an administrator for the role Client.",
    "edit_lists": "Your role in this project does not change lists. Ask an administrator for the role Member.",
    "add_tags": "Your role in this project does not add tags. Ask an administrator for the role Member.",
    "add_fields": "Your role in this project does not add custom fields. Ask an administrator for the role Member.",
    "publish_events": "Your role in this project does not publish events. Ask an administrator for the role Member.",
    "edit_tags": "Only owners and administrators change tags.",
    "edit_fields": "Only owners and administrators change custom fields.",
    "edit_project": "Only owners and administrators change a project.",
}


def may(role: Role | None, right: Right) -> bool:
    """Whether somebody with this role in a project (None = no member) may do this."""
    return role in _ROLES[right]


def rights(role: Role | None) -> frozenset[Right]:
    """All that somebody with this role may do."""
    return frozenset(right for right in _ROLES if may(role, right))


def role_in(project: Project, user: User) -> Role | None:
    """Somebody's role in a project, None when they are no member."""
    query = sa.select(ProjectMember.role)
    return db.session.scalar(query.where(ProjectMember.project_id == project.id, ProjectMember.user_id == user.id))


def projects_of(user: User, include_archived: bool = False) -> list[Project]:
    """The projects that somebody is a member of, by company and name."""
    return _projects(user, Role, include_archived=include_archived)


def administered_projects(user: User) -> list[Project]:
    """The projects whose events somebody's webhooks may get (setting WEBHOOK_ROLE), archived ones left out."""
    return _projects(user, webhook_roles(config.current().webhook_role))


def run_by(user: User) -> list[Project]:
    """The projects that somebody owns or administers, whatever WEBHOOK_ROLE says; archived ones left out."""
    return _projects(user, ADMINISTRATORS)


def load_project(project_id: str, user: User) -> Project:
    """A project that `user` is a member of; raises NotFound, also for other people's."""
    return _load(_visible_project(user).where(Project.id == project_id), "There is no such project.")


def load_list(list_id: str, user: User, *, is_locked: bool = False) -> RecordList:
    """A list of a project that `user` is a member of; raises NotFound. `is_locked`: nobody changes it meanwhile."""
    query = _visible_list(user).where(RecordList.id == list_id)
    return _load(query.with_for_update(of=RecordList) if is_locked else query, "There is no such list.")


def load_record(record_id: str, user: User, *, is_locked: bool = False) -> Record:
    """A record of a project that `user` is a member of; raises NotFound. `is_locked`: nobody changes it meanwhile."""
    query = _visible_record(user).where(Record.id == record_id)
    return _load(query.with_for_update(of=Record) if is_locked else query, "There is no such record.")


def load_records(record_ids: Collection[str], user: User) -> list[Record]:
    """These records with what hangs on them, nobody changing them meanwhile. Raises NotFound unless all are there."""
    query = _visible_record(user).where(Record.id.in_(record_ids)).order_by(Record.id)
    whole = [selectinload(each) for each in (Record.assignees, Record.tags, Record.field_values)]
    records = list(db.session.scalars(query.options(*whole).with_for_update(of=Record)))
    if len(records) < len(record_ids):
        raise NotFound("There is no such record.")
    return records


def load_comment(comment_id: str, user: User, *, is_locked: bool = False) -> Comment:
    """A comment in a project that `user` is a member of; raises NotFound. `is_locked`: nobody changes it meanwhile."""
    query = _below_record(sa.select(Comment).join(Comment.record), contains_eager(Comment.record), user)
    query = query.where(Comment.id == comment_id)
    return _load(query.with_for_update(of=Comment) if is_locked else query, "There is no such comment.")


def load_checklist(checklist_id: str, user: User, *, is_locked: bool = False) -> Checklist:
    """A checklist in a project that `user` is a member of; raises NotFound. `is_locked`: as for a comment."""
    query = _below_record(sa.select(Checklist).join(Checklist.record), contains_eager(Checklist.record), user)
    query = query.where(Checklist.id == checklist_id)
    return _load(query.with_for_update(of=Checklist) if is_locked else query, "There is no such checklist.")


def load_checklist_item(item_id: str, user: User, *, is_locked: bool = False) -> ChecklistItem:
    """A checklist item in a project that `user` is a member of; raises NotFound. `is_locked`: as for a comment."""
    query = sa.select(ChecklistItem).join(ChecklistItem.checklist).join(Checklist.record)
    chain = contains_eager(ChecklistItem.checklist).contains_eager(Checklist.record)
    query = _below_record(query, chain, user).where(ChecklistItem.id == item_id)
    return _load(query.with_for_update(of=ChecklistItem) if is_locked else query, "There is no such checklist item.")


def demand(project: Project, user: User, right: Right) -> None:
    """Raises NotFound for somebody who is no member, Forbidden when the role lacks, Conflict when it is archived."""
    role = role_in(project, user)
    if role is None:
        raise NotFound("There is no such project.")
    if not may(role, right):
        raise Forbidden(_NEEDED[right])
    if project.archived and right != "edit_project":
        raise Conflict("This project is archived: read only.")


def _projects(user: User, roles: Iterable[Role], *, include_archived: bool = False) -> list[Project]:
    query = _visible_project(user).where(ProjectMember.role.in_(list(roles)))
    if not include_archived:
        query = query.where(~Project.archived)
    return list(
        db.session.scalars(query.order_by(sa.func.lower(Company.name), sa.func.lower(Project.name), Project.id))
    )


def _visible_project(user: User) -> sa.Select[Project]:
    query = sa.select(Project).join(Project.members).join(Project.company)
    return query.where(ProjectMember.user_id == user.id).options(contains_eager(Project.company))


def _visible_list(user: User) -> sa.Select[RecordList]:
    query = sa.select(RecordList).join(RecordList.project).join(Project.members).join(Project.company)
    chain = contains_eager(RecordList.project).contains_eager(Project.company)
    return query.where(ProjectMember.user_id == user.id).options(chain)


def _visible_record(user: User) -> sa.Select[Record]:
    query = sa.select(Record).join(Record.list).join(RecordList.project).join(Project.members).join(Project.company)
    chain = contains_eager(Record.list).contains_eager(RecordList.project).contains_eager(Project.company)
    return query.where(ProjectMember.user_id == user.id).options(chain)


def _below_record(query: sa.Select[Row], chain: Any, user: User) -> sa.Select[Row]:
    """Only what belongs to records that this person may see; the chain up to the company comes along."""
    query = query.join(Record.list).join(RecordList.project).join(Project.members).join(Project.company)
    chain = chain.contains_eager(Record.list).contains_eager(RecordList.project).contains_eager(Project.company)
    return query.where(ProjectMember.user_id == user.id).options(chain)


def _load(query: sa.Select[Row], sentence: str) -> Row:
    row = db.session.scalar(query)
    if row is None:
        raise NotFound(sentence)
    return row
