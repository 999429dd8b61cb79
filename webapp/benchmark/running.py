"""One run: the sections that were chosen, each with its share of the time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from webapp.benchmark import backlog, ingest, isolation, latency, machine, slowness, throughput
from webapp.benchmark.figures import EMBEDDED, SERVERS, Figure, Targets
from webapp.benchmark.publishing import post_at_pace, publish
from webapp.benchmark.report import Report
from webapp.benchmark.stage import Stage, stage
from webapp.config import Settings
from webapp.models import utc_now

START_S = 6.0  # what setting up and taking down cost, about
LEAST_S = 1.0  # for a section
WARM_UP_EVENTS = 60


class Section(Protocol):
    """Measures for about so many seconds."""

    def __call__(self, stage: Stage, targets: Targets, seconds: float) -> list[Figure]:
        """The figures."""


# Each with the seconds that it takes of a minute. What has an even pace comes before what writes as much as it can: for
# seconds after that, a commit may wait 40 ms while the disk takes it all (measured with PostgreSQL).
SECTIONS: dict[str, tuple[Section, float]] = {
    "latency": (latency.measure, 10),
    "ingest": (ingest.measure, 9),
    "throughput": (throughput.measure, 16),
    "slow": (slowness.measure, 4),
    "isolation": (isolation.measure, 12),
    "backlog": (backlog.measure, 12),
}


def run(settings: Settings, *, seconds: float, only: Sequence[str], say: Callable[[str], None]) -> Report:
    """Measure for about so many seconds. Raises NoScratch, ProcessDied or CallFailed."""
    began, at = time.monotonic(), utc_now().isoformat(timespec="seconds")
    chosen = {name: section for name, section in SECTIONS.items() if not only or name in only}
    share = max(0.0, seconds - START_S) / sum(weight for _, weight in chosen.values())
    described = machine.describe(settings)
    targets = EMBEDDED if settings.is_sqlite else SERVERS
    figures: list[Figure] = []
    say("starting web, worker and receiver beside the installation")
    with stage(settings) as made:
        described["database"] = machine.database_version()
        flush = machine.flush_ms(made.scratch.folder)
        figures.append(Figure("disk.flush", "fsync of 4 KiB on this disk", flush, "ms"))
        _warm_up(made)
        for name, (measure, weight) in chosen.items():
            say(f"measuring {name}")
            figures += measure(made, targets, max(LEAST_S, weight * share))
    return Report(at, described, time.monotonic() - began, figures)


def _warm_up(stage: Stage) -> None:
    """What a program does for the first time is not what is measured."""
    place = stage.place(["/warm-up"])
    publish(stage, place, WARM_UP_EVENTS)
    post_at_pace(stage, place, per_second=WARM_UP_EVENTS, seconds=1)
    stage.wait_until_settled(LEAST_S * 10)
    stage.clear(place)
