"""What the state of an installation means: each part is good, to be watched or bad, and what is to be done. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

SILENT_AFTER = timedelta(seconds=25)  # two beats missed
WAITS_AT_MOST = timedelta(seconds=60)
SLOW_WAIT = timedelta(seconds=10)
SLOW_DATABASE_MS = 1000.0
SLOW_ANSWERS_MS = 10_000.0
PRUNES_WITHIN = timedelta(hours=3)  # it is tried each hour
LITTLE_SPACE, HARDLY_ANY_SPACE = 2 * 1024**3, 512 * 1024**2  # bytes
GOOD_ANYWAY = "Nothing to do."


class Level(StrEnum):
    """How a part of the installation is."""

    GOOD = "good"
    WATCH = "watch"
    BAD = "bad"


@dataclass(frozen=True)
class Count:
    """How many; `is_more` when counting stopped at that number."""

    number: int
    is_more: bool = False


@dataclass(frozen=True)
class Beat:
    """A worker process, as it said itself."""

    name: str
    host: str
    pid: int
    threads: int
    version: str
    started_at: datetime
    beat_at: datetime
    base_url: str | None = None  # None: a version that did not say

    def is_silent(self, now: datetime) -> bool:
        """Whether beats are missing."""
        return now - self.beat_at > SILENT_AFTER


@dataclass(frozen=True)
class Database:
    """Which database it is, how large, and how long it took to answer all these questions."""

    kind: str
    version: str
    size: int
    took_ms: float


@dataclass(frozen=True)
class Queue:
    """The bell's queue; `waiting` is None where it cannot be reached. `lost` bells: of this web process."""

    kind: str
    waiting: int | None
    lost: int = 0


@dataclass(frozen=True)
class Speed:
    """What was sent in the last minute, and how fast the answers of the last minutes came."""

    per_second: float = 0.0
    p50_ms: float | None = None
    p95_ms: float | None = None


@dataclass(frozen=True)
class Survey:
    """All that there is to judge, at one moment."""

    now: datetime
    version: str
    database: Database
    queue: Queue
    disk_free: int
    disk_size: int
    workers: tuple[Beat, ...] = ()
    events_waiting: Count = Count(0)
    oldest_event_at: datetime | None = None
    states: dict[str, Count] = field(default_factory=dict)
    oldest_due_at: datetime | None = None  # of those that nobody serves
    oldest_behind_at: datetime | None = None  # of those behind a receiver that is being served
    speed: Speed = Speed()
    pruned_at: datetime | None = None
    open_targets: tuple[str, ...] = ()
    open_ranges: tuple[str, ...] = ()
    base_url: str = ""  # empty: whoever looks does not know it


@dataclass(frozen=True)
class Finding:
    """The verdict on one part, with a sentence that says what to do."""

    part: str
    level: Level
    sentence: str = GOOD_ANYWAY


def judge(survey: Survey) -> tuple[Finding, ...]:
    """A finding for each part, in the order of the page."""
    return tuple(Finding(part, *rule(survey)) for part, rule in RULES.items())


Verdict = tuple[Level, str]
GOOD: Verdict = (Level.GOOD, GOOD_ANYWAY)


def _workers(survey: Survey) -> Verdict:
    if all(beat.is_silent(survey.now) for beat in survey.workers):
        return Level.BAD, "No worker runs, so nothing is sent. Start “webapp worker”."
    if any(beat.is_silent(survey.now) for beat in survey.workers):
        return Level.WATCH, "A worker went silent without stopping properly. Look into its log; others do its work."
    if any(beat.version != survey.version for beat in survey.workers):
        return Level.WATCH, "Not all workers run the version of these pages. Start the others anew."
    if not _know_one_address(survey):
        return Level.WATCH, "Not all workers and pages have the same WEBAPP_BASE_URL. Set it alike on every machine."
    return GOOD


def _know_one_address(survey: Survey) -> bool:
    known = {beat.base_url for beat in survey.workers if beat.base_url is not None and not beat.is_silent(survey.now)}
    if survey.base_url:
        known.add(survey.base_url)
    return len(known) <= 1


def _bell(survey: Survey) -> Verdict:
    if survey.queue.waiting is None:
        return Level.WATCH, "The queue cannot be reached; workers look each second instead. Check WEBAPP_QUEUE_URL."
    if survey.queue.lost:
        return Level.WATCH, "Bells were lost; workers looked each second instead. Check the queue if that goes on."
    return GOOD


def _fan_out(survey: Survey) -> Verdict:
    return _by_wait(
        survey.now,
        survey.oldest_event_at,
        "Events wait for a worker to find their webhooks. Start a worker, or another one.",
    )


def _due(survey: Survey) -> Verdict:
    level, sentence = _by_wait(
        survey.now, survey.oldest_due_at, "Deliveries are due and nobody sends them. Start a worker, or another one."
    )
    if level is Level.GOOD and survey.oldest_behind_at and survey.now - survey.oldest_behind_at > WAITS_AT_MOST:
        return Level.WATCH, "A receiver is slower than its events come in; its deliveries wait for one another."
    return level, sentence


def _by_wait(now: datetime, oldest_at: datetime | None, sentence: str) -> Verdict:
    waited = now - oldest_at if oldest_at else timedelta(0)
    if waited > WAITS_AT_MOST:
        return Level.BAD, sentence
    return (Level.WATCH, sentence) if waited > SLOW_WAIT else GOOD


def _stuck(survey: Survey) -> Verdict:
    if survey.states.get("stuck", Count(0)).number:
        return (
            Level.WATCH,
            "Workers stopped five times while sending these. Look into their log; owners can retry or cancel them.",
        )
    return GOOD


def _speed(survey: Survey) -> Verdict:
    if (survey.speed.p95_ms or 0) > SLOW_ANSWERS_MS:
        return Level.WATCH, "Receivers answer slowly. Look which ones in the delivery log."
    return GOOD


def _database(survey: Survey) -> Verdict:
    if survey.database.took_ms > SLOW_DATABASE_MS:
        return Level.WATCH, "The database answers slowly. Look what else this machine does, and how fast its disk is."
    return GOOD


def _disk(survey: Survey) -> Verdict:
    if survey.disk_free < HARDLY_ANY_SPACE:
        return Level.BAD, "The disk is almost full; then nothing can be saved. Make space now."
    if survey.disk_free < LITTLE_SPACE:
        return Level.WATCH, "The disk is filling up. Make space, or keep deliveries for fewer days."
    return GOOD


def _pruning(survey: Survey) -> Verdict:
    since = survey.pruned_at or min((beat.started_at for beat in survey.workers), default=survey.now)
    if survey.now - since > PRUNES_WITHIN:
        return Level.WATCH, "A worker should delete what is old each hour, and has not. Look into its log."
    return GOOD


def _targets(survey: Survey) -> Verdict:
    if survey.open_targets or survey.open_ranges:
        return Level.GOOD, "These private addresses can be contacted. Close what is not needed any more."
    return Level.GOOD, "No private address can be contacted."


RULES: dict[str, Callable[[Survey], Verdict]] = {
    "workers": _workers,
    "fan_out": _fan_out,
    "due": _due,
    "stuck": _stuck,
    "speed": _speed,
    "bell": _bell,
    "database": _database,
    "disk": _disk,
    "pruning": _pruning,
    "targets": _targets,
}
