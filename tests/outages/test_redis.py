"""Redis that is stopped, loads, has no memory or hangs: events are taken as ever, and sent within seconds."""

from __future__ import annotations

import logging
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from redis.exceptions import BusyLoadingError

from tests import redis_server
from tests.api.conftest import Program
from tests.conftest import Cast
from tests.factories import Make
from tests.receiver import Receiver, wait_until
from tests.relay import Relay
from webapp import tasks
from webapp.delivery.dispatching import Dispatcher
from webapp.doorbell import BELL_LIMIT, Listener, redis_options
from webapp.extensions import bell, huey
from webapp.models import Project

Start = Callable[..., Dispatcher]
LOOK = 3.0  # seconds within which something is sent without a bell


@pytest.fixture
def redis() -> Iterator[redis_server.Server]:
    server = redis_server.Server()
    server.start()
    yield server
    server.close()


@pytest.fixture
def relay(redis: redis_server.Server) -> Iterator[Relay]:
    with Relay(redis.port) as relay:
        yield relay


@pytest.fixture
def settings(redis: redis_server.Server, relay: Relay) -> dict[str, Any]:
    return {"queue_url": redis.url(port=relay.port)}


@pytest.fixture
def project(cast: Cast, make: Make, receiver: Receiver) -> Project:
    make.webhook(by=cast.admin, url=receiver.url)
    return make.project_of(cast.admin)


@pytest.fixture
def listening(app: Flask, start_worker: Start, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    """A worker whose bell comes through Redis."""
    start_worker(threads=2)
    monkeypatch.setattr(bell, "_ring", tasks.deliver_due)  # as create_app() has it
    monkeypatch.setattr(bell, "_complained_at", None)
    listener = Listener(huey)
    listener.start()
    yield listener
    assert listener.is_alive, "whatever happens to Redis, it goes on listening"
    listener.stop(10)
    huey.storage.close()


class Caller:
    """Posts events, and sees that each is taken quickly and arrives soon."""

    def __init__(self, api: Program, project: Project, receiver: Receiver) -> None:
        self._api, self._project_id, self._receiver = api, project.id, receiver
        self._taken = 0

    def post(self) -> float:
        """Post one; the seconds that took."""
        body = {"event": "TODO_CREATED", "projectId": self._project_id, "currentValue": {"id": str(self._taken)}}
        begun = time.monotonic()
        answer = self._api.post("/events", body)
        took = time.monotonic() - begun
        assert answer.status_code == 202, answer.text
        self._taken += 1
        return took

    def arrives(self, within: float) -> None:
        self._receiver.wait_for(self._taken, within=within)


@pytest.fixture
def caller(
    api: Program, project: Project, receiver: Receiver, listening: Listener, monkeypatch: pytest.MonkeyPatch
) -> Caller:
    caller = Caller(api, project, receiver)
    caller.post()
    caller.arrives(LOOK)
    monkeypatch.setattr(bell, "_complained_at", None)  # on a busy machine, the first bell may be lost already
    return caller


def test_an_application_starts_without_redis(relay: Relay, make_app: Callable[..., Flask]) -> None:
    relay.refuse()
    begun = time.monotonic()
    app = make_app(queue_url=f"redis://{relay.target}/0")
    assert app.test_client().get("/login").status_code < 400
    assert time.monotonic() - begun < 3


def rings_again(caller: Caller) -> bool:
    """Whether what is posted is sent sooner than a worker looks by itself."""
    begun = time.monotonic()
    caller.post()
    caller.arrives(LOOK)
    return time.monotonic() - begun < 0.3


@pytest.mark.proves("F13", "A75")
def test_redis_is_stopped_and_started_again(
    caller: Caller, redis: redis_server.Server, caplog: pytest.LogCaptureFixture, api: Program
) -> None:
    redis.stop(signal.SIGKILL)
    for _ in range(3):
        assert caller.post() < 1
        caller.arrives(LOOK)
    assert bell.lost >= 3
    assert "bells are lost" in caplog.text
    ready = api.client.get("/readyz")
    assert ready.status_code == 200
    assert "The queue could not be reached" in ready.json["notes"][0]
    redis.start()
    wait_until(lambda: rings_again(caller), within=10)


@pytest.mark.proves("F13")
def test_redis_is_out_of_memory(caller: Caller, redis: redis_server.Server) -> None:
    with redis.client() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
        assert caller.post() < 1
        caller.arrives(LOOK)
        assert bell.lost >= 1
        client.config_set("maxmemory", 0)
    wait_until(lambda: rings_again(caller), within=10)


@pytest.mark.proves("F13")
def test_redis_is_still_loading_what_it_had_kept(caller: Caller, redis: redis_server.Server) -> None:
    with redis.client() as client:
        client.mset({f"key{number}": secrets.token_bytes(4000) for number in range(20)})
        client.save()
    redis.stop(signal.SIGKILL)
    redis.start("--key-load-delay", "200000", "--loading-process-events-interval-bytes", "1024")
    with Redis(port=redis.port, **redis_options(5)) as impatient, pytest.raises(BusyLoadingError):
        impatient.ping()
    assert caller.post() < 1
    caller.arrives(LOOK)
    assert bell.lost >= 1
    wait_until(lambda: rings_again(caller), within=15)


@pytest.mark.proves("F14")
def test_redis_takes_connections_and_hangs(caller: Caller, relay: Relay, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    relay.pause()
    took = [caller.post() for _ in range(5)]
    caller.arrives(LOOK)
    assert bell.lost >= 5  # the worker rings, too
    assert sorted(took)[-1] < BELL_LIMIT + 1.2, took
    assert sorted(took)[2] < BELL_LIMIT / 2, took  # while one hangs the others are refused at once
    relay.resume()
    wait_until(lambda: rings_again(caller), within=10)
