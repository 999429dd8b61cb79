"""The embedded database's file, looked at before it is used: a damaged one is never taken for a new one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import sqlalchemy as sa

from webapp.extensions import db
from webapp.models.base import WRITE_OPTION

HEADER_BYTES = 100
MAGIC = b"SQLite format 3\0"
LARGEST_PAGE_BYTES = 65_536  # which the header writes as 1


def fault_of(path: Path) -> str | None:
    """What is wrong, as far as the file's head and length tell; None for one that is whole, or not there yet.

    SQLite takes an empty file for a new database, and finds out that an end is missing only when it reads there.
    """
    if not path.exists():
        return None
    size = path.stat().st_size
    if size == 0:
        return "its file is empty"
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    wanted = _length(header)
    if size < wanted and not _has_log(path):
        return f"its file was cut off, {wanted - size} of {wanted} bytes are missing"
    return None


def require_writable() -> None:
    """Raises DatabaseError when nothing can be written; that somebody else is writing just now is fine."""
    try:
        with db.engine.connect().execution_options(**{WRITE_OPTION: True}) as connection:
            connection.begin().rollback()
    except sa.exc.OperationalError as error:
        if getattr(error.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
            raise


def _length(header: bytes) -> int:
    """How long the file is by its own account; 0 for what is no database, which SQLite tells itself."""
    if not header.startswith(MAGIC) or len(header) < HEADER_BYTES or header[24:28] != header[92:96]:
        return 0
    page = int.from_bytes(header[16:18], "big")
    return int.from_bytes(header[28:32], "big") * (LARGEST_PAGE_BYTES if page == 1 else page)


def _has_log(path: Path) -> bool:
    """Whether pages may still lie in the log beside it."""
    log = path.with_name(path.name + "-wal")
    return log.exists() and log.stat().st_size > 0
