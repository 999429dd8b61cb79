"""Workers that are killed or stopped in the middle lose nothing."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable

from tests.chaos.installation import Installation, wait_until
from tests.receiver import Answer, Receiver

Install = Callable[..., Installation]


def with_webhook(install: Install, receiver: Receiver, **settings: str) -> tuple[Installation, str]:
    """An installation that runs, with a project `p1` and a webhook to the receiver; and a token."""
    here = install(allow_targets=receiver.target, **settings)
    here.run("db", "upgrade")
    here.run("user", "create", "--email", "ada@example.com", "--password", "correct horse battery staple", "--admin")
    token = here.run("token", "create", "--user", "ada@example.com")
    here.up()
    here.call("PUT", "/companies/c1", token, {"name": "Analytical Engines"})
    here.call("PUT", "/projects/p1", token, {"name": "Orders", "companyId": "c1"})
    here.call("POST", "/webhooks", token, {"name": "Orders", "url": receiver.url})
    return here, token


def publish(here: Installation, token: str, count: int) -> list[str]:
    events = [
        {"event": "TODO_CREATED", "projectId": "p1", "currentValue": {"id": f"c{number}"}} for number in range(count)
    ]
    ids: list[str] = here.call("POST", "/events/batch", token, {"events": events})["ids"]
    return ids


def test_a_worker_killed_between_two_failures_and_a_success_loses_nothing(install: Install, receiver: Receiver) -> None:
    receiver.answers(500, 500, 200)
    here, token = with_webhook(
        install, receiver, retry_schedule="0,1500ms,1500ms", lease_seconds="4", request_timeout="2s"
    )
    publish(here, token, 1)
    receiver.wait_for(1)
    os.kill(here.worker_pid(), signal.SIGKILL)
    first, second, third = receiver.wait_for(3, within=30)
    assert first.body == second.body == third.body
    assert first.header("webhook-id") == second.header("webhook-id") == third.header("webhook-id")
    wait_until(lambda: here.rows("SELECT state FROM delivery") == [("succeeded",)], 10, "it is delivered")


def test_kills_in_the_middle_of_300_deliveries_lose_none(install: Install, receiver: Receiver) -> None:
    receiver.answers(Answer(200, delay=0.02))
    here, token = with_webhook(install, receiver, lease_seconds="2", request_timeout="1s")
    ids = publish(here, token, 300)
    for share in (40, 120, 200):
        receiver.wait_for(share, within=40)
        os.kill(here.worker_pid(), signal.SIGKILL)
    wait_until(
        lambda: here.rows("SELECT count(*) FROM delivery WHERE state = 'succeeded'") == [(300,)],
        90,
        "all are delivered",
    )
    arrived = Counter(request.header("X-Webhook-Event-Id") for request in receiver.requests)
    assert set(arrived) == set(ids)
    unknown = here.rows("SELECT count(*) FROM attempt WHERE finished_at IS NULL")[0][0]
    assert sum(arrived.values()) - 300 <= unknown, "a duplicate stands for an attempt whose outcome was lost"
    known = here.rows("SELECT count(*) FROM attempt WHERE finished_at IS NOT NULL")[0][0]
    counted = Counter(dict(here.rows("SELECT outcome, sum(attempts) FROM webhook_hour GROUP BY outcome")))
    assert counted == Counter({"2xx": known, "unknown": unknown}), "each attempt is counted once, whoever was killed"


def test_a_restart_by_sigterm_loses_and_doubles_nothing(install: Install, receiver: Receiver) -> None:
    receiver.answers(Answer(200, delay=0.02))
    here, token = with_webhook(install, receiver)
    ids = publish(here, token, 200)
    for share in (30, 110):
        receiver.wait_for(share, within=30)
        asked = here.worker_pid()
        os.kill(asked, signal.SIGTERM)  # once: a second one means "at once", and leaves leases behind
        wait_until(lambda asked=asked: here.worker_pid() != asked, 30, "another worker has taken over")
    wait_until(
        lambda: here.rows("SELECT count(*) FROM delivery WHERE state = 'succeeded'") == [(200,)],
        60,
        "all are delivered",
    )
    arrived = Counter(request.header("X-Webhook-Event-Id") for request in receiver.requests)
    assert set(arrived) == set(ids)
    assert set(arrived.values()) == {1}


def test_an_emptied_queue_costs_a_second_at_most(install: Install, receiver: Receiver) -> None:
    here, token = with_webhook(install, receiver)
    for suffix in ("", "-wal", "-shm"):
        (here.folder / "instance" / f"queue.db{suffix}").unlink(missing_ok=True)
    before = time.monotonic()
    publish(here, token, 5)
    receiver.wait_for(5, within=5)
    assert time.monotonic() - before < 4


def test_events_published_while_no_worker_runs_are_sent_when_one_starts(install: Install, receiver: Receiver) -> None:
    here = install(allow_targets=receiver.target)
    here.run("db", "upgrade")
    here.run("user", "create", "--email", "ada@example.com", "--password", "correct horse battery staple", "--admin")
    token = here.run("token", "create", "--user", "ada@example.com")
    here.start("web", "--port", str(here.port))
    here.wait_for_web()
    here.call("PUT", "/companies/c1", token, {"name": "Analytical Engines"})
    here.call("PUT", "/projects/p1", token, {"name": "Orders", "companyId": "c1"})
    here.call("POST", "/webhooks", token, {"name": "Orders", "url": receiver.url})
    publish(here, token, 3)
    assert receiver.requests == []
    here.start("worker")
    receiver.wait_for(3, within=20)
