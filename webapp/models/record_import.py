"""Imports of records: a file that becomes records, line by line, and the lines that could not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.models.base import Base, UtcTime, new_id, partial_index, utc_now
from webapp.models.event import Seq
from webapp.models.workspace import ID_LENGTH, Project, RecordList

_List = list  # an import has a column of this name


class RecordImport(Base):
    """A file of records for a list. Until it is started it is only looked at; its text goes when it is over.

    `choices` says how the columns are understood; `taken` counts the lines that are done with, `created` the records.
    """

    __tablename__ = "record_import"

    id: Mapped[str] = mapped_column(sa.String(ID_LENGTH), primary_key=True, default=new_id)
    project_id: Mapped[str] = mapped_column(sa.ForeignKey("project.id", ondelete="CASCADE"), index=True)
    list_id: Mapped[str | None] = mapped_column(sa.ForeignKey("list.id", ondelete="SET NULL"), index=True)
    list_title: Mapped[str] = mapped_column(sa.String(250))
    created_by_id: Mapped[str] = mapped_column(sa.ForeignKey("user.id", ondelete="CASCADE"), index=True)
    file_name: Mapped[str] = mapped_column(sa.String(250))
    head: Mapped[_List[str]] = mapped_column(sa.JSON)
    text: Mapped[str | None] = mapped_column(sa.Text)
    choices: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    total: Mapped[int]
    taken: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    started_at: Mapped[datetime | None] = mapped_column(UtcTime)
    stopped_at: Mapped[datetime | None] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ended_because: Mapped[str | None] = mapped_column(sa.String(250))  # a sentence; None unless something prevented it

    project: Mapped[Project] = relationship()
    list: Mapped[RecordList | None] = relationship()

    __table_args__ = (
        sa.Index("ix_record_import_finished_at", "finished_at"),
        partial_index("ix_record_import_not_started", "created_at", where="started_at IS NULL"),
        partial_index("ix_record_import_running", "started_at", where="started_at IS NOT NULL AND finished_at IS NULL"),
    )


class RefusedLine(Base):
    """A line that became no record, as it stood in the file, and why."""

    __tablename__ = "refused_line"

    seq: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=True)
    import_id: Mapped[str] = mapped_column(sa.ForeignKey("record_import.id", ondelete="CASCADE"))
    number: Mapped[int]
    cells: Mapped[list[str]] = mapped_column(sa.JSON)
    faults: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON)

    __table_args__ = (sa.UniqueConstraint("import_id", "number"),)
