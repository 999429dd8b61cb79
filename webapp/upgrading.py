"""Bringing the database up to date: the migrations that are missing, one process at a time."""

from __future__ import annotations

import fcntl
import logging
import os
import socket

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import Migrate, upgrade

from webapp import installation
from webapp.config import current
from webapp.extensions import db
from webapp.folders import folder
from webapp.models import Agreement, transaction
from webapp.models.agreement import OLDEST_PROGRAM

migrate = Migrate()


def init_app(app: Flask) -> None:
    """Bind the migrations, also for `flask --app webapp db …`."""
    migrate.init_app(app, db, directory=str(folder("migrations")), render_as_batch=True, compare_type=True)


def bring_up_to_date(app: Flask) -> None:
    """Create or upgrade the database. Two at once take turns. Raises NotReady when it cannot be used."""
    with app.app_context():
        lock = os.open(current().instance / "upgrade.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            logging.getLogger("alembic").setLevel(logging.WARNING)
            if not installation.is_of_a_newer_program():
                upgrade()
                _tell_oldest()
        except sa.exc.DatabaseError as error:
            raise installation.unusable(error) from error
        finally:
            os.close(lock)


def _tell_oldest() -> None:
    """Say which programs still run on the tables as they are now."""
    scripts = ScriptDirectory(str(folder("migrations")))
    oldest = max(getattr(script.module, "oldest", "0001") for script in scripts.walk_revisions())
    with transaction() as session:
        told = session.get(Agreement, OLDEST_PROGRAM)
        if told is None:
            session.add(Agreement(name=OLDEST_PROGRAM, value=oldest, host=socket.gethostname()))
        elif told.value != oldest:
            told.value, told.host = oldest, socket.gethostname()
