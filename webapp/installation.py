"""The installation itself: is its database there, sound and up to date? Each role asks that before it begins."""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import Flask

from webapp import database_file
from webapp.config import PREFIX, current
from webapp.extensions import db
from webapp.folders import folder
from webapp.models import Agreement
from webapp.models.agreement import OLDEST_PROGRAM
from webapp.models.base import table_of

log = logging.getLogger(__name__)

RESTORE = "Stop everything and restore a backup."
REACH = f"Check {PREFIX}DATABASE_URL: does its server run, is the database there, may this account read and write it?"
VERSION_TABLE = sa.table("alembic_version", sa.column("version_num", sa.String))


class NotReady(Exception):
    """The database is missing, damaged, or of another version; the text says what to do."""


def require_database(app: Flask) -> None:
    """Raises NotReady unless the database is there and of this version, or of a newer one that this one serves, too."""
    with app.app_context():
        try:
            is_newer = is_of_a_newer_program()
            found = _found_revision()
        except sa.exc.DatabaseError as error:
            raise unusable(error) from error
    wanted = revisions()[-1]
    if found is None:
        raise NotReady("There is no database yet. Run `webapp db upgrade` (or `webapp up`, which does it).")
    if found != wanted and not is_newer:
        raise NotReady(f"The database is at version {found}, this program needs {wanted}. Run `webapp db upgrade`.")


def is_of_a_newer_program() -> bool:
    """Whether the tables are those of a newer program, and this one may go on beside it. Raises NotReady if it may not,
    and for a database that is damaged; DatabaseError when it cannot be asked.

    Whoever upgrades leaves word which programs still may (`webapp/migrations`).
    """
    _require_sound_file()
    found, ours = _found_revision(), revisions()
    if found is None or found in ours:
        return False
    head = ours[-1]
    agreement = table_of(Agreement)
    with db.engine.connect() as connection:
        oldest = None
        if sa.inspect(connection).has_table(agreement.name):
            oldest = connection.scalar(sa.select(agreement.c.value).where(agreement.c.name == OLDEST_PROGRAM))
    if oldest is None or head < oldest:
        raise NotReady(
            f"The database is at version {found}, which is newer than this program ({head}). Upgrade it here."
        )
    log.warning("the database is at version %s, newer than this program (%s), which still runs on it", found, head)
    return True


def _require_sound_file() -> None:
    path = _file()
    if path is None or not path.exists():
        return
    if fault := database_file.fault_of(path):
        raise NotReady(f"The database cannot be used: {fault}. {RESTORE} If it never held anything, remove {path}.")
    database_file.require_writable()


def unusable(error: sa.exc.DatabaseError) -> NotReady:
    """What a database that cannot be used says, and what to do about it.

    Both drivers call what is about reaching the database operational; the embedded one says the rest of its file.
    """
    said = " ".join(str(error.orig or error).split()).removesuffix(".")
    is_file = current().is_sqlite and not isinstance(error, sa.exc.OperationalError)
    return NotReady(f"The database cannot be used: {said}. {RESTORE if is_file else REACH}")


def _file() -> Path | None:
    """The embedded database's file, whether its URL names a path or an address (`file:…?mode=ro`)."""
    named = db.engine.url.database
    if not current().is_sqlite or not named:
        return None
    return Path(urlsplit(named).path if named.startswith("file:") else named)


def _found_revision() -> str | None:
    path = _file()
    if path is not None and not path.exists():
        return None
    with db.engine.connect() as connection:
        if not sa.inspect(connection).has_table(VERSION_TABLE.name):
            return None
        found: str | None = connection.scalar(sa.select(VERSION_TABLE.c.version_num))
        return found


def revisions() -> list[str]:
    """This program's own, oldest first: what the names of their files begin with.

    Alembic would tell them, too, but a worker that only asks this would hold 11 MB for it as long as it lives.
    """
    return sorted(path.name.partition("_")[0] for path in (folder("migrations") / "versions").glob("[0-9]*.py"))
