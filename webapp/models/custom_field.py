"""Custom fields of a project, their options, and the values on records. Columns follow Blue's names."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.models.base import Base, UtcTime, new_id, new_uid, utc_now, word_of
from webapp.models.workspace import ID_LENGTH, Project


class FieldKind(StrEnum):
    """What a custom field holds, by Blue's words. It never changes after the field was made."""

    TEXT = "TEXT_SINGLE"
    NUMBER = "NUMBER"
    CHECKBOX = "CHECKBOX"
    SELECT_SINGLE = "SELECT_SINGLE"
    SELECT_MULTI = "SELECT_MULTI"
    DATE = "DATE"
    URL = "URL"
    EMAIL = "EMAIL"
    CURRENCY = "CURRENCY"
    RATING = "RATING"

    @property
    def has_options(self) -> bool:
        """Whether people choose among the field's options."""
        return self in {FieldKind.SELECT_SINGLE, FieldKind.SELECT_MULTI}


class CustomField(Base):
    """A field that the records of a project have beside their own."""

    __tablename__ = "custom_field"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=new_id)
    uid: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    name: Mapped[str] = mapped_column(sa.String(100))
    kind: Mapped[FieldKind] = mapped_column(word_of(FieldKind, 30))
    position: Mapped[float] = mapped_column(sa.Double)
    description: Mapped[str | None] = mapped_column(sa.Text)
    min: Mapped[float | None] = mapped_column(sa.Double)
    max: Mapped[float | None] = mapped_column(sa.Double)
    currency: Mapped[str | None] = mapped_column(sa.String(3))
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, onupdate=utc_now)
    project_id: Mapped[str] = mapped_column(sa.ForeignKey("project.id", ondelete="CASCADE"), index=True)

    project: Mapped[Project] = relationship()
    options: Mapped[list[CustomFieldOption]] = relationship(
        cascade="all, delete-orphan",
        passive_deletes=True,
        lazy="selectin",
        order_by="(CustomFieldOption.position, CustomFieldOption.id)",
    )


class CustomFieldOption(Base):
    """One of the things that people choose in a field."""

    __tablename__ = "custom_field_option"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=new_id)
    uid: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    title: Mapped[str] = mapped_column(sa.String(100))
    color: Mapped[str] = mapped_column(sa.String(7))
    position: Mapped[float] = mapped_column(sa.Double)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, onupdate=utc_now)
    field_id: Mapped[str] = mapped_column(sa.ForeignKey("custom_field.id", ondelete="CASCADE"), index=True)


class RecordFieldValue(Base):
    """The value of a field on a record (Blue's TodoCustomField). There is none where the field is empty."""

    __tablename__ = "record_field_value"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=new_id)
    uid: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    number: Mapped[float | None] = mapped_column(sa.Double)
    text: Mapped[str | None] = mapped_column(sa.Text)
    checked: Mapped[bool | None] = mapped_column()
    currency: Mapped[str | None] = mapped_column(sa.String(3))
    start_date: Mapped[datetime | None] = mapped_column(UtcTime)
    end_date: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, onupdate=utc_now)
    record_id: Mapped[str] = mapped_column(sa.ForeignKey("record.id", ondelete="CASCADE"))
    field_id: Mapped[str] = mapped_column(sa.ForeignKey("custom_field.id", ondelete="CASCADE"), index=True)
    option_id: Mapped[str | None] = mapped_column(
        sa.ForeignKey("custom_field_option.id", ondelete="CASCADE"), index=True
    )

    field: Mapped[CustomField] = relationship(lazy="joined", innerjoin=True)
    option: Mapped[CustomFieldOption | None] = relationship(lazy="joined")
    chosen: Mapped[list[ChosenOption]] = relationship(
        cascade="all, delete-orphan",
        passive_deletes=True,
        lazy="selectin",
        order_by="(ChosenOption.created_at, ChosenOption.id)",
    )

    __table_args__ = (sa.UniqueConstraint("record_id", "field_id"),)


class ChosenOption(Base):
    """One of several options that a value holds (Blue's TodoCustomFieldOption)."""

    __tablename__ = "chosen_option"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=new_id)
    uid: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now, onupdate=utc_now)
    value_id: Mapped[str] = mapped_column(sa.ForeignKey("record_field_value.id", ondelete="CASCADE"))
    option_id: Mapped[str] = mapped_column(sa.ForeignKey("custom_field_option.id", ondelete="CASCADE"), index=True)

    option: Mapped[CustomFieldOption] = relationship(lazy="joined", innerjoin=True)

    __table_args__ = (sa.UniqueConstraint("value_id", "option_id"),)
