"""What the state of an installation means, and what its operator is told to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from webapp.delivery.condition import RULES, Beat, Count, Database, Level, Queue, Speed, Survey, judge

MB = 1024**2
NOW = datetime(2026, 11, 12, 10, 30, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


ALIVE = Beat("a:1", "a", 1, 24, "1.0", ago(600), ago(5))
KILLED = replace(ALIVE, name="a:2", pid=2, beat_at=ago(26))
OLD = replace(ALIVE, name="a:3", pid=3, version="0.9")
HERE = replace(ALIVE, base_url="https://hooks.example.com")
THERE = replace(ALIVE, name="b:1", host="b", base_url="https://other.example.com")
WELL = Survey(
    now=NOW,
    version="1.0",
    database=Database("SQLite", "3.45", 1000, took_ms=8),
    queue=Queue("sqlite", 0),
    disk_free=50_000 * MB,
    disk_size=100_000 * MB,
    workers=(ALIVE,),
    pruned_at=ago(1800),
)
CASES = [
    ("workers", {"workers": ()}, Level.BAD, "Start “webapp worker”"),
    ("workers", {"workers": (KILLED,)}, Level.BAD, "Start “webapp worker”"),
    ("workers", {"workers": (ALIVE, KILLED)}, Level.WATCH, "went silent"),
    ("workers", {"workers": (ALIVE, OLD)}, Level.WATCH, "Start the others anew"),
    ("workers", {"workers": (HERE, THERE)}, Level.WATCH, "WEBAPP_BASE_URL"),
    ("workers", {"workers": (HERE,), "base_url": THERE.base_url}, Level.WATCH, "WEBAPP_BASE_URL"),
    ("workers", {"workers": (HERE, ALIVE), "base_url": HERE.base_url}, Level.GOOD, "Nothing to do"),
    ("workers", {"workers": (replace(HERE, base_url=""),), "base_url": HERE.base_url}, Level.WATCH, "WEBAPP_BASE_URL"),
    ("fan_out", {"oldest_event_at": ago(9)}, Level.GOOD, "Nothing to do"),
    ("fan_out", {"oldest_event_at": ago(11)}, Level.WATCH, "Start a worker"),
    ("fan_out", {"oldest_event_at": ago(61)}, Level.BAD, "Start a worker"),
    ("due", {"oldest_due_at": ago(-3600)}, Level.GOOD, "Nothing to do"),
    ("due", {"oldest_due_at": ago(11)}, Level.WATCH, "nobody sends them"),
    ("due", {"oldest_due_at": ago(61)}, Level.BAD, "nobody sends them"),
    ("due", {"oldest_behind_at": ago(59)}, Level.GOOD, "Nothing to do"),
    ("due", {"oldest_behind_at": ago(61)}, Level.WATCH, "A receiver is slower"),
    ("due", {"oldest_behind_at": ago(900), "oldest_due_at": ago(61)}, Level.BAD, "nobody sends them"),
    ("stuck", {"states": {"stuck": Count(1)}}, Level.WATCH, "retry or cancel"),
    ("stuck", {"states": {"stuck": Count(0), "failed": Count(10_000, True)}}, Level.GOOD, "Nothing to do"),
    ("speed", {"speed": Speed(3.5, 80.0, 9_999.0)}, Level.GOOD, "Nothing to do"),
    ("speed", {"speed": Speed(3.5, 80.0, 10_001.0)}, Level.WATCH, "answer slowly"),
    ("bell", {"queue": Queue("redis", None)}, Level.WATCH, "WEBAPP_QUEUE_URL"),
    ("bell", {"queue": Queue("redis", 0, lost=3)}, Level.WATCH, "Bells were lost"),
    ("database", {"database": replace(WELL.database, took_ms=1001)}, Level.WATCH, "answers slowly"),
    ("disk", {"disk_free": 2047 * MB}, Level.WATCH, "filling up"),
    ("disk", {"disk_free": 511 * MB}, Level.BAD, "almost full"),
    ("pruning", {"pruned_at": ago(3 * 3600 + 1)}, Level.WATCH, "has not"),
    ("pruning", {"pruned_at": None}, Level.GOOD, "Nothing to do"),
    ("pruning", {"pruned_at": None, "workers": (replace(ALIVE, started_at=ago(4 * 3600)),)}, Level.WATCH, "has not"),
    ("targets", {}, Level.GOOD, "No private address can be contacted."),
    ("targets", {"open_targets": ("127.0.0.1:9000",)}, Level.GOOD, "can be contacted"),
    ("targets", {"open_ranges": ("10.0.0.0/8",)}, Level.GOOD, "can be contacted"),
]


def test_when_all_is_well_every_part_is_good() -> None:
    assert {finding.part: finding.level for finding in judge(WELL)} == dict.fromkeys(RULES, Level.GOOD)


@pytest.mark.parametrize(("part", "changes", "level", "words"), CASES)
def test_each_part_has_its_verdict_and_says_what_to_do(
    part: str, changes: dict[str, Any], level: Level, words: str
) -> None:
    findings = judge(replace(WELL, **changes))
    (found,) = [finding for finding in findings if finding.part == part]
    assert found.level is level
    assert words in found.sentence


@pytest.mark.parametrize(("part", "changes", "level", "words"), CASES)
def test_what_is_wrong_with_one_part_is_said_once(part: str, changes: dict[str, Any], level: Level, words: str) -> None:
    wrong = {finding.part for finding in judge(replace(WELL, **changes)) if finding.level is not Level.GOOD}
    assert wrong <= {part}
