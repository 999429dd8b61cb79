"""People, how they prove who they are, and what they may see of a project."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from webapp.models.base import Base, UtcTime, new_id, new_uid, utc_now

EMAIL_LENGTH = 254


class Role(StrEnum):
    """What somebody may do in a project or company (Blue's levels)."""

    OWNER = "OWNER"
    ADMIN = "ADMIN"
    MEMBER = "MEMBER"
    CLIENT = "CLIENT"
    COMMENT_ONLY = "COMMENT_ONLY"
    VIEW_ONLY = "VIEW_ONLY"


def webhook_roles(setting: str) -> tuple[Role, ...]:
    """The roles whose people may have webhooks, by the setting WEBHOOK_ROLE (`admin` or `member`)."""
    administrators = (Role.OWNER, Role.ADMIN)
    return (*administrators, Role.MEMBER) if setting == "member" else administrators


class User(Base):
    """A person of this installation."""

    __tablename__ = "user"

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True, default=new_id)
    uid: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    email: Mapped[str] = mapped_column(sa.String(EMAIL_LENGTH), unique=True)
    name: Mapped[str] = mapped_column(sa.String(100))
    password_hash: Mapped[str] = mapped_column(sa.String(200))
    is_operator: Mapped[bool] = mapped_column(default=False)
    session_key: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    locale: Mapped[str] = mapped_column(sa.String(10), default="")
    time_zone: Mapped[str] = mapped_column(sa.String(64), default="")
    date_format: Mapped[str] = mapped_column(sa.String(20), default="")
    theme: Mapped[str] = mapped_column(sa.String(5), default="")
    has_shortcuts: Mapped[bool] = mapped_column(default=True)
    last_sign_in_at: Mapped[datetime | None] = mapped_column(UtcTime)
    suspended_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, onupdate=utc_now)

    # What Flask-Login asks for.
    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        """Whether this person may sign in."""
        return self.suspended_at is None

    def get_id(self) -> str:
        """The session's name for this person; a new session_key signs out everywhere."""
        return f"{self.id}.{self.session_key}"


class ApiToken(Base):
    """A personal access token. Of its secret only the SHA-256 is kept."""

    __tablename__ = "api_token"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_uid)
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(sa.String(100))
    secret_sha256: Mapped[str] = mapped_column(sa.String(64))
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)


class FailedSignIn(Base):
    """One wrong password, kept for as long as the guessing limit looks back."""

    __tablename__ = "failed_sign_in"

    seq: Mapped[int] = mapped_column(primary_key=True)
    email_sha256: Mapped[str] = mapped_column(sa.String(64))
    address: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)

    __table_args__ = (
        sa.Index("ix_failed_sign_in_email_at", "email_sha256", "at"),
        sa.Index("ix_failed_sign_in_address_at", "address", "at"),
    )


class EndedSession(Base):
    """A session that was signed out of. Its cookie is worthless from then on; the row outlives the cookie's age."""

    __tablename__ = "ended_session"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    ended_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, index=True)
