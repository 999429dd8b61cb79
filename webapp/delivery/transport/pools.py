"""Connections kept open for the next request along the same line, for at most a minute."""

import threading
import time
from collections.abc import Callable

from webapp.delivery.transport.connections import Line, PinnedConnection

MAX_AGE_S = 60.0
# Shorter than the shortest keep-alive time of common servers (2 s): a receiver that closes just when the next request
# is on its way would make it `connection_lost`, and a POST must not be repeated behind the sender's back.
MAX_IDLE_S = 1.5
MAX_KEPT = 256
DISTRUST_S = 600.0  # a receiver that dropped a kept connection unannounced gets fresh ones for that long
CLEANING_INTERVAL_S = 1.0


class Pool:
    """Idle connections by line. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[Line, list[PinnedConnection]] = {}
        self._count = 0
        self._distrusted: dict[Line, float] = {}
        self._clean_at = time.monotonic() + CLEANING_INTERVAL_S

    def take(self, line: Line) -> PinnedConnection | None:
        """A connection along this line that is young and still open, None where there is none."""
        while connection := self._pop(line):
            if _is_fresh(connection, time.monotonic()) and connection.is_connected:
                return connection
            connection.close()
        return None

    def keep(self, connection: PinnedConnection) -> None:
        """Take a connection back; it is closed when there are too many of them. Old ones go on the way."""
        connection.idle_since = time.monotonic()
        with self._lock:
            has_room = self._count < MAX_KEPT and connection.line not in self._distrusted
            if has_room:
                self._idle.setdefault(connection.line, []).append(connection)
                self._count += 1
        if not has_room:
            connection.close()
        if connection.idle_since >= self._clean_at:
            self.close_old()

    def distrust(self, line: Line) -> None:
        """Keep no connections along this line for a while: one of them was dropped when it was used again."""
        with self._lock:
            self._distrusted[line] = time.monotonic() + DISTRUST_S

    def close_old(self) -> None:
        """Close what is too old or was idle too long."""
        now = time.monotonic()
        with self._lock:
            self._distrusted = {line: until for line, until in self._distrusted.items() if until > now}
        self._clean_at = now + CLEANING_INTERVAL_S
        self._close_where(lambda connection: not _is_fresh(connection, now))

    def close(self) -> None:
        """Close all that are idle."""
        self._close_where(lambda _: True)

    def _pop(self, line: Line) -> PinnedConnection | None:
        """The one used last: it is the least likely to have been closed by the receiver."""
        with self._lock:
            connections = self._idle.get(line)
            if not connections:
                return None
            self._count -= 1
            return connections.pop()

    def _close_where(self, is_done: Callable[[PinnedConnection], bool]) -> None:
        with self._lock:
            idle = [connection for connections in self._idle.values() for connection in connections]
            done = [connection for connection in idle if is_done(connection)]
            kept = [connection for connection in idle if not is_done(connection)]
            self._idle, self._count = {}, len(kept)
            for connection in kept:
                self._idle.setdefault(connection.line, []).append(connection)
        for connection in done:
            connection.close()


def _is_fresh(connection: PinnedConnection, now: float) -> bool:
    return now - connection.opened_at < MAX_AGE_S and now - connection.idle_since < MAX_IDLE_S
