"""No worker ran while 5,000 retries became due: when one starts, what is new need not wait for them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.factories import Make
from tests.receiver import Receiver, wait_until
from webapp.delivery import outbox
from webapp.delivery.dispatching import Dispatcher
from webapp.extensions import db
from webapp.models import Delivery, Webhook, transaction, utc_now
from webapp.models.base import new_delivery_id, table_of

WEBHOOKS, EVENTS = 50, 100
FIRST_NEW_WITHIN_S = 2.0


def retries(make: Make, receiver: Receiver) -> None:
    """Deliveries that failed once, half an hour ago, and wait since then, the oldest first."""
    owner = make.user()
    project = make.project(owner=owner)
    webhooks = [make.webhook(by=owner, url=f"{receiver.url}{number}") for number in range(WEBHOOKS)]
    events = [make.event(project, fanned_out_at=utc_now()) for _ in range(EVENTS)]
    began = utc_now() - timedelta(minutes=30)
    rows = [
        {
            "id": new_delivery_id(),
            "kind": "event",
            "webhook_id": webhook.id,
            "event_seq": event.seq,
            "snapshot_seq": webhook.snapshot_seq,
            "event_type": event.type,
            "project_id": project.id,
            "payload_format": webhook.payload_format,
            "attempts_made": 1,
            "attempts_counted": 1,
            "next_attempt_at": began + timedelta(seconds=place),
        }
        for place, event in enumerate(events)
        for webhook in webhooks
    ]
    with transaction() as session:
        session.execute(sa.insert(table_of(Delivery)), rows)


@pytest.mark.proves("F17")
@pytest.mark.parametrize("settings", [{"lease_seconds": 60}])
def test_the_first_new_event_goes_out_within_two_seconds_of_a_start_with_5000_retries_due(
    make: Make, receiver: Receiver, start_worker: Callable[..., Dispatcher]
) -> None:
    retries(make, receiver)
    webhook: Webhook = make.webhook(url=f"{receiver.url}new")
    with transaction():
        outbox.publish(
            "TODO_CREATED", project=make.project_of(webhook.created_by), by=webhook.created_by, current={"id": "c1"}
        )
    db.session.remove()
    begun = time.monotonic()
    start_worker()
    wait_until(lambda: any(request.path == "/new" for request in receiver.requests), within=20)
    took = time.monotonic() - begun
    assert took < FIRST_NEW_WITHIN_S, f"{took:.1f} s, after {len(receiver.requests)} retries"

    receiver.wait_for(600, within=30)
    due = {row.id: row.event_seq for row in db.session.execute(sa.select(Delivery.id, Delivery.event_seq))}
    sent = defaultdict(list)
    for request in receiver.requests[:600]:
        sent[request.path].append(due[request.header("webhook-id") or ""])
    assert len(sent) == WEBHOOKS + 1, "all have their turn"
    for seqs in sent.values():
        assert max(seqs) - min(seqs) < len(seqs) + 10, "the oldest of each go first"
