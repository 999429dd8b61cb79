"""Section `ingest`: how quickly other applications get rid of their events, while the worker sends them."""

from __future__ import annotations

import time

from webapp.benchmark.figures import Figure, Targets, percentile, spread
from webapp.benchmark.publishing import body_of, call_at_pace, look, post_at_pace, post_batch
from webapp.benchmark.stage import Stage

CALLS_PER_S = 100
BATCH = 500  # events
SETTLED_WITHIN_S = 20.0


def measure(stage: Stage, targets: Targets, seconds: float) -> list[Figure]:
    """POST /events at an even pace, then batches one after the other as fast as they are taken."""
    place = stage.place(["/ingest"])
    looked = call_at_pace(stage, look, per_second=CALLS_PER_S, seconds=seconds * 0.1)
    posted = post_at_pace(stage, place, per_second=CALLS_PER_S, seconds=seconds * 0.65)
    answered = [(each.done_ns - each.began_ns) / 1e6 for each in posted]
    stage.wait_until_settled(SETTLED_WITHIN_S)
    body, events, began = body_of(place, BATCH), 0, time.perf_counter()
    while (taken := time.perf_counter() - began) < seconds * 0.25:
        events += len(post_batch(stage.api, body).event_ids)
    stage.clear(place)
    stage.wait_until_settled(SETTLED_WITHIN_S)
    idle = percentile([(each.done_ns - each.began_ns) / 1e6 for each in looked], 99)
    return [
        Figure(
            "floor.call", f"floor: GET /healthz at {CALLS_PER_S}/s, p99", idle, "ms", note=f"{len(looked)} measured"
        ),
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
