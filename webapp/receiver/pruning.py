"""What an inbox keeps: the newest requests, for some days."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.models import InboxRequest, transaction

KEPT_REQUESTS = 200  # of one inbox
KEEP_FOR = timedelta(days=7)
BATCH = 500  # requests that one transaction of the clean-up deletes


def forget_surplus(session: Session, inbox_id: str, now: datetime) -> None:
    """Drop what this inbox no longer keeps, in the transaction of an arrival: at most all that it had."""
    oldest_kept = (
        sa.select(InboxRequest.seq)
        .where(InboxRequest.inbox_id == inbox_id)
        .order_by(InboxRequest.seq.desc())
        .offset(KEPT_REQUESTS - 1)
        .limit(1)
    )
    session.execute(
        sa.delete(InboxRequest).where(
            InboxRequest.inbox_id == inbox_id,
            sa.or_(InboxRequest.seq < oldest_kept.scalar_subquery(), InboxRequest.received_at <= now - KEEP_FOR),
        ),
        execution_options={"synchronize_session": False},
    )


def forget_old(now: datetime) -> int:
    """Drop requests past their days from all inboxes, also from those that nothing arrives at; returns how many."""
    forgotten: int = 0
    while True:
        with transaction() as session:
            old = sa.select(InboxRequest.seq).where(InboxRequest.received_at <= now - KEEP_FOR).limit(BATCH)
            gone: int = session.execute(
                sa.delete(InboxRequest).where(InboxRequest.seq.in_(old)),
                execution_options={"synchronize_session": False},
            ).rowcount  # type: ignore[attr-defined]
        forgotten += gone
        if gone < BATCH:
            return forgotten
