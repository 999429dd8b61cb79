"""Companies: the organizations that projects belong to."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from webapp.extensions import db
from webapp.models import (
    Company,
    CompanyMember,
    Forbidden,
    Invalid,
    NotFound,
    Project,
    ProjectMember,
    Role,
    User,
    transaction,
)
from webapp.models.texts import NAME_LENGTH, caller_id, checked, one_line
from webapp.models.texts import slug as slug_rule
from webapp.workspace.access import ADMINISTRATORS, MEMBERS


def create(name: str, *, by: User, slug: str | None = None, id: str | None = None) -> Company:  # noqa: A002
    """A new company, whose owner one becomes. Raises Invalid at `name`, `slug` or `id` (taken, for instance)."""
    values = _checked(name, slug, id)
    with transaction() as session:
        if "id" in values and session.get(Company, values["id"]) is not None:
            raise Invalid("id", "This id is taken.")
        company = _owned(values, by)
        session.add(company)
    return company


def upsert(id: str, *, name: str, slug: str | None = None, by: User) -> Company:  # noqa: A002
    """The company of that id, made or renamed, so that another application can mirror its own.

    Raises NotFound for an id of a company that `by` does not administer, Invalid with each wrong field.
    """
    values = _checked(name, slug, id)
    try:
        return _upsert(values, by, keeps_slug=slug is None)
    except IntegrityError:  # somebody made it at the same moment
        return _upsert(values, by, keeps_slug=slug is None)


def edit(company: Company, *, by: User, name: str, slug: str) -> None:
    """Rename a company. Raises Invalid with each wrong field, Forbidden for who does not own it, NotFound."""
    values = _checked(name, slug, None)
    company_id = company.id
    with transaction():
        company = load(company_id, by)
        if role_in(company, by) is not Role.OWNER:
            raise Forbidden("Only owners rename a company.")
        for field, value in values.items():
            setattr(company, field, value)


def role_in(company: Company, user: User) -> Role | None:
    """Somebody's role in a company, None when they are no member."""
    query = sa.select(CompanyMember.role)
    return db.session.scalar(query.where(CompanyMember.company_id == company.id, CompanyMember.user_id == user.id))


def projects_in(company: Company, user: User) -> list[Project]:
    """The projects of a company that `user` is a member of, archived ones too, by name."""
    query = sa.select(Project).join(Project.members)
    mine = query.where(Project.company_id == company.id, ProjectMember.user_id == user.id)
    return list(db.session.scalars(mine.order_by(sa.func.lower(Project.name), Project.id)))


def of(user: User) -> list[Company]:
    """The companies that somebody belongs to, by name."""
    query = sa.select(Company).join(Company.members).where(CompanyMember.user_id == user.id)
    return list(db.session.scalars(query.order_by(sa.func.lower(Company.name), Company.id)))


def open_to(user: User) -> list[Company]:
    """The companies in which somebody may make projects: owners, administrators and members, by name."""
    query = sa.select(Company).join(Company.members)
    query = query.where(CompanyMember.user_id == user.id, CompanyMember.role.in_(MEMBERS))
    return list(db.session.scalars(query.order_by(sa.func.lower(Company.name), Company.id)))


def load(company_id: str, user: User) -> Company:
    """A company that `user` belongs to; raises NotFound, also for other people's."""
    query = sa.select(Company).join(Company.members)
    company = db.session.scalar(query.where(Company.id == company_id, CompanyMember.user_id == user.id))
    if company is None:
        raise NotFound("There is no such company.")
    return company


def _checked(name: str, slug: str | None, company_id: str | None) -> dict[str, str]:
    values = checked(
        name=lambda: one_line("name", name, longest=NAME_LENGTH, empty="Enter a name."),
        slug=lambda: slug_rule(slug, name=name),
        id=lambda: caller_id(company_id) if company_id is not None else None,
    )
    return {key: value for key, value in values.items() if value is not None}


def _upsert(values: dict[str, str], by: User, *, keeps_slug: bool) -> Company:
    with transaction() as session:
        company = session.get(Company, values["id"])
        if company is None:
            company = _owned(values, by)
            session.add(company)
            return company
        mine = session.get(CompanyMember, (company.id, by.id))
        if mine is None or mine.role not in ADMINISTRATORS:
            raise NotFound("There is no such company.")
        company.name = values["name"]
        company.slug = company.slug if keeps_slug else values["slug"]
    return company


def _owned(values: dict[str, str], by: User) -> Company:
    company = Company(**values)
    company.members.append(CompanyMember(user_id=by.id, role=Role.OWNER))
    return company
