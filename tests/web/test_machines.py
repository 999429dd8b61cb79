"""What machines ask: is it live, is it ready?"""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.conftest import Browser
from tests.factories import Make
from webapp.delivery import heartbeats
from webapp.models import DeliveryState, Worker, transaction, utc_now


@pytest.fixture
def _worker(make: Make) -> None:
    heartbeats.beat("test:1", threads=1)


def red(client: Browser) -> list[str]:
    answer = client.get("/readyz")
    failed = [check["name"] for check in answer.json["checks"] if not check["ok"]]
    assert answer.status_code == (503 if failed else 200)
    assert answer.json["status"] == ("not_ready" if failed else "ready")
    assert "Set-Cookie" not in answer.headers
    return failed


def test_a_process_that_serves_is_live_on_any_host_name(client: Browser) -> None:
    answer = client.get("/healthz", headers={"Host": "10.0.0.7:5000"})
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "ok\n", "text/plain")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.proves("A75")
def test_without_a_worker_it_is_not_ready_and_says_what_to_do(client: Browser) -> None:
    assert red(client) == ["worker"]
    assert "Start `webapp worker`." in client.get("/readyz").text


@pytest.mark.usefixtures("_worker")
def test_with_a_worker_it_is_ready(client: Browser) -> None:
    assert red(client) == []
    assert client.get("/readyz").json["notes"] == []


@pytest.mark.proves("A75")
@pytest.mark.usefixtures("_worker")
@pytest.mark.proves("A75")
def test_a_worker_that_was_killed_is_missed_within_half_a_minute(client: Browser) -> None:
    with transaction() as session:
        session.get_one(Worker, "test:1").beat_at = utc_now() - timedelta(seconds=26)
    assert red(client) == ["worker"]


@pytest.mark.proves("A75")
@pytest.mark.usefixtures("_worker")
@pytest.mark.proves("A75")
def test_a_delivery_that_nobody_serves_turns_it_red(client: Browser, make: Make) -> None:
    make.delivery(next_attempt_at=utc_now() - timedelta(seconds=50))
    assert red(client) == []
    make.delivery(next_attempt_at=utc_now() - timedelta(seconds=70))
    assert red(client) == ["waiting"]


@pytest.mark.proves("A75")
@pytest.mark.usefixtures("_worker")
def test_an_event_without_its_deliveries_turns_it_red(client: Browser, make: Make) -> None:
    make.event(created_at=utc_now() - timedelta(seconds=70))
    assert red(client) == ["waiting"]


@pytest.mark.usefixtures("_worker")
def test_what_waits_for_good_reason_does_not_turn_it_red(client: Browser, make: Make) -> None:
    long_ago = utc_now() - timedelta(hours=1)
    paused = make.webhook()
    with transaction():
        paused.health.paused_at = long_ago
    make.delivery(paused, next_attempt_at=long_ago)
    make.delivery(state=DeliveryState.HELD, held_at=long_ago)
    make.delivery(next_attempt_at=utc_now() + timedelta(hours=1))
    assert red(client) == []


@pytest.mark.usefixtures("_worker")
def test_a_slow_receiver_is_a_note(client: Browser, make: Make) -> None:
    slow = make.webhook()
    make.delivery(slow, next_attempt_at=utc_now(), lease_until=utc_now() + timedelta(seconds=30))
    make.delivery(slow, next_attempt_at=utc_now() - timedelta(hours=1))
    assert red(client) == []
    assert client.get("/readyz").json["notes"] == [
        "A receiver is slower than its events come in; its deliveries wait for one another."
    ]
