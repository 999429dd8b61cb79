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

from tests.doorbell.workers import noting, quickest_refusal, quickest_wake, ring_until_seen, until
from tests.requirements import requires
from webapp.doorbell import BELL_LIMIT, BellLostError
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


def test_redis_wakes_a_worker_and_keeps_the_queue_small(
    redis_server: RedisServer, seen: list[Any], listen: Any
) -> None:
    huey, note = noting(redis_server.url, seen.append)
    for number in range(MAX_ITEMS_WAITING + 50):
        note(number)
    assert huey.pending_count() == MAX_ITEMS_WAITING
    huey.storage.enqueue(b"garbage")
    note("last")
    listener = listen(huey)
    until(lambda: seen and seen[-1] == "last")
    assert quickest_wake(note, seen) < MAX_WAIT / 10
    begun = time.monotonic()
    assert listener.stop()
    assert time.monotonic() - begun < 1


def test_the_listener_outlives_a_restart_of_redis(
    redis_server: RedisServer, seen: list[Any], caplog: Any, listen: Any
) -> None:
    huey, note = noting(redis_server.url, seen.append)
    listener = listen(huey)
    note(1)
    until(lambda: seen == [1])
    redis_server.stop()
    until(lambda: "cannot be read" in caplog.text)
    assert quickest_refusal(note) < BELL_LIMIT
    redis_server.start()
    ring_until_seen(note, 3, seen)
    assert listener.stop(10)
    assert caplog.text.count("cannot be read") == 1


@pytest.mark.parametrize("url", ["redis://127.0.0.1:{port}/0", "postgresql://tests@127.0.0.1:{port}/postgres"])
def test_a_port_that_hangs_holds_up_nobody_for_longer_than_the_limit(url: str, seen: list[Any], listen: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        huey, note = noting(url.format(port=silent.getsockname()[1]), seen.append)
        listener = listen(huey)
        took = []
        for number in range(3):
            begun = time.monotonic()
            with pytest.raises(BellLostError):
                note(number)
            took.append(time.monotonic() - begun)
        assert took[0] < 2 * BELL_LIMIT
        assert min(took[1:]) < BELL_LIMIT / 5  # only the first one waits
        assert listener.is_alive
        assert listener.stop(10)


def test_postgresql_wakes_a_worker_and_is_found_again(
    request: pytest.FixtureRequest, seen: list[Any], listen: Any
) -> None:
    url = request.getfixturevalue("_postgresql_url")
    huey, note = noting(url, seen.append)
    for number in range(MAX_ITEMS_WAITING + 50):
        note(number)
    assert huey.pending_count() == MAX_ITEMS_WAITING
    listener = listen(huey)
    until(lambda: len(seen) == MAX_ITEMS_WAITING)
    assert quickest_wake(note, seen) < MAX_WAIT / 10
    with psycopg.connect(url, autocommit=True) as other:
        ours = "query ilike '%huey%' and pid <> pg_backend_pid()"
        other.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where {ours}")
    ring_until_seen(note, "again", seen)
    assert listener.stop(10)
