"""The people of the demo, their company, and their two projects."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from webapp.accounts import people
from webapp.models import Company, CompanyMember, Project, ProjectMember, Role, User, transaction
from webapp.models.texts import slug_of

EMAIL = "ada@example.com"
FOUNDED = timedelta(days=40)  # before the demo was filled


@dataclass(frozen=True)
class Cast:
    """Who is there, and where they work. Ada owns both projects; the others have roles in them."""

    ada: User
    grace: User
    charles: User
    mary: User
    website: Project
    orders: Project


def engage_ada(password: str) -> User:
    """The operator of a demo that nobody else begins."""
    return people.create(EMAIL, password, name="Ada Lovelace", is_operator=True)


def engage(ada: User, now: datetime) -> Cast:
    """Make the teammates, then company and projects as rows of some weeks ago. Whoever plays Ada owns both projects."""
    grace, charles, mary = (
        people.create(_address_of(name, ada), secrets.token_urlsafe(24), name=name)
        for name in ("Grace Hopper", "Charles Babbage", "Mary Somerville")
    )
    founded = now - FOUNDED
    company = Company(name="Analytical Engines", slug="analytical-engines", created_at=founded, updated_at=founded)
    website, orders = (_project(name, company, founded) for name in ("Website relaunch", "Orders"))
    roles = {
        website: {ada: Role.OWNER, grace: Role.ADMIN, mary: Role.CLIENT},
        orders: {ada: Role.OWNER, grace: Role.ADMIN, charles: Role.MEMBER},
    }
    with transaction() as session:
        for person in (ada, grace, charles, mary):
            person.created_at = person.updated_at = founded
            role = Role.OWNER if person is ada else Role.MEMBER
            company.members.append(CompanyMember(user_id=person.id, role=role, created_at=founded))
        session.add_all([company, website, orders])
        session.flush()
        for project, members in roles.items():
            session.add_all(
                ProjectMember(project_id=project.id, user_id=person.id, role=role, created_at=founded)
                for person, role in members.items()
            )
    return Cast(ada, grace, charles, mary, website, orders)


def _address_of(name: str, ada: User) -> str:
    """The teammate's address; another one if it is that of the person who plays Ada."""
    local = name.partition(" ")[0].lower()
    usual = f"{local}@example.com"
    return usual if usual != ada.email else f"{local}@demo.example.com"


def _project(name: str, company: Company, at: datetime) -> Project:
    return Project(name=name, slug=slug_of(name), company=company, created_at=at, updated_at=at)
