"""Replays: many deliveries again, asked for once, sent in pace."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, UtcTime, new_id, partial_index, utc_now
from webapp.models.event import Seq


class Replay(Base):
    """One replay: which deliveries were meant, how many there were, and how far it is."""

    __tablename__ = "replay"

    seq: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(sa.String(64), unique=True, default=new_id)
    webhook_id: Mapped[str] = mapped_column(sa.ForeignKey("webhook.id", ondelete="CASCADE"), index=True)
    requested_by_id: Mapped[str | None] = mapped_column(sa.ForeignKey("user.id", ondelete="SET NULL"))
    chosen: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    total: Mapped[int]
    redelivered: Mapped[int] = mapped_column(default=0)
    cursor: Mapped[int] = mapped_column(Seq, default=0)
    last_seq: Mapped[int | None] = mapped_column(Seq)  # of the last delivery that was meant; None: not known
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    stopped_at: Mapped[datetime | None] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (partial_index("ix_replay_running", "seq", where="finished_at IS NULL"),)
