"""Section `ingest`: how quickly other applications get rid of their events, while the worker sends them."""

from __future__ import annotations

import time

from webapp.benchmark.figures import Figure, Targets, spread
from webapp.benchmark.publishing import body_of, post_at_pace, post_batch
from webapp.benchmark.stage import Stage

CALLS_PER_S = 100
BATCH = 500  # events
SETTLED_WITHIN_S = 15.0


def measure(stage: Stage, targets: Targets, seconds: float) -> list[Figure]:
    """POST /events at an even pace, then batches one after the other as fast as they are taken."""
    place = stage.place(["/ingest"])
    posted = post_at_pace(stage, place, per_second=CALLS_PER_S, seconds=seconds * 0.6)
    answered = [(each.done_ns - each.began_ns) / 1e6 for each in posted]
    stage.wait_until_settled(SETTLED_WITHIN_S)
    body, events, began = body_of(place, BATCH), 0, time.perf_counter()
    while (taken := time.perf_counter() - began) < seconds * 0.4:
        events += len(post_batch(stage.api, body).event_ids)
    stage.clear(place)
    stage.wait_until_settled(SETTLED_WITHIN_S)
    return [
        *spread(f"ingest.post{CALLS_PER_S}", f"POST /events at {CALLS_PER_S}/s", answered, p99_ms=targets.post_p99_ms),
        Figure(
            "ingest.batch",
            "events/s by POST /events/batch",
            events / taken,
            "/s",
            at_least=targets.batch_events_per_s,
            note=f"{BATCH} at once, one caller, {events:,} events",
        ),
    ]
