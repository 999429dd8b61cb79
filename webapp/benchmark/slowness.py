"""Section `slow`: deliveries a second when every receiver takes its time."""

from __future__ import annotations

import math
import time

from webapp.benchmark.figures import Figure, Targets
from webapp.benchmark.publishing import publish
from webapp.benchmark.stage import Stage

WEBHOOKS = 64
DELAY_MS = 200
MORE_THAN_ENOUGH = 1.5  # times what the target needs, so that work never ends before the time does
SETTLED_WITHIN_S = 15.0


def measure(stage: Stage, targets: Targets, seconds: float) -> list[Figure]:
    """As many as get through in the time, from the moment that they were committed."""
    place = stage.place([f"/after/{DELAY_MS}/{number}" for number in range(WEBHOOKS)])
    events = math.ceil(targets.slow_per_s * seconds * MORE_THAN_ENOUGH / WEBHOOKS)
    began = publish(stage, place, events).done_ns
    arrived = stage.book.wait(events * WEBHOOKS, seconds, "after")
    taken = (time.time_ns() - began) / 1e9
    stage.clear(place)
    stage.wait_until_settled(SETTLED_WITHIN_S)
    return [
        Figure(
            "slow.rate",
            f"deliveries/s, receivers take {DELAY_MS} ms",
            arrived / taken,
            "/s",
            at_least=targets.slow_per_s,
            note=f"{WEBHOOKS} webhooks",
        )
    ]
