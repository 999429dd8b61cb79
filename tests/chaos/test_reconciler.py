"""Each invariant of the reconciler can fail: a run that went well, with one thing wrong in it, is found out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.evidence import AttemptRow, DeliveryRow, Evidence, ProcessReading
from tests.chaos.receiver import Arrival
from tests.chaos.reconciler import INVARIANTS, Figures, figures, wrong

HOUR = 3_600.0 * 480_000
LEASE_S = 10.0
FIRST = AttemptRow("dlv_1", 1, "vm:1", HOUR + 1, HOUR + 2, is_late=False, outcome="2xx")
ARRIVED = Arrival(1, HOUR + 1.2, "/", "dlv_1", 1, "evt_1", "", 1, HOUR + 1.4, 200)
DELIVERED = DeliveryRow("dlv_1", "wh_1", "event", "evt_1", "succeeded", False, False, 1)
GOOD = Evidence(
    accepted=["evt_1"],
    wanted_by=["wh_1"],
    stored=["evt_1"],
    deliveries=[DELIVERED],
    attempts=[FIRST],
    counted=Counter({("wh_1", HOUR, "2xx"): 1}),
    arrivals=[ARRIVED],
    lease_s=LEASE_S,
    processes=[ProcessReading("worker", 80.0, files=(20, 22), threads=(40, 40))],
    secrets=["s3cret"],
    log="nothing to see",
)
LOST = replace(FIRST, finished_at=None, outcome=None)
AGAIN = replace(FIRST, number=2, claimed_at=HOUR + 12, finished_at=HOUR + 13)
ARRIVED_AGAIN = replace(ARRIVED, number=2, attempt=2, at=HOUR + 12.2, answered_at=HOUR + 12.4)
KILLED = replace(  # the worker died while it sent; after the lease another one sent again
    GOOD,
    deliveries=[replace(DELIVERED, attempts_made=2)],
    attempts=[LOST, AGAIN],
    counted=Counter({("wh_1", HOUR, "2xx"): 1, ("wh_1", HOUR, "unknown"): 1}),
    arrivals=[replace(ARRIVED, answered_at=None), ARRIVED_AGAIN],
    bound=1,
)


def test_runs_that_went_well_have_nothing_wrong() -> None:
    assert wrong(GOOD) == []
    assert wrong(KILLED) == []


@pytest.mark.parametrize(
    ("number", "said", "base", "changes"),
    [
        ("I1", "evt_2 was accepted and is not stored", GOOD, {"accepted": ["evt_1", "evt_2"]}),
        ("I1", "evt_1 has 0 deliveries to wh_2", GOOD, {"wanted_by": ["wh_1", "wh_2"]}),
        ("I1", "evt_1 has 2 deliveries to wh_1", GOOD, {"deliveries": [DELIVERED, replace(DELIVERED, id="dlv_2")]}),
        ("I1", "evt_9 is stored and was never accepted", GOOD, {"stored": ["evt_1", "evt_9"]}),
        ("I2", "dlv_1 is pending and will never be due", GOOD, {"deliveries": [replace(DELIVERED, state="pending")]}),
        ("I2", "dlv_1 is asleep and will never be due", GOOD, {"deliveries": [replace(DELIVERED, state="asleep")]}),
        ("I3", "attempt 1 of dlv_1 arrived and is not in the log", GOOD, {"attempts": []}),
        ("I3", "attempt 1 of dlv_1 arrived 2 times", GOOD, {"arrivals": [ARRIVED, replace(ARRIVED, number=2)]}),
        ("I4", "1 duplicates, 0 at most", KILLED, {"bound": 0}),
        (
            "I4",
            "1 duplicates for 0 attempts whose outcome was lost",
            KILLED,
            {"attempts": [AGAIN], "bound": 5},
        ),
        ("I5", "dlv_1 arrived 30.2 s after its webhook had ended", GOOD, {"ended": {"wh_1": HOUR - 29}}),
        (
            "I6",
            "attempts 1 and 2 of dlv_1 were under way at once",
            KILLED,
            {"arrivals": [replace(ARRIVED, answered_at=None), replace(ARRIVED_AGAIN, at=HOUR + 10.9)]},
        ),
        ("I7", "2xx of wh_1 is counted 2 times and there are 1", GOOD, {"counted": {("wh_1", HOUR, "2xx"): 2}}),
        ("I7", "unknown of wh_1 is counted 0 times and there are 1", KILLED, {"counted": GOOD.counted}),
        (
            "I7",
            "dlv_1 says 3 attempts and its newest is number 1",
            GOOD,
            {"deliveries": [replace(DELIVERED, attempts_made=3)]},
        ),
        ("I8", "worker had 301 MB", GOOD, {"processes": [ProcessReading("worker", 301.0, (20, 20), (40, 40))]}),
        ("I8", "worker has 31 open files", GOOD, {"processes": [ProcessReading("worker", 80.0, (20, 31), (40, 40))]}),
        ("I8", "worker has 43 threads", GOOD, {"processes": [ProcessReading("worker", 80.0, (20, 20), (40, 43))]}),
        ("I9", "the secret that begins with s3cr stands in the log", GOOD, {"log": "a s3cret thing"}),
    ],
)
def test_one_thing_wrong_is_found_out(number: str, said: str, base: Evidence, changes: dict[str, Any]) -> None:
    found = wrong(replace(base, **changes))
    assert [sentence for sentence in found if sentence.startswith(f"{number}: {said}")], found


def test_what_is_wrong_a_thousand_times_is_said_a_few_times() -> None:
    assert len(wrong(replace(GOOD, accepted=["evt_1", *map(str, range(1000))]), but=["I7"])) == 5


def test_an_invariant_may_be_left_out() -> None:
    assert wrong(replace(GOOD, log="s3cret"), but=["I9"]) == []
    assert list(INVARIANTS) == [f"I{number}" for number in range(1, 10)]


def test_a_request_that_is_over_for_one_end_overlaps_nothing() -> None:
    gave_up = replace(FIRST, finished_at=HOUR + 2, outcome="timed_out")
    soon = replace(ARRIVED_AGAIN, at=HOUR + 2.1)
    timed_out = replace(
        KILLED, attempts=[gave_up, AGAIN], arrivals=[replace(ARRIVED, answered_at=None, status=500), soon]
    )
    assert [sentence for sentence in wrong(timed_out) if "I6" in sentence] == []


def test_figures_say_what_was_lost_and_what_came_twice() -> None:
    assert figures(GOOD) == Figures(deliveries=1, lost=0, duplicates=0, unknown=0)
    assert figures(KILLED) == Figures(deliveries=1, lost=0, duplicates=1, unknown=1)
    refused = replace(GOOD, arrivals=[replace(ARRIVED, status=500)])
    assert figures(refused).lost == 1
    late = replace(KILLED, attempts=[replace(FIRST, is_late=True), AGAIN])
    assert figures(late) == Figures(deliveries=1, lost=0, duplicates=1, unknown=1)
