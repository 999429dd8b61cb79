"""Asking the web process and the receiver: one HTTP connection that is kept, and calls that fail loudly."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any

HOST = "127.0.0.1"
ANSWER_WITHIN_S = 60.0


class CallFailed(Exception):
    """A call that the measurement needs was refused; the text has the answer."""


class Connection:
    """A kept connection to a port of this machine."""

    def __init__(self, port: int, headers: dict[str, str] | None = None) -> None:
        self._connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_WITHIN_S)
        self._headers = headers or {}

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """The body of the answer. Raises CallFailed unless it is a success."""
        try:
            self._connection.request(method, path, body, self._headers)
            answer = self._connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            # The server closed what was idle for long; only what could not have been taken is asked again.
            self._connection.close()
            self._connection.request(method, path, body, self._headers)
            answer = self._connection.getresponse()
        said = answer.read()
        if not 200 <= answer.status < 300:
            raise CallFailed(
                f"{method} {path} was answered with {answer.status}: {said[:500].decode(errors='replace')}"
            )
        return said

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class Api:
    """The REST calls of the scratch installation, by one person's token."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = Connection(port, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})

    def call(self, method: str, path: str, values: object = None) -> Any:
        """The answer of a call below /api/v1."""
        return self.send(method, path, b"" if values is None else json.dumps(values).encode())

    def send(self, method: str, path: str, body: bytes) -> Any:
        """The same with a body that is JSON already."""
        said = self._connection.ask(method, f"/api/v1{path}", body or None)
        return json.loads(said) if said else None

    def look(self) -> None:
        """Whether the web process answers."""
        self._connection.ask("GET", "/healthz")

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@dataclass(frozen=True)
class Arrival:
    """One request at the receiver: where, for which event, and when on the clock of this machine."""

    path: str
    event_id: str
    at_ns: int


class ReceiverBook:
    """What has arrived at the receiver since it was last emptied."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._connection = Connection(port)

    def url(self, path: str) -> str:
        """An address of the receiver."""
        return f"http://{HOST}:{self.port}{path}"

    def empty(self) -> None:
        """Forget all, and hang up on those that still wait for an answer."""
        self._connection.ask("DELETE", "/arrivals")

    def wait(self, least: int, seconds: float, path: str) -> int:
        """Wait until so many have arrived below this first part of a path, at most so long; how many have."""
        return int(self._connection.ask("GET", f"/wait/{least}/{min(seconds, ANSWER_WITHIN_S / 2):.3f}/{path}"))

    def arrivals(self) -> list[Arrival]:
        """All of them, in their order."""
        return [Arrival(*each) for each in json.loads(self._connection.ask("GET", "/arrivals"))]

    def last(self) -> bytes:
        """The last request, byte for byte."""
        return self._connection.ask("GET", "/last")

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
