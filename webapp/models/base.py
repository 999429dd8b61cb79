"""What all tables share: the base, ids in Blue's formats, UTC times, encrypted text, and the one transaction()."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import secrets
import string
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, cast

import sqlalchemy as sa
from cryptography.fernet import InvalidToken, MultiFernet
from flask import current_app
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session

from webapp.extensions import bell, db
from webapp.key_ring import KeyRing
from webapp.models import pipelines

WRITE_OPTION = "webapp_write"
HAS_COMMITTED = "has_committed"  # in session.info: something that this session wrote is on disk
_DIGITS = string.digits + string.ascii_lowercase
_PAIRS = [first + second for first in _DIGITS for second in _DIGITS]


class Base(DeclarativeBase):
    """The declarative base of every table. It shares Flask-SQLAlchemy's metadata, so that one session serves all."""

    metadata = db.metadata


_TIME_LENGTH = len("2026-01-01 00:00:00.000000")  # SQLite keeps no zone


class _SqliteTime(sqlite.DATETIME):
    """The text that SQLAlchemy writes for a time, made by the interpreter itself: each delivery has several."""

    def bind_processor(self, dialect: sa.Dialect) -> Any:
        def text(value: datetime | None) -> str | None:
            return None if value is None else value.isoformat(" ", "microseconds")[:_TIME_LENGTH]

        return text


_SQLITE_TIME: sa.types.TypeEngine[Any] = _SqliteTime()  # type: ignore[no-untyped-call]


class UtcTime(sa.types.TypeDecorator[datetime]):
    """A moment in UTC with microseconds; always aware in Python."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """How the database keeps it."""
        return dialect.type_descriptor(_SQLITE_TIME if dialect.name == "sqlite" else sa.DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """In UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone")
        return value if value.tzinfo is UTC else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Aware, in UTC."""
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def table_of(model: type[Base]) -> sa.Table:
    """The table behind a model, for statements that need no objects."""
    return cast(sa.Table, model.__table__)


def partial_index(name: str, *columns: str, where: str) -> sa.Index:
    """An index over some rows only, on both databases."""
    condition = sa.text(where)
    return sa.Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


def word_of(members: type[StrEnum], length: int) -> sa.Enum:
    """The column type of a closed list of words: text in the database, a member in Python."""
    return sa.Enum(
        members, native_enum=False, length=length, values_callable=lambda words: [word.value for word in words]
    )


class UnreadableSecret(Exception):
    """A stored secret cannot be decrypted with any of the keys that this installation has."""


class EncryptedText(sa.types.TypeDecorator[str]):
    """Text that is encrypted at rest with the newest key and read with any of them; raises UnreadableSecret."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """The ciphertext."""
        return None if value is None else keyring().encrypt(value.encode()).decode()

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """The text."""
        return None if value is None else decrypt(value)


def keyring() -> MultiFernet:
    """The keys of this installation, newest first."""
    ring: KeyRing = current_app.extensions["keyring"]
    return ring.current()


def decrypt(ciphertext: str) -> str:
    """The text behind a stored ciphertext; raises UnreadableSecret when no key fits."""
    try:
        return keyring().decrypt(ciphertext.encode()).decode()
    except InvalidToken:
        raise UnreadableSecret("this secret was encrypted with a key that is not at hand") from None


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def database_now() -> datetime:
    """The clock that due times and leases go by: the database's (PostgreSQL), or that of the one host (SQLite)."""
    if db.engine.dialect.name == "sqlite":
        return utc_now()
    now: datetime = db.session.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return now.astimezone(UTC)


_QUAD = 36**4
_count = itertools.count(secrets.randbelow(_QUAD))  # taking the next one is atomic


def _quad(number: int) -> str:
    """The last four digits to the base of 36."""
    return _PAIRS[number // 36**2 % 36**2] + _PAIRS[number % 36**2]


def _two_quads(number: int) -> str:
    return _quad(number // _QUAD) + _quad(number)


_moment = lru_cache(1)(_two_quads)  # many ids are made within a millisecond


@lru_cache(1)
def _fingerprint() -> str:
    """Two digits of this process and two of its host."""
    host = os.uname().nodename
    return _PAIRS[os.getpid() % 36**2] + _PAIRS[(sum(host.encode()) + len(host) + 36) % 36**2]


os.register_at_fork(after_in_child=_fingerprint.cache_clear)


def new_id() -> str:
    """A cuid as Blue makes them: c, 8 digits of Unix milliseconds, 4 of a counter, 4 of process and host, 8 random.

    A name, and no secret: whoever may see what it names is asked elsewhere.
    """
    moment = _moment(time.time_ns() // 1_000_000)
    chance = int(random.random() * _QUAD**2)  # noqa: S311 - keeps names apart, guards nothing
    return f"c{moment}{_quad(next(_count))}{_fingerprint()}{_two_quads(chance)}"


def new_uid() -> str:
    """32 hexadecimal characters, Blue's second name for a thing."""
    return uuid.uuid4().hex


def new_event_id() -> str:
    """The public id of an event."""
    return "evt_" + new_id()


def new_delivery_id() -> str:
    """The public id of a delivery; it is the webhook-id of every attempt."""
    return "dlv_" + new_id()


def new_attempt_id() -> str:
    """The public id of an attempt."""
    return "att_" + new_id()


class WriteOutsideTransaction(RuntimeError):
    """Rows were about to be written outside of transaction()."""


class NestedTransaction(RuntimeError):
    """A transaction() was opened inside another one: an action called an action."""


class Transaction:
    """An open transaction. `ring()` asks for the bell after its commit; nothing rings when it fails."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.rings = False

    def ring(self) -> None:
        """Ring the bell once the commit is on disk."""
        self.rings = True


@contextlib.contextmanager
def transaction(*, in_pipeline: bool = False) -> Iterator[Session]:
    """The one place that writes: takes the write lock first, commits at the end, then rings the bell if asked to.

    The read snapshot ends and loaded objects reload inside the lock, so that "previous" values are true. Raises
    NestedTransaction when one is open. SQLite begins IMMEDIATE: a transaction that reads first and writes later would
    fail at once with "database is locked", whatever the timeout. `in_pipeline`: see `pipelines`.
    """
    session = db.session()
    if session.info.get("transaction"):
        raise NestedTransaction("an action calls an action")
    session.rollback()
    opened = session.info["transaction"] = Transaction(session)
    try:
        connection = session.connection(execution_options={WRITE_OPTION: True})
        if in_pipeline:
            pipelines.begin(connection)
        yield session
        session.commit()
        session.info[HAS_COMMITTED] = True
    except BaseException:
        session.rollback()
        raise
    finally:
        del session.info["transaction"]
    if opened.rings:
        bell.ring()


def ring_after_commit() -> None:
    """Ring the bell when the open transaction() has committed."""
    opened = db.session().info.get("transaction")
    if opened is None:
        raise WriteOutsideTransaction("ring_after_commit() belongs inside transaction()")
    opened.ring()


def _refuse_flush(session: Session, *_: Any) -> None:
    if "transaction" not in session.info:
        raise WriteOutsideTransaction("change rows inside transaction()")


def _refuse_statement(state: ORMExecuteState) -> None:
    if (state.is_insert or state.is_update or state.is_delete) and "transaction" not in state.session.info:
        raise WriteOutsideTransaction("change rows inside transaction()")


sa.event.listen(db.session, "before_flush", _refuse_flush)
sa.event.listen(db.session, "do_orm_execute", _refuse_statement)
