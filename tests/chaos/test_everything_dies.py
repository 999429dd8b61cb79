"""The supervisor is killed, and processes of all kinds at random: started again, everything goes on (A03, A11)."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable

import pytest

from tests.chaos.clients import Clients
from tests.chaos.installation import children, is_alive, wait_until
from tests.chaos.pairs import SQLITE
from tests.chaos.scenario import Scenario

MakeScenario = Callable[..., Scenario]
PER_ROUND = 50  # events between two kills


@pytest.mark.proves("A04")
def test_a_killed_supervisor_takes_its_children_along_and_nothing_is_lost(scenario: MakeScenario) -> None:
    here = scenario()
    supervisor = here.here.up()
    here.add_webhooks(2, 0.05)
    here.publish(200)
    here.arrivals.wait_for(20)
    orphans = children(supervisor.pid)
    assert len(orphans) == 2
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    here.kills += 1
    wait_until(lambda: not any(is_alive(pid) for pid in orphans), 40, "its children stop properly")
    here.here.up()
    here.publish(100)
    here.wait_until_settled(40)
    here.conclude("A04 kill -9 of the supervisor", bound=0)


def kill_at_random(scenario: Scenario, *, seconds: float, pause: tuple[float, float]) -> None:
    """Kill a random process now and then while clients publish, until the time is over."""
    chance = random.Random()
    scenario.begin(delay=0.01)
    clients = Clients(scenario.here, count=4, pause_s=0.05)
    is_over = threading.Event()

    def publish() -> None:
        for number in range(1_000_000):
            if is_over.is_set():
                return
            clients.publish([f"{number}-{each}" for each in range(PER_ROUND)])

    publishing = threading.Thread(target=publish)
    publishing.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        is_over.wait(chance.uniform(*pause))
        victim = chance.choice(["worker", "worker", "process of web", "web"])
        if victim == "worker":
            scenario.kill_and_replace(chance.randrange(2))
        elif victim == "web":
            scenario.kill_web()
            scenario.start_web()
        else:
            scenario.kill_a_process_of_web()
        if scenario.pair.name == SQLITE:
            assert scenario.here.rows("PRAGMA quick_check") == [("ok",)]
    is_over.set()
    publishing.join(120)
    scenario.accepted = list(clients.answers.ids.values())
    scenario.wait_until_settled(120)
    scenario.conclude(f"A03 random kill -9 for {seconds:g} s", note=f"{clients.answers.tries} calls")
    assert scenario.kills > 0


@pytest.mark.proves("A11", "F23")
def test_processes_killed_at_random_leave_the_database_whole(scenario: MakeScenario) -> None:
    kill_at_random(scenario(), seconds=8, pause=(0.3, 1.5))


@pytest.mark.soak
@pytest.mark.proves("A03", "A11", "F23")
@pytest.mark.timeout(0)
def test_processes_killed_at_random_for_long(scenario: MakeScenario, pytestconfig: pytest.Config) -> None:
    kill_at_random(scenario(), seconds=pytestconfig.getoption("--soak-minutes") * 60, pause=(5, 30))
