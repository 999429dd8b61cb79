"""Clocks that jump: retries come once each, nothing stands still, no span is negative, and the difference is told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from tests.chaos.conftest import _prepared_sqlite, zygote
from tests.chaos.installation import ROOT, Installation, wait_until
from tests.chaos.pairs import SQLITE, Pair, Prepared
from tests.conftest import Browser
from tests.factories import Make
from tests.receiver import Receiver
from webapp.delivery import claiming, leases
from webapp.delivery.claiming import Turn
from webapp.extensions import db
from webapp.models import Delivery, utc_now

__all__ = ["_prepared_sqlite", "zygote"]

WAIT_S = 3  # before a retry, a fifth more or less
SUMMER_TIME_ENDS = datetime(2026, 10, 25, 1, tzinfo=UTC)  # in Berlin: three o'clock becomes two


class Clock:
    """The clock of processes, as a file says it: so many seconds ahead (see `clocked`)."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "clock"
        self.ahead_s = 0.0

    def go(self, ahead_s: float) -> None:
        """Be so many seconds ahead from now on, in all processes once this returns."""
        self.ahead_s = ahead_s
        fresh = self.file.with_suffix(".new")
        fresh.write_text(str(ahead_s))
        fresh.replace(self.file)
        wait_until(self._all_follow, 10, "all processes go by the new time")

    def _all_follow(self) -> bool:
        told = [each.read_text() for each in self.file.parent.glob(f"{self.file.name}-*")]
        return all(each == str(self.ahead_s) for each in told)

    def jump(self, seconds: float) -> None:
        self.go(self.ahead_s + seconds)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path)


@pytest.fixture
def here(_prepared_sqlite: Prepared, clock: Clock, tmp_path: Path, receiver: Receiver) -> Iterator[Installation]:
    """An installation in Berlin whose processes all go by that clock: half a minute before summer time ends."""
    clock.go((SUMMER_TIME_ENDS - datetime.now(UTC)).total_seconds() - 30)
    folder = tmp_path / "here"
    folder.mkdir()
    made = Pair(SQLITE, _prepared_sqlite).install(
        folder, allow_targets=receiver.target, retry_schedule=f"0,{WAIT_S}s,1h", lease_seconds="4", request_timeout="1s"
    )
    made.environment |= {"TZ": "Europe/Berlin", "PYTHONPATH": str(ROOT)}
    yield made
    made.close(at_once=True)


class Round:
    """Some events, each of which fails once: they are published, and then seen to have come exactly twice."""

    COUNT = 3  # five failures in a row would pause the webhook

    def __init__(self, here: Installation, receiver: Receiver) -> None:
        self._here, self._receiver = here, receiver
        receiver.clear()
        receiver.answers(*[500] * self.COUNT, 200)
        here.publish(self.COUNT)
        receiver.wait_for(self.COUNT, within=10)
        wait_until(lambda: here.rows(_TRIED_AGAIN) == [(self.COUNT,)], 5, "the failures are recorded")

    def waits_s(self) -> list[float]:
        """How long after its first request each one's second came."""
        requests = self._receiver.wait_for(2 * self.COUNT, within=20)
        wait_until(lambda: self._here.rows(_OPEN) == [(0,)], 10, "all have succeeded")
        moments = defaultdict(list)
        for request in requests:
            moments[request.header("webhook-id")].append(request.received_at)
        assert Counter(len(each) for each in moments.values()) == {2: self.COUNT}
        return [(last - first).total_seconds() for first, last in moments.values()]


_TRIED_AGAIN = "SELECT count(*) FROM delivery WHERE state = 'pending' AND attempts_counted = 1"
_OPEN = "SELECT count(*) FROM delivery WHERE state <> 'succeeded'"


@pytest.mark.proves("F29", "F30", "A14")
def test_retries_come_once_each_through_the_dst_night_and_whatever_the_clock_does(
    here: Installation, clock: Clock, receiver: Receiver
) -> None:
    here.start(str(clock.file), "web", "--port", str(here.port), module="tests.outages.clocked")
    worker = here.start(str(clock.file), "worker", module="tests.outages.clocked")
    here.wait_for_web()
    here.wait_for_worker(worker)
    here.webhook(receiver.url)
    clock.go((SUMMER_TIME_ENDS - datetime.now(UTC)).total_seconds() - 1)
    through_the_night = Round(here, receiver).waits_s()
    assert datetime.now(UTC) + timedelta(seconds=clock.ahead_s) > SUMMER_TIME_ENDS
    assert all(0.8 * WAIT_S - 0.1 <= wait <= 1.2 * WAIT_S + 2 for wait in through_the_night), through_the_night

    forward = Round(here, receiver)
    clock.jump(2 * 3600)
    assert max(forward.waits_s()) < 0.8 * WAIT_S, "what has become due is sent"

    clock.jump(-2 * 3600)
    back = Round(here, receiver).waits_s()
    assert all(0.8 * WAIT_S - 0.1 <= wait <= 1.2 * WAIT_S + 2 for wait in back), back

    a_second = Round(here, receiver)
    clock.jump(-1)
    assert all(wait <= 1.2 * WAIT_S + 3 for wait in a_second.waits_s())

    assert here.rows("SELECT count(*) FROM delivery WHERE attempts_made <> 2") == [(0,)]
    assert here.rows("SELECT count(*) FROM attempt WHERE finished_at < started_at OR total_ms < 0") == [(0,)]
    assert here.status("/readyz") == 200


@pytest.mark.proves("F29")
def test_after_the_clock_went_back_nothing_is_kept_for_longer_than_a_lease(app: Flask, make: Make) -> None:
    delivery_seq = make.delivery().seq
    lease, now = timedelta(seconds=3), utc_now()
    with time_machine.travel(now + timedelta(hours=2)):
        assert len(claiming.claim(Turn(worker="dies"), slots=1, lease=lease)) == 1
    with time_machine.travel(now, tick=False):
        assert leases.expire() == 0, "its worker may be at it"
    with time_machine.travel(now + 1.1 * lease, tick=False):
        assert leases.expire() == 1
    db.session.rollback()
    assert db.session.scalar(sa.select(Delivery.lease_until).where(Delivery.seq == delivery_seq)) is None


@pytest.mark.proves("F29")
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_clock_that_differs_from_the_databases_is_told(client: Browser) -> None:
    assert "apart" not in str(client.get("/readyz").json)
    with time_machine.travel(utc_now() + timedelta(seconds=40)):
        told = str(client.get("/readyz").json["notes"])
    assert "40 s apart" in told or "39 s apart" in told
