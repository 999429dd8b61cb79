"""The reconciler: judges after a run what the database and the receiver's file say together, by I1 to I9.

Each invariant is a function from evidence to sentences about what is wrong; none = it holds.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from tests.chaos.evidence import AttemptRow, Evidence
from tests.chaos.receiver import Arrival

MOST_MB = 300
FILES_OF_TRAFFIC = 10  # connections to the database and to receivers that may be open at a quiet moment
THREADS_OF_TRAFFIC = 2
HOUR_S = 3600
UNKNOWN = "unknown"
ENDED_STATES = {"succeeded", "failed", "held", "cancelled", "stuck"}
OF_EVENTS = "event"
MOST_SENTENCES = 5  # of one kind: what is wrong is mostly wrong a thousand times

Invariant = Callable[[Evidence], Iterator[str]]


def each_event_has_one_delivery_per_webhook(evidence: Evidence) -> Iterator[str]:
    """I1: what was accepted is stored, and has exactly one delivery for each webhook that wants it."""
    found = Counter((row.event_id, row.webhook_id) for row in evidence.deliveries if row.event_id is not None)
    stored = set(evidence.stored)
    for event in evidence.accepted:
        if event not in stored:
            yield f"{event} was accepted and is not stored"
        for webhook in evidence.wanted_by:
            if (count := found[event, webhook]) != 1:
                yield f"{event} has {count} deliveries to {webhook}"
    for event in stored.difference(evidence.accepted):
        yield f"{event} is stored and was never accepted"


def each_delivery_has_a_known_state(evidence: Evidence) -> Iterator[str]:
    """I2: a delivery has ended, or it is pending with a due time."""
    for row in evidence.deliveries:
        if row.state not in ENDED_STATES and not (row.state == "pending" and row.is_due):
            yield f"{row.id} is {row.state} and will never be due"


def each_request_has_an_attempt(evidence: Evidence) -> Iterator[str]:
    """I3: each request that arrived has an attempt row of its own."""
    known = {(row.delivery_id, row.number) for row in evidence.attempts}
    arrived = Counter((arrival.delivery_id, arrival.attempt) for arrival in evidence.arrivals)
    for (delivery, number), count in arrived.items():
        if (delivery, number) not in known:
            yield f"attempt {number} of {delivery} arrived and is not in the log"
        if count > 1:
            yield f"attempt {number} of {delivery} arrived {count} times"


def duplicates_stay_within_the_bound(evidence: Evidence) -> Iterator[str]:
    """I4: no more requests were repeated than were claimed and not recorded at the kills."""
    found, lost = duplicates(evidence), unknown_attempts(evidence)
    if found > evidence.bound:
        yield f"{found} duplicates, {evidence.bound} at most"
    if found > lost:
        yield f"{found} duplicates for {lost} attempts whose outcome was lost"


def nothing_is_sent_after_the_end(evidence: Evidence) -> Iterator[str]:
    """I5: nothing is sent later than the deadline after a deletion or disabling was answered."""
    webhooks = {row.id: row.webhook_id for row in evidence.deliveries}
    for arrival in evidence.arrivals:
        ended_at = evidence.ended.get(webhooks.get(arrival.delivery_id, ""))
        if ended_at is not None and arrival.at > ended_at + evidence.deadline_s:
            yield f"{arrival.delivery_id} arrived {arrival.at - ended_at:.1f} s after its webhook had ended"


def no_two_requests_overlap(evidence: Evidence) -> Iterator[str]:
    """I6: no two requests of one delivery at once, except after a lease ran out."""
    attempts = {(row.delivery_id, row.number): row for row in evidence.attempts}
    by_delivery: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in evidence.arrivals:
        by_delivery[arrival.delivery_id].append(arrival)
    for delivery, arrived in by_delivery.items():
        for earlier, later in itertools.pairwise(arrived):
            attempt = attempts.get((delivery, earlier.attempt))
            if later.at < _ended_at(earlier, attempt) and later.at < _lease_ends_at(attempt, evidence.lease_s):
                yield f"attempts {earlier.attempt} and {later.attempt} of {delivery} were under way at once"


def counters_equal_a_recount(evidence: Evidence) -> Iterator[str]:
    """I7: the hourly figures equal the attempts, and each delivery counts as many as its newest attempt says."""
    deliveries = {row.id: row for row in evidence.deliveries}
    recount: Counter[tuple[str, float, str]] = Counter()
    newest: Counter[str] = Counter()
    for attempt in evidence.attempts:
        delivery = deliveries[attempt.delivery_id]
        newest[delivery.id] = max(newest[delivery.id], attempt.number)
        is_under_way = delivery.is_leased and attempt.number == delivery.attempts_made
        if delivery.kind == OF_EVENTS and (attempt.outcome or not is_under_way):
            hour = attempt.claimed_at // HOUR_S * HOUR_S
            recount[delivery.webhook_id, hour, attempt.outcome or UNKNOWN] += 1
    counted = Counter({key: count for key, count in evidence.counted.items() if count})
    for key in recount.keys() | counted.keys():
        if recount[key] != counted[key]:
            yield f"{key[2]} of {key[0]} is counted {counted[key]} times and there are {recount[key]}"
    for row in evidence.deliveries:
        if row.attempts_made != newest[row.id]:
            yield f"{row.id} says {row.attempts_made} attempts and its newest is number {newest[row.id]}"


def processes_stay_small(evidence: Evidence) -> Iterator[str]:
    """I8: no process above 300 MB; open files and threads are back where they were."""
    for process in evidence.processes:
        if process.most_mb > MOST_MB:
            yield f"{process.name} had {process.most_mb:.0f} MB"
        for what, (before, after), spare in (
            ("open files", process.files, FILES_OF_TRAFFIC),
            ("threads", process.threads, THREADS_OF_TRAFFIC),
        ):
            if after > before + spare:
                yield f"{process.name} has {after} {what} and had {before}"


def no_secret_is_logged(evidence: Evidence) -> Iterator[str]:
    """I9: no secret stands in the log."""
    for secret in evidence.secrets:
        if secret and secret in evidence.log:
            yield f"the secret that begins with {secret[:4]} stands in the log"


INVARIANTS: dict[str, Invariant] = {
    "I1": each_event_has_one_delivery_per_webhook,
    "I2": each_delivery_has_a_known_state,
    "I3": each_request_has_an_attempt,
    "I4": duplicates_stay_within_the_bound,
    "I5": nothing_is_sent_after_the_end,
    "I6": no_two_requests_overlap,
    "I7": counters_equal_a_recount,
    "I8": processes_stay_small,
    "I9": no_secret_is_logged,
}


def wrong(evidence: Evidence, *, but: Collection[str] = ()) -> list[str]:
    """All that is wrong, with the numbers of the invariants; of each at most a few sentences. `but` leaves some out."""
    return [
        f"{number}: {sentence}"
        for number, invariant in INVARIANTS.items()
        if number not in but
        for sentence, _ in zip(invariant(evidence), range(MOST_SENTENCES), strict=False)
    ]


@dataclass(frozen=True)
class Figures:
    """What a run came to. `lost` = wanted deliveries that the receiver never took."""

    deliveries: int
    lost: int
    duplicates: int
    unknown: int


def figures(evidence: Evidence) -> Figures:
    """The figures of a run."""
    return Figures(
        deliveries=len(evidence.accepted) * len(evidence.wanted_by),
        lost=lost(evidence),
        duplicates=duplicates(evidence),
        unknown=unknown_attempts(evidence),
    )


def lost(evidence: Evidence) -> int:
    """How many of the wanted deliveries the receiver never answered with a success."""
    taken_ids = {arrival.delivery_id for arrival in evidence.arrivals if _is_taken(arrival)}
    taken = {(row.event_id, row.webhook_id) for row in evidence.deliveries if row.id in taken_ids}
    return sum((event, webhook) not in taken for event in evidence.accepted for webhook in evidence.wanted_by)


def duplicates(evidence: Evidence) -> int:
    """How many requests arrived more than there are attempts with an outcome that counts."""
    known = Counter(row.delivery_id for row in evidence.attempts if row.finished_at is not None and not row.is_late)
    arrived = Counter(arrival.delivery_id for arrival in evidence.arrivals)
    return sum(max(0, count - known[delivery]) for delivery, count in arrived.items())


def unknown_attempts(evidence: Evidence) -> int:
    """How many attempts have no outcome, or one that came too late."""
    return sum(row.finished_at is None or row.is_late for row in evidence.attempts)


def _is_taken(arrival: Arrival) -> bool:
    return arrival.status is not None and 200 <= arrival.status < 300


def _ended_at(arrival: Arrival, attempt: AttemptRow | None) -> float:
    """When a request was over, as far as one end knows: for ever under way where neither does."""
    known = [arrival.answered_at, attempt.finished_at if attempt and not attempt.is_late else None]
    return min((moment for moment in known if moment is not None), default=float("inf"))


def _lease_ends_at(attempt: AttemptRow | None, lease_s: float) -> float:
    return float("inf") if attempt is None else attempt.claimed_at + lease_s
