"""The installation itself: is its database there and up to date, and bring it there under a lock."""

from __future__ import annotations

import fcntl
import logging
import os

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from flask_migrate import upgrade

from webapp.config import current
from webapp.extensions import db


class NotReady(Exception):
    """The database is missing, damaged, or of another version; the text says what to do."""


def bring_up_to_date(app: Flask) -> None:
    """Create or upgrade the database. Two at once take turns. Raises NotReady when it cannot be used."""
    with app.app_context():
        lock = os.open(current().instance / "upgrade.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            logging.getLogger("alembic").setLevel(logging.WARNING)
            upgrade()
        except sa.exc.DatabaseError as error:
            raise NotReady(f"The database cannot be used: {error.orig or error}") from error
        finally:
            os.close(lock)


def require_database(app: Flask) -> None:
    """Raises NotReady unless the database is there and of this version."""
    with app.app_context():
        try:
            found = _found_revision()
        except sa.exc.DatabaseError as error:
            raise NotReady(f"The database cannot be used: {error.orig or error}") from error
        wanted = ScriptDirectory(current_app.extensions["migrate"].directory).get_current_head()
    if found is None:
        raise NotReady("There is no database yet. Run `webapp db upgrade` (or `webapp up`, which does it).")
    if found != wanted:
        raise NotReady(f"The database is at version {found}, this program needs {wanted}. Run `webapp db upgrade`.")


def _found_revision() -> str | None:
    settings = current()
    if settings.is_sqlite:
        path = db.engine.url.database
        if path and not os.path.exists(path):
            return None
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()
