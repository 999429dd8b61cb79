"""The figures that Prometheus asks for, read from the database at that moment, so that every web process says the same.

Labels come from closed lists, never from what people write. Counters outlive pruning (`delivery/totalling.py`).
"""

from __future__ import annotations

import hmac
import ipaddress
import platform
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from flask import request
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from webapp.config import VERSION, current
from webapp.delivery import latencies, surveying, totalling
from webapp.delivery.condition import Survey
from webapp.models.hour import NO_SPAN, UNKNOWN

PREFIX = "blue_webhooks_"
BOUNDS = (0, 9, 13, 17, 22, 26, 30, 34, 38, 42, 47, 51, 55, 59)  # latency classes: 1 ms to 47 s, about doubling
# What a proxy adds; whoever asks directly has no reason to.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via")


def may_ask() -> bool:
    """Whether this request comes from this machine itself, or carries the token."""
    return _is_local() or _has_token()


def is_token_set() -> bool:
    """Whether a token opens the figures for other machines."""
    return bool(current().metrics_token.get_secret_value())


def exposition(accept: str) -> tuple[bytes, str]:
    """The figures, and their content type, in the newest format that is accepted."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures())
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


def _is_local() -> bool:
    """By the connection itself and the name that was asked for: headers say what their sender likes.

    A proxy on this machine connects from loopback, too, for everybody; it is known by what it adds.
    """
    before_proxies = request.environ.get("werkzeug.proxy_fix.orig", request.environ)
    if any(name in request.headers for name in FORWARDED) or not _is_loopback(before_proxies.get("REMOTE_ADDR") or ""):
        return False
    host = urlsplit(f"//{before_proxies.get('HTTP_HOST', '')}").hostname or ""
    return host == "localhost" or _is_loopback(host)


def _is_loopback(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _has_token() -> bool:
    token = current().metrics_token.get_secret_value()
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return bool(token) and scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


class _Figures(Collector):
    def collect(self) -> Iterator[Metric]:
        """All of them; when the database does not answer, that it does not."""
        try:
            survey, attempts = surveying.survey(), totalling.totals()
        except (OperationalError, PoolTimeout):
            yield _gauge("database_up", "Whether the database answers.", 0)
            return
        yield _gauge("database_up", "Whether the database answers.", 1)
        yield _build(survey)
        yield from _work(survey)
        yield from _attempts(attempts)
        yield from _machine(survey)


def _build(survey: Survey) -> Metric:
    values = {"version": VERSION, "python": platform.python_version(), "database": survey.database.kind}
    return InfoMetricFamily(f"{PREFIX}build", "What runs here.", value=values)


def _work(survey: Survey) -> Iterator[Metric]:
    silent = sum(beat.is_silent(survey.now) for beat in survey.workers)
    workers = GaugeMetricFamily(f"{PREFIX}workers", "Worker processes, by whether they beat.", labels=["state"])
    workers.add_metric(["alive"], len(survey.workers) - silent)
    workers.add_metric(["silent"], silent)
    yield workers
    newest = max((beat.beat_at for beat in survey.workers), default=None)
    if newest is not None:
        yield _gauge("worker_heartbeat_timestamp_seconds", "When a worker last beat.", newest.timestamp())
    counted = f"Counted up to {surveying.COUNTED_TO}."
    waiting = survey.events_waiting.number
    yield _gauge("events_waiting", f"Events that have not found their webhooks yet. {counted}", waiting)
    states = GaugeMetricFamily(
        f"{PREFIX}deliveries", f"Deliveries that are kept, by state. {counted}", labels=["state"]
    )
    for state, count in survey.states.items():
        states.add_metric([state], count.number)
    yield states
    for name, moment, text in (
        ("oldest_event_age_seconds", survey.oldest_event_at, "How long the oldest such event has waited."),
        ("oldest_due_age_seconds", survey.oldest_due_at, "How long the oldest due delivery waits that nobody serves."),
        ("oldest_behind_age_seconds", survey.oldest_behind_at, "The same of those behind a receiver that is served."),
    ):
        yield _gauge(name, text, max(0.0, (survey.now - moment).total_seconds()) if moment else 0)


def _attempts(totals: Counter[tuple[str, int]]) -> Iterator[Metric]:
    """Lost outcomes are no counter: their number falls when one comes after all."""
    outcomes: Counter[str] = Counter()
    classes: Counter[int] = Counter()
    for (outcome, bucket), count in totals.items():
        outcomes[f"{outcome[0]}xx" if outcome.isdigit() else outcome] += count
        if bucket != NO_SPAN:
            classes[bucket] += count
    yield _gauge("attempts_unknown", "Attempts whose worker stopped before it could say.", outcomes.pop(UNKNOWN, 0))
    text = "Attempts for events, by class of status code or error word."
    family = CounterMetricFamily(f"{PREFIX}attempts", text, labels=["outcome"])
    for outcome, count in sorted(outcomes.items()):
        family.add_metric([outcome], count)
    yield family
    yield _latency(classes)


def _latency(classes: Counter[int]) -> Metric:
    """Exact counts; the sum errs by a tenth, as attempts are kept in classes."""
    bounds = [f"{latencies.upper_bound(last) / 1000:.3g}" for last in BOUNDS]
    counts = [sum(count for each, count in classes.items() if each <= last) for last in BOUNDS]
    total_ms = sum(latencies.middle(each) * count for each, count in classes.items())
    return HistogramMetricFamily(
        f"{PREFIX}attempt_duration_seconds",
        "How long attempts took, from the name's resolution to the answer's end.",
        buckets=[*zip(bounds, map(float, counts), strict=True), ("+Inf", float(classes.total()))],
        sum_value=total_ms / 1000,
    )


def _machine(survey: Survey) -> Iterator[Metric]:
    lost = "Bells that the queue did not take, from the web processes of this machine. Workers look each second anyway."
    yield CounterMetricFamily(f"{PREFIX}bells_lost", lost, value=survey.queue.lost)
    yield _gauge("queue_up", "Whether the queue can be reached.", survey.queue.waiting is not None)
    yield _gauge("database_size_bytes", "Size of the database.", survey.database.size)
    yield _gauge("database_answer_seconds", "How long all of these questions took.", survey.database.took_ms / 1000)
    yield _gauge("disk_free_bytes", "Free space where the instance folder lies.", survey.disk_free)
    if survey.pruned_at is not None:
        yield _gauge("pruned_timestamp_seconds", "When all that is old was last deleted.", survey.pruned_at.timestamp())


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{PREFIX}{name}", text, value=value)
