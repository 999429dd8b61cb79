"""The relay passes bytes, holds them, cuts them off and refuses, as it is told."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.receiver import wait_until
from tests.relay import Relay, _Pair


class Echo:
    """A server that says back what it hears, and remembers it."""

    def __init__(self) -> None:
        self.heard = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while piece := connection.recv(4096):
                self.heard += piece
                connection.sendall(piece)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def relay(echo: Echo) -> Iterator[Relay]:
    with Relay(echo.port) as relay:
        yield relay


@pytest.fixture
def client(relay: Relay) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", relay.port), timeout=5) as connection:
        connection.sendall(b"hello")
        assert connection.recv(100) == b"hello"
        yield connection


def is_lost(client: socket.socket) -> bool:
    try:
        return client.recv(100) == b""
    except ConnectionError:
        return True


def test_what_is_held_while_paused_passes_afterwards(relay: Relay, client: socket.socket) -> None:
    relay.pause()
    client.settimeout(0.1)
    client.sendall(b"held")
    with pytest.raises(TimeoutError):
        client.recv(100)
    relay.resume()
    client.settimeout(5)
    assert client.recv(100) == b"held"


def test_while_paused_a_connection_is_taken_and_not_answered(relay: Relay) -> None:
    relay.pause()
    with socket.create_connection(("127.0.0.1", relay.port), timeout=0.1) as client:
        client.sendall(b"hello")
        with pytest.raises(TimeoutError):
            client.recv(100)
        relay.resume()
        client.settimeout(5)
        assert client.recv(100) == b"hello"


def test_a_cut_ends_what_is_open_and_takes_new_ones(relay: Relay, client: socket.socket) -> None:
    relay.cut()
    assert is_lost(client)
    with socket.create_connection(("127.0.0.1", relay.port), timeout=5) as another:
        another.sendall(b"again")
        assert another.recv(100) == b"again"


def test_refusing_means_that_nobody_listens_until_it_is_allowed_again(relay: Relay, client: socket.socket) -> None:
    relay.refuse()
    assert is_lost(client)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", relay.port), timeout=5)
    relay.allow()
    with socket.create_connection(("127.0.0.1", relay.port), timeout=5) as another:
        another.sendall(b"again")
        assert another.recv(100) == b"again"


def test_an_answer_can_be_kept_from_the_client_once(relay: Relay, echo: Echo, client: socket.socket) -> None:
    relay.cut_after(b"COMMIT")
    client.sendall(b"COMMIT")
    assert is_lost(client)
    assert relay.has_cut
    wait_until(lambda: echo.heard == b"helloCOMMIT")
    with socket.create_connection(("127.0.0.1", relay.port), timeout=5) as another:
        another.sendall(b"COMMIT")
        assert another.recv(100) == b"COMMIT"


def test_the_answer_to_the_last_of_several_can_be_kept_from_the_client_that_sent_them_all(
    relay: Relay, client: socket.socket
) -> None:
    relay.cut_after(b"INSERT", b"COMMIT")
    with socket.create_connection(("127.0.0.1", relay.port), timeout=5) as another:
        for text in (b"COMMIT", b"INSERT"):
            client.sendall(text)
            assert client.recv(100) == text
        another.sendall(b"COMMIT")
        assert another.recv(100) == b"COMMIT"
        assert not relay.has_cut
        client.sendall(b"COMMIT")
        assert is_lost(client)
        assert relay.has_cut


def test_who_was_taken_just_before_it_refuses_is_refused(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = threading.Event()

    class Slow(_Pair):
        def __init__(self, client: socket.socket) -> None:
            taken.set()
            time.sleep(0.2)
            super().__init__(client)

    monkeypatch.setattr("tests.relay._Pair", Slow)
    with socket.create_connection(("127.0.0.1", relay.port), timeout=5) as client:
        assert taken.wait(5)
        relay.refuse()
        assert is_lost(client)


def test_pieces_are_delayed(relay: Relay, client: socket.socket) -> None:
    relay.delay_s = 0.1
    begun = time.monotonic()
    client.sendall(b"slow")
    assert client.recv(100) == b"slow"
    assert time.monotonic() - begun >= 0.2  # there and back


def test_a_client_that_goes_is_seen_to_have_gone(relay: Relay, client: socket.socket) -> None:
    client.close()
    wait_until(lambda: not relay._pairs)
