"""Tags of a project, and the records that carry them. Columns follow Blue's Tag and TodoTag."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from webapp.models.base import Base, UtcTime, new_id, new_uid, utc_now
from webapp.models.workspace import ID_LENGTH, Project

TITLE_LENGTH = 50
KEY_LENGTH = 3 * TITLE_LENGTH  # casefold() makes at most three characters of one


class Tag(Base):
    """A word in a colour. No two of a project differ in case alone."""

    __tablename__ = "tag"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=new_id)
    uid: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    title: Mapped[str] = mapped_column(sa.String(TITLE_LENGTH))
    title_key: Mapped[str] = mapped_column(sa.String(KEY_LENGTH))
    color: Mapped[str] = mapped_column(sa.String(7))
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, onupdate=utc_now)
    project_id: Mapped[str] = mapped_column(sa.ForeignKey("project.id", ondelete="CASCADE"))

    project: Mapped[Project] = relationship()

    __table_args__ = (sa.UniqueConstraint("project_id", "title_key"),)

    @validates("title")
    def _keep_key(self, _name: str, title: str) -> str:
        self.title_key = title.casefold()
        return title


class RecordTag(Base):
    """A tag on a record."""

    __tablename__ = "record_tag"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=new_id)
    uid: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, onupdate=utc_now)
    record_id: Mapped[str] = mapped_column(sa.ForeignKey("record.id", ondelete="CASCADE"))
    tag_id: Mapped[str] = mapped_column(sa.ForeignKey("tag.id", ondelete="CASCADE"), index=True)

    tag: Mapped[Tag] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (sa.UniqueConstraint("record_id", "tag_id"),)
