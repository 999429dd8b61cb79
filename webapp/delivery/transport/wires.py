"""A socket whose every wait ends at one deadline.

Time limits of sockets count for one read each, so that a receiver which drips a byte now and then holds a thread for
ever. Here the limit of each read and write is what is left until the deadline. No watchdog is needed, and a cut is an
error where it happens, never an end of file that looks like an answer.
"""

import io
import math
import socket
import ssl
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER_BYTES = 16_384


class Wire:
    """Stands in for the socket of an HTTP connection. `deadline` is a moment of the monotonic clock, in seconds."""

    def __init__(self, sock: socket.socket) -> None:
        self.deadline = math.inf
        self.first_byte_at: float | None = None
        self.is_drained = False  # True: reading only gives what is buffered already
        self._socket = sock
        self._outbox = bytearray()
        self._readers = 0
        self._is_closing = False

    def sendall(self, data: bytes) -> None:
        """Gather what the library writes in pieces, for `flush`."""
        self._outbox += data

    def flush(self) -> None:
        """Send what was gathered, in one piece if it fits; raises TimeoutError at the deadline, OSError when cut."""
        rest = memoryview(bytes(self._outbox))
        self._outbox.clear()
        while rest:
            self._socket.settimeout(self._left())
            rest = rest[self._socket.send(rest) :]

    def receive_into(self, buffer: "WriteableBuffer") -> int:
        """Wait for bytes; 0 at the end; raises TimeoutError at the deadline, OSError when cut."""
        if self.is_drained:
            return 0
        self._socket.settimeout(self._left())
        count = self._socket.recv_into(buffer)
        if self.first_byte_at is None:
            self.first_byte_at = time.monotonic()
        return count

    def makefile(self, mode: str = "rb") -> io.BufferedReader:
        """A reader of its own buffer; the socket stays open until the last reader is closed."""
        self._readers += 1
        return io.BufferedReader(_Stream(self), BUFFER_BYTES)

    def settimeout(self, seconds: float | None) -> None:
        """Nothing: the deadline decides."""

    def fileno(self) -> int:
        """The number that poll wants."""
        return self._socket.fileno()

    @property
    def has_pending(self) -> bool:
        """Whether TLS has bytes decrypted that nobody has read."""
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def close(self) -> None:
        """Close now, or when the last reader does."""
        self._is_closing = True
        self._close_unused()

    def release(self) -> None:
        """One reader is done."""
        self._readers -= 1
        self._close_unused()

    def _close_unused(self) -> None:
        if self._is_closing and self._readers <= 0:
            self._socket.close()

    def _left(self) -> float | None:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return None if math.isinf(left) else left


class _Stream(io.RawIOBase):
    """The receiving side of a wire, for a buffered reader."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        return self._wire.receive_into(buffer)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._wire.release()
