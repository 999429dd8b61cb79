"""The installation itself: is its database there and up to date, and bring it there under a lock."""

from __future__ import annotations

import fcntl
import logging
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from flask_migrate import upgrade

from webapp import database_file
from webapp.config import PREFIX, current
from webapp.extensions import db
from webapp.models import Agreement, transaction
from webapp.models.agreement import OLDEST_PROGRAM
from webapp.models.base import table_of

log = logging.getLogger(__name__)

RESTORE = "Stop everything and restore a backup."
REACH = f"Check {PREFIX}DATABASE_URL: does its server run, is the database there, may this account read and write it?"


class NotReady(Exception):
    """The database is missing, damaged, or of another version; the text says what to do."""


def bring_up_to_date(app: Flask) -> None:
    """Create or upgrade the database. Two at once take turns. Raises NotReady when it cannot be used."""
    with app.app_context():
        lock = os.open(current().instance / "upgrade.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            logging.getLogger("alembic").setLevel(logging.WARNING)
            _require_sound_file()
            if not _is_served(_found_revision()):
                upgrade()
                _tell_oldest()
        except sa.exc.DatabaseError as error:
            raise unusable(error) from error
        finally:
            os.close(lock)


def require_database(app: Flask) -> None:
    """Raises NotReady unless the database is there and of this version, or of a newer one that this one serves, too."""
    with app.app_context():
        try:
            _require_sound_file()
            found = _found_revision()
            is_served = _is_served(found)
        except sa.exc.DatabaseError as error:
            raise unusable(error) from error
        wanted = _scripts().get_current_head()
    if found is None:
        raise NotReady("There is no database yet. Run `webapp db upgrade` (or `webapp up`, which does it).")
    if found != wanted and not is_served:
        raise NotReady(f"The database is at version {found}, this program needs {wanted}. Run `webapp db upgrade`.")


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
        return MigrationContext.configure(connection).get_current_revision()


def _is_served(found: str | None) -> bool:
    """Whether the tables are those of a newer program, and this one may go on beside it. Raises NotReady if it may not.

    Whoever upgrades leaves word which programs still may (`webapp/migrations`).
    """
    ours = {script.revision for script in _scripts().walk_revisions()}
    if found is None or found in ours:
        return False
    head = _scripts().get_current_head() or ""
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


def _tell_oldest() -> None:
    """Say which programs still run on the tables as they are now."""
    oldest = max(getattr(script.module, "oldest", "0001") for script in _scripts().walk_revisions())
    with transaction() as session:
        told = session.get(Agreement, OLDEST_PROGRAM)
        if told is None:
            session.add(Agreement(name=OLDEST_PROGRAM, value=oldest, host=socket.gethostname()))
        elif told.value != oldest:
            told.value, told.host = oldest, socket.gethostname()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(current_app.extensions["migrate"].directory)
