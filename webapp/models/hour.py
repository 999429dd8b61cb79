"""How the attempts of a webhook's events went, counted hour by hour, so that figures cost the same at any size."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, UtcTime

SUCCESS = "2xx"  # the outcome of every accepted attempt
UNKNOWN = "unknown"  # of one whose worker stopped before it could say
NO_SPAN = -1  # the bucket of attempts that took no known time


class WebhookHour(Base):
    """Attempts of one webhook that were claimed in one hour (UTC), had one outcome and took about equally long.

    `outcome` is SUCCESS, a status code, an error word or UNKNOWN, `bucket` a class of `delivery/latencies.py`;
    `deliveries` says for how many of the attempts it was the first of their delivery.
    """

    __tablename__ = "webhook_hour"

    # No foreign key: its check would lock the webhook's row after the delivery's, against the order of everybody else.
    webhook_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    hour_at: Mapped[datetime] = mapped_column(UtcTime, primary_key=True)
    outcome: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    bucket: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    attempts: Mapped[int] = mapped_column(sa.BigInteger)  # large enough for the totals of delivery/totalling.py
    deliveries: Mapped[int] = mapped_column(sa.BigInteger)
    first_at: Mapped[datetime] = mapped_column(UtcTime)
    last_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (sa.Index("ix_webhook_hour_hour_at", "hour_at"), {"sqlite_with_rowid": False})
