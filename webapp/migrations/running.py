"""Running migrations on a database in use: one process at a time, never in the way for longer than a moment."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa
from alembic.runtime.environment import EnvironmentContext

from webapp.migrations.comparing import render_item, same_type
from webapp.models.base import WRITE_OPTION

ADVISORY_LOCK = 727_001  # PostgreSQL: any number that is always the same
LOCK_TIMEOUT_S = 1  # whoever waits for a table's lock makes all others wait behind
TRIES = 30
PAUSE_S = 1.0
TURN_S = 0.2
IN_USE = {"55P03", "40P01"}  # PostgreSQL: no lock within LOCK_TIMEOUT_S, or a deadlock


def run(context: EnvironmentContext, extension: Any) -> None:
    """Run the migrations that are missing, on a connection that is given up afterwards, with its lock and settings."""
    with extension.db.engine.connect() as connection:
        try:
            prepare(connection)
            _with_patience(context, connection, extension)
        finally:
            connection.invalidate()


def _with_patience(context: EnvironmentContext, connection: sa.Connection, extension: Any) -> None:
    for tries_left in reversed(range(TRIES)):
        try:
            _migrate(context, connection, extension)
        except sa.exc.OperationalError as error:
            connection.rollback()
            if getattr(error.orig, "sqlstate", None) not in IN_USE or not tries_left:
                raise
            time.sleep(PAUSE_S)
        else:
            return


def prepare(connection: sa.Connection) -> None:
    """Alone, and with as much time as it takes. SQLite rebuilds tables: their rows' children must not go with them."""
    if connection.dialect.name == "sqlite":
        connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        connection.execution_options(**{WRITE_OPTION: True})
        return
    connection.exec_driver_sql("SET statement_timeout = 0")
    while not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({ADVISORY_LOCK})").scalar():
        connection.commit()  # a statement that waited for it would keep the one who has it from building an index
        time.sleep(TURN_S)
    connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'")
    connection.commit()


def _migrate(context: EnvironmentContext, connection: sa.Connection, extension: Any) -> None:
    """What was done is done: each migration that ran stays when a later one fails."""
    context.configure(
        connection=connection,
        target_metadata=extension.db.metadata,
        render_item=render_item,
        transaction_per_migration=True,
        **{**extension.configure_args, "compare_type": same_type},
    )
    with context.begin_transaction():
        context.run_migrations()
