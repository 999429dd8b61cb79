"""Several workers, and several installations, on one database share the work; none sends what another one sends."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chaos.installation import Installation, wait_until
from tests.chaos.pairs import SQLITE
from tests.chaos.scenario import Scenario
from webapp.delivery.health import PAUSE_AFTER_FAILURES

MakeScenario = Callable[..., Scenario]

SLOW_S = 0.8  # one worker needs three rounds for 1,000 deliveries: the others look once a second, so they find some


def share(scenario: Scenario, *, deliveries: int, workers: int, within: float) -> None:
    """All workers stand ready and still while everything is published, then all reach for the same rows."""
    scenario.begin(workers=workers, webhooks=10, delay=SLOW_S)
    with scenario.nobody_writing():  # a worker that stood still within a transaction would keep everybody waiting
        for worker in scenario.workers:
            os.kill(worker.pid, signal.SIGSTOP)
    try:
        scenario.publish(deliveries)
    finally:
        for worker in scenario.workers:
            os.kill(worker.pid, signal.SIGCONT)
    scenario.wait_until_settled(within)
    senders = scenario.here.rows("SELECT count(DISTINCT worker) FROM attempt")[0][0]
    scenario.conclude(f"F10 {workers} processes claim", bound=0, note=f"{senders} of them sent")
    assert senders > 1


@pytest.mark.proves("F10")
def test_workers_that_claim_at_once_send_each_delivery_once(scenario: MakeScenario) -> None:
    share(scenario(request_timeout="5s", lease_seconds="20"), deliveries=1_000, workers=4, within=60)


@pytest.mark.soak
@pytest.mark.proves("F10")
@pytest.mark.timeout(600)
def test_8_processes_claim_10000_deliveries(scenario: MakeScenario) -> None:
    share(scenario(request_timeout="5s", lease_seconds="20"), deliveries=10_000, workers=8, within=300)


@pytest.mark.proves("F11", "A13")
def test_a_worker_that_stood_still_past_its_lease_overwrites_nothing(scenario: MakeScenario) -> None:
    here = scenario(lease_seconds="2", request_timeout="1s", retry_schedule="0,1s")
    here.begin(workers=1, webhooks=2, delay=0.4)
    for path in ("/0", "/1"):
        here.arrivals.answers(path, statuses=(500, 200), delay=0.4)  # what stood still learns of a failure, too late
    [sleeper] = here.workers
    here.publish(20)
    here.arrivals.wait_for(5)
    os.kill(sleeper.pid, signal.SIGSTOP)
    try:
        stood_still = here.unrecorded_of(sleeper)
        here.start_workers(1)
        succeeded = "SELECT count(*) FROM delivery WHERE state = 'succeeded'"
        wait_until(lambda: here.here.rows(succeeded) == [(20,)], 40, "another worker sends all of it", every=0.1)
    finally:
        os.kill(sleeper.pid, signal.SIGCONT)
    late = "SELECT count(*) FROM attempt WHERE is_late"
    wait_until(lambda: here.here.rows(late)[0][0] > 0, 20, "what comes too late is written beside it")
    assert here.stop(sleeper, 20) < 20
    here.wait_until_settled(10)
    assert here.here.rows("SELECT count(*) FROM delivery WHERE state = 'succeeded' AND last_status = 200") == [(20,)]
    found = here.here.rows(late)[0][0]
    here.conclude("F11 SIGSTOP past the lease", bound=stood_still, note=f"{found} outcomes came too late")


@pytest.mark.proves("A13")
def test_a_worker_that_stood_still_past_the_deadline_throws_away_no_answer_that_came_in_time(
    scenario: MakeScenario,
) -> None:
    here = scenario(lease_seconds="20", request_timeout="3s")
    here.begin(workers=1, webhooks=1, delay=0.3)
    [sleeper] = here.workers
    here.publish(PAUSE_AFTER_FAILURES)
    here.arrivals.wait_for(PAUSE_AFTER_FAILURES)
    os.kill(sleeper.pid, signal.SIGSTOP)
    try:
        assert here.unrecorded_of(sleeper) > 0
        time.sleep(4)  # all are answered after 0.3 s
    finally:
        os.kill(sleeper.pid, signal.SIGCONT)
    here.wait_until_settled(10)
    outcomes = "SELECT DISTINCT attempts_made, last_status FROM delivery WHERE kind = 'event'"
    assert here.here.rows(outcomes) == [(1, 200)]
    here.conclude("F11 SIGSTOP past the deadline", bound=0)


def second(scenario: Scenario, folder: Path) -> Installation:
    """Another installation on the same database, with a queue of its own: nobody rings there for what is published."""
    folder.mkdir()
    first = scenario.here
    instance = first.folder / "instance"
    settings = {name.removeprefix("WEBAPP_").lower(): value for name, value in first.environment.items()
                if name.startswith("WEBAPP_")}  # fmt: skip
    if scenario.pair.name == SQLITE:
        settings["database_url"] = f"sqlite:///{instance / 'app.db'}"
    other = Installation(folder, **{**settings, "queue_url": f"sqlite:///{folder / 'queue.db'}"})
    other.zygote = first.zygote
    other.token = first.token
    return other


@pytest.mark.proves("F60")
def test_two_installations_on_one_database_share_the_work_or_refuse(scenario: MakeScenario, tmp_path: Path) -> None:
    here = scenario(request_timeout="5s", lease_seconds="20")
    here.begin(workers=1, delay=0.02)
    stranger = second(here, tmp_path / "stranger")
    refused = stranger.start("worker")  # with keys of its own it could read no secret
    assert refused.wait(timeout=30) == 2
    twin = second(here, tmp_path / "twin")
    shutil.copytree(here.here.folder / "instance", twin.folder / "instance", ignore=shutil.ignore_patterns("*.db*"))
    try:
        worker = twin.start("worker")
        beats = "SELECT id FROM worker WHERE pid = ?"
        wait_until(lambda: here.here.rows(beats, worker.pid), 30, f"it works beside the first\n{twin.printed()}")
        here.publish(600)
        here.wait_until_settled(40)
        here.conclude("F60 two installations on one database", bound=0)
    finally:
        twin.close(at_once=True)
        stranger.close(at_once=True)
