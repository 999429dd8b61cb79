"""Events that other applications publish: judged, and written all or none, once per idempotency key."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapp.delivery import outbox
from webapp.models import (
    Event,
    IdempotencyKey,
    Invalid,
    Project,
    ProjectMember,
    User,
    transaction,
    utc_now,
)
from webapp.workspace import access
from webapp.workspace.external_events import ABSENT, Draft, ExternalEvent, draft

__all__ = ["ABSENT", "MAX_EVENTS", "ExternalEvent", "publish_external"]

MAX_EVENTS = 500
KEY_LIVES = timedelta(hours=24)

Value = TypeVar("Value")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def publish_external(
    calls: Sequence[ExternalEvent],
    *,
    by: User,
    body_sha256: str,
    idempotency_key: str | None = None,
    is_batch: bool = False,
) -> dict[str, Any]:
    """Publish all of them or none. Answers ``{"id"}``, for a batch ``{"ids"}``; a key seen before gets the same answer.

    Raises Invalid at the first wrong event, each wrong field by name: `project_id`, in a batch `events.3.project_id`;
    and at `idempotency_key` when the key came with another body in the last 24 hours.
    """
    if not 1 <= len(calls) <= MAX_EVENTS:
        raise Invalid("events", "Send 1 to %(most)s events at once.", most=MAX_EVENTS)
    if idempotency_key is not None and not _KEY.fullmatch(idempotency_key):
        raise Invalid("idempotency_key", "Use 1 to 255 visible ASCII characters without blanks for Idempotency-Key.")
    drafts = [_named(index if is_batch else None, partial(draft, call)) for index, call in enumerate(calls)]
    try:
        return _publish(drafts, by, body_sha256, idempotency_key, is_batch)
    except IntegrityError:
        if idempotency_key is None:
            raise
        # The same key came twice at once and the other one won: its answer is there now.
        return _publish(drafts, by, body_sha256, idempotency_key, is_batch)


def _publish(drafts: list[Draft], by: User, body_sha256: str, key: str | None, is_batch: bool) -> dict[str, Any]:
    with transaction() as session:
        kept = _kept(session, by, key, body_sha256) if key else None
        if kept and kept.answer:
            return kept.answer
        places = _Places(session, by, drafts)
        events = [
            _named(index if is_batch else None, partial(places.publish, each)) for index, each in enumerate(drafts)
        ]
        session.flush()
        answer: dict[str, Any] = {"ids": [event.id for event in events]} if is_batch else {"id": events[0].id}
        if kept:
            kept.answer = answer
    return answer


def _kept(session: Session, by: User, key: str, body_sha256: str) -> IdempotencyKey:
    """The row of this key, which has an answer if it was used before. Raises Invalid when it came with another body."""
    row = session.get(IdempotencyKey, (by.id, key))
    if row and row.created_at <= utc_now() - KEY_LIVES:
        session.delete(row)
        session.flush()
        row = None
    if row is None:
        row = IdempotencyKey(user_id=by.id, key=key, body_sha256=body_sha256, answer={})
        session.add(row)
        session.flush()
    elif row.body_sha256 != body_sha256:
        raise Invalid("idempotency_key", "This key came with another body before. Use a new key for a new call.")
    return row


class _Places:
    """The projects and people that a batch names, each looked up once."""

    def __init__(self, session: Session, by: User, drafts: list[Draft]) -> None:
        self.by = by
        wanted = {each.call.project_id for each in drafts}
        people = {each.call.user_id for each in drafts if each.call.user_id}
        mine = sa.select(Project).join(Project.members)
        mine = mine.where(Project.id.in_(wanted), ProjectMember.user_id == by.id)
        self.projects = {project.id: project for project in session.scalars(mine)}
        members = sa.select(ProjectMember.project_id, User).join(ProjectMember.user)
        members = members.where(ProjectMember.project_id.in_(wanted), User.id.in_(people))
        self.people = {(project_id, user.id): user for project_id, user in session.execute(members)}
        self.roles = {project.id: access.role_in(project, by) for project in self.projects.values()}

    def publish(self, draft: Draft) -> Event:
        """Publish one event. Raises Invalid at `project_id` or `user_id`."""
        project = self._project(draft.call.project_id)
        return outbox.publish(
            draft.call.event,
            project=project,
            by=self._person(draft.call),
            previous=draft.previous,
            current=draft.current,
            record_id=draft.record_id,
        )

    def _project(self, project_id: str) -> Project:
        project = self.projects.get(project_id)
        if project is None:
            raise Invalid("project_id", "You have no project with this id. PUT /api/v1/projects/{id} makes one.")
        if not access.may(self.roles[project_id], "publish_events"):
            raise Invalid("project_id", "Your role in this project does not publish events. Ask for the role Member.")
        if project.archived:
            raise Invalid("project_id", "This project is archived: read only.")
        return project

    def _person(self, call: ExternalEvent) -> User:
        if not call.user_id or call.user_id == self.by.id:
            return self.by
        person = self.people.get((call.project_id, call.user_id))
        if person is None:
            raise Invalid("user_id", "The project has no member with this id. Leave userId out to act yourself.")
        return person


def _named(index: int | None, act: Callable[[], Value]) -> Value:
    """Run it; in a batch, name the event in the fields of its error."""
    try:
        return act()
    except Invalid as error:
        if index is None:
            raise
        raise Invalid.many(
            [Invalid(f"events.{index}.{field}", each.template, **each.values) for field, each in error.fields.items()]
        ) from None
