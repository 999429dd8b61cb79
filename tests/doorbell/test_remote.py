"""Redis and PostgreSQL: they wake a worker, are found again, and hold up nobody."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.doorbell.workers import noting, ring_until_seen, until
from tests.requirements import requires
from webapp.doorbell import (
    BELL_LIMIT,
    BellLostError,
    Listener,
)
from webapp.doorbell.storage import MAX_ITEMS_WAITING, MAX_WAIT


class RedisServer:
    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.url = f"redis://127.0.0.1:{port}/0"
        self.start()

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self.server = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        until(lambda: not refuses(self.port))

    def stop(self) -> None:
        self.server.kill()
        self.server.wait()


def refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    requires("redis-server")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = RedisServer(tmp_path, port)
    yield server
    server.stop()


def test_redis_wakes_a_worker_and_keeps_the_queue_small(redis_server: RedisServer, seen: list[Any]) -> None:
    huey, note = noting(redis_server.url, seen.append)
    for number in range(MAX_ITEMS_WAITING + 50):
        note(number)
    assert huey.pending_count() == MAX_ITEMS_WAITING
    huey.storage.enqueue(b"garbage")
    note("last")
    listener = Listener(huey)
    listener.start()
    until(lambda: seen and seen[-1] == "last")
    begun = time.monotonic()
    note("now")
    until(lambda: seen[-1] == "now")
    assert time.monotonic() - begun < MAX_WAIT / 2
    begun = time.monotonic()
    assert listener.stop()
    assert time.monotonic() - begun < 1


def test_the_listener_outlives_a_restart_of_redis(redis_server: RedisServer, seen: list[Any], caplog: Any) -> None:
    huey, note = noting(redis_server.url, seen.append)
    listener = Listener(huey)
    listener.start()
    note(1)
    until(lambda: seen == [1])
    redis_server.stop()
    until(lambda: "cannot be read" in caplog.text)
    begun = time.monotonic()
    with pytest.raises(BellLostError):
        note(2)
    assert time.monotonic() - begun < BELL_LIMIT
    redis_server.start()
    ring_until_seen(note, 3, seen)
    assert listener.stop(5)
    assert caplog.text.count("cannot be read") == 1


@pytest.mark.parametrize("url", ["redis://127.0.0.1:{port}/0", "postgresql://tests@127.0.0.1:{port}/postgres"])
def test_a_port_that_hangs_holds_up_nobody_for_longer_than_the_limit(url: str, seen: list[Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        huey, note = noting(url.format(port=silent.getsockname()[1]), seen.append)
        listener = Listener(huey)
        listener.start()
        took = []
        for number in range(3):
            begun = time.monotonic()
            with pytest.raises(BellLostError):
                note(number)
            took.append(time.monotonic() - begun)
        assert max(took) < BELL_LIMIT + 0.1
        assert sum(took) < BELL_LIMIT + 0.2  # only the first one waits
        assert listener.is_alive
        assert listener.stop(5)


# PostgreSQL


def test_postgresql_wakes_a_worker_and_is_found_again(_postgresql_url: str, seen: list[Any], caplog: Any) -> None:  # noqa: PT019
    huey, note = noting(_postgresql_url, seen.append)
    for number in range(MAX_ITEMS_WAITING + 50):
        note(number)
    assert huey.pending_count() == MAX_ITEMS_WAITING
    listener = Listener(huey)
    listener.start()
    until(lambda: len(seen) == MAX_ITEMS_WAITING)
    begun = time.monotonic()
    note("now")
    until(lambda: seen[-1] == "now")
    assert time.monotonic() - begun < MAX_WAIT / 2
    with psycopg.connect(_postgresql_url, autocommit=True) as other:
        other.execute("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()")
    ring_until_seen(note, "again", seen)
    assert listener.stop(5)
