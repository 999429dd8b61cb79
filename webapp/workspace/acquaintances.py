"""Whom somebody knows here. Who is not known to them is not there, so that addresses cannot be tried out."""

from __future__ import annotations

import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import CompanyMember, Project, ProjectMember, User

MAX_SUGGESTED = 200


def find(email: str, *, by: User, company_id: str) -> User | None:
    """The person with this address, if they belong to that company or share a company or a project with `by`."""
    return db.session.scalar(sa.select(User).where(User.email == email, _is_known(by, company_id)))


def suggested(project: Project, *, by: User) -> list[User]:
    """Whom `by` knows and could add to a project, by name; the first of them when they are many."""
    members = sa.select(ProjectMember.user_id).where(ProjectMember.project_id == project.id)
    known = _is_known(by, project.company_id)
    query = sa.select(User).where(known, User.id.not_in(members), User.suspended_at.is_(None))
    return list(db.session.scalars(query.order_by(sa.func.lower(User.name), User.id).limit(MAX_SUGGESTED)))


def _is_known(by: User, company_id: str) -> sa.ColumnElement[bool]:
    companies = sa.select(CompanyMember.company_id).where(CompanyMember.user_id == by.id)
    projects = sa.select(ProjectMember.project_id).where(ProjectMember.user_id == by.id)
    colleagues = sa.select(CompanyMember.user_id).where(
        sa.or_(CompanyMember.company_id == company_id, CompanyMember.company_id.in_(companies))
    )
    fellows = sa.select(ProjectMember.user_id).where(ProjectMember.project_id.in_(projects))
    return sa.or_(User.id.in_(colleagues), User.id.in_(fellows))
