"""The audit log: who did what, when, from where. Rows are only ever added; the database refuses anything else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db, remote_address
from webapp.models.account import User
from webapp.models.base import Base, UtcTime, table_of, utc_now
from webapp.models.event import Seq

APPEND_ONLY = "the audit log is append-only"

_dated: ContextVar[datetime | None] = ContextVar("dated", default=None)


class AuditEntry(Base):
    """One audited action; `detail` holds old and new values, secrets only as "changed"."""

    __tablename__ = "audit_entry"

    seq: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(UtcTime, default=utc_now)
    user_id: Mapped[str | None] = mapped_column(sa.String(64))
    action: Mapped[str] = mapped_column(sa.String(60))
    subject: Mapped[str] = mapped_column(sa.String(100))
    detail: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    address: Mapped[str] = mapped_column(sa.String(64), default="")

    __table_args__ = (sa.Index("ix_audit_entry_subject_seq", "subject", "seq"), {"sqlite_autoincrement": True})


_KEPT = {
    "sqlite": [
        f"CREATE TRIGGER audit_entry_no_{verb.lower()} BEFORE {verb} ON audit_entry "
        f"BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}'); END"
        for verb in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION audit_entry_is_kept() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{APPEND_ONLY}'; END $$",
        "CREATE TRIGGER audit_entry_is_kept BEFORE UPDATE OR DELETE ON audit_entry "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_is_kept()",
    ],
}
for _dialect, _statements in _KEPT.items():
    for _statement in _statements:
        _ddl = sa.DDL(_statement)  # type: ignore[no-untyped-call]
        sa.event.listen(table_of(AuditEntry), "after_create", _ddl.execute_if(dialect=_dialect))


def note(action: str, subject: str, by: User | None, **detail: Any) -> None:
    """Write one line inside transaction(), with the address that the request came from, if it is one.

    `action` is `noun.verb`, `subject` is `noun:id`; `detail` holds old and new values, secrets never.
    """
    user_id, at = by.id if by else None, _dated.get() or utc_now()
    line = AuditEntry(at=at, user_id=user_id, action=action, subject=subject, detail=detail, address=remote_address())
    db.session.add(line)


@contextlib.contextmanager
def dated(moment: datetime) -> Iterator[None]:
    """What is noted inside happened at that moment: for the past of the demo, as no line can be changed later."""
    token = _dated.set(moment)
    try:
        yield
    finally:
        _dated.reset(token)
