"""Events: what happened, with the values before and after as the bytes that are sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, UtcTime, new_event_id, partial_index, utc_now

# SQLite counts up only with INTEGER, and never gives a number twice only with AUTOINCREMENT.
Seq = sa.BigInteger().with_variant(sa.Integer, "sqlite")


class Event(Base):
    """One thing that happened. A value is NULL where the payload has no such key; a null is bytes, too."""

    __tablename__ = "event"

    seq: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(sa.String(64), unique=True, default=new_event_id)
    type: Mapped[str] = mapped_column(sa.String(64))
    project_id: Mapped[str] = mapped_column(sa.ForeignKey("project.id", ondelete="CASCADE"))
    source_project_id: Mapped[str | None] = mapped_column(sa.ForeignKey("project.id", ondelete="SET NULL"))
    company_id: Mapped[str] = mapped_column(sa.String(64))
    user_id: Mapped[str | None] = mapped_column(sa.ForeignKey("user.id", ondelete="SET NULL"))
    record_id: Mapped[str | None] = mapped_column(sa.String(64))
    previous_value: Mapped[bytes | None]
    current_value: Mapped[bytes | None]
    compact: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    fanned_out_at: Mapped[datetime | None] = mapped_column(UtcTime)
    refusals: Mapped[list[dict[str, Any]] | None] = mapped_column(sa.JSON(none_as_null=True))

    __table_args__ = (
        partial_index("ix_event_waiting", "seq", where="fanned_out_at IS NULL"),
        sa.Index("ix_event_project_id_seq", "project_id", "seq"),
        sa.Index("ix_event_project_id_type_seq", "project_id", "type", "seq"),
        # What came to another project by a move is seen where it came from, too.
        partial_index(
            "ix_event_source_project_id_seq", "source_project_id", "seq", where="source_project_id IS NOT NULL"
        ),
        sa.Index("ix_event_record_id_seq", "record_id", "seq"),
        sa.Index("ix_event_created_at", "created_at"),
        {"sqlite_autoincrement": True},
    )
