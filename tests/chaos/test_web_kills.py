"""Web processes that die while they answer: what was answered is there once, what was not comes by a second try."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from tests.chaos.clients import Clients
from tests.chaos.evidence import seconds
from tests.chaos.installation import wait_until
from tests.chaos.scenario import Scenario

MakeScenario = Callable[..., Scenario]
LOST_BELL_LIMIT_S = 2.0
EVENTS = 24


def keys(count: int) -> list[str]:
    return [f"key-{number}" for number in range(count)]


@pytest.mark.parametrize("point", ["before_commit", "after_commit", "after_bell"])
@pytest.mark.proves("A04", "F01", "F02", "F03")
def test_clients_that_try_again_get_one_event_each_wherever_web_dies(scenario: MakeScenario, point: str) -> None:
    here = scenario()
    here.begin(workers=1, webhooks=1, delay=0.0, crash_web_at=f"{point}:3")  # calls at once may share a commit
    here.arm()
    answers = Clients(here.here, count=4).publish(keys(EVENTS))
    here.disarm()
    here.accepted = list(answers.ids.values())
    assert here.crashes() >= 2
    assert {other.partition(" ")[0] for other in answers.others} <= {"0"}, "broken connections, never a conflict"
    again = Clients(here.here).publish(keys(EVENTS))
    assert again.ids == answers.ids, "the same key gets the same answer"
    here.wait_until_settled(30)
    here.conclude(f"A04 web dies {point}", kills=here.crashes(), bound=0)


@pytest.mark.proves("A12", "F02")
def test_what_was_committed_without_a_bell_is_sent_within_two_seconds(scenario: MakeScenario) -> None:
    here = scenario()
    here.begin(workers=1, webhooks=1, delay=0.0, crash_web_at="after_commit:1")
    here.arm()
    publishing = threading.Thread(target=Clients(here.here, count=1, pause_s=0.3).publish, args=[keys(4)])
    publishing.start()
    publishing.join(60)
    here.disarm()
    here.wait_until_settled(20)
    committed = {row[0]: seconds(row[1]) for row in here.here.rows("SELECT id, created_at FROM event")}
    waits = [arrival.at - committed[arrival.event_id] for arrival in here.arrivals.arrivals()]
    here.accepted = list(committed)
    assert len(waits) == 4
    assert here.crashes() == 4, "every bell was lost"
    assert max(waits) <= LOST_BELL_LIMIT_S
    here.conclude("F02 web dies before the bell", kills=4, bound=0, note=f"sent within {max(waits):.2f} s")


def kill_web(scenario: Scenario, *, events: int, kills: int) -> None:
    """Kill web while clients publish: mostly one of its processes, now and then all of it."""
    scenario.begin(webhooks=2, delay=0.0)
    clients = Clients(scenario.here, count=8)
    publishing = threading.Thread(target=clients.publish, args=[keys(events)])
    publishing.start()
    for number in range(kills):
        share = events * (number + 1) // (kills + 2)
        wait_until(lambda share=share: len(clients.answers.ids) >= share, 60, f"{share} events are answered")
        if number % 5 == 4:
            scenario.kill_web()
            scenario.start_web()
        else:
            scenario.kill_a_process_of_web()
    publishing.join(90)
    answers = clients.answers
    assert len(answers.ids) == events
    assert len(set(answers.ids.values())) == events, "no two keys share an event"
    scenario.accepted = list(answers.ids.values())
    scenario.wait_until_settled(60)
    assert scenario.kills == kills
    scenario.conclude(
        f"A02 {kills} kill -9 of web", bound=0, note=f"{events} events, {answers.tries - events} repeated calls"
    )


@pytest.mark.proves("A02")
def test_web_killed_while_clients_publish_takes_each_event_once(scenario: MakeScenario) -> None:
    kill_web(scenario(), events=300, kills=5)


@pytest.mark.soak
@pytest.mark.proves("A02")
@pytest.mark.timeout(600)
def test_20_kills_of_web_in_2000_events(scenario: MakeScenario) -> None:
    kill_web(scenario(), events=2_000, kills=20)


@pytest.mark.proves("F04")
def test_one_key_from_50_clients_at_once_makes_one_event(scenario: MakeScenario) -> None:
    here = scenario()
    here.begin(workers=1, webhooks=1, delay=0.0)
    clients = [Clients(here.here, count=1) for _ in range(50)]
    begun = time.monotonic()
    together = threading.Barrier(50)

    def publish(client: Clients) -> None:
        together.wait()
        client.publish(["the-same-key"])

    threads = [threading.Thread(target=publish, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    ids = {client.answers.ids["the-same-key"] for client in clients}
    assert len(ids) == 1
    assert not [other for client in clients for other in client.answers.others]
    here.accepted = list(ids)
    here.wait_until_settled(20)
    lasted = time.monotonic() - begun
    here.conclude("F04 one key from 50 clients", bound=0, note=f"50 answers with one id in {lasted:.1f} s")
