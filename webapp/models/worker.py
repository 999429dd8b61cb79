"""Workers: the beat of each process that sends, so that pages can say when none does."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, UtcTime, utc_now


class Worker(Base):
    """One worker process. Gone when it stopped properly; silent when it was killed."""

    __tablename__ = "worker"

    id: Mapped[str] = mapped_column(sa.String(100), primary_key=True)
    host: Mapped[str] = mapped_column(sa.String(200))
    pid: Mapped[int]
    threads: Mapped[int]
    version: Mapped[str] = mapped_column(sa.String(20))
    base_url: Mapped[str | None] = mapped_column(sa.String(2048))  # empty where none is set
    started_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    beat_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
