"""Of what a worker has claimed, at most so many of one webhook are on their way at once."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from typing import NamedTuple

import pytest

from tests.receiver import wait_until
from webapp.delivery.lanes import Lanes

MOST = 3


class Delivery(NamedTuple):
    webhook_id: str


class Claim(NamedTuple):
    number: int
    delivery: Delivery
    is_scheduled: bool = True
    at: float = 0.0


def claims(webhook: str, *numbers: int, is_scheduled: bool = True) -> list[Claim]:
    return [Claim(number, Delivery(webhook), is_scheduled) for number in numbers]


@pytest.fixture
def sent() -> list[Claim]:
    return []


@pytest.fixture
def lanes(sent: list[Claim]) -> Lanes:
    return Lanes(sent.append, most=MOST)


def add(lanes: Lanes, some: list[Claim]) -> None:
    for claim in some:
        lanes.add(claim)


def test_what_goes_beyond_waits_until_one_has_ended_and_goes_in_order(lanes: Lanes, sent: list[Claim]) -> None:
    first, *_ = mine = claims("a", *range(6))
    add(lanes, mine)
    assert sent == mine[:MOST]
    lanes.leave(first)
    assert sent == mine[: MOST + 1]
    for claim in mine[1:]:
        lanes.leave(claim)
    assert sent == mine
    add(lanes, more := claims("a", *range(10, 16)))
    assert sent == mine + more[:MOST]


def test_other_webhooks_do_not_wait_for_it(lanes: Lanes, sent: list[Claim]) -> None:
    add(lanes, claims("a", *range(6)))
    (other,) = claims("b", 9)
    lanes.add(other)
    assert sent[-1] is other


def test_what_a_person_asked_for_passes_all_that_waits(lanes: Lanes, sent: list[Claim]) -> None:
    add(lanes, claims("a", *range(6)))
    (ping,) = claims("a", 9, is_scheduled=False)
    lanes.add(ping)
    assert sent[-1] is ping
    lanes.leave(ping)
    assert len(sent) == MOST + 1  # the others are still on their way


def test_how_many_wait_is_known(lanes: Lanes) -> None:
    add(lanes, mine := claims("a", *range(6)))
    add(lanes, claims("b", *range(10, 15)))
    assert lanes.waiting == 6 + 5 - 2 * MOST
    lanes.leave(mine[0])
    assert lanes.waiting == 6 + 5 - 2 * MOST - 1
    lanes.clear("a")
    assert lanes.waiting == 5 - MOST
    lanes.clear_all()
    assert lanes.waiting == 0


def test_threads_that_end_at_once_let_each_go_once_and_never_too_many() -> None:
    on_the_way: Counter[str] = Counter()
    most: Counter[str] = Counter()
    lock, ended = threading.Lock(), []
    gone: queue.SimpleQueue[Claim | None] = queue.SimpleQueue()

    def go(claim: Claim) -> None:
        webhook = claim.delivery.webhook_id
        with lock:
            on_the_way[webhook] += 1
            most[webhook] = max(most[webhook], on_the_way[webhook])
        gone.put(claim)

    lanes = Lanes(go, most=MOST)

    def end_them() -> None:
        while (claim := gone.get(timeout=10)) is not None:
            with lock:
                ended.append(claim)
                on_the_way[claim.delivery.webhook_id] -= 1
            lanes.leave(claim)

    threads = [threading.Thread(target=end_them) for _ in range(4)]
    for thread in threads:
        thread.start()
    everything = [*claims("a", *range(500)), *claims("b", *range(500, 1000))]
    add(lanes, everything)
    wait_until(lambda: len(ended) == len(everything))
    for _ in threads:
        gone.put(None)
    for thread in threads:
        thread.join()
    assert sorted(ended) == sorted(everything)
    assert most == {"a": MOST, "b": MOST}
    assert lanes.waiting == 0


def test_what_waits_can_be_taken_back(lanes: Lanes, sent: list[Claim]) -> None:
    add(lanes, mine := claims("a", *range(6)))
    assert lanes.clear_all() == mine[MOST:]
    lanes.leave(mine[0])
    assert sent == mine[:MOST]
    assert lanes.clear_all() == []


def test_what_waits_for_one_webhook_can_be_taken_back_and_its_lane_goes_on(lanes: Lanes, sent: list[Claim]) -> None:
    add(lanes, mine := claims("a", *range(5)))
    add(lanes, other := claims("b", *range(5)))
    assert lanes.clear("a") == mine[MOST:]
    assert lanes.clear("a") == lanes.clear("never seen") == []
    lanes.leave(mine[0])
    add(lanes, more := claims("a", 10, 11))
    assert sent == mine[:MOST] + other[:MOST] + more[:1]
    assert lanes.clear_all() == other[MOST:] + more[1:]


def test_lanes_that_stand_still_can_be_taken_back(lanes: Lanes, sent: list[Claim]) -> None:
    add(lanes, old := [claim._replace(at=1.0) for claim in claims("a", *range(5))])
    add(lanes, young := [claim._replace(at=2.0) for claim in claims("b", *range(5))])
    assert lanes.clear_old(1.0) == []
    assert lanes.clear_old(2.0) == old[MOST:]
    assert lanes.clear_all() == young[MOST:]
