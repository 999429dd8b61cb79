"""The floors: what a loop without any of our guarantees reaches, with the same request to the same receiver."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import requests
import urllib3

from webapp.benchmark.asking import HOST

PIPELINED = 64  # requests that a client sends before it reads
PIPELINES = 4  # connections that take turns
ANSWER_WITHIN_S = 10.0


class Request:
    """A request as the worker sent it, taken apart, to be sent again by others."""

    def __init__(self, sent: bytes) -> None:
        head, _, self.body = sent.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")[1:]
        self.headers = {name: value for name, _, value in (line.partition(": ") for line in lines)}
        for name in ("Host", "Content-Length", "host", "content-length"):
            self.headers.pop(name, None)


def session_per_s(url: str, request: Request, seconds: float) -> float:
    """Requests a second of a bare loop over `requests.Session().post`."""
    with requests.Session() as session:
        session.trust_env = True  # its default: this is the loop that people write

        def send() -> int:
            return session.post(url, data=request.body, headers=request.headers, timeout=ANSWER_WITHIN_S).status_code

        return _loop(send, seconds)


def urllib3_per_s(url: str, request: Request, seconds: float) -> float:
    """Requests a second of a bare loop over urllib3's connection pool."""
    parts = urllib3.util.parse_url(url)
    with urllib3.HTTPConnectionPool(HOST, parts.port, timeout=ANSWER_WITHIN_S) as pool:
        path = parts.request_uri

        def send() -> int:
            return pool.urlopen("POST", path, body=request.body, headers=request.headers).status

        return _loop(send, seconds)


def receiver_per_s(port: int, sent: bytes, seconds: float) -> float:
    """How many requests a second the receiver takes from a client that only writes bytes and counts answers."""
    connections = [socket.create_connection((HOST, port), timeout=ANSWER_WITHIN_S) for _ in range(PIPELINES)]
    try:
        connections[0].sendall(sent)
        answer = len(connections[0].recv(65_536))
        packet, wanted = sent * PIPELINED, answer * PIPELINED
        count, began = 0, time.perf_counter()
        while (taken := time.perf_counter() - began) < seconds:
            for connection in connections:
                connection.sendall(packet)
            for connection in connections:
                _read(connection, wanted)
            count += PIPELINED * PIPELINES
        return count / taken
    finally:
        for connection in connections:
            connection.close()


def _read(connection: socket.socket, wanted: int) -> None:
    while wanted > 0:
        got = len(connection.recv(wanted))
        if not got:
            raise ConnectionError("the receiver hung up")
        wanted -= got


def _loop(send: Callable[[], int], seconds: float) -> float:
    send()
    count, began = 0, time.perf_counter()
    while (taken := time.perf_counter() - began) < seconds:
        if send() != 200:
            raise ConnectionError("the receiver refused")
        count += 1
    return count / taken
