"""The harness itself: an installation on either pair starts, takes events, and sends them from two workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from tests.chaos.installation import Installation, wait_until
from tests.chaos.pairs import POSTGRESQL, Pair
from tests.chaos.receiver import ReceiverProcess

Prepare = Callable[..., Installation]
SUCCEEDED = "SELECT count(*) FROM delivery WHERE state = 'succeeded'"


def test_events_reach_the_receiver_through_two_workers(
    prepared: Prepare, pair: Pair, arrivals: ReceiverProcess
) -> None:
    here = prepared(allow_targets=arrivals.target)
    here.web()
    workers = [here.start("worker"), here.start("worker")]
    for worker in workers:
        here.wait_for_worker(worker)
    for number in range(4):
        arrivals.answers(f"/{number}", delay=0.02)
        here.webhook(arrivals.url(f"/{number}"))
    ids = here.publish(100)
    arrivals.wait_for(400)
    assert Counter(arrival.event_id for arrival in arrivals.arrivals()) == dict.fromkeys(ids, 4)
    wait_until(lambda: here.rows(SUCCEEDED) == [(400,)], 10, "all outcomes are recorded")
    senders = {row[0] for row in here.rows("SELECT DISTINCT worker FROM attempt")}
    assert senders <= {row[0] for row in here.rows("SELECT id FROM worker")}
    assert (here.folder / "instance" / "app.db").exists() == (pair.name != POSTGRESQL)
    assert [line for line in here.printed().splitlines() if "Traceback" in line] == []
