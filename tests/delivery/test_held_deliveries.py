"""What was held while a webhook was off: all of it, the newest, or none, at a real receiver."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest
import sqlalchemy as sa

from tests.delivery.conftest import eventually
from tests.factories import Make
from tests.receiver import Received, Receiver
from webapp.delivery import payloads
from webapp.delivery.dispatching import Dispatcher
from webapp.delivery.event_types import HEALTH_CHECK
from webapp.delivery.fan_out import fan_out
from webapp.extensions import db
from webapp.models import (
    Delivery,
    DeliveryKind,
    DeliveryState,
    Event,
    PayloadFormat,
    Webhook,
    database_now,
    transaction,
)
from webapp.models.base import new_event_id
from webapp.webhooks import activation, editing, releases
from webapp.webhooks.activation import CheckOutcome
from webapp.webhooks.releases import Released

Start = Callable[..., Dispatcher]

RECORDS, TYPES, ROUNDS = 50, ("TODO_NAME_CHANGED", "TODO_DUE_DATE_CHANGED"), 10
WITHOUT_RECORD = 5  # lists belong to no record: each of these events counts for itself


def publish_many(make: Make, webhook: Webhook) -> list[str]:
    """1,000 changes of 50 records, and a few of no record, written at once; returns the ids of the newest ones."""
    project = make.project_of(webhook.created_by)
    rows = [
        _event(project, code, f"record{record}", f"{code} {record} {turn}")
        for turn in range(ROUNDS)
        for record in range(RECORDS)
        for code in TYPES
    ]
    newest = rows[-RECORDS * len(TYPES) :]
    loose = [_event(project, "TODO_LIST_NAME_CHANGED", None, f"list {number}") for number in range(WITHOUT_RECORD)]
    with transaction() as session:
        session.execute(sa.insert(Event), [*loose, *rows])
    while fan_out():
        pass
    return [row["id"] for row in [*loose, *newest]]


def _event(project, code, record_id, title):
    values = {"previous_value": b'{"title":"before"}', "current_value": payloads.to_json({"title": title})}
    scope = {"project_id": project.id, "company_id": project.company_id, "record_id": record_id}
    return {"id": new_event_id(), "type": code, "created_at": database_now(), **scope, **values}


def states(webhook: Webhook) -> dict[str, int]:
    db.session.rollback()
    query = (
        sa.select(Delivery.state, sa.func.count())
        .where(Delivery.webhook_id == webhook.id, Delivery.kind == DeliveryKind.EVENT)
        .group_by(Delivery.state)
    )
    return {str(state): number for state, number in db.session.execute(query)}


def nothing_waits() -> bool:
    db.session.rollback()
    open_ones = sa.or_(Delivery.state == DeliveryState.PENDING, Delivery.lease_until.is_not(None))
    return db.session.scalar(sa.select(Delivery.seq).where(open_ones).limit(1)) is None


def events_of(receiver: Receiver) -> list[Received]:
    return [one for one in receiver.requests if one.header("X-Webhook-Event") != HEALTH_CHECK]


ALL = RECORDS * len(TYPES) * ROUNDS + WITHOUT_RECORD
NEWEST = RECORDS * len(TYPES) + WITHOUT_RECORD


@pytest.mark.proves("A72", "F39")
@pytest.mark.parametrize(
    ("mode", "sent", "left"),
    [
        ("all", ALL, {"succeeded": ALL}),
        ("newest", NEWEST, {"succeeded": NEWEST, "cancelled": ALL - NEWEST}),
        ("discard", 0, {"cancelled": ALL}),
    ],
)
def test_after_1000_events_and_switched_on_again_a_person_chooses_all_the_newest_or_none_and_nothing_is_sent_twice(
    start_worker: Start, make: Make, receiver: Receiver, mode: str, sent: int, left: dict[str, int]
) -> None:
    webhook = make.webhook(url=receiver.url)
    owner = webhook.created_by
    activation.disable(webhook, by=owner)
    newest = publish_many(make, webhook)
    assert states(webhook) == {"held": ALL}
    start_worker()
    start_worker()
    check = activation.enable(webhook, by=owner)
    assert check is not None
    assert check.outcome is CheckOutcome.PASSED
    held = releases.held(webhook)
    assert (held.count, held.newest, events_of(receiver)) == (ALL, NEWEST, [])

    answer = releases.release(webhook, mode, by=owner, until_seq=held.until_seq)
    assert answer == Released(sent, ALL - sent)
    assert releases.release(webhook, mode, by=owner) == Released(0, 0)

    eventually(lambda: len(events_of(receiver)) >= sent and nothing_waits(), within=60)
    got = events_of(receiver)
    assert len(got) == len({one.header("webhook-id") for one in got}) == sent
    assert states(webhook) == left
    if mode == "newest":
        assert {one.header("X-Webhook-Event-Id") for one in got} == set(newest)


def test_released_ones_go_oldest_first_and_untried_ones_show_the_webhook_as_it_is_now(
    start_worker: Start, make: Make, receiver: Receiver
) -> None:
    webhook = make.webhook(url=receiver.url, enabled=False, name="Old name")
    titles = [f"change {number}" for number in range(12)]
    hold(make, webhook, titles)
    enable(webhook)
    editing.edit(webhook, {"name": "New name"}, by=webhook.created_by)
    releases.release(webhook, "all", by=webhook.created_by)
    start_worker(threads=1)
    bodies = [json.loads(one.body) for one in receiver.wait_for(len(titles))]
    assert [body["currentValue"]["title"] for body in bodies] == titles
    assert {body["webhook"]["name"] for body in bodies} == {"New name"}


def test_an_untried_one_takes_the_format_of_now_and_a_tried_one_keeps_its_bytes(
    start_worker: Start, make: Make, receiver: Receiver
) -> None:
    webhook = make.webhook(url=receiver.url, enabled=False)
    untried, tried = hold(make, webhook, ["untried", "tried"])
    with transaction():
        tried.attempts_made = tried.attempts_counted = 1
    enable(webhook)
    editing.edit(webhook, {"payload_format": PayloadFormat.COMPACT}, by=webhook.created_by)
    releases.release(webhook, "all", by=webhook.created_by)
    start_worker(threads=1)
    requests = {one.header("webhook-id"): one for one in receiver.wait_for(2)}
    assert list(json.loads(requests[untried.id].body)) == ["event", "record", "changes", "company", "project", "user"]
    assert list(json.loads(requests[tried.id].body)) == ["event", "webhook", "previousValue", "currentValue"]


def hold(make: Make, webhook: Webhook, titles: Sequence[str]) -> list[Delivery]:
    project = make.project_of(webhook.created_by)
    with transaction() as session:
        session.execute(sa.insert(Event), [_event(project, TYPES[0], f"record {title}", title) for title in titles])
    fan_out()
    return list(db.session.scalars(sa.select(Delivery).order_by(Delivery.seq)))


def enable(webhook: Webhook) -> None:
    with transaction():
        webhook.enabled = True
