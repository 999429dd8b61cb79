"""The threads that send: few for quick receivers, more for those that keep them waiting, and none left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.receiver import wait_until
from webapp.delivery import senders
from webapp.delivery.senders import ACTIVE, Senders

MOST = 24


class Work:
    """What a sender does with a claim here: it notes it, and waits until the test lets it go on."""

    def __init__(self) -> None:
        self.begun: list[Any] = []
        self.may_end = threading.Event()

    def __call__(self, claim: Any) -> None:
        self.begun.append(claim)
        self.may_end.wait(30)


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def made(work: Work) -> Iterator[Senders]:
    threads = Senders(work, most=MOST)
    yield threads
    work.may_end.set()
    threads.join()


def running() -> int:
    return sum(thread.name == "sender" for thread in threading.enumerate())


def put(threads: Senders, *claims: Any) -> None:
    for claim in claims:
        threads.put(claim)
    threads.adjust()


def test_quick_receivers_get_a_few_threads_however_much_waits(made: Senders, work: Work) -> None:
    work.may_end.set()
    put(made, *range(500))
    wait_until(lambda: len(work.begun) == 500)
    assert running() == ACTIVE


def test_threads_that_wait_for_receivers_are_joined_by_others_up_to_the_most(made: Senders, work: Work) -> None:
    put(made, *range(100))

    def grown() -> bool:
        made.adjust()
        return len(work.begun) == MOST

    wait_until(grown)
    made.adjust()
    assert running() == MOST
    assert made.has_backlog


def test_a_claim_behind_slow_ones_begins_within_moments(made: Senders, work: Work) -> None:
    put(made, *range(ACTIVE))
    wait_until(lambda: len(work.begun) == ACTIVE)
    made.put("the new one")

    def begun() -> bool:
        made.adjust()
        return "the new one" in work.begun

    wait_until(begun)


def test_threads_end_when_they_are_not_needed_any_more(
    made: Senders, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(senders, "SHRINK_AFTER_S", 0.0)
    put(made, *range(MOST))
    wait_until(lambda: made.adjust() or len(work.begun) == MOST)
    work.may_end.set()
    wait_until(lambda: made.adjust() or running() == ACTIVE)


def test_closing_takes_back_what_has_not_begun_and_lets_the_rest_finish(made: Senders, work: Work) -> None:
    put(made, *range(ACTIVE), "waits", "waits, too")
    wait_until(lambda: len(work.begun) >= ACTIVE)
    left = made.close()
    assert set(work.begun) | set(left) == {*range(ACTIVE), "waits", "waits, too"}
    assert made.close() == []
    work.may_end.set()
    made.join()
    assert running() == 0


def test_nothing_is_started_after_closing(made: Senders, work: Work) -> None:
    made.close()
    put(made, "late")
    assert not made.has_backlog
    assert running() == 0
