"""What trouble with some webhooks costs the others: `python -m tests.benchmarks.fairness [--seconds N] [--waiting N]`.

Real processes on the embedded database. Ten healthy webhooks get twenty events a second, first alone, then beside: a
receiver that never answers, with thousands of deliveries that wait for it; twenty receivers that answer after 14 s,
with as many; a replay of as many deliveries. Each is compared with the same pace just before it.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from webapp import config
from webapp.benchmark.figures import percentile
from webapp.benchmark.latency import spans_ms
from webapp.benchmark.publishing import at_pace, publish
from webapp.benchmark.stage import Place, Stage, stage
from webapp.models import utc_now

HEALTHY = 10  # webhooks
EVENTS_PER_S = 20
SLOW = 20  # webhooks
SLOW_MS = 14_000
EVENTS_IN_ONE = 500  # as many as a batch may have
SETTLED_WITHIN_S = 120.0


@dataclass(frozen=True)
class Compared:
    """The p99 from commit to arrival of the healthy webhooks, in ms: alone, and beside the trouble."""

    trouble: str
    alone_ms: float
    beside_ms: float

    @property
    def ratio(self) -> float:
        """How many times as long."""
        return self.beside_ms / self.alone_ms


def compare(*, seconds: float, waiting: int) -> list[Compared]:
    """All three kinds of trouble, one after the other, each gone before the next begins."""
    with tempfile.TemporaryDirectory() as folder, stage(config.load(instance=Path(folder))) as made:
        healthy = made.place([f"/healthy/{number}" for number in range(HEALTHY)])
        _p99(made, healthy, 2.0)  # what is done for the first time is not what is measured
        return [
            Compared(trouble, _p99(made, healthy, seconds), cause(made, waiting, lambda: _p99(made, healthy, seconds)))
            for trouble, cause in TROUBLES.items()
        ]


def _p99(made: Stage, healthy: Place, seconds: float) -> float:
    published = at_pace(lambda: publish(made, healthy), per_second=EVENTS_PER_S, seconds=seconds)
    return percentile(spans_ms(made, published, path="healthy", copies=HEALTHY), 99)


def _dead(made: Stage, waiting: int, meanwhile: Callable[[], float]) -> float:
    place = made.place(["/never/dead"])
    return _beside_backlog(made, place, waiting, meanwhile)


def _slow(made: Stage, waiting: int, meanwhile: Callable[[], float]) -> float:
    place = made.place([f"/after/{SLOW_MS}/{number}" for number in range(SLOW)])
    return _beside_backlog(made, place, waiting // SLOW, meanwhile)


def _beside_backlog(made: Stage, place: Place, events: int, meanwhile: Callable[[], float]) -> float:
    _publish(made, place, events)
    measured = meanwhile()
    made.clear(place)
    made.wait_until_settled(SETTLED_WITHIN_S)
    return measured


def _replay(made: Stage, waiting: int, meanwhile: Callable[[], float]) -> float:
    place = made.place(["/again"])
    began = utc_now() - timedelta(seconds=1)
    _publish(made, place, waiting)
    made.wait_until_settled(SETTLED_WITHIN_S)
    made.book.empty()
    wish = {"status": ["succeeded"], "since": began.isoformat()}
    count = made.api.call("POST", f"/webhooks/{place.webhook_ids[0]}/replays", wish)["count"]
    assert count == waiting, f"{count} of {waiting} are replayed"
    measured = meanwhile()
    made.clear(place)
    made.wait_until_settled(SETTLED_WITHIN_S)
    return measured


def _publish(made: Stage, place: Place, events: int) -> None:
    for begin in range(0, events, EVENTS_IN_ONE):
        publish(made, place, min(EVENTS_IN_ONE, events - begin))
    made.wait_until_fanned_out(SETTLED_WITHIN_S)


TROUBLES: dict[str, Callable[[Stage, int, Callable[[], float]], float]] = {
    "one that never answers": _dead,
    f"{SLOW} that answer after {SLOW_MS // 1000} s": _slow,
    "a replay": _replay,
}


def main() -> None:
    """Measure, print."""
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    options.add_argument("--waiting", type=int, default=10_000, help="deliveries that wait, or are replayed")
    chosen = options.parse_args()
    print(f"{'beside':32}{'alone':>10}{'beside':>10}{'ratio':>8}   (p99, ms; {chosen.waiting:,} waiting)")
    for row in compare(seconds=chosen.seconds, waiting=chosen.waiting):
        print(f"{row.trouble:32}{row.alone_ms:>10.1f}{row.beside_ms:>10.1f}{row.ratio:>8.2f}")


if __name__ == "__main__":
    main()
