"""What an installation's database, its processes and its log say after a run, beside what the receiver wrote down."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.chaos.installation import Installation
from tests.chaos.receiver import Arrival, ReceiverProcess

OF_NO_WEBHOOK = ""  # the totals of all time


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery as the database has it. `event_id` is None for pings and tests."""

    id: str
    webhook_id: str
    kind: str
    event_id: str | None
    state: str
    is_due: bool  # at some time
    is_leased: bool
    attempts_made: int


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt as the database has it; times in seconds of the wall clock."""

    delivery_id: str
    number: int
    worker: str
    claimed_at: float
    finished_at: float | None
    is_late: bool
    outcome: str | None


@dataclass(frozen=True, slots=True)
class ProcessReading:
    """How much one process had in use, at a quiet moment near the beginning and at the end, and at most."""

    name: str
    most_mb: float
    files: tuple[int, int]
    threads: tuple[int, int]


@dataclass(frozen=True)
class Evidence:
    """All that the invariants are judged by."""

    accepted: Collection[str] = ()  # ids of events that were answered with 202
    wanted_by: Collection[str] = ()  # ids of the webhooks that want each of them
    stored: Collection[str] = ()  # ids of events in the database
    deliveries: Sequence[DeliveryRow] = ()
    attempts: Sequence[AttemptRow] = ()
    counted: Mapping[tuple[str, float, str], int] = field(default_factory=dict)  # webhook, hour, outcome → attempts
    arrivals: Sequence[Arrival] = ()
    lease_s: float = 60.0
    deadline_s: float = 20.0
    bound: int = 0  # how many duplicates the scenario allows
    ended: Mapping[str, float] = field(default_factory=dict)  # webhook → when its deletion or disabling was answered
    processes: Sequence[ProcessReading] = ()
    secrets: Collection[str] = ()
    log: str = ""


def gather(
    here: Installation, arrivals: ReceiverProcess, *, accepted: Collection[str], wanted_by: Collection[str], **more: Any
) -> Evidence:
    """Read the database, the log and the receiver's file. `more` are further fields of the evidence."""
    settings = here.environment
    keys = here.folder / "instance"
    return Evidence(
        accepted=accepted,
        wanted_by=wanted_by,
        stored=[row[0] for row in here.rows("SELECT id FROM event")],
        deliveries=list(_deliveries(here)),
        attempts=list(_attempts(here)),
        counted=_counted(here),
        arrivals=arrivals.arrivals(),
        lease_s=float(settings.get("WEBAPP_LEASE_SECONDS", "60")),
        deadline_s=float(settings.get("WEBAPP_REQUEST_TIMEOUT", "20s").removesuffix("s")),
        secrets=[here.token, *(line for path in keys.glob("*.key") for line in path.read_text().split())],
        log=here.printed(),
        **more,
    )


def unrecorded(here: Installation, worker: str | None = None) -> int:
    """How many attempts are claimed and not recorded, of one worker or of all, lost ones of before included."""
    query = "SELECT count(*) FROM attempt WHERE finished_at IS NULL"
    found = here.rows(f"{query} AND worker = ?", worker) if worker else here.rows(query)
    return int(found[0][0])


def read_process(pid: int) -> tuple[float, int, int]:
    """The most memory that a process had so far in MB, its open files and its threads now."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    files = len(os.listdir(f"/proc/{pid}/fd"))
    return int(status["VmHWM"].split()[0]) / 1024, files, int(status["Threads"])


def _deliveries(here: Installation) -> Iterable[DeliveryRow]:
    query = """
        SELECT delivery.id, delivery.webhook_id, delivery.kind, event.id, delivery.state,
               delivery.next_attempt_at IS NOT NULL, delivery.lease_until IS NOT NULL, delivery.attempts_made
        FROM delivery LEFT JOIN event ON event.seq = delivery.event_seq ORDER BY delivery.seq
    """
    for *values, is_due, is_leased, attempts_made in here.rows(query):
        yield DeliveryRow(*values, bool(is_due), bool(is_leased), attempts_made)


def _attempts(here: Installation) -> Iterable[AttemptRow]:
    query = """
        SELECT delivery.id, attempt.number, attempt.worker, attempt.claimed_at, attempt.finished_at, attempt.is_late,
               attempt.status, attempt.error
        FROM attempt JOIN delivery ON delivery.seq = attempt.delivery_seq ORDER BY attempt.seq
    """
    for delivery_id, number, worker, claimed_at, finished_at, is_late, status, error in here.rows(query):
        outcome = None if finished_at is None else error or ("2xx" if 200 <= status < 300 else str(status))
        ended = None if finished_at is None else seconds(finished_at)
        yield AttemptRow(delivery_id, number, worker, seconds(claimed_at), ended, bool(is_late), outcome)


def _counted(here: Installation) -> Counter[tuple[str, float, str]]:
    found: Counter[tuple[str, float, str]] = Counter()
    query = "SELECT webhook_id, hour_at, outcome, attempts FROM webhook_hour WHERE webhook_id <> ?"
    for webhook_id, hour_at, outcome, attempts in here.rows(query, OF_NO_WEBHOOK):
        found[webhook_id, seconds(hour_at), outcome] += attempts
    return found


def seconds(moment: Any) -> float:
    """A time of the database in seconds of the wall clock: SQLite has text in UTC, PostgreSQL moments."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return float(moment.timestamp())
