"""Checklists of a record, their items, and who cares for an item. Columns follow Blue's payloads."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.models.account import User
from webapp.models.base import Base, UtcTime, new_id, new_uid, utc_now
from webapp.models.record import Record
from webapp.models.workspace import ID_LENGTH


class Checklist(Base):
    """A checklist of a record."""

    __tablename__ = "checklist"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=new_id)
    uid: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    title: Mapped[str] = mapped_column(sa.String(100))
    position: Mapped[float] = mapped_column(sa.Double)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, onupdate=utc_now)
    created_by_id: Mapped[str | None] = mapped_column(sa.ForeignKey("user.id", ondelete="SET NULL"))
    record_id: Mapped[str] = mapped_column(sa.ForeignKey("record.id", ondelete="CASCADE"))

    record: Mapped[Record] = relationship()
    items: Mapped[list[ChecklistItem]] = relationship(
        back_populates="checklist",
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="(ChecklistItem.position, ChecklistItem.id)",
    )

    __table_args__ = (sa.Index("ix_checklist_record_id_position", "record_id", "position"),)


class ChecklistItem(Base):
    """One thing to do, in a checklist."""

    __tablename__ = "checklist_item"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=new_id)
    uid: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    title: Mapped[str] = mapped_column(sa.String(250))
    position: Mapped[float] = mapped_column(sa.Double)
    done: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[datetime | None] = mapped_column(UtcTime)
    dued_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, onupdate=utc_now)
    created_by_id: Mapped[str | None] = mapped_column(sa.ForeignKey("user.id", ondelete="SET NULL"))
    checklist_id: Mapped[str] = mapped_column(sa.ForeignKey("checklist.id", ondelete="CASCADE"))

    checklist: Mapped[Checklist] = relationship(back_populates="items")
    assignees: Mapped[list[ChecklistItemAssignee]] = relationship(
        back_populates="item",
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by="(ChecklistItemAssignee.created_at, ChecklistItemAssignee.id)",
        lazy="selectin",  # every payload and every page shows them
    )

    __table_args__ = (sa.Index("ix_checklist_item_checklist_id_position", "checklist_id", "position"),)


class ChecklistItemAssignee(Base):
    """Somebody who cares for a checklist item; Blue's ChecklistItemUser."""

    __tablename__ = "checklist_item_assignee"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=new_id)
    uid: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, onupdate=utc_now)
    item_id: Mapped[str] = mapped_column(sa.ForeignKey("checklist_item.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), index=True)

    item: Mapped[ChecklistItem] = relationship(back_populates="assignees")
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (sa.UniqueConstraint("item_id", "user_id"),)
