"""Handing a webhook over: an offer stands until the other person accepts or refuses it, or it is withdrawn."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.models.account import User
from webapp.models.base import Base, UtcTime, utc_now
from webapp.models.webhook import Webhook


class HandoverOffer(Base):
    """A webhook that its owner offers to one other person; a later offer takes the place of an earlier one."""

    __tablename__ = "handover_offer"

    webhook_id: Mapped[str] = mapped_column(sa.ForeignKey("webhook.id", ondelete="CASCADE"), primary_key=True)
    to_user_id: Mapped[str] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)

    webhook: Mapped[Webhook] = relationship()
    to_user: Mapped[User] = relationship()
