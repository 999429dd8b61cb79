"""A loop sleeps until enough has come, or something urgent, or its time is over, and misses nothing."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from webapp.delivery.intake import Intake

LONG_S = 20.0  # far beyond what a test may take
SOON_S = 5.0
SHORT_S = 0.05


def test_what_is_there_is_taken_at_once_and_in_order() -> None:
    intake: Intake[int] = Intake()
    for number in range(3):
        intake.put(number)
    assert intake.take(LONG_S) == [0, 1, 2]
    assert intake.take(0) == []


def test_it_wakes_for_the_first_that_comes() -> None:
    intake: Intake[int] = Intake()
    threading.Timer(SHORT_S, intake.put, [1]).start()
    began = time.monotonic()
    assert intake.take(LONG_S) == [1]
    assert time.monotonic() - began < SOON_S


def test_it_sleeps_on_while_few_have_come_and_wakes_when_they_are_enough() -> None:
    intake: Intake[int] = Intake()
    intake.put(0)
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(intake.take, LONG_S, enough=3)
        intake.put(1)
        time.sleep(SHORT_S)
        assert not taken.done()
        intake.put(2)
        assert taken.result(SOON_S) == [0, 1, 2]


def test_it_takes_the_few_when_the_time_is_over() -> None:
    intake: Intake[int] = Intake()
    intake.put(0)
    assert intake.take(SHORT_S, enough=3) == [0]


def test_what_is_urgent_waits_for_nobody() -> None:
    intake: Intake[str] = Intake()
    intake.put("outcome")
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(intake.take, LONG_S, enough=100)
        intake.put("bell", is_urgent=True)
        assert taken.result(SOON_S) == ["outcome", "bell"]


def test_nothing_is_lost_or_slept_over_between_many_threads() -> None:
    intake: Intake[int] = Intake()
    threads, each = 4, 5_000
    taken: list[int] = []
    with ThreadPoolExecutor(threads) as pool:
        began = time.monotonic()
        for first in range(threads):
            pool.submit(lambda first=first: [intake.put(number) for number in range(first, threads * each, threads)])
        while len(taken) < threads * each:
            taken += intake.take(LONG_S, enough=min(7, threads * each - len(taken)))
    assert time.monotonic() - began < LONG_S
    assert sorted(taken) == list(range(threads * each))
    for first in range(threads):
        assert [number for number in taken if number % threads == first] == list(range(first, threads * each, threads))
