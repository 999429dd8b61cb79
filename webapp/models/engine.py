"""How the database is opened: SQLite with the laws of the house, PostgreSQL with limits so that none hangs."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

import sqlalchemy as sa

from webapp.config import Settings
from webapp.models.base import WRITE_OPTION

BUSY_TIMEOUT_S = 10
PRAGMAS = (
    "synchronous=FULL",
    "foreign_keys=ON",
    "temp_store=MEMORY",
    "cache_size=-8000",  # KiB of each connection; twice as much is not quicker (measured with 500,000 deliveries)
    "wal_autocheckpoint=4000",  # 16 MB; the worker is quicker (checkpoints.py)
)
LOOK_AGAIN_S = 0.0005
PRIMARY_CODE = 0xFF  # of an extended result code
CONNECT_TIMEOUT_S = 5
STATEMENT_TIMEOUT_MS = 10_000
# Each statement has its index, and rows come faster than statistics. A planner that has none yet read all deliveries
# for each claim; and an index scan, unlike a bitmap, clears dead entries of a partial index away as it goes. That was
# 85 of 547 µs of the server's work for a delivery. At the costs of what is forbidden it would compile just in time.
PLANNING = "-c enable_seqscan=off -c enable_bitmapscan=off -c jit=off"
SESSION = f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC {PLANNING}"
POOL_SIZE = 10
MAX_OVERFLOW = 30


def options(settings: Settings) -> dict[str, Any]:
    """The engine options for the configured database."""
    if settings.is_sqlite:
        return {
            "hide_parameters": True,
            "pool_use_lifo": True,  # in turns, each would fill a cache of its own and lose it to the others' writes
            "connect_args": {"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
        }
    return {
        "hide_parameters": True,  # an error in the log shows no values
        "pool_pre_ping": True,
        "pool_use_lifo": True,  # each connection prepares its own statements
        "pool_size": POOL_SIZE,
        "max_overflow": MAX_OVERFLOW,
        "connect_args": {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "keepalives_idle": 10,
            "options": f"{SESSION} {_own(settings)}".strip(),
        },
    }


def _own(settings: Settings) -> str:
    """What the operator's URL says in `?options=`, such as a search_path; ours would replace it in silence."""
    found = sa.make_url(settings.database_url).query.get("options", "")
    return found if isinstance(found, str) else " ".join(found)


def prepare(engine: sa.Engine) -> None:
    """Give an engine the transaction habits of the house: SQLite begins IMMEDIATE where transaction() asks for it.

    On PostgreSQL no wait for an answer is endless.
    """
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _open_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    else:
        from webapp.models import postgresql  # noqa: PLC0415 - its driver is an extra

        sa.event.listen(engine, "do_connect", postgresql.connect)
        postgresql.spare_pings(engine.dialect)


def _open_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    _keep_log(connection)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _keep_log(driver: sqlite3.Connection) -> None:
    """Have a write-ahead log. Where several open a new file at once SQLite refuses some of them without waiting."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            driver.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & PRIMARY_CODE != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(LOOK_AGAIN_S)
        else:
            return


def _begin_sqlite(connection: sa.Connection) -> None:
    if connection.get_execution_options().get(WRITE_OPTION):
        _begin_to_write(connection)
    else:
        connection.exec_driver_sql("BEGIN")


def _begin_to_write(connection: sa.Connection) -> None:
    """Take the write lock within milliseconds of its release.

    SQLite's own wait looks again after 1, 2, 5, 10, 15, 20, 25, 50 and then 100 ms: beside a busy worker the lock was
    free many times in between, and a request waited 80 ms for it (p99, measured at 100 a second).
    """
    driver: Any = connection.connection.dbapi_connection
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        deadline = time.monotonic() + BUSY_TIMEOUT_S
        while not _is_begun(driver) and time.monotonic() < deadline:
            time.sleep(LOOK_AGAIN_S)
        if not driver.in_transaction:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # fails, in the words that everybody expects
    finally:
        driver.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000:.0f}")


def _is_begun(driver: sqlite3.Connection) -> bool:
    """Whether waiting can end: the transaction has begun, or fails for another reason than that somebody writes."""
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & PRIMARY_CODE != sqlite3.SQLITE_BUSY
    return True
