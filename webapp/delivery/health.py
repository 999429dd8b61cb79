"""The health of an endpoint, judged from the outcomes of its deliveries. Pure.

After five failures in a row a webhook is paused: its deliveries wait and lose no attempt, one probe goes out after a
minute, then after two, and so on up to an hour. A success of whatever kind opens it again and forgets the failures.
It is disabled when nothing succeeded for five days and twenty attempts failed in that time; its owner is told at half
of it. The days count from the first failure after the last success, so that a webhook that was quiet for a week is not
disabled by a bad hour. Only scheduled attempts of events count against it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

PAUSE_AFTER_FAILURES = 5  # in a row
FIRST_PROBE_AFTER = timedelta(minutes=1)
LONGEST_PROBE_WAIT = timedelta(hours=1)
MAX_DOUBLINGS = 10  # more than the longest wait needs
DISABLE_AFTER_FAILURES = 20  # since the last success
DISABLE_AFTER = timedelta(days=5)  # since the first of them
WARN_AFTER_FAILURES = DISABLE_AFTER_FAILURES // 2
WARN_AFTER = DISABLE_AFTER / 2
HEALTH_CHECK_LIMIT = timedelta(seconds=7)  # one health check, everything included: as long as Blue waits


@dataclass(frozen=True)
class Health:
    """What is known of an endpoint since its last success."""

    failures: int = 0
    first_failure_at: datetime | None = None
    paused_at: datetime | None = None
    probe_at: datetime | None = None
    probes: int = 0
    warned_at: datetime | None = None


class Advice(StrEnum):
    """What is to be done about an endpoint."""

    NOTHING = "nothing"
    WARN = "warn"
    DISABLE = "disable"


def after_failure(health: Health, at: datetime, *, is_probe: bool) -> Health:
    """One more scheduled attempt of an event failed. Only a probe's failure makes the wait for the next one longer."""
    failures = health.failures + 1
    counted = replace(health, failures=failures, first_failure_at=health.first_failure_at or at)
    if health.paused_at is None:
        if failures < PAUSE_AFTER_FAILURES:
            return counted
        return replace(counted, paused_at=at, probe_at=at + FIRST_PROBE_AFTER, probes=0)
    if not is_probe:
        return counted
    probes = health.probes + 1
    return replace(counted, probes=probes, probe_at=at + probe_wait(probes))


def probe_wait(probes: int) -> timedelta:
    """How long to wait after so many failed probes: a minute, doubling to an hour."""
    return min(FIRST_PROBE_AFTER * (1 << min(probes, MAX_DOUBLINGS)), LONGEST_PROBE_WAIT)


def judge(health: Health, now: datetime) -> Advice:
    """What the counters call for."""
    if health.first_failure_at is None:
        return Advice.NOTHING
    span = now - health.first_failure_at
    if health.failures >= DISABLE_AFTER_FAILURES and span >= DISABLE_AFTER:
        return Advice.DISABLE
    if health.warned_at is None and health.failures >= WARN_AFTER_FAILURES and span >= WARN_AFTER:
        return Advice.WARN
    return Advice.NOTHING


def disabled_at_the_earliest(health: Health) -> datetime | None:
    """When it will be disabled if nothing succeeds until then; None when nothing has failed."""
    return None if health.first_failure_at is None else health.first_failure_at + DISABLE_AFTER
