"""What an inbox keeps: the newest requests, for some days. Where nothing arrives any more, delivery.pruning tidies."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.models import InboxRequest

KEPT_REQUESTS = 200  # of one inbox
KEEP_FOR = timedelta(days=7)


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
