"""A wire whose process stood still past the deadline blames no receiver that was in time, and waits for no other."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import trustme

from webapp.delivery.transport import wires
from webapp.delivery.transport.wires import PIECE_BYTES, Wire

ANSWER = b"HTTP/1.1 200 OK\r\n"


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


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wires, "GRACE_S", 0.3)


def test_who_stood_still_past_the_deadline_takes_what_has_arrived_meanwhile(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    far.sendall(ANSWER)
    wire.until(time.monotonic() - wires.STOOD_STILL_S - 0.1)
    assert wire.line(100) == ANSWER


def test_and_what_comes_a_moment_later(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    wire.until(time.monotonic() - wires.STOOD_STILL_S - 0.1)
    sending = threading.Timer(0.1, far.sendall, [ANSWER])
    sending.start()
    assert wire.line(100) == ANSWER
    sending.join()


def test_and_waits_for_nothing_else(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    far.sendall(b"HTTP")
    began = time.monotonic()
    wire.until(began - wires.STOOD_STILL_S - 0.1)
    with pytest.raises(TimeoutError):
        wire.line(100)  # the rest of the line is missing
    assert time.monotonic() - began >= wires.GRACE_S
    far.sendall(ANSWER)
    with pytest.raises(TimeoutError):
        wire.line(100)


def test_who_is_a_little_late_has_no_grace(ends: tuple[Wire, socket.socket]) -> None:
    wire, _ = ends
    began = time.monotonic()
    wire.until(began)
    with pytest.raises(TimeoutError):
        wire.line(100)
    assert time.monotonic() - began < wires.GRACE_S


def test_a_stream_without_end_ends_after_the_grace(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    far.setblocking(False)
    wire.until(time.monotonic() - wires.STOOD_STILL_S - 0.1)
    read = 0
    with pytest.raises(TimeoutError):
        while True:
            with suppress(BlockingIOError, ssl.SSLWantWriteError):
                far.send(b"z" * PIECE_BYTES)
            read += len(wire.some(PIECE_BYTES))
    assert read > PIECE_BYTES


def test_what_is_sent_after_standing_still_is_sent(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    wire.until(time.monotonic() - wires.STOOD_STILL_S - 0.1)
    wire.send(ANSWER)
    assert far.recv(100) == ANSWER


def test_each_deadline_has_its_own_grace(ends: tuple[Wire, socket.socket]) -> None:
    wire, far = ends
    for _ in range(2):
        wire.until(time.monotonic() - wires.STOOD_STILL_S - 0.1)
        far.sendall(b"z")
        assert wire.some(1) == b"z"
        wire.until(time.monotonic())
        with pytest.raises(TimeoutError):
            wire.some(1)
