"""The audit log: who did what, when, from where. Rows are only ever added."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db, remote_address
from webapp.models.account import User
from webapp.models.base import Base, UtcTime, utc_now
from webapp.models.event import Seq


class AuditEntry(Base):
    """One audited action; `detail` holds old and new values, secrets only as "changed"."""

    __tablename__ = "audit_entry"

    seq: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    user_id: Mapped[str | None] = mapped_column(sa.String(64))
    action: Mapped[str] = mapped_column(sa.String(60))
    subject: Mapped[str] = mapped_column(sa.String(100))
    detail: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    address: Mapped[str] = mapped_column(sa.String(64), default="")

    __table_args__ = (sa.Index("ix_audit_entry_subject_seq", "subject", "seq"), {"sqlite_autoincrement": True})


def note(action: str, subject: str, by: User | None, **detail: Any) -> None:
    """Write one line inside transaction(), with the address that the request came from, if it is one.

    `action` is `noun.verb`, `subject` is `noun:id`; `detail` holds old and new values, secrets never.
    """
    user_id = by.id if by else None
    db.session.add(AuditEntry(user_id=user_id, action=action, subject=subject, detail=detail, address=remote_address()))
