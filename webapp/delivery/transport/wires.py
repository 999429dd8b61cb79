"""A socket whose every wait ends at one deadline, and the bytes that it has received and nobody has read yet.

Time limits of sockets count for one read each, so that a receiver which drips a byte now and then holds a thread for
ever. Here the limit of each read and write is what is left until the deadline. No watchdog is needed, and a cut is an
error where it happens, never an end of file that looks like an answer.

A process that stood still past the deadline, alone or with its whole machine, must not throw away what came in time.
It may have a grace: reading on for a moment, it takes the answer that waits for it or comes to a network that wakes.

The socket never blocks, and it is waited for only where it has to be. A limit set on it would be two system calls more
for each step, and with each of them a busy process hands the interpreter to another thread.
"""

import math
import re
import select
import socket
import ssl
import time

PIECE_BYTES = 16_384
STOOD_STILL_S = 0.5  # so long after the deadline nobody looks at the clock who was only busy

_EMPTY_LINE = re.compile(rb"(?:\A|\n)\r?\n")


class Wire:
    """One connection as bytes. What it does may take for ever until `until` was called."""

    def __init__(self, sock: socket.socket) -> None:
        self.first_byte_at: float | None = None
        self._deadline = math.inf
        self._grace_s = 0.0
        self._socket = sock
        self._received = bytearray()
        self._waiting = select.poll()
        self._waiting.register(sock, select.POLLIN)
        sock.setblocking(False)

    def until(self, deadline: float, *, grace_s: float = 0.0) -> None:
        """From now on every wait ends at this moment of the monotonic clock, in seconds.

        A process that stood still past it has `grace_s` from when it wakes, once.
        """
        self._deadline, self._grace_s = deadline, grace_s

    def send(self, data: bytes) -> None:
        """Send all of it; raises TimeoutError at the deadline, OSError when cut."""
        rest = memoryview(data)
        while rest:
            self._left()
            try:
                rest = rest[self._socket.send(rest) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(select.POLLOUT)
            except ssl.SSLWantReadError:
                self._wait(select.POLLIN)

    def start(self, count: int) -> bytes:
        """The first bytes that wait to be read, at most `count`, without taking them; none at the end."""
        if not self._received:
            self._receive()
        return bytes(self._received[:count])

    def line(self, limit: int) -> bytes:
        """The next line with its end; at most `limit` bytes and one more, and less than a line where the bytes end."""
        looked_at = 0
        while (end := self._received.find(b"\n", looked_at)) < 0 and len(self._received) <= limit:
            looked_at = len(self._received)
            if not self._receive():
                return self._take(looked_at)
        return self._take(limit + 1 if end < 0 else min(end, limit) + 1)

    def lines(self, limit: int) -> bytes:
        """All lines up to the first empty one, and that, if they are here already and within `limit`; else nothing."""
        match = _EMPTY_LINE.search(self._received)
        return self._take(match.end()) if match and match.end() <= limit else b""

    def if_here(self, count: int) -> bytes | None:
        """So many bytes, if they are here already; it waits for none."""
        return self._take(count) if count <= len(self._received) else None

    def some(self, most: int) -> bytes:
        """The next bytes, at least one and at most `most`; none at the end."""
        if not self._received:
            self._receive()
        return self._take(min(most, len(self._received)))

    @property
    def has_unread(self) -> bool:
        """Whether bytes have arrived here that nobody has read."""
        return bool(self._received) or (isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0)

    @property
    def is_quiet(self) -> bool:
        """Whether the other end has neither sent anything nor closed."""
        return not self._waiting.poll(0)

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def _take(self, count: int) -> bytes:
        if count == len(self._received):
            taken, self._received = bytes(self._received), bytearray()
            return taken
        taken = bytes(self._received[:count])
        del self._received[:count]
        return taken

    def _receive(self) -> int:
        """Wait for bytes; 0 at the end; raises TimeoutError at the deadline, OSError when cut."""
        piece = self._piece()
        if self.first_byte_at is None:
            self.first_byte_at = time.monotonic()
        self._received += piece
        return len(piece)

    def _piece(self) -> bytes:
        if isinstance(self._socket, ssl.SSLSocket):  # it may hold bytes that no wait would tell of
            self._left()
        else:
            self._wait(select.POLLIN)
        while True:
            try:
                return self._socket.recv(PIECE_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._wait(select.POLLIN)
            except ssl.SSLWantWriteError:
                self._wait(select.POLLOUT)

    def _wait(self, for_what: int) -> None:
        """Wait until the socket can be read or written; raises TimeoutError at the deadline."""
        if for_what != select.POLLIN:
            self._waiting.modify(self._socket, for_what)
        try:
            while not self._waiting.poll(self._left_ms()):
                pass
        finally:
            if for_what != select.POLLIN:
                self._waiting.modify(self._socket, select.POLLIN)

    def _left_ms(self) -> float | None:
        left = self._left()
        return None if math.isinf(left) else left * 1000

    def _left(self) -> float:
        now = time.monotonic()
        if self._grace_s and now - self._deadline > STOOD_STILL_S:
            self._deadline, self._grace_s = now + self._grace_s, 0.0
        if now >= self._deadline:
            raise TimeoutError("the deadline has passed")
        return self._deadline - now
