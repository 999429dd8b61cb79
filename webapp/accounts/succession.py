"""What passes on when somebody is deleted: a project or company that nobody else owns gets its next in rank as owner.

The next in rank has the highest role, and of several the longest. A project that nobody else belongs to goes along; a
company only if it has no projects left.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.extensions import db
from webapp.models import Company, CompanyMember, Delivery, Project, ProjectMember, Role, User, Webhook
from webapp.models.delivery import UNSETTLED

RANKS = {role: rank for rank, role in enumerate(Role)}
Member = ProjectMember | CompanyMember


@dataclass(frozen=True)
class Heritage:
    """A project or company that only this person owns, and who owns it next; None: it goes along."""

    subject: Project | Company
    heir: User | None

    @property
    def subject_id(self) -> str:
        """Its id."""
        return self.subject.id


@dataclass(frozen=True)
class Belongings:
    """What goes or passes on with somebody."""

    webhooks: int
    open_deliveries: int
    heritage: list[Heritage]


def belongings(user: User) -> Belongings:
    """What goes or passes on with somebody, to be shown before."""
    own = sa.select(Webhook.id).where(Webhook.created_by_id == user.id, Webhook.deleted_at.is_(None))
    unsettled = sa.select(sa.func.count()).where(Delivery.webhook_id.in_(own), Delivery.state.in_(UNSETTLED))
    return Belongings(
        webhooks=db.session.scalar(sa.select(sa.func.count()).select_from(own.subquery())) or 0,
        open_deliveries=db.session.scalar(unsettled) or 0,
        heritage=_heritage(user),
    )


def pass_on(session: Session, user: User) -> list[Heritage]:
    """Inside transaction(): make the heirs owners, delete what has none."""
    left = _heritage(user)
    for one in left:
        if one.heir is not None:
            _member(one.subject, one.heir).role = Role.OWNER
    session.flush()
    for project in [one.subject for one in left if one.heir is None and isinstance(one.subject, Project)]:
        session.execute(sa.delete(Project).where(Project.id == project.id))
    for company in [one.subject for one in left if one.heir is None and isinstance(one.subject, Company)]:
        has_projects = sa.exists().where(Project.company_id == Company.id)
        session.execute(sa.delete(Company).where(Company.id == company.id, ~has_projects))
    return left


def _heritage(user: User) -> list[Heritage]:
    projects = sa.select(Project).join(Project.members).where(*_owned_by(ProjectMember, user))
    companies = sa.select(Company).join(Company.members).where(*_owned_by(CompanyMember, user))
    subjects: list[Project | Company] = [*db.session.scalars(projects), *db.session.scalars(companies)]
    return [
        Heritage(subject, _heir(subject, user)) for subject in subjects if not _has_other_owner(subject.members, user)
    ]


def _owned_by(member: type[Member], user: User) -> tuple[sa.ColumnElement[bool], ...]:
    return member.user_id == user.id, member.role == Role.OWNER


def _has_other_owner(members: list[ProjectMember] | list[CompanyMember], user: User) -> bool:
    return any(member.role is Role.OWNER and member.user_id != user.id for member in members)


def _heir(subject: Project | Company, user: User) -> User | None:
    others = [member for member in subject.members if member.user_id != user.id]
    ranked = sorted(others, key=lambda member: (not member.user.is_active, RANKS[member.role], member.created_at))
    return ranked[0].user if ranked else None


def _member(subject: Project | Company, user: User) -> Member:
    return next(member for member in subject.members if member.user_id == user.id)
