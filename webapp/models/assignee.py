"""Who cares for which record. Columns follow Blue's TodoUser."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.models.account import User
from webapp.models.base import Base, UtcTime, new_id, new_uid, utc_now
from webapp.models.workspace import ID_LENGTH


class RecordAssignee(Base):
    """Somebody who is assigned to a record."""

    __tablename__ = "record_assignee"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=new_id)
    uid: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, onupdate=utc_now)
    record_id: Mapped[str] = mapped_column(sa.ForeignKey("record.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), index=True)

    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (sa.UniqueConstraint("record_id", "user_id"),)
