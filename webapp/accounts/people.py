"""People: making them, the first run, and what they say about themselves."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from webapp.accounts import passwords, turns
from webapp.extensions import db
from webapp.models import (
    Company,
    CompanyMember,
    Invalid,
    NotFound,
    Project,
    ProjectMember,
    RecordList,
    Role,
    User,
    audit,
    transaction,
)
from webapp.models.addresses import address_of, checked_email
from webapp.models.base import new_uid
from webapp.models.texts import NAME_LENGTH, checked, one_line, slug_of

LOCALES = ("en", "de")
THEMES = ("auto", "light", "dark")
DATE_FORMATS = ("", "year_first", "day_first", "month_first")  # empty: as the language has it
FIRST_LIST = "To do"
FIRST_POSITION = 65535.0
SETUP_TURN = 0x5E70


@dataclass(frozen=True)
class FirstRun:
    """What the first person says about themselves and their work."""

    name: str
    email: str
    password: str
    company: str
    project: str
    locale: str = ""
    time_zone: str = ""


def is_empty() -> bool:
    """Whether there is nobody yet."""
    return db.session.scalar(sa.select(User.id).limit(1)) is None


def create(email: str, password: str, *, name: str, is_operator: bool = False) -> User:
    """A new person. Raises Invalid at `name`, `email` or `password`, all that are wrong at once."""
    person = _person(_checked_person(name, email, password))
    person.is_operator = is_operator
    try:
        with transaction() as session:
            session.add(person)
            session.flush()
            audit.note("user.created", f"user:{person.id}", None, email=person.email, operator=is_operator)
    except IntegrityError:
        raise Invalid("email", "Somebody with this address exists already.") from None
    return person


def set_up(values: FirstRun) -> tuple[User, Project]:
    """The first person: operator, owner of a company and of a project with one list. NotFound if there is somebody."""
    checks = checked(
        person=lambda: _checked_person(values.name, values.email, values.password),
        company=lambda: one_line("company", values.company, longest=NAME_LENGTH, empty="Enter a name for the company."),
        project=lambda: one_line("project", values.project, longest=NAME_LENGTH, empty="Enter a name for the project."),
        locale=lambda: _locale(values.locale),
        time_zone=lambda: _time_zone(values.time_zone),
    )
    person = _person(checks["person"])
    person.locale, person.time_zone, person.is_operator = checks["locale"], checks["time_zone"], True
    company = Company(name=checks["company"], slug=slug_of(checks["company"]))
    project = Project(name=checks["project"], slug=slug_of(checks["project"]), company=company)
    company.members.append(CompanyMember(user=person, role=Role.OWNER))
    project.members.append(ProjectMember(user=person, role=Role.OWNER))
    first_list = RecordList(title=FIRST_LIST, position=FIRST_POSITION, project=project)
    with transaction() as session:
        turns.wait_for(session, SETUP_TURN)
        if not is_empty():
            raise NotFound("This installation is set up already.")
        session.add(person)
        session.flush()
        first_list.created_by_id = person.id
        session.add_all([company, project, first_list])
        audit.note("user.created", f"user:{person.id}", person, email=person.email, operator=True)
    return person, project


def edit(
    person: User,
    *,
    name: str,
    locale: str,
    time_zone: str,
    theme: str,
    date_format: str = "",
    has_shortcuts: bool = True,
) -> None:
    """Change what a person says about themselves. Raises Invalid with each wrong field."""
    values = checked(
        name=lambda: one_line("name", name, longest=NAME_LENGTH, empty="Enter your name."),
        locale=lambda: _locale(locale),
        time_zone=lambda: _time_zone(time_zone),
        theme=lambda: _theme(theme),
        date_format=lambda: _date_format(date_format),
    )
    with transaction():
        person.has_shortcuts = has_shortcuts
        for field, value in values.items():
            setattr(person, field, value)


def sign_out_everywhere(person: User) -> None:
    """End all sessions of this person, in every browser."""
    with transaction():
        person.session_key = new_uid()
        audit.note("user.signed_out_everywhere", f"user:{person.id}", person)


def _checked_person(name: str, email: str, password: str) -> dict[str, Any]:
    return checked(
        name=lambda: one_line("name", name, longest=NAME_LENGTH, empty="Enter your name."),
        email=lambda: checked_email(email),
        password=lambda: passwords.accept(password, email=address_of(email)),
    )


def _person(values: dict[str, Any]) -> User:
    return User(name=values["name"], email=values["email"], password_hash=passwords.hash_of(values["password"]))


def _locale(locale: str) -> str:
    if locale and locale not in LOCALES:
        raise Invalid("locale", "Choose one of the languages.")
    return locale


def _time_zone(name: str) -> str:
    if name and name not in zoneinfo.available_timezones():
        raise Invalid("time_zone", "Choose one of the time zones, such as Europe/Berlin.")
    return name


def _theme(theme: str) -> str:
    if theme not in THEMES:
        raise Invalid("theme", "Choose one of the themes.")
    return theme


def _date_format(name: str) -> str:
    if name not in DATE_FORMATS:
        raise Invalid("date_format", "Choose one of the date formats.")
    return name
