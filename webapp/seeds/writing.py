"""The rows of the past: webhooks moved back to where their stories begin, and everything that happened since then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import chain
from operator import itemgetter
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from webapp.delivery import counting, snapshots
from webapp.delivery.signing import Verdict
from webapp.models import (
    Attempt,
    AuditEntry,
    Delivery,
    ErrorWord,
    Inbox,
    InboxRequest,
    Redelivery,
    Webhook,
    WebhookSnapshot,
    WebhookStatus,
    transaction,
    utc_now,
)
from webapp.models.base import new_id
from webapp.models.webhook import DisabledBecause
from webapp.receiver.pruning import KEEP_FOR
from webapp.seeds.casting import Cast
from webapp.seeds.course import SWITCHED_OFF, Course
from webapp.seeds.work import Work
from webapp.webhooks.secrets import OVERLAP_HOURS

ARRIVALS = 60  # kept in each inbox
LOOPBACK = "127.0.0.1"
ANSWERED_LATE = (ErrorWord.TIMED_OUT, ErrorWord.CONNECTION_LOST)  # the request came, the answer did not


def move_back(webhook: Webhook, inbox: Inbox, at: datetime, rotated_at: datetime | None) -> bytes:
    """Let a webhook and its inbox have been made at that moment; returns the webhook's bytes. One transaction."""
    with transaction() as session:
        inbox.created_at = at
        webhook.created_at = webhook.updated_at = at
        if rotated_at is not None:
            webhook.previous_secret_until = rotated_at + timedelta(hours=OVERLAP_HOURS)
        session.execute(sa.delete(WebhookSnapshot).where(WebhookSnapshot.webhook_id == webhook.id))
        snapshots.take(session, webhook)
        snapshot = session.get_one(WebhookSnapshot, webhook.snapshot_seq)
        snapshot.created_at = at
        return snapshot.body


def write(work: Work, courses: Sequence[Course], cast: Cast) -> None:
    """Write what happened, all at once: a worker that is running sees all of it or nothing. One transaction."""
    with transaction() as session:
        session.add_all(
            [*work.details.tags, *work.details.fields, *work.lists, *work.records, *work.comments, *work.checklists]
        )
        session.add_all(work.events)
        session.flush()
        for course in courses:
            course.copy_health_to(course.webhook.health)
            _name_snapshots(session, course)
            _note(session, course, cast)
        deliveries = chain.from_iterable(course.deliveries for course in courses)
        oldest_first = sorted(deliveries, key=lambda delivery: delivery.created_at)
        session.add_all(oldest_first)
        session.add_all(chain.from_iterable(course.redeliveries for course in courses))
        session.flush()
        _add_attempts(session, chain.from_iterable(course.attempts for course in courses))
        session.flush()
        counting.count_past(session.connection())
        _add_arrivals(session, courses, utc_now() - KEEP_FOR)


def _name_snapshots(session: Session, course: Course) -> None:
    """Deliveries name the webhook as it was; from its disabling on as disabled."""
    webhook = course.webhook
    before = webhook.snapshot_seq
    if course.disabled_at is not None:
        webhook.enabled = False
        webhook.disabled_at, webhook.disabled_because = course.disabled_at, course.disabled_because
        if course.disabled_because is not DisabledBecause.OWNER:
            webhook.status = WebhookStatus.UNHEALTHY
        webhook.updated_at = course.disabled_at
        snapshots.take(session, webhook)
    after = webhook.snapshot_seq
    for delivery in course.deliveries:
        is_after = course.disabled_at is not None and delivery.created_at > course.disabled_at
        delivery.snapshot_seq = (after if is_after else before) or 0


def _note(session: Session, course: Course, cast: Cast) -> None:
    if course.disabled_because is not DisabledBecause.OWNER:
        return
    session.add(
        AuditEntry(
            at=course.disabled_at,
            user_id=cast.ada.id,
            action="webhook.disabled",
            subject=f"webhook:{course.webhook.id}",
            detail={"held": sum(each.reason == SWITCHED_OFF for each in course.deliveries)},
            address=LOOPBACK,
        )
    )


def _add_attempts(session: Session, made: Iterable[tuple[Attempt, Delivery, Redelivery | None]]) -> None:
    """The attempts in the order of their claims, with the numbers that the deliveries have now."""
    attempts = []
    for attempt, delivery, redelivery in made:
        attempt.delivery_seq = delivery.seq
        attempt.redelivery_seq = redelivery.seq if redelivery is not None else None
        attempts.append((attempt.claimed_at, delivery.seq, attempt))
    session.add_all(attempt for _, _, attempt in sorted(attempts, key=itemgetter(0, 1)))


def _add_arrivals(session: Session, courses: Iterable[Course], since: datetime) -> None:
    """What reached the inboxes, of the days that they keep."""
    ids = {row.token: row.id for row in session.execute(sa.select(Inbox.token, Inbox.id))}
    arrivals: list[tuple[datetime, InboxRequest]] = []
    for course in courses:
        path = urlsplit(course.writer.url).path
        came = [(attempt, delivery) for attempt, delivery, _ in course.attempts if _has_come(attempt)]
        for attempt, delivery in came[-ARRIVALS:]:
            if attempt.claimed_at > since:
                arrival = _arrival(ids[path.rpartition("/")[2]], path, attempt, delivery, course)
                arrivals.append((attempt.claimed_at, arrival))
    session.add_all(arrival for _, arrival in sorted(arrivals, key=itemgetter(0)))


def _has_come(attempt: Attempt) -> bool:
    return attempt.status is not None or attempt.error in ANSWERED_LATE


def _arrival(inbox_id: str, path: str, attempt: Attempt, delivery: Delivery, course: Course) -> InboxRequest:
    headers = attempt.request_headers or []
    words = {name: value for name, value in headers if name == "X-Webhook-Event"}
    return InboxRequest(
        id=new_id(),
        inbox_id=inbox_id,
        method="POST",
        path=path,
        address=LOOPBACK,
        received_at=attempt.started_at,
        answered_status=attempt.status,
        event_type=words["X-Webhook-Event"],
        delivery_id=delivery.id,
        verdict=Verdict.RIGHT if course.writer.keys.secrets else Verdict.NOT_SIGNED,
        headers=headers,
        body=course.writer.body(delivery),
    )
