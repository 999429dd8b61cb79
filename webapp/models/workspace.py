"""Companies, projects, their members, and the lists of a project. Columns follow Blue's payloads."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.models.account import Role, User
from webapp.models.base import Base, UtcTime, new_id, new_uid, utc_now, word_of

ID_LENGTH = 64


class Company(Base):
    """The organization that projects belong to."""

    __tablename__ = "company"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=new_id)
    uid: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    slug: Mapped[str] = mapped_column(sa.String(100))
    name: Mapped[str] = mapped_column(sa.String(100))
    description: Mapped[str | None] = mapped_column(sa.Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, onupdate=utc_now)
    free_trial_expired_at: Mapped[datetime | None] = mapped_column(UtcTime)
    free_trial_started_at: Mapped[datetime | None] = mapped_column(UtcTime)
    subscribed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    image_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH))
    subscription_plan_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH))
    free_trial_extended_by_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH))
    free_trial_extended_at: Mapped[datetime | None] = mapped_column(UtcTime)

    members: Mapped[list[CompanyMember]] = relationship(back_populates="company", cascade="all, delete-orphan")


class CompanyMember(Base):
    """Somebody's role in a company."""

    __tablename__ = "company_member"

    company_id: Mapped[str] = mapped_column(sa.ForeignKey("company.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[Role] = mapped_column(word_of(Role, 20))
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)

    company: Mapped[Company] = relationship(back_populates="members")
    user: Mapped[User] = relationship()


class Project(Base):
    """A project: where people work, and what webhooks choose."""

    __tablename__ = "project"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=new_id)
    uid: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    slug: Mapped[str] = mapped_column(sa.String(100))
    name: Mapped[str] = mapped_column(sa.String(100))
    description: Mapped[str] = mapped_column(sa.Text, default="")
    archived: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, onupdate=utc_now)
    is_template: Mapped[bool] = mapped_column(default=False)
    is_official_template: Mapped[bool] = mapped_column(default=False)
    category: Mapped[str] = mapped_column(sa.String(30), default="GENERAL")
    company_id: Mapped[str] = mapped_column(sa.ForeignKey("company.id"), index=True)
    image_id: Mapped[str | None] = mapped_column(sa.String(ID_LENGTH))
    hide_email_from_roles: Mapped[str | None] = mapped_column(sa.Text)

    company: Mapped[Company] = relationship()
    members: Mapped[list[ProjectMember]] = relationship(back_populates="project", cascade="all, delete-orphan")


class ProjectMember(Base):
    """Somebody's role in a project. Fan-out asks this table who may have webhooks."""

    __tablename__ = "project_member"

    project_id: Mapped[str] = mapped_column(sa.ForeignKey("project.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[Role] = mapped_column(word_of(Role, 20))
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)

    project: Mapped[Project] = relationship(back_populates="members")
    user: Mapped[User] = relationship()


class RecordList(Base):
    """A list (column) of a project's board; Blue's TodoList."""

    __tablename__ = "list"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=new_id)
    uid: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, onupdate=utc_now)
    title: Mapped[str] = mapped_column(sa.String(250))
    position: Mapped[float] = mapped_column(sa.Double)
    created_by_id: Mapped[str | None] = mapped_column(sa.ForeignKey("user.id", ondelete="SET NULL"))
    project_id: Mapped[str] = mapped_column(sa.ForeignKey("project.id", ondelete="CASCADE"), index=True)

    project: Mapped[Project] = relationship()
