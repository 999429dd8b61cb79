"""What a worker that dies leaves behind is sent by the next one, with the same bytes and the same id."""

from __future__ import annotations

from collections.abc import Callable

from tests.chaos.installation import Installation
from tests.chaos.scenario import Scenario

MakeScenario = Callable[..., Scenario]


def publish(here: Installation, token: str, count: int) -> list[str]:
    """Publish as many events; their ids."""
    events = [
        {"event": "TODO_CREATED", "projectId": "p1", "currentValue": {"id": f"c{number}"}} for number in range(count)
    ]
    ids: list[str] = here.call("POST", "/events/batch", token, {"events": events})["ids"]
    return ids


def test_a_worker_killed_between_two_failures_and_a_success_loses_nothing(scenario: MakeScenario) -> None:
    here = scenario(retry_schedule="0,1500ms,1500ms", lease_seconds="4")
    here.begin(workers=1, webhooks=1)
    here.arrivals.answers("/0", statuses=(500, 500, 200))
    here.publish(1)
    here.arrivals.wait_for(1)
    here.kill_and_replace(0)
    here.arrivals.wait_for(3, within=30)
    here.wait_until_settled(10)
    arrived = here.arrivals.arrivals()
    assert len({(arrival.sha256, arrival.delivery_id) for arrival in arrived}) == 1
    assert here.here.rows("SELECT state FROM delivery") == [("succeeded",)]
    here.conclude("F07 killed between two failures")


def test_events_published_while_no_worker_runs_are_sent_when_one_starts(scenario: MakeScenario) -> None:
    here = scenario()
    here.begin(workers=0, webhooks=1)
    here.publish(3)
    assert here.arrivals.count() == 0
    here.start_workers(1)
    here.wait_until_settled(20)
    here.conclude("F17 no worker while events come", bound=0)
