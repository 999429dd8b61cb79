"""Projects: where people work. There are no event types for projects themselves (Blue has none)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from webapp.delivery import outbox, payloads
from webapp.extensions import db
from webapp.models import (
    UNSETTLED,
    Company,
    CompanyMember,
    Delivery,
    Event,
    Invalid,
    NotFound,
    Project,
    ProjectMember,
    Record,
    RecordList,
    Role,
    User,
    audit,
    transaction,
)
from webapp.models.texts import NAME_LENGTH, caller_id, checked, one_line, paragraphs, slug_of
from webapp.models.texts import slug as slug_rule
from webapp.workspace import access, positions

DESCRIPTION_LENGTH = 20_000
FIRST_LIST = "To do"
CATEGORIES = (
    "GENERAL",
    "CRM",
    "CROSS_FUNCTIONAL",
    "DESIGN",
    "ENGINEERING",
    "HR",
    "IT",
    "MARKETING",
    "OPERATIONS",
    "PRODUCT",
    "SALES",
)


@dataclass(frozen=True)
class Overview:
    """A project as its card shows it: the reader's role, and how many lists, records not done and members it has."""

    project: Project
    role: Role
    lists: int
    open_records: int
    members: int


@dataclass(frozen=True)
class WhatGoes:
    """What is lost when a project is deleted."""

    lists: int
    records: int
    open_deliveries: int


def create(
    name: str,
    *,
    company: Company | str,
    by: User,
    slug: str | None = None,
    description: str = "",
    id: str | None = None,  # noqa: A002
) -> Project:
    """A new project with a first list; `by` is its owner. `company` is one of theirs, or the name of a new one.

    Raises Invalid with each wrong field: `name`, `slug`, `description`, `id`, `company`, or `company_id`.
    """
    values = _checked(name, slug, description, id, company if isinstance(company, str) else None)
    company_name, company_id = values.pop("company", ""), "" if isinstance(company, str) else company.id
    with transaction() as session:
        if "id" in values and session.get(Project, values["id"]) is not None:
            raise Invalid("id", "This id is taken.")
        project = _owned(values, company_id or _new_company(company_name, by), by)
        first = RecordList(title=FIRST_LIST, position=positions.STEP, project=project, created_by_id=by.id)
        session.add_all([project, first])
        session.flush()
        outbox.publish("TODO_LIST_CREATED", project=project, by=by, current=payloads.record_list(first))
    return project


def upsert(id: str, *, name: str, company_id: str, slug: str | None = None, by: User) -> Project:  # noqa: A002
    """The project of that id, made (without lists) or renamed, so that another application can mirror its own.

    Raises NotFound for an id of a project that `by` does not administer, Invalid with each wrong field.
    """
    values = _checked(name, slug, None, id)
    try:
        return _upsert(values, company_id, by, keeps_slug=slug is None)
    except IntegrityError:  # somebody made it at the same moment
        return _upsert(values, company_id, by, keeps_slug=slug is None)


def edit(
    project: Project,
    *,
    by: User,
    name: str,
    slug: str | None = None,
    description: str | None = None,
    category: str | None = None,
) -> None:
    """Change what a project is called; None leaves a value. Raises Invalid with each wrong field, Forbidden."""
    values = _checked(name, slug if slug is not None else project.slug, description, None)
    if category is not None:
        values["category"] = _category(category, project)
    project_id = project.id
    with transaction():
        project = access.load_project(project_id, by)
        access.demand(project, by, "edit_project")
        for field, value in values.items():
            setattr(project, field, value)


def archive(project: Project, *, by: User) -> None:
    """Let nobody change anything in a project any more, until unarchive(); so it has no more events. Forbidden."""
    _set_archived(project, True, by)


def unarchive(project: Project, *, by: User) -> None:
    """Let people work in a project again. Raises Forbidden."""
    _set_archived(project, False, by)


def what_goes(project: Project) -> WhatGoes:
    """What would go with a project."""
    lists = sa.select(sa.func.count()).where(RecordList.project_id == project.id)
    records = sa.select(sa.func.count()).select_from(Record).join(RecordList)
    open_deliveries = sa.select(sa.func.count()).select_from(Delivery).join(Event, Event.seq == Delivery.event_seq)
    unsettled = open_deliveries.where(Event.project_id == project.id, Delivery.state.in_(UNSETTLED))
    return WhatGoes(
        lists=db.session.scalar(lists) or 0,
        records=db.session.scalar(records.where(RecordList.project_id == project.id)) or 0,
        open_deliveries=db.session.scalar(unsettled) or 0,
    )


def delete(project: Project, typed_name: str, *, by: User) -> None:
    """Delete a project for good, with its records, events and what was sent of them.

    Webhooks that list only this project stay as they are and get nothing. Raises Invalid at `typed_name`, Forbidden.
    """
    project_id = project.id
    with transaction() as session:
        project = access.load_project(project_id, by)
        access.demand(project, by, "edit_project")
        if " ".join(typed_name.split()) != project.name:
            raise Invalid("typed_name", "This is not the name of the project.")
        audit.note("project.deleted", f"project:{project_id}", by, name=project.name, company=project.company_id)
        session.execute(sa.delete(Project).where(Project.id == project_id).execution_options(synchronize_session=False))
        session.expunge(project)


def overview(user: User, *, search: str = "", include_archived: bool = False) -> list[Overview]:
    """Somebody's projects with their numbers, by company and name. `search` looks at name and slug."""
    lists = sa.select(sa.func.count()).where(RecordList.project_id == Project.id).scalar_subquery()
    records = sa.select(sa.func.count()).select_from(Record).join(RecordList)
    open_records = records.where(RecordList.project_id == Project.id, ~Record.done, ~Record.archived).scalar_subquery()
    members = sa.select(sa.func.count()).where(ProjectMember.project_id == Project.id).scalar_subquery()
    projects = {project.id: project for project in access.projects_of(user, include_archived)}
    mine = sa.orm.aliased(ProjectMember)
    query = sa.select(Project.id, mine.role, lists, open_records, members).join(mine, mine.project_id == Project.id)
    numbers = {row[0]: tuple(row[1:]) for row in db.session.execute(query.where(mine.user_id == user.id))}
    wanted = search.strip().casefold()
    return [
        Overview(project, *numbers[key])
        for key, project in projects.items()
        if wanted in project.name.casefold() or wanted in project.slug.casefold()
    ]


def _set_archived(project: Project, archived: bool, by: User) -> None:
    project_id = project.id
    with transaction():
        project = access.load_project(project_id, by)
        access.demand(project, by, "edit_project")
        if project.archived is not archived:
            project.archived = archived
            audit.note("project.archived" if archived else "project.unarchived", f"project:{project_id}", by)


def _category(category: str, project: Project) -> str:
    if category not in {*CATEGORIES, project.category}:
        raise Invalid("category", "Choose one of the categories.")
    return category


def _checked(
    name: str, slug: str | None, description: str | None, project_id: str | None, company: str | None = None
) -> dict[str, Any]:
    values = checked(
        name=lambda: one_line("name", name, longest=NAME_LENGTH, empty="Enter a name."),
        slug=lambda: slug_rule(slug, name=name),
        description=lambda: (
            None if description is None else paragraphs("description", description, longest=DESCRIPTION_LENGTH)
        ),
        id=lambda: None if project_id is None else caller_id(project_id),
        company=lambda: (
            None if company is None else one_line("company", company, longest=NAME_LENGTH, empty="Enter a name for it.")
        ),
    )
    return {key: value for key, value in values.items() if value is not None}


def _upsert(values: dict[str, Any], company_id: str, by: User, *, keeps_slug: bool) -> Project:
    with transaction() as session:
        project = session.get(Project, values["id"])
        if project is None:
            project = _owned(values, company_id, by)
            session.add(project)
            return project
        if access.role_in(project, by) not in access.ADMINISTRATORS:
            raise NotFound("There is no such project.")
        if project.company_id != company_id:
            raise Invalid("company_id", "This project belongs to another company, and stays there.")
        project.name = values["name"]
        project.slug = project.slug if keeps_slug else values["slug"]
    return project


def _new_company(name: str, by: User) -> str:
    company = Company(name=name, slug=slug_of(name))
    company.members.append(CompanyMember(user_id=by.id, role=Role.OWNER))
    db.session.add(company)
    db.session.flush()
    return company.id


def _owned(values: dict[str, Any], company_id: str, by: User) -> Project:
    mine = db.session.get(CompanyMember, (company_id, by.id))
    if mine is None:
        raise Invalid("company_id", "You belong to no company with this id. Create it first, or ask its owner.")
    if mine.role not in access.MEMBERS:
        raise Invalid("company_id", "Your role in this company makes no projects. Ask its owner.")
    project = Project(**values, company_id=company_id)
    project.members.append(ProjectMember(user_id=by.id, role=Role.OWNER))
    return project
