"""A worker that dies at any point loses nothing, repeats only what it had begun, and leaves no half state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.scenario import Scenario

MakeScenario = Callable[..., Scenario]
WEBHOOKS = 10
DELAY_S = 0.2
FIRST_FAILS = (500, 200)
OF_EVENT = "delivery.event_seq = (SELECT seq FROM event WHERE id = ?)"


class Chain:
    """Workers that follow each other: each meets new deliveries, and what the one before it has left; then it dies."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.event = ""

    def die(self, point: str, *, events: int = 1, statuses: tuple[int, ...] = (200,)) -> None:
        """Publish, and let a worker kill itself at a point."""
        for webhook in range(WEBHOOKS):
            self.scenario.arrivals.answers(f"/{webhook}", statuses=statuses, delay=DELAY_S)
        published = self.scenario.here.publish(events)
        self.scenario.accepted += published
        self.event = published[-1]
        self.scenario.wait_for_crash(self.scenario.crashing(point, "worker"))

    def arrived(self) -> int:
        """How many requests of the newest event have arrived."""
        return sum(arrival.event_id == self.event for arrival in self.scenario.arrivals.arrivals())

    def deliveries(self, columns: str) -> list[Any]:
        """The deliveries of the newest event."""
        return self.scenario.here.rows(f"SELECT {columns} FROM delivery WHERE {OF_EVENT}", self.event)

    def attempts(self, columns: str) -> list[Any]:
        """Their attempts."""
        joined = "attempt JOIN delivery ON delivery.seq = attempt.delivery_seq"
        return self.scenario.here.rows(f"SELECT {columns} FROM {joined} WHERE {OF_EVENT}", self.event)


@pytest.mark.proves("A04", "F05", "F06", "F08", "F09")
def test_a_worker_that_dies_at_any_point_leaves_no_half_state(scenario: MakeScenario) -> None:
    here = scenario(lease_seconds="3", request_timeout="1s", retry_schedule="0,1s,1s")
    here.start_web()
    here.here.wait_for_web()
    here.add_webhooks(WEBHOOKS, DELAY_S)
    here.arm()
    chain = Chain(here)

    chain.die(f"inside_fan_out:{WEBHOOKS // 2}")  # one event is half fanned out
    assert chain.deliveries("id") == [], "all or nothing"

    chain.die("inside_claim:1")
    assert len(chain.deliveries("id")) in {0, WEBHOOKS}, "what is fanned out may be claimed in the same transaction"
    assert chain.attempts("attempt.id") == []
    assert set(chain.deliveries("attempts_made, claims, lease_until")) <= {(0, 0, None)}

    chain.die("after_claim:1")
    claimed = chain.attempts("finished_at")
    assert claimed, "the attempt exists before anything is sent"
    assert set(claimed) == {(None,)}

    chain.die("while_sending:1")
    assert chain.arrived() > 0
    assert set(chain.attempts("finished_at")) == {(None,)}

    chain.die("before_record:1")
    assert chain.arrived() > 0
    assert set(chain.attempts("finished_at")) == {(None,)}

    chain.die("inside_record:1", statuses=FIRST_FAILS)
    assert set(chain.attempts("finished_at")) == {(None,)}, "the old state: nothing of the failure is written"
    assert set(chain.deliveries("attempts_counted, last_status")) == {(0, None)}

    chain.die("after_record:1", statuses=FIRST_FAILS)
    for finished, counted in chain.attempts("finished_at IS NOT NULL, attempts_counted"):
        assert bool(finished) == (counted == 1), "the attempt's outcome and the next attempt are one"

    here.start_workers(2)
    here.wait_until_settled(60)
    figures = here.conclude("A04 a worker dies at 7 points")
    assert figures.duplicates > 0, "some had been sent"


@pytest.mark.proves("A73", "F33")
def test_a_delivery_that_kills_its_worker_gets_stuck_and_others_go_on(scenario: MakeScenario) -> None:
    here = scenario(lease_seconds="2", request_timeout="1s")
    here.begin(workers=0, delay=0.02)
    here.here.call("PUT", "/projects/p2", here.here.token, {"name": "Poison", "companyId": "c1"})
    here.arrivals.answers("/poison", delay=0.5)
    poisoned = here.here.webhook(here.arrivals.url("/poison"), projectIds=["p2"])
    here.here.publish(1, "p2")
    here.publish(80)
    here.arm()
    for _ in range(5):
        here.wait_for_crash(here.crashing("while_sending:1?poison", "worker"))
    here.workers.append(here.crashing("while_sending:1?poison", "worker"))
    here.wait_until_settled(30)
    assert here.workers[-1].poll() is None, "it is left alone after five times"
    states = "SELECT state, attempts_made, next_attempt_at FROM delivery WHERE webhook_id = ?"
    assert here.here.rows(states, poisoned) == [("stuck", 5, None)]
    assert here.here.rows("SELECT count(*) FROM delivery WHERE state = 'succeeded'") == [(84,)]
    here.conclude("F33 a delivery that kills its worker", but=["I1"])
