"""Records: the things on the board. Columns follow Blue's Todo."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.models.assignee import RecordAssignee
from webapp.models.base import Base, UtcTime, new_id, new_uid, utc_now
from webapp.models.custom_field import RecordFieldValue
from webapp.models.tag import RecordTag
from webapp.models.workspace import ID_LENGTH, RecordList

_List = list  # a record has a column of this name


class Record(Base):
    """A record in a list."""

    __tablename__ = "record"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=new_id)
    uid: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    title: Mapped[str] = mapped_column(sa.String(250))
    html: Mapped[str | None] = mapped_column(sa.Text)
    text: Mapped[str | None] = mapped_column(sa.Text)
    position: Mapped[float] = mapped_column(sa.Double)
    archived: Mapped[bool] = mapped_column(default=False)
    done: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[datetime | None] = mapped_column(UtcTime)
    dued_at: Mapped[datetime | None] = mapped_column(UtcTime)
    timezone: Mapped[str | None] = mapped_column(sa.String(64))
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, onupdate=utc_now)
    created_by_id: Mapped[str | None] = mapped_column(sa.ForeignKey("user.id", ondelete="SET NULL"))
    list_id: Mapped[str] = mapped_column(sa.ForeignKey("list.id", ondelete="CASCADE"))

    list: Mapped[RecordList] = relationship()
    assignees: Mapped[_List[RecordAssignee]] = relationship(
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="(RecordAssignee.created_at, RecordAssignee.id)",
    )
    tags: Mapped[_List[RecordTag]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True, order_by="(RecordTag.created_at, RecordTag.id)"
    )
    field_values: Mapped[_List[RecordFieldValue]] = relationship(
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="(RecordFieldValue.created_at, RecordFieldValue.id)",
    )

    __table_args__ = (sa.Index("ix_record_list_id_position", "list_id", "position"),)
