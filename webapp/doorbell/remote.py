"""Queues on another machine: huey's Redis and PostgreSQL storages, kept from holding up whoever rings.

A server that accepts connections and then hangs, or a name that does not resolve, cannot be bounded by socket options
alone. So a thread of its own talks to the server, and whoever rings waits at most BELL_LIMIT for it.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from huey.storage import PostgresStorage, RedisStorage

from webapp.doorbell.storage import BELL_LIMIT, MAX_ITEMS_WAITING, MAX_WAIT, BellLostError

ANSWER_LIMIT = 1.0  # seconds that a server may keep us waiting for one answer
POSTGRES_CONNECT_LIMIT = 2  # seconds; libpq knows no less
TABLES_LOCK = 0x62656C6C  # any number that nobody else locks


class Ringer:
    """Calls one function in a thread of its own and waits at most BELL_LIMIT for it.

    While a call hangs, others are refused at once: only the first one pays. Raises BellLostError.
    """

    def __init__(self, ring: Callable[[bytes, float | None], object]) -> None:
        self._ring = ring
        self._begin()

    def _begin(self) -> None:
        self._pid, self._lock = os.getpid(), threading.Lock()
        self._thread: ThreadPoolExecutor | None = None
        self._hanging: Future[object] | None = None

    def __call__(self, data: bytes, priority: float | None) -> None:
        """Ring, or raise BellLostError."""
        if self._pid != os.getpid():
            self._begin()  # the parent's thread did not come along
        if self._hanging is not None and not self._hanging.done():
            raise BellLostError("the queue has not answered yet")
        call = self._submit(data, priority)
        if wait([call], timeout=BELL_LIMIT).not_done:
            if not call.cancel():  # one that still stood in line has not begun and never will
                self._hanging = call
            raise BellLostError(f"the queue did not answer within {BELL_LIMIT} s")
        error = call.exception()
        if error is not None:
            raise BellLostError(f"{type(error).__name__}: {error}") from error

    def _submit(self, data: bytes, priority: float | None) -> Future[object]:
        with self._lock:
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, thread_name_prefix="bell")
            return self._thread.submit(self._ring, data, priority)

    def close(self) -> None:
        """Let the thread end when it can."""
        if self._thread is not None and self._pid == os.getpid():
            self._thread.shutdown(wait=False, cancel_futures=True)
        self._begin()


class BoundedRedisStorage(RedisStorage):
    """huey's blocking Redis storage with limits on every wait; ringing and listening use connections of their own."""

    def __init__(self, name: str, url: str) -> None:
        super().__init__(name, connection_pool=_pool(url), blocking=True)
        self._listening = type(self.conn)(connection_pool=_pool(url))
        self._ringer = Ringer(self._push)

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        """Put the item into the list, which keeps the newest MAX_ITEMS_WAITING. Raises BellLostError."""
        self._ringer(data, priority)

    def _push(self, data: bytes, _priority: float | None) -> None:
        with self.conn.pipeline(transaction=False) as pipeline:
            pipeline.lpush(self.queue_key, data)
            pipeline.ltrim(self.queue_key, 0, MAX_ITEMS_WAITING - 1)
            pipeline.execute()

    def dequeue(self) -> bytes | None:
        """The next item, or None after MAX_WAIT. Raises redis.RedisError while the server is out of order."""
        found: Any = self._listening.brpop([self.queue_key], timeout=MAX_WAIT)
        return bytes(found[1]) if found else None

    def close(self) -> None:
        """Give the connections back; the next use opens them anew."""
        self._ringer.close()
        self.conn.connection_pool.disconnect()
        self._listening.connection_pool.disconnect()


def _pool(url: str) -> Any:
    from redis import ConnectionPool  # noqa: PLC0415 - an extra, only who uses Redis has it

    return ConnectionPool.from_url(url, protocol=2, **redis_options(ANSWER_LIMIT))


def redis_options(limit: float) -> dict[str, Any]:
    """Options of a Redis client that waits at most `limit` seconds for a connection, and for an answer.

    It tries nothing twice: whoever serves a request has no time for that, and the listener tries again by itself.
    """
    from redis import backoff, retry  # noqa: PLC0415 - an extra, only who uses Redis has it

    return {
        "socket_connect_timeout": limit,
        "socket_timeout": limit,
        "retry": retry.Retry(backoff.NoBackoff(), 0),
    }


class BoundedPostgresStorage(PostgresStorage):
    """huey's PostgreSQL storage (LISTEN and NOTIFY), which opens nothing before its use and rings within the limit."""

    def __init__(self, name: str, url: str) -> None:
        super().__init__(
            name,
            dsn=url,
            read_timeout=MAX_WAIT,
            create_tables=False,
            connect_timeout=POSTGRES_CONNECT_LIMIT,
            tcp_user_timeout=int(ANSWER_LIMIT * 1000),
        )
        self._pid, self._has_tables = os.getpid(), False
        self._inherited: list[object] = []
        self._ringer = Ringer(self._insert)

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        """Insert the item, unless MAX_ITEMS_WAITING are there, and notify. Raises BellLostError."""
        self._own()
        self._ringer(data, priority)

    def dequeue(self) -> bytes | None:
        """The next item, or None after MAX_WAIT. Raises psycopg.Error while the server is out of order."""
        self._own()
        self._listen_conn()  # before the first look, so that no ring falls between look and wait
        item: bytes | None = super().dequeue()
        return item

    def close(self) -> bool:
        """Close the connections of this process; the next use opens them anew."""
        self._own()
        self._ringer.close()
        return bool(super().close())

    def _own(self) -> None:
        """After a fork: leave the parent's connections and locks alone and begin with none."""
        if self._pid == os.getpid():
            return
        self._inherited += [self._conn, self._listen_local]
        self._conn, self._listen_local = None, threading.local()
        self.lock, self._pid = threading.Lock(), os.getpid()

    def _insert(self, data: bytes, priority: float | None) -> None:
        with self.db(commit=True) as cursor:
            cursor.execute(
                f"insert into {self.table_task} (queue, data, priority) select %s, %s, %s where "  # noqa: S608 - our names
                f"(select count(*) from (select 1 from {self.table_task} where queue = %s limit %s) as waiting) < %s",
                (self.name, data, priority or 0, self.name, MAX_ITEMS_WAITING, MAX_ITEMS_WAITING),
            )
            cursor.execute("select pg_notify(%s, '')", (self.channel,))

    def _create_connection(self) -> Any:
        connection = self._connect()
        if not self._has_tables:
            with connection.transaction():
                # "if not exists" alone lets two processes collide that create at the same moment
                connection.execute("select pg_advisory_xact_lock(%s)", (TABLES_LOCK,))
                for statement in self.ddl:
                    connection.execute(statement)
            self._has_tables = True
        return connection
