"""Events that other applications publish: judged, and written all or none, once per idempotency key."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from webapp.delivery import outbox
from webapp.extensions import db
from webapp.models import IdempotencyKey, Invalid, Project, ProjectMember, Role, transaction, utc_now
from webapp.models.base import table_of
from webapp.workspace import access
from webapp.workspace.combining import Combiner
from webapp.workspace.external_events import ABSENT, Draft, ExternalEvent, draft

__all__ = ["ABSENT", "MAX_EVENTS", "ExternalEvent", "publish_external"]

MAX_EVENTS = 500
KEY_LIVES = timedelta(hours=24)

Value = TypeVar("Value")
_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")
_PROJECT, _MEMBER, _KEY = table_of(Project), table_of(ProjectMember), table_of(IdempotencyKey)
_MINE = (
    sa.select(_PROJECT.c.id, _PROJECT.c.company_id, _PROJECT.c.archived, _MEMBER.c.role)
    .join(_MEMBER, _MEMBER.c.project_id == _PROJECT.c.id)
    .where(_PROJECT.c.id.in_(sa.bindparam("project_ids", expanding=True)), _MEMBER.c.user_id == sa.bindparam("user_id"))
)
_MEMBERS = sa.select(_MEMBER.c.project_id, _MEMBER.c.user_id).where(
    _MEMBER.c.project_id.in_(sa.bindparam("project_ids", expanding=True)),
    _MEMBER.c.user_id.in_(sa.bindparam("user_ids", expanding=True)),
)


def publish_external(
    calls: Sequence[ExternalEvent],
    *,
    by_id: str,
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
    if idempotency_key is not None and not _VISIBLE.fullmatch(idempotency_key):
        raise Invalid("idempotency_key", "Use 1 to 255 visible ASCII characters without blanks for Idempotency-Key.")
    drafts = [_named(index if is_batch else None, partial(draft, call)) for index, call in enumerate(calls)]
    order = _Order(drafts, by_id, body_sha256, idempotency_key, is_batch)
    if db.engine.dialect.name == "sqlite":
        _together.do(order)
    else:
        _write(lambda: [order])
    return order.outcome()


@dataclass
class _Order:
    """One call to publish, and what came of it."""

    drafts: list[Draft]
    by_id: str
    body_sha256: str
    key: str | None
    is_batch: bool
    answer: dict[str, Any] | None = None
    error: Exception | None = None
    is_done: bool = False

    @property
    def size(self) -> int:
        """Events."""
        return len(self.drafts)

    def outcome(self) -> dict[str, Any]:
        """The answer. Raises what went wrong."""
        if self.error is not None:
            raise self.error
        assert self.answer is not None  # noqa: S101 - one of the two is there
        return self.answer

    def write(self, connection: sa.Connection) -> None:
        """Write it into the open transaction, or keep what is wrong with it, which then has written nothing."""
        try:
            self.answer = self._answer(connection)
        except Invalid as error:
            self.error = error

    def _answer(self, connection: sa.Connection) -> dict[str, Any]:
        kept = _kept(connection, self.by_id, self.key, self.body_sha256) if self.key else None
        if kept:
            return kept
        places = _Places(connection, self.by_id, self.drafts)
        publications = [
            _named(index if self.is_batch else None, partial(places.publication, each))
            for index, each in enumerate(self.drafts)
        ]
        ids = outbox.publish_many(publications)
        answer: dict[str, Any] = {"ids": ids} if self.is_batch else {"id": ids[0]}
        if self.key:
            row = {"user_id": self.by_id, "key": self.key, "body_sha256": self.body_sha256}
            connection.execute(sa.insert(_KEY), row | {"answer": answer, "created_at": utc_now()})
        return answer


def _write(take: Callable[[], list[_Order]], *, is_first: bool = True) -> None:
    """Write what waits in one transaction. An order that spoils it for the others is found by writing each alone."""
    orders: list[_Order] = []
    try:
        with transaction() as session:
            orders = take()
            connection = session.connection()
            for order in orders:
                order.write(connection)
    except IntegrityError as error:
        # On PostgreSQL: the same key came twice at once and the other one won; its answer is there now.
        if is_first and (len(orders) > 1 or any(order.key for order in orders)):
            for order in orders:
                _write(partial(list, [order]), is_first=False)
        else:
            _fail(orders, error)
    except Exception as error:  # noqa: BLE001 - raised by each that waits for it
        _fail(orders or take(), error)
    for order in orders:
        order.is_done = True


def _fail(orders: list[_Order], error: Exception) -> None:
    """Nothing of them is on disk."""
    for order in orders:
        order.answer, order.error, order.is_done = None, error, True


_together = Combiner(_write)


def _kept(connection: sa.Connection, by_id: str, key: str, body_sha256: str) -> dict[str, Any] | None:
    """The answer that this key got, if it was used before. Raises Invalid when it came with another body."""
    is_it = sa.and_(_KEY.c.user_id == by_id, _KEY.c.key == key)
    row = connection.execute(sa.select(_KEY).where(is_it)).one_or_none()
    if row is None:
        return None
    if row.created_at <= utc_now() - KEY_LIVES:
        connection.execute(sa.delete(_KEY).where(is_it))
        return None
    if row.body_sha256 != body_sha256:
        raise Invalid("idempotency_key", "This key came with another body before. Use a new key for a new call.")
    answer: dict[str, Any] = row.answer
    return answer


class _Places:
    """The projects and people that a batch names, all looked up at once, in rows and not in objects."""

    def __init__(self, connection: sa.Connection, by_id: str, drafts: list[Draft]) -> None:
        self.by_id = by_id
        wanted = {each.call.project_id for each in drafts}
        mine = connection.execute(_MINE, {"project_ids": list(wanted), "user_id": by_id})
        self.projects = {project.id: project for project in mine}
        people = {each.call.user_id for each in drafts if each.call.user_id} - {by_id}
        self.members: set[tuple[str, str]] = set()
        if people:
            members = connection.execute(_MEMBERS, {"project_ids": list(wanted), "user_ids": list(people)})
            self.members = {(member.project_id, member.user_id) for member in members}

    def publication(self, draft: Draft) -> outbox.Publication:
        """What is written for one event. Raises Invalid at `project_id` or `user_id`."""
        project = self._project(draft.call.project_id)
        return outbox.Publication(
            draft.call.event,
            project.id,
            project.company_id,
            self._person(draft.call),
            draft.previous,
            draft.current,
            draft.record_id,
        )

    def _project(self, project_id: str) -> sa.Row[str, str, bool, Role]:
        project = self.projects.get(project_id)
        if project is None:
            raise Invalid("project_id", "You have no project with this id. PUT /api/v1/projects/{id} makes one.")
        if not access.may(project.role, "publish_events"):
            raise Invalid("project_id", "Your role in this project does not publish events. Ask for the role Member.")
        if project.archived:
            raise Invalid("project_id", "This project is archived: read only.")
        return project

    def _person(self, call: ExternalEvent) -> str:
        if not call.user_id or call.user_id == self.by_id:
            return self.by_id
        if (call.project_id, call.user_id) not in self.members:
            raise Invalid("user_id", "The project has no member with this id. Leave userId out to act yourself.")
        return call.user_id


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
