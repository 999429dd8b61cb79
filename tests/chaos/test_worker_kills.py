"""Workers that are killed or restarted in the middle of thousands of deliveries lose nothing (A01, A05)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.chaos.scenario import Scenario

MakeScenario = Callable[..., Scenario]
RESTART = {"request_timeout": "5s", "lease_seconds": "20"}
STOP_WITHIN_S = 5.0 + 5.0  # the deadline of an attempt and 5 s


def kill_workers(scenario: Scenario, *, deliveries: int, kills: int, within: float) -> None:
    """Kill one of two workers in turn, evenly over the run."""
    scenario.begin()
    scenario.publish(deliveries)
    for number in range(kills):
        scenario.arrivals.wait_for(deliveries * (number + 1) // (kills + 2), within)
        scenario.kill_and_replace(number % 2)
    scenario.wait_until_settled(within)
    scenario.conclude(f"A01 {kills} kill -9 of workers")


def restart_workers(scenario: Scenario, *, deliveries: int, restarts: int, within: float) -> None:
    """Restart one of two workers after the other by SIGTERM, evenly over the run, as a deployment does."""
    scenario.begin()
    scenario.publish(deliveries)
    slowest_s = 0.0
    for number in range(restarts):
        scenario.arrivals.wait_for(deliveries * (number + 1) // (restarts + 2), within)
        stopped = scenario.workers[number % 2]
        scenario.here.wait_for_worker(stopped)  # a signal before that would end it on its way up
        slowest_s = max(slowest_s, scenario.stop(stopped, STOP_WITHIN_S))
        scenario.workers[number % 2] = scenario.here.start("worker")
    scenario.wait_until_settled(within)
    figures = scenario.conclude(f"A05 {restarts} restarts of workers", kills=0, bound=0)
    assert figures.unknown == 0
    assert slowest_s <= STOP_WITHIN_S


@pytest.mark.proves("A01", "F07")
def test_killed_workers_lose_nothing_and_repeat_only_what_was_unrecorded(scenario: MakeScenario) -> None:
    kill_workers(scenario(), deliveries=1_000, kills=4, within=60)


@pytest.mark.proves("A05", "F31")
def test_restarted_workers_lose_nothing_and_repeat_nothing(scenario: MakeScenario) -> None:
    restart_workers(scenario(**RESTART), deliveries=1_000, restarts=4, within=60)


@pytest.mark.soak
@pytest.mark.proves("A01", "F07")
@pytest.mark.timeout(600)
def test_20_kills_in_5000_deliveries(scenario: MakeScenario) -> None:
    kill_workers(scenario(), deliveries=5_000, kills=20, within=240)


@pytest.mark.soak
@pytest.mark.proves("A05", "F31")
@pytest.mark.timeout(600)
def test_20_restarts_in_5000_deliveries(scenario: MakeScenario) -> None:
    restart_workers(scenario(**RESTART), deliveries=5_000, restarts=20, within=240)
