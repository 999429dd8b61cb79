"""Idempotency keys: the answer that a repeated call gets again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, UtcTime, utc_now


class IdempotencyKey(Base):
    """One caller's key, the digest of the body it came with, and the answer that was given."""

    __tablename__ = "idempotency_key"

    user_id: Mapped[str] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    body_sha256: Mapped[str] = mapped_column(sa.String(64))
    answer: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, index=True)
