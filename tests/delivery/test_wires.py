"""A wire whose process stood still past the deadline takes an answer that came in time, and waits for no other."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import trustme

from tests.receiver import Receiver
from webapp.delivery.transport import Line, TransportFailure, tls_context, wires
from webapp.delivery.transport.connections import PinnedConnection
from webapp.delivery.transport.wires import PIECE_BYTES, Wire

ANSWER = b"HTTP/1.1 200 OK\r\n"
STILL_S = wires.STOOD_STILL_S + 0.1
LONG_S = 60.0


def encrypted(near: socket.socket, far: socket.socket) -> tuple[ssl.SSLSocket, ssl.SSLSocket]:
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.issue_cert("hook.example.com").configure_cert(server)
    authority.configure_trust(client)
    answered: list[ssl.SSLSocket] = []
    answering = threading.Thread(target=lambda: answered.append(server.wrap_socket(far, server_side=True)))
    answering.start()
    asked = client.wrap_socket(near, server_hostname="hook.example.com")
    answering.join()
    return asked, answered[0]


@pytest.fixture(params=["plain", "encrypted"])
def ends(request: pytest.FixtureRequest) -> Iterator[tuple[Wire, socket.socket]]:
    """A wire and the socket at its other end."""
    near, far = socket.socketpair()
    if request.param == "encrypted":
        near, far = encrypted(near, far)
    with near, far:
        yield Wire(near), far


def test_who_stood_still_past_the_deadline_takes_what_has_arrived_meanwhile(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    far.sendall(ANSWER)
    wire.until(time.monotonic() - STILL_S, grace_s=LONG_S)
    assert wire.line(100) == ANSWER


def test_and_what_comes_a_moment_later(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    wire.until(time.monotonic() - STILL_S, grace_s=LONG_S)
    sending = threading.Timer(0.1, far.sendall, [ANSWER])
    sending.start()
    assert wire.line(100) == ANSWER
    sending.join()


def test_and_waits_for_nothing_else(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    far.sendall(b"HTTP")
    began = time.monotonic()
    wire.until(began - STILL_S, grace_s=0.3)
    with pytest.raises(TimeoutError):
        wire.line(100)  # the rest of the line is missing
    assert time.monotonic() - began >= 0.3
    far.sendall(ANSWER)
    with pytest.raises(TimeoutError):
        wire.line(100)


@pytest.mark.parametrize(("late_s", "grace_s"), [(0.0, LONG_S), (STILL_S, 0.0)])
def test_who_is_only_a_little_late_or_has_no_grace_waits_no_longer(
    ends: tuple[Wire, socket.socket], monkeypatch: pytest.MonkeyPatch, late_s: float, grace_s: float
) -> None:
    monkeypatch.setattr(wires, "STOOD_STILL_S", wires.STOOD_STILL_S if late_s else LONG_S)
    wire, _ = ends
    began = time.monotonic()
    wire.until(began - late_s, grace_s=grace_s)
    with pytest.raises(TimeoutError):
        wire.line(100)
    assert time.monotonic() - began < LONG_S


def test_a_stream_without_end_ends_after_the_grace(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    far.setblocking(False)
    wire.until(time.monotonic() - STILL_S, grace_s=0.3)
    read = 0
    with pytest.raises(TimeoutError):
        while True:
            with suppress(BlockingIOError, ssl.SSLWantWriteError):
                far.send(b"z" * PIECE_BYTES)
            read += len(wire.some(PIECE_BYTES))
    assert read > 0


def test_a_request_that_was_not_sent_by_its_deadline_is_not_sent_any_more() -> None:
    with Receiver() as receiver:
        line = Line("http", receiver.host, receiver.port, receiver.host)
        connection = PinnedConnection(line, tls_context(), time.monotonic() + LONG_S)
        connection.connect()
        with pytest.raises(TransportFailure):
            connection.exchange(b"POST / HTTP/1.1\r\n\r\n", b"", time.monotonic() - LONG_S)
        connection.close()
    assert receiver.requests == []
