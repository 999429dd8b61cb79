"""Section `isolation`: what one receiver that never answers costs the others."""

from __future__ import annotations

from webapp.benchmark.figures import Figure, Targets, percentile
from webapp.benchmark.latency import spans_ms
from webapp.benchmark.publishing import at_pace, publish
from webapp.benchmark.stage import Place, Stage

HEALTHY = 5  # webhooks
EVENTS_PER_S = 40  # the more events, the less one commit that waits for the disk decides a p99
WAITING = 2_000  # deliveries of the dead one
SETTLED_WITHIN_S = 15.0


def measure(stage: Stage, targets: Targets, seconds: float) -> list[Figure]:
    """The same pace twice: alone, and beside a webhook whose receiver hangs and whose deliveries pile up."""
    healthy = stage.place([f"/healthy/{number}" for number in range(HEALTHY)])
    alone = _p99(stage, healthy, seconds / 2)
    dead = stage.place(["/never/dead"])
    publish(stage, dead, WAITING)
    stage.wait_until_fanned_out(SETTLED_WITHIN_S)
    beside = _p99(stage, healthy, seconds / 2)
    stage.clear(dead)
    stage.clear(healthy)
    stage.wait_until_settled(SETTLED_WITHIN_S)
    note = f"{HEALTHY} webhooks, {EVENTS_PER_S * HEALTHY} deliveries/s"
    return [
        Figure("isolation.alone", "commit → arrival, p99, all healthy", alone, "ms", note=note),
        Figure("isolation.beside", "the same beside a dead receiver", beside, "ms", note=f"{WAITING:,} of its wait"),
        Figure("isolation.ratio", "that is", beside / alone, "×", at_most=targets.isolation_ratio),
    ]


def _p99(stage: Stage, place: Place, seconds: float) -> float:
    published = at_pace(lambda: publish(stage, place), per_second=EVENTS_PER_S, seconds=seconds)
    return percentile(spans_ms(stage, published, path="healthy", copies=HEALTHY), 99)
