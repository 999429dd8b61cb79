"""Notices: mails to send. A row until it was sent, so that a mail server that is down loses none."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, UtcTime, utc_now
from webapp.models.event import Seq


class Notice(Base):
    """One mail owed to one person: its template's name and the values in it."""

    __tablename__ = "notice"

    seq: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=True)
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), index=True)
    template: Mapped[str] = mapped_column(sa.String(40))
    values: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcTime, default=utc_now, index=True)
    attempts_made: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(UtcTime)
    last_error: Mapped[str | None] = mapped_column(sa.Text)
