"""A receiver in a process of its own that writes down each request before it answers it, several thousand a second.

    with ReceiverProcess(folder / "arrivals.jsonl") as receiver:
        receiver.answers("/slow", delay=0.03)
        receiver.answers("/flaky", statuses=(500, 500, 200))  # a delivery's first attempts; the last for ever
        ...
        receiver.wait_for(100)

The file has two kinds of lines: a request, when it is complete, and its number again when it was answered (or when it
could not be, because the sender had gone). `python -m tests.chaos.receiver` is the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
START_LIMIT_S = 20.0
TOLD_LIMIT_S = 10.0
LOOK_EVERY_S = 0.02


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request. Times are seconds of the wall clock; `answered_at` is None where the sender had gone by then."""

    number: int
    at: float
    path: str
    delivery_id: str
    attempt: int
    event_id: str
    sha256: str
    connection: int
    answered_at: float | None = None
    status: int | None = None


class ReceiverProcess:
    """The process, its file, and what it is told. Stopped, it refuses connections; started again it goes on."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None
        self._told: dict[str, dict[str, Any]] = {}
        self._read = 0
        self._found: dict[int, Arrival] = {}

    @property
    def target(self) -> str:
        """`host:port`, as ALLOW_TARGETS wants it."""
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/", *, port: int | None = None) -> str:
        """Where to send to; through another `port` where something stands in between."""
        return f"http://127.0.0.1:{port or self.port}{path}"

    def start(self) -> None:
        """Listen; returns when it does."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.receiver", str(self.port), str(self.file), str(self._last_number())],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._expect("listening")
        for path, answer in self._told.items():
            self._tell(path, answer)

    def stop(self) -> None:
        """Be gone at once, with every open connection."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate(timeout=TOLD_LIMIT_S)
            self._process = None

    def answers(self, path: str = "/", *, statuses: Sequence[int] = (200,), delay: float = 0.0) -> None:
        """How requests to a path are answered from now on: the n-th attempt of a delivery with the n-th status."""
        self._told[path] = {"path": path, "statuses": list(statuses), "delay": delay}
        self._tell(path, self._told[path])

    def arrivals(self) -> list[Arrival]:
        """All that has arrived so far, oldest first."""
        self._read_on()
        return list(self._found.values())

    def count(self) -> int:
        """How many requests have arrived so far."""
        self._read_on()
        return len(self._found)

    def wait_for(self, count: int, within: float = 20.0) -> None:
        """Wait until as many requests have arrived; AssertionError when that takes longer than `within` seconds."""
        deadline = time.monotonic() + within
        while self.count() < count:
            assert time.monotonic() < deadline, f"{self.count()} of {count} requests arrived within {within} s"
            time.sleep(LOOK_EVERY_S)

    def per_delivery(self) -> Counter[str]:
        """How often each delivery arrived."""
        return Counter(arrival.delivery_id for arrival in self.arrivals())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _tell(self, path: str, answer: dict[str, Any]) -> None:
        assert self._process is not None, f"{path}: it does not run"
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(answer) + "\n")
        self._process.stdin.flush()
        self._expect("told")

    def _expect(self, word: str) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        assert said == word, f"the receiver said {said!r}"

    def _last_number(self) -> int:
        self._read_on()
        return max(self._found, default=0)

    def _read_on(self) -> None:
        """Read what was added to the file; a last line that is not complete yet is left for the next time."""
        if not self.file.exists():
            return
        with self.file.open("rb") as file:
            file.seek(self._read)
            added = file.read()
        added = added[: added.rfind(b"\n") + 1]
        self._read += len(added)
        for line in added.splitlines():
            number, *values = json.loads(line)
            if number in self._found:
                answered_at, status = values
                self._found[number] = replace(self._found[number], answered_at=answered_at, status=status)
            else:
                self._found[number] = Arrival(number, *values)


class _Server:
    """What all connections of the process share."""

    def __init__(self, file: Path, last_number: int) -> None:
        self.file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.number = last_number
        self.connections = 0
        self.answers: dict[str, tuple[list[int], float]] = {}

    def told(self, line: str) -> None:
        answer = json.loads(line)
        self.answers[answer["path"]] = (answer["statuses"], answer["delay"])

    def write(self, *values: object) -> None:
        os.write(self.file, json.dumps(values, separators=(",", ":")).encode() + b"\n")


class _Connection(asyncio.Protocol):
    """One connection, one request at a time: whoever sends waits for the answer before the next request."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._buffer = b""
        self._transport: Any = None
        server.connections += 1
        self._number = server.connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        first, *lines = head.split(b"\r\n")
        headers = dict(line.lower().split(b": ", 1) if b": " in line else (line.lower(), b"") for line in lines)
        length = int(headers.get(b"content-length", 0))
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self._received(first.split(b" ")[1].decode(), headers, rest[:length])

    def _received(self, path: str, headers: dict[bytes, bytes], body: bytes) -> None:
        server = self._server
        server.number += 1
        attempt = int(headers.get(b"x-webhook-attempt", 1))
        ids = [headers.get(name, b"").decode() for name in (b"webhook-id", b"x-webhook-event-id")]
        digest = hashlib.sha256(body).hexdigest()
        server.write(server.number, time.time(), path, ids[0], attempt, ids[1], digest, self._number)
        statuses, delay = server.answers.get(path, ([200], 0.0))
        status = statuses[min(attempt, len(statuses)) - 1]
        if delay:
            asyncio.get_running_loop().call_later(delay, self._answer, server.number, status)
        else:
            self._answer(server.number, status)

    def _answer(self, number: int, status: int) -> None:
        has_gone = self._transport.is_closing()
        self._server.write(number, None if has_gone else time.time(), status)
        if not has_gone:
            self._transport.write(b"HTTP/1.1 %d Told\r\nContent-Length: 2\r\n\r\nok" % status)


async def _serve(port: int, file: Path, last_number: int) -> None:
    server = _Server(file, last_number)
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: _Connection(server), "127.0.0.1", port, backlog=1024)
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    print("listening", flush=True)
    while line := await lines.readline():
        server.told(line.decode())
        print("told", flush=True)
    listener.close()  # whoever started it has gone


def main() -> None:
    """Serve until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    port, file, last_number = sys.argv[1:]
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(port), Path(file), int(last_number)))


if __name__ == "__main__":
    main()
