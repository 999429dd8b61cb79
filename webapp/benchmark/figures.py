"""A figure, its target, and how many measurements become one. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One measured value. `at_most` or `at_least` is its target; without both it is only told."""

    name: str
    label: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether it keeps its target; None when it has none."""
        if self.at_most is not None:
            return self.value <= self.at_most
        return self.value >= self.at_least if self.at_least is not None else None

    def document(self) -> dict[str, Any]:
        """As programs read it."""
        value = round(self.value, 4) if math.isfinite(self.value) else None  # JSON has no NaN
        return {**asdict(self), "value": value, "is_met": self.is_met}


@dataclass(frozen=True)
class Targets:
    """What is promised of a kind of installation, on an idle machine of two cores."""

    latency_p50_ms: float
    latency_p99_ms: float
    session_ratio: float
    urllib3_ratio: float | None
    fifty_webhooks_per_s: float
    post_p99_ms: float = 20
    batch_events_per_s: float = 2_000
    slow_per_s: float = 800
    memory_mb: float = 150
    isolation_ratio: float = 1.5


EMBEDDED = Targets(5, 15, 1.5, 0.75, 250)
SERVERS = Targets(8, 15, 1.3, None, 300)


def percentile(values: Iterable[float], percent: float) -> float:
    """The nearest-rank percentile; NaN of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)] if ordered else math.nan


def spread(
    name: str, label: str, values: Sequence[float], *, p50_ms: float | None = None, p99_ms: float | None = None
) -> list[Figure]:
    """p50, p95 and p99 of spans in ms."""
    note = f"{len(values)} measured"
    return [
        Figure(f"{name}.p50", f"{label}, p50", percentile(values, 50), "ms", at_most=p50_ms, note=note),
        Figure(f"{name}.p95", f"{label}, p95", percentile(values, 95), "ms", note=note),
        Figure(f"{name}.p99", f"{label}, p99", percentile(values, 99), "ms", at_most=p99_ms, note=note),
    ]
