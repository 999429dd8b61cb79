"""Backups of the embedded database while everything goes on: `webapp backup`.

One read transaction copies all of it, so the file is one moment, and nobody waits. What was deleted is not in it. The
queue is left out, as it carries only bells, and so are the keys: a backup that holds them opens itself.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from webapp.config import current
from webapp.extensions import db


class NoBackup(Exception):
    """No backup was made; the text says why."""


def write(file: Path) -> int:
    """Write a backup to a new file, for the owner alone; returns its size. Raises NoBackup, or OSError.

    The file appears under its name when it is whole, checked and on the disk.
    """
    if not current().is_sqlite:
        raise NoBackup("This backs up the embedded database. For PostgreSQL use pg_dump, which runs meanwhile, too.")
    if file.exists():
        raise NoBackup(f"{file} is there already. Choose another name.")
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        _copy(Path(db.engine.url.database or ""), draft)
        _to_disk(draft)
        os.link(draft, file)  # unlike a rename it never replaces what somebody else has put there meanwhile
    except FileExistsError:
        raise NoBackup(f"{file} is there already. Choose another name.") from None
    except sqlite3.Error as error:
        raise NoBackup(
            f"The database could not be copied: {error}. Whether it is damaged tells `webapp check`."
        ) from None
    finally:
        draft.unlink()
    _to_disk(file.parent)
    return file.stat().st_size


def _copy(source: Path, draft: Path) -> None:
    """VACUUM INTO takes an empty file that is there already, with the rights that it has."""
    with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
        connection.execute("VACUUM INTO ?", (str(draft),))
    with closing(sqlite3.connect(f"{draft.absolute().as_uri()}?mode=ro", uri=True)) as copy:
        found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise NoBackup(f"The copy is damaged, so it was not kept: {found}")


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
