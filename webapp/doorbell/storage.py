"""The embedded queue: huey's SQLite storage with a bell, so that a waiting worker is woken instead of polling.

Measured before this existed: huey alone polls, 56 ms in the median and seconds after a quiet spell.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from huey.storage import SqliteStorage

from webapp.doorbell.sockets import BellSocket, bell_folder, ring

log = logging.getLogger(__name__)

BELL_LIMIT = 0.25  # seconds that ringing may hold up the one who rings
MAX_WAIT = 0.5  # seconds that one dequeue waits, so that stopping is quick
POLL_WITHOUT_BELL = 0.1  # seconds between looks where no socket can be made
MAX_ITEMS_WAITING = 1_000  # more rings than that say nothing new

_TURN_LIMIT = 0.1  # seconds to wait for other threads of this process …
_BUSY_LIMIT = 0.1  # … and then for other processes; together they stay below BELL_LIMIT
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class BellLostError(Exception):
    """The queue did not take the bell. Nothing is lost with it: the workers look each second."""


class DoorbellStorage(SqliteStorage):
    """A queue in one SQLite file for all processes of one machine, with a socket per waiting process.

    `enqueue` takes at most BELL_LIMIT and raises BellLostError; `dequeue` waits at most MAX_WAIT, outside huey's lock.
    Nothing is opened before it is used, and each process opens its own. The file may vanish at any time.
    """

    blocking = True

    def __init__(self, name: str, filename: str) -> None:
        path = os.path.abspath(filename)
        super().__init__(name, filename=path, fsync=False, timeout=_BUSY_LIMIT, create_tables=False)
        self.folder = bell_folder(path)
        self._pid = os.getpid()
        self._turn = threading.Lock()
        self._bell: BellSocket | None = None
        self._file: tuple[int, int] | None = None
        self._inherited: list[object] = []
        self._complained = False

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        """Write the item and wake every worker; a queue that is full already is only rung."""
        self._own()
        try:
            self._insert(data, priority or 0)
        except (sqlite3.Error, OSError) as error:
            raise BellLostError(f"{self.filename}: {error}") from error
        try:
            ring(self.folder)
        except OSError as error:
            self._complain(error)

    def dequeue(self) -> bytes | None:
        """The next item, or None after MAX_WAIT. Raises sqlite3.Error or OSError while the file is out of order."""
        self._own()
        bell = self._open_bell()  # before the first look, so that no ring falls between look and wait
        try:
            item = self._take()
            if item is None and self._wait(bell):
                item = self._take()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return None  # others are at it; whoever listens looks again at once
        return item

    def close(self) -> bool:
        """Close what this process opened and remove its socket; the next use opens anew."""
        self._own()
        bell, self._bell = self._bell, None
        if bell is not None:
            bell.close()
        return bool(super().close())

    def _own(self) -> None:
        """After a fork: leave the parent's connection, lock and socket alone and begin with none."""
        if self._pid == os.getpid():
            return
        # Closing an inherited connection would let go of the parent's locks, so it is kept and never used.
        self._inherited += [self._conn, self._bell]
        self._conn = self._bell = self._file = None
        self.lock, self._turn, self._pid = threading.Lock(), threading.Lock(), os.getpid()

    def _insert(self, data: bytes, priority: float) -> None:
        if not self._turn.acquire(timeout=_TURN_LIMIT):
            raise sqlite3.OperationalError("another thread is still ringing")
        try:
            self._reopen_if_replaced()
            with self._mending():
                self.sql(
                    "insert into task (queue, data, priority) select ?, ?, ? where "
                    "(select count(*) from (select 1 from task where queue = ? limit ?)) < ?",
                    (self.name, data, priority, self.name, MAX_ITEMS_WAITING, MAX_ITEMS_WAITING),
                    commit=True,
                )
        finally:
            self._turn.release()

    def _take(self) -> bytes | None:
        self._reopen_if_replaced()
        with self._mending():
            item: bytes | None = super().dequeue()
        return item

    def _open_bell(self) -> BellSocket | None:
        bell = self._bell
        if bell is not None and bell.is_ours:
            return bell
        if bell is not None:
            bell.close()
        try:
            self._bell = BellSocket(self.folder)
        except OSError as error:
            self._bell = None
            self._complain(error)
        return self._bell

    def _wait(self, bell: BellSocket | None) -> bool:
        if bell is not None:
            return bell.wait(MAX_WAIT)
        time.sleep(POLL_WITHOUT_BELL)
        return True

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            log.warning("no doorbell here, workers find their work by looking: %s", error)

    def _create_connection(self) -> sqlite3.Connection:
        # 0600 from the first moment; SQLite gives its two companions the mode of the file.
        os.close(os.open(self.filename, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        connection: sqlite3.Connection = super()._create_connection()
        try:
            # Text that is not UTF-8 would otherwise stay in the queue and fail every reader for ever.
            connection.text_factory = lambda text: text.decode(errors="replace")
            for statement in self.ddl:
                connection.execute(statement)
            self._file = _identity(self.filename)
        except BaseException:
            connection.close()
            raise
        return connection

    def _reopen_if_replaced(self) -> None:
        if self._conn is not None and _identity(self.filename) != self._file:
            super().close()

    @contextlib.contextmanager
    def _mending(self) -> Iterator[None]:
        """Open anew after any error, and put a file that is no database aside: what was in it was only a bell."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", None)
            if code != sqlite3.SQLITE_BUSY:
                super().close()
            if code in _CORRUPT:
                _put_aside(Path(self.filename))
            raise


def _identity(filename: str) -> tuple[int, int] | None:
    try:
        found = os.stat(filename)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _put_aside(path: Path) -> None:
    log.warning("%s is damaged and was put aside as %s.damaged; it held nothing but bells", path, path.name)
    for companion in ("-wal", "-shm"):
        path.with_name(path.name + companion).unlink(missing_ok=True)
    path.replace(path.with_name(path.name + ".damaged"))
