"""Agreements: what all machines of an installation must have in common, as one of them told it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, UtcTime, utc_now

KEYS = "keys"  # a ciphertext of the newest encryption key, around a digest of the secret key
OLDEST_PROGRAM = "oldest program"  # the newest migration of the oldest program that may still run on these tables


class Agreement(Base):
    """One thing to agree on, and which machine told it."""

    __tablename__ = "agreement"

    name: Mapped[str] = mapped_column(sa.String(30), primary_key=True)
    value: Mapped[str] = mapped_column(sa.Text)
    host: Mapped[str] = mapped_column(sa.String(200))
    told_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
