"""Cancelling: what may not be sent any more because its owner lost the role, and what nobody wants any more.

On PostgreSQL the loss of a role and what is made because of one (fan-out, a wish to send again) could pass each other
unseen: neither sees what the other has not committed. So many may make at once, one may lose, and never both. Each
takes its turn before it locks any row, the losing one at the latest before it looks for what to cancel.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.config import current
from webapp.delivery import redeliveries
from webapp.delivery.holding import count
from webapp.extensions import db
from webapp.models import (
    UNSETTLED,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Event,
    ProjectMember,
    User,
    Webhook,
    database_now,
    pipelines,
    webhook_roles,
)

ROLE_LOST = "role_lost"
ROLES_TURN = 0x201E  # a lock of the database's, by number


def keep_roles(session: Session) -> None:
    """Inside transaction(), first of all: nobody loses a role, or gets a webhook, until it ends."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite has locked all of it already
        with pipelines.unanswered(session.connection()):
            session.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(ROLES_TURN)))


def wait_for_makers(session: Session) -> None:
    """Inside transaction(): wait for all that keep roles; whoever comes later sees what we have changed."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(ROLES_TURN)))


def cancel_for_lost_role(user_id: str, project_id: str | None = None) -> int:
    """Inside transaction(), after the role was changed: cancel what this person's webhooks may not send any more.

    Looks at the events of one project, or of all of them (None: somebody was suspended). Waiting and held deliveries
    are cancelled, wishes for others end; returns how many were cancelled. What is in flight finishes, and is not sent
    again should its worker die. An event of two projects (a record was moved) stays while one of them is administered.
    """
    session = db.session()
    session.flush()
    wait_for_makers(session)
    now = database_now()
    own = Delivery.webhook_id.in_(sa.select(Webhook.id).where(Webhook.created_by_id == user_id))
    lost = [own, Delivery.kind == DeliveryKind.EVENT, ~is_of(administered(user_id))]
    if project_id is not None:
        lost.append(is_of([project_id]))
    redeliveries.end(session, now, *lost)
    cancelled = session.execute(
        sa.update(Delivery)
        .where(*lost, Delivery.state.in_(UNSETTLED))
        .values(state=DeliveryState.CANCELLED, reason=ROLE_LOST, settled_at=now, next_attempt_at=None)
        .execution_options(synchronize_session=False)
    )
    return count(cancelled)


def count_for_lost_role(user_id: str, project_id: str) -> int:
    """How many waiting and held deliveries would be cancelled if this person lost the role in this project."""
    own = Delivery.webhook_id.in_(sa.select(Webhook.id).where(Webhook.created_by_id == user_id))
    others = administered(user_id).where(ProjectMember.project_id != project_id)
    lost = [own, Delivery.kind == DeliveryKind.EVENT, is_of([project_id]), ~is_of(others)]
    return db.session.scalar(sa.select(sa.func.count()).where(*lost, Delivery.state.in_(UNSETTLED))) or 0


def administered(user_id: str | sa.ScalarSelect[str]) -> sa.Select[str]:
    """The ids of the projects whose events this person's webhooks may carry; none for somebody who is suspended."""
    return (
        sa.select(ProjectMember.project_id)
        .join(User, User.id == ProjectMember.user_id)
        .where(
            ProjectMember.user_id == user_id,
            ProjectMember.role.in_(webhook_roles(current().webhook_role)),
            User.suspended_at.is_(None),
        )
    )


def is_of(projects: sa.Select[str] | Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether a delivery's event belongs to one of these projects: where it happened, or where its record came from."""
    came_from = sa.exists().where(Event.seq == Delivery.event_seq, Event.source_project_id.in_(projects))
    return sa.or_(Delivery.project_id.in_(projects), came_from)
