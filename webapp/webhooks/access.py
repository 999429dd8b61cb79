"""Who may have webhooks, and whose they are. Another person's webhook and a deleted one are simply not there."""

from __future__ import annotations

from collections import Counter

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from webapp import config
from webapp.extensions import db
from webapp.models import Company, Forbidden, NotFound, Project, ProjectMember, Role, User, Webhook, webhook_roles

NO_WEBHOOK = "There is no such webhook."
NOT_ADMINISTRATOR = "Webhooks are set up by project administrators. Ask an administrator of your project."


def administered_projects(user: User) -> list[Project]:
    """The projects whose events this person's webhooks may carry, archived ones too, by company and name."""
    query = (
        sa.select(Project)
        .join(Company, Company.id == Project.company_id)
        .where(Project.id.in_(_administered(user)))
        .order_by(Company.name, Company.id, Project.name, Project.id)
    )
    return list(db.session.scalars(query))


def administers(user: User, project_id: str | None = None) -> bool:
    """Whether this person administers that project, or any project at all."""
    query = _administered(user)
    if project_id is not None:
        query = query.where(ProjectMember.project_id == project_id)
    return db.session.scalar(query.limit(1)) is not None


def require_administrator(user: User) -> None:
    """Raises Forbidden for somebody who administers no project."""
    if not administers(user):
        raise Forbidden(NOT_ADMINISTRATOR)


def administrators(user: User) -> list[User]:
    """The people whom somebody without that role can ask: administrators of the projects they share, by name."""
    shared = sa.select(ProjectMember.project_id).where(ProjectMember.user_id == user.id)
    asked = sa.select(ProjectMember.user_id).where(
        ProjectMember.project_id.in_(shared), ProjectMember.role.in_(_roles()), ProjectMember.user_id != user.id
    )
    return list(db.session.scalars(sa.select(User).where(User.id.in_(asked)).order_by(User.name, User.id)))


def of(user: User) -> list[Webhook]:
    """This person's webhooks, by name."""
    query = (
        sa.select(Webhook)
        .where(Webhook.created_by_id == user.id, Webhook.deleted_at.is_(None))
        .options(joinedload(Webhook.health))
    )
    return list(db.session.scalars(query.order_by(sa.func.lower(Webhook.name), Webhook.created_at, Webhook.id)))


def by_project(user: User) -> Counter[str]:
    """How many of this person's webhooks that are on get the events of each project that they administer, by its id."""
    query = sa.select(Webhook.project_ids).where(Webhook.created_by_id == user.id, Webhook.deleted_at.is_(None))
    chosen = list(db.session.scalars(query.where(Webhook.enabled)))
    administered = db.session.scalars(_administered(user))
    return Counter({each: sum(not ids or each in ids for ids in chosen) for each in administered})


def load(user: User, webhook_id: str) -> Webhook:
    """One of this person's webhooks; raises NotFound for a missing, a deleted and another person's one alike."""
    webhook = db.session.get(Webhook, webhook_id)
    if webhook is None or webhook.deleted_at is not None or webhook.created_by_id != user.id:
        raise NotFound(NO_WEBHOOK)
    return webhook


def lock(session: Session, webhook: Webhook, by: User) -> None:
    """Inside transaction(): reload the webhook with its row locked; raises NotFound as `load` does."""
    # Not refresh(with_for_update=True): it joins what the object was loaded with, which PostgreSQL cannot lock.
    session.execute(sa.select(Webhook.id).where(Webhook.id == webhook.id).with_for_update())
    session.refresh(webhook)
    if webhook.deleted_at is not None or webhook.created_by_id != by.id:
        raise NotFound(NO_WEBHOOK)


def _administered(user: User) -> sa.Select[str]:
    return sa.select(ProjectMember.project_id).where(ProjectMember.user_id == user.id, ProjectMember.role.in_(_roles()))


def _roles() -> tuple[Role, ...]:
    return webhook_roles(config.current().webhook_role)
