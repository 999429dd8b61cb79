"""The queue carries a bell and nothing else: emptied, filled with garbage or without its scheduler, nothing is lost."""

from __future__ import annotations

import pickle
import random
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.chaos.clients import Clients
from tests.chaos.installation import wait_until
from tests.chaos.scenario import Scenario
from webapp.doorbell.sockets import bell_folder

MakeScenario = Callable[..., Scenario]
QUEUE = "blue-webhooks"
REDIS_LIST = "huey.redis.bluewebhooks"


def empty_queue(scenario: Scenario) -> None:
    """Take the whole queue away: what is in it, and the sockets that are rung."""
    if scenario.pair.redis:
        scenario.pair.redis.flush()
        return
    file = scenario.here.folder / "instance" / "queue.db"
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    folder = bell_folder(file)
    for socket in folder.glob("*.bell") if folder.exists() else ():
        socket.unlink(missing_ok=True)


def put_into_queue(scenario: Scenario, items: list[bytes]) -> None:
    """Put bytes where the workers look for bells."""
    if scenario.pair.redis:
        with closing(scenario.pair.redis.client()) as client:
            client.lpush(REDIS_LIST, *items)
        return
    with closing(sqlite3.connect(scenario.here.folder / "instance" / "queue.db", timeout=10)) as queue, queue:
        queue.executemany("INSERT INTO task (queue, data) VALUES (?, ?)", [(QUEUE, item) for item in items])


def left_in_queue(scenario: Scenario) -> int:
    """How much nobody has taken out yet."""
    if scenario.pair.redis:
        with closing(scenario.pair.redis.client()) as client:
            return int(client.llen(REDIS_LIST))
    with closing(sqlite3.connect(scenario.here.folder / "instance" / "queue.db", timeout=10)) as queue:
        return int(queue.execute("SELECT count(*) FROM task").fetchone()[0])


def empty_the_queue_again_and_again(scenario: Scenario, *, events: int, times: int, within: float) -> None:
    """Empty it evenly over a run in which clients publish one event after the other."""
    scenario.begin(delay=0.01)
    clients = Clients(scenario.here, count=4)
    publishing = threading.Thread(target=clients.publish, args=[[f"{times}-{number}" for number in range(events)]])
    publishing.start()
    for number in range(times):
        share = events * (number + 1) // (times + 2)
        wait_until(lambda share=share: len(clients.answers.ids) >= share, within, f"{share} events are answered")
        empty_queue(scenario)
    publishing.join(within)
    assert clients.answers.others == [], "whoever publishes sees nothing of it"
    scenario.accepted = list(clients.answers.ids.values())
    scenario.wait_until_settled(within)
    scenario.conclude(f"A06 the queue is emptied {times} times", bound=0)


@pytest.mark.proves("A06", "F12")
def test_a_queue_that_is_emptied_again_and_again_loses_nothing(scenario: MakeScenario) -> None:
    empty_the_queue_again_and_again(scenario(), events=150, times=5, within=60)


@pytest.mark.soak
@pytest.mark.proves("A06", "F12")
@pytest.mark.timeout(600)
def test_a_queue_emptied_10_times_in_5000_deliveries(scenario: MakeScenario) -> None:
    empty_the_queue_again_and_again(scenario(), events=1_250, times=10, within=240)


@pytest.mark.proves("F15")
def test_garbage_in_the_queue_is_dropped_and_everything_goes_on(scenario: MakeScenario) -> None:
    here = scenario()
    here.begin(workers=1, webhooks=1, delay=0.0)
    here.publish(1)
    here.arrivals.wait_for(1)
    chance = random.Random(15)
    garbage = [chance.randbytes(chance.randrange(1, 200)) for _ in range(990)]
    forged = b'{"v":1,"id":"1","task":"os.system","args":["true"],"kwargs":{}}'
    other_version = b'{"v":2,"id":"1","task":"webapp.tasks.deliver_due","args":[],"kwargs":{}}'
    put_into_queue(here, [*garbage, forged, other_version, *(pickle.dumps(print) for _ in range(8))])
    here.publish(20)
    here.arrivals.wait_for(21, within=10)
    wait_until(lambda: left_in_queue(here) == 0, 60, "all of it is taken out", every=0.2)
    here.publish(1)
    here.arrivals.wait_for(22, within=10)
    assert here.workers[0].poll() is None
    assert here.here.printed().count("dropped something from the queue") == 1_000
    here.wait_until_settled(10)
    here.conclude("F15 1,000 garbage messages in the queue", bound=0)


@pytest.mark.proves("F16")
def test_retries_go_on_without_hueys_scheduler_and_the_worker_is_started_anew(scenario: MakeScenario) -> None:
    here = scenario(retry_schedule="0,1s")
    here.begin(workers=0, webhooks=1, delay=0.0)
    here.arrivals.answers("/0", statuses=(500, 200))
    here.publish(4)  # five failures would pause the webhook
    here.arm()
    worker = here.crashing("webapp.doorbell.listener:_PeriodicOnly.loop@instead:1", "worker")
    wait_until(lambda: worker.poll() is not None, 20, "the worker ends")
    assert worker.returncode == 1
    assert "a thread of the worker has died" in here.here.printed()
    here.disarm()
    here.start_workers(1)
    here.wait_until_settled(20)
    assert here.here.rows("SELECT count(*) FROM delivery WHERE state = 'succeeded'") == [(4,)]
