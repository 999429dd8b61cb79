"""The receiver that `webapp bench` sends to: a process of its own that does as little as possible for each request.

`python -m webapp.benchmark.receiver PORT` listens on loopback, says so, and ends when its standard input closes. Every
POST is noted with the moment of its arrival and answered as its path says: `/after/200/…` after 200 ms, `/never/…` not
at all, every other at once. `GET` and `DELETE` are the questions of whoever measures.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter
from typing import Any

HOST = "127.0.0.1"
MAX_REQUEST_BYTES = 1024 * 1024
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"
END_OF_HEAD = b"\r\n\r\n"

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_EVENT = re.compile(rb"\r\nx-webhook-event-id: *(\S+)", re.IGNORECASE)


class Book:
    """What has arrived since it was last emptied: path, event id, and nanoseconds of the clock."""

    def __init__(self) -> None:
        self.arrivals: list[tuple[bytes, bytes, int]] = []
        self.last = b""
        self.hanging: set[asyncio.Transport] = set()
        self._counts: Counter[bytes] = Counter()  # by the first part of the path
        self._waiting: list[tuple[bytes, int, asyncio.Future[None]]] = []

    def note(self, path: bytes, head: bytes, request: bytes) -> None:
        """One more."""
        found = _EVENT.search(head)
        self.arrivals.append((path, found[1] if found else b"", time.time_ns()))
        self.last = request
        self._counts[path.split(b"/", 2)[1]] += 1
        for part, least, future in self._waiting:
            if self._counts[part] >= least and not future.done():
                future.set_result(None)

    async def wait(self, part: bytes, least: int, seconds: float) -> int:
        """Wait until so many have arrived whose path begins so, at most so long; how many have."""
        if self._counts[part] < least:
            waiting = (part, least, asyncio.get_running_loop().create_future())
            self._waiting.append(waiting)
            await asyncio.wait([waiting[2]], timeout=seconds)
            self._waiting.remove(waiting)
        return self._counts[part]

    def empty(self) -> None:
        """Forget all, and hang up on those that still wait for an answer."""
        self.arrivals = []
        self._counts.clear()
        for transport in list(self.hanging):
            transport.abort()


class Connection(asyncio.Protocol):
    """One connection: requests come in, also several at once, and go out in their order."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._data = b""
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has connected."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a fact for the type checker
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        self._book.hanging.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        """Take every request that is complete."""
        self._data += data
        if len(self._data) > MAX_REQUEST_BYTES:
            self._transport.abort()
        while (end := self._data.find(END_OF_HEAD)) >= 0:
            head = self._data[:end]
            length = _LENGTH.search(head)
            whole = end + len(END_OF_HEAD) + (int(length[1]) if length else 0)
            if len(self._data) < whole:
                return
            request, self._data = self._data[:whole], self._data[whole:]
            self._take(head, request)

    def _take(self, head: bytes, request: bytes) -> None:
        method, path, _ = head.split(b" ", 2)
        if method != b"POST":
            task = asyncio.get_running_loop().create_task(self._tell(method, path))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        self._book.note(path, head, request)
        if path.startswith(b"/never/"):
            self._book.hanging.add(self._transport)
        elif path.startswith(b"/after/"):
            delay_s = int(path.split(b"/")[2]) / 1000
            asyncio.get_running_loop().call_later(delay_s, self._transport.write, ANSWER)
        else:
            self._transport.write(ANSWER)

    async def _tell(self, method: bytes, path: bytes) -> None:
        body = await self._answer(method, path)
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    async def _answer(self, method: bytes, path: bytes) -> bytes:
        if method == b"DELETE":
            self._book.empty()
            return b""
        if path == b"/last":
            return self._book.last
        if path.startswith(b"/wait/"):
            _, _, least, seconds, part = path.split(b"/")
            return str(await self._book.wait(part, int(least), float(seconds))).encode()
        return json.dumps([[at.decode(), event.decode(), ns] for at, event, ns in self._book.arrivals]).encode()


async def serve() -> None:
    """Receive until standard input closes."""
    book, loop = Book(), asyncio.get_running_loop()
    await loop.create_server(lambda: Connection(book), HOST, int(sys.argv[1]), backlog=512)
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    lifeline: Any = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lifeline), sys.stdin)
    await lifeline.read()


if __name__ == "__main__":
    asyncio.run(serve())
