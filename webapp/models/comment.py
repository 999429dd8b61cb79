"""Comments: what people say about a record. Columns follow Blue's Comment."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.models.account import User
from webapp.models.base import Base, UtcTime, new_id, new_uid, utc_now
from webapp.models.record import Record
from webapp.models.workspace import ID_LENGTH

CATEGORY = "TODO"  # Blue has comments on other things, too


class Comment(Base):
    """A comment on a record: plain text, and the same as HTML. Deleted ones are gone, not hidden."""

    __tablename__ = "comment"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=new_id)
    uid: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    html: Mapped[str] = mapped_column(sa.Text)
    text: Mapped[str] = mapped_column(sa.Text)
    category: Mapped[str] = mapped_column(sa.String(20), default=CATEGORY)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, onupdate=utc_now)
    user_id: Mapped[str | None] = mapped_column(sa.ForeignKey("user.id", ondelete="SET NULL"), index=True)
    record_id: Mapped[str] = mapped_column(sa.ForeignKey("record.id", ondelete="CASCADE"))

    user: Mapped[User | None] = relationship()
    record: Mapped[Record] = relationship()

    __table_args__ = (sa.Index("ix_comment_record_id_created_at", "record_id", "created_at"),)

    @property
    def is_edited(self) -> bool:
        """Whether its text was changed since it was written."""
        return self.updated_at > self.created_at
