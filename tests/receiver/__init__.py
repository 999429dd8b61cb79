"""A real receiver on loopback that answers as it is told, well or badly, and remembers what arrived.

    with Receiver() as receiver:
        receiver.answers(500, 500, 200)  # then the last one repeats
        ...
        first, second = receiver.wait_for(2)
        assert first.body == second.body

An answer is a status code, an `Answer`, or a `Raw` (bytes as they are, dripping, endless, cut or reset).
"""

import itertools
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal, Self


@dataclass(frozen=True)
class Answer:
    """A proper answer: after `delay` seconds, keeping the connection unless told otherwise."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b"ok"
    delay: float = 0.0
    keep_alive: bool = True
    reason: str = "Answer"

    def as_bytes(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {self.reason}", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if not self.keep_alive:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + self.body


@dataclass(frozen=True)
class Raw:
    """Bytes as they are, a pause between the pieces, and what comes then."""

    pieces: Iterable[bytes] | Callable[[], Iterable[bytes]] = ()
    pause: float = 0.0
    then: Literal["close", "reset", "silence", "next"] = "close"

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.pieces() if callable(self.pieces) else self.pieces)


def endless(piece: bytes) -> Callable[[], Iterable[bytes]]:
    """Pieces for a `Raw` that never end."""
    return lambda: itertools.repeat(piece)


def drip(text: bytes) -> Callable[[], Iterable[bytes]]:
    """Pieces for a `Raw`: one byte at a time."""
    return lambda: (text[i : i + 1] for i in range(len(text)))


SILENCE = Raw(then="silence")
RESET = Raw(then="reset")
HANG_UP = Raw(then="close")

Reply = int | Answer | Raw


@dataclass(frozen=True)
class Received:
    """One request as it arrived: headers in their order, body as bytes, and the number of its connection."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    received_at: datetime
    connection: int
    raw_head: bytes

    def header(self, name: str) -> str | None:
        """The value of a header, by its name in any case; None when it is not there."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Receiver:
    """Listens on `host` (any loopback address) from `with` to its end; each connection has a thread of its own."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, tls: ssl.SSLContext | None = None) -> None:
        self.host = host
        self._tls = tls
        self._replies: dict[str, list[Reply]] = {"": [200]}
        self._news = threading.Condition()
        self._requests: list[Received] = []
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()
        self.connections = 0
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=256)
        self.port: int = self._listener.getsockname()[1]

    @property
    def target(self) -> str:
        """`host:port`, as ALLOW_TARGETS wants it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self.target}/"

    @property
    def requests(self) -> list[Received]:
        """What has arrived so far, oldest first."""
        with self._news:
            return list(self._requests)

    @property
    def open_connections(self) -> int:
        """How many connections are open at this end."""
        with self._news:
            return len(self._open)

    def answers(self, *replies: Reply, path: str = "") -> None:
        """Answer with these in turn, the last one for ever; with `path`, only requests to exactly that path."""
        with self._news:
            self._replies[path] = list(replies)

    def clear(self) -> None:
        """Forget what has arrived."""
        with self._news:
            self._requests.clear()

    def wait_for(self, count: int, within: float = 5.0) -> list[Received]:
        """The requests, once there are `count` of them; AssertionError when that takes longer than `within` seconds."""
        with self._news:
            arrived = self._news.wait_for(lambda: len(self._requests) >= count, within)
            assert arrived, f"{len(self._requests)} of {count} requests arrived within {within} s"
            return list(self._requests)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and end every connection."""
        self._stopped.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._news:
            connections, threads = list(self._open), list(self._threads)
        for connection in connections:
            with suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(5)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, name="receiver", daemon=True)
        with self._news:
            self._threads = [other for other in self._threads if other.is_alive() or other.ident is None]
            self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._news:
                self.connections += 1
                number = self.connections
                self._open.add(connection)
            self._start(self._serve, connection, number)

    def _serve(self, connection: socket.socket, number: int) -> None:
        plain = connection
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                with self._news:
                    self._open.discard(plain)
                    self._open.add(connection)
            reader = connection.makefile("rb")
            with reader:
                while not self._stopped.is_set() and (request := _read(reader, number)):
                    if not self._reply(connection, self._remember(request)):
                        break
        except OSError:
            pass
        finally:
            with self._news:
                self._open.discard(connection)
                self._open.discard(plain)
            connection.close()

    def _remember(self, request: Received) -> Reply:
        with self._news:
            self._requests.append(request)
            replies = self._replies.get(request.path, self._replies[""])
            reply = replies.pop(0) if len(replies) > 1 else replies[0]
            self._news.notify_all()
            return reply

    def _reply(self, connection: socket.socket, reply: Reply) -> bool:
        """Whether the connection goes on."""
        if isinstance(reply, Raw):
            return self._reply_raw(connection, reply)
        answer = Answer(reply) if isinstance(reply, int) else reply
        if answer.delay and self._stopped.wait(answer.delay):
            return False
        connection.sendall(answer.as_bytes())
        return answer.keep_alive

    def _reply_raw(self, connection: socket.socket, reply: Raw) -> bool:
        for piece in reply:
            if self._stopped.is_set():
                return False
            connection.sendall(piece)
            if reply.pause and self._stopped.wait(reply.pause):
                return False
        if reply.then == "silence":
            while connection.recv(4096):  # until the other end gives up, or this receiver is closed
                pass
        if reply.then == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return reply.then == "next"


def _read(reader: object, number: int) -> Received | None:
    """The next request of a connection, None at its end."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        line: bytes = reader.readline(65_537)  # type: ignore[attr-defined]
        if not line:
            return None
        head += line
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    method, path, *_ = [*first.split(" "), "", ""]
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    body: bytes = reader.read(length)  # type: ignore[attr-defined]
    return Received(method, path, headers, body, datetime.now(UTC), number, bytes(head))


def wait_until(condition: Callable[[], bool], within: float = 5.0, every: float = 0.01) -> None:
    """Wait for something that cannot be waited for otherwise; AssertionError when it does not come."""
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, f"it did not come true within {within} s"
        time.sleep(every)
