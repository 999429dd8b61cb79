"""The built-in inbox: addresses of people's own, and what arrived there."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, EncryptedText, UtcTime, new_id, utc_now
from webapp.models.event import Seq


class Inbox(Base):
    """An address that shows what arrives, and answers as it was told."""

    __tablename__ = "inbox"

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(sa.String(100))
    token: Mapped[str] = mapped_column(sa.String(64), unique=True)
    answer_status: Mapped[int] = mapped_column(default=200)
    answer_delay_ms: Mapped[int] = mapped_column(default=0)
    answer_retry_after_s: Mapped[int | None]
    answer_body: Mapped[str] = mapped_column(sa.Text, default="")
    hangs_up: Mapped[bool] = mapped_column(default=False)
    webhook_id: Mapped[str | None] = mapped_column(sa.ForeignKey("webhook.id", ondelete="SET NULL"))
    own_secret: Mapped[str | None] = mapped_column(EncryptedText)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)


class InboxRequest(Base):
    """One request that arrived, as it arrived."""

    __tablename__ = "inbox_request"

    seq: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(sa.String(64), unique=True, default=new_id)
    inbox_id: Mapped[str] = mapped_column(sa.ForeignKey("inbox.id", ondelete="CASCADE"))
    method: Mapped[str] = mapped_column(sa.String(20))
    path: Mapped[str] = mapped_column(sa.String(4096))
    is_cut: Mapped[bool] = mapped_column(default=False)
    address: Mapped[str] = mapped_column(sa.String(64))
    received_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    answered_status: Mapped[int | None]
    event_type: Mapped[str | None] = mapped_column(sa.String(64))
    delivery_id: Mapped[str | None] = mapped_column(sa.String(100))
    verdict: Mapped[str] = mapped_column(sa.String(30))

    # The long ones last: SQLite reads a row from its beginning, so that the list touches no body.
    headers: Mapped[list[list[str]]] = mapped_column(sa.JSON)
    body: Mapped[bytes]

    __table_args__ = (
        sa.Index("ix_inbox_request_inbox_id_seq", "inbox_id", "seq"),
        sa.Index("ix_inbox_request_received_at", "received_at"),
        {"sqlite_autoincrement": True},
    )
