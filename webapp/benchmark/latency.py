"""Section `latency`: from an event to its arrival at the receiver, at 50 events a second."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from webapp.benchmark.figures import Figure, Targets, spread
from webapp.benchmark.publishing import Published, at_pace, post_at_pace, publish
from webapp.benchmark.stage import Stage
from webapp.extensions import db
from webapp.models import Event

EVENTS_PER_S = 50
ARRIVES_WITHIN_S = 10.0


def measure(stage: Stage, targets: Targets, seconds: float) -> list[Figure]:
    """Half of the time an event is published by a transaction, half of the time over REST."""
    place = stage.place(["/latency"])
    committed = at_pace(lambda: publish(stage, place), per_second=EVENTS_PER_S, seconds=seconds / 2)
    from_commit = spans_ms(stage, committed, path="latency")
    until_found = _until_found_ms(committed)
    posted = post_at_pace(stage, place, per_second=EVENTS_PER_S, seconds=seconds / 2)
    from_answer = spans_ms(stage, posted, path="latency")
    stage.clear(place)
    aims = {"p50_ms": targets.latency_p50_ms, "p99_ms": targets.latency_p99_ms}
    return [
        *spread("latency.commit", "commit → arrival", from_commit, **aims),
        *spread("latency.bell", "of that: commit → the worker is at it", until_found),
        *spread("latency.accepted", "202 of POST /events → arrival", from_answer, **aims),
    ]


def _until_found_ms(published: Sequence[Published]) -> list[float]:
    """From each commit to the fan-out of its event: the bell, the worker that wakes up, and the database's lock."""
    done_ns = {event_id: each.done_ns for each in published for event_id in each.event_ids}
    query = sa.select(Event.id, Event.fanned_out_at).where(Event.id.in_(done_ns), Event.fanned_out_at.is_not(None))
    rows = db.session.execute(query).all()
    db.session.rollback()
    return [row.fanned_out_at.timestamp() * 1e3 - done_ns[row.id] / 1e6 for row in rows]


def spans_ms(stage: Stage, published: Sequence[Published], *, path: str, copies: int = 1) -> list[float]:
    """From the moment that each was answered or committed to its arrivals, in ms, once all are there. Empties the book.

    `path` is the first part of the webhooks' paths, `copies` their number. What has not arrived in time counts with all
    of that time.
    """
    done_ns = {event_id: each.done_ns for each in published for event_id in each.event_ids}
    wanted = len(done_ns) * copies
    stage.book.wait(wanted, ARRIVES_WITHIN_S, path)
    spans = [(each.at_ns - done_ns[each.event_id]) / 1e6 for each in stage.book.arrivals() if each.event_id in done_ns]
    stage.book.empty()
    return spans + [ARRIVES_WITHIN_S * 1000] * (wanted - len(spans))
