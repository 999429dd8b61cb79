"""Upkeep: when what is done from time to time was last done to its end."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, UtcTime

PRUNING = "pruning"


class Upkeep(Base):
    """One kind of upkeep."""

    __tablename__ = "upkeep"

    name: Mapped[str] = mapped_column(sa.String(30), primary_key=True)
    done_at: Mapped[datetime] = mapped_column(UtcTime)
