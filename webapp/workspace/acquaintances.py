"""Whom somebody knows here. Who is not known to them is not there, so that addresses cannot be tried out."""

from __future__ import annotations

import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import CompanyMember, ProjectMember, User


def find(email: str, *, by: User, company_id: str) -> User | None:
    """The person with this address, if they belong to that company or share a company or a project with `by`."""
    companies = sa.select(CompanyMember.company_id).where(CompanyMember.user_id == by.id)
    projects = sa.select(ProjectMember.project_id).where(ProjectMember.user_id == by.id)
    colleagues = sa.select(CompanyMember.user_id).where(
        sa.or_(CompanyMember.company_id == company_id, CompanyMember.company_id.in_(companies))
    )
    fellows = sa.select(ProjectMember.user_id).where(ProjectMember.project_id.in_(projects))
    known = sa.or_(User.id.in_(colleagues), User.id.in_(fellows))
    return db.session.scalar(sa.select(User).where(User.email == email, known))
