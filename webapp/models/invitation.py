"""Invitations to projects, and the links by which people get in. Of a link only the SHA-256 of its token is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from webapp.models.account import EMAIL_LENGTH, Role, User
from webapp.models.base import Base, UtcTime, new_id, utc_now, word_of
from webapp.models.workspace import Project

TOKEN_BYTES = 32
INVITATION_LASTS = timedelta(days=7)


class Invitation(Base):
    """Somebody who is to join a project. The row goes when they do, or when the invitation is withdrawn."""

    __tablename__ = "invitation"

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True, default=new_id)
    project_id: Mapped[str] = mapped_column(sa.ForeignKey("project.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(sa.String(EMAIL_LENGTH))
    role: Mapped[Role] = mapped_column(word_of(Role, 20))
    invited_by_id: Mapped[str | None] = mapped_column(sa.ForeignKey("user.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcTime, index=True)

    project: Mapped[Project] = relationship()
    invited_by: Mapped[User | None] = relationship()

    __table_args__ = (sa.UniqueConstraint("project_id", "email"),)


class OneTimeLink(Base):
    """A link for one person: to choose a password (`user_id`), or to accept an invitation (`invitation_id`)."""

    __tablename__ = "one_time_link"

    token_sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[str | None] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), index=True)
    invitation_id: Mapped[str | None] = mapped_column(sa.ForeignKey("invitation.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcTime, index=True)

    user: Mapped[User | None] = relationship()
    invitation: Mapped[Invitation | None] = relationship()


def new_link(
    session: Session, *, expires_at: datetime, user_id: str | None = None, invitation_id: str | None = None
) -> str:
    """Inside transaction(): one more link; returns its token, which cannot be had again."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    digest = token_digest(token)
    session.add(OneTimeLink(token_sha256=digest, user_id=user_id, invitation_id=invitation_id, expires_at=expires_at))
    return token


def token_digest(token: str) -> str:
    """What is kept of a token. It has 256 random bits, so that nothing slower is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
