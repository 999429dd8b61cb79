"""Fan-out: exactly one delivery per event and webhook that wants it, and a recorded reason for the others."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import Make
from webapp.delivery import outbox
from webapp.delivery.fan_out import MAX_EVENTS, fan_out
from webapp.extensions import db
from webapp.models import (
    Delivery,
    DeliveryState,
    Event,
    PayloadFormat,
    Project,
    Role,
    User,
    Webhook,
    WebhookStatus,
    database_now,
    transaction,
    utc_now,
)


def publish(project: Project, by: User | None = None, code: str = "TODO_CREATED") -> Event:
    with transaction():
        return outbox.publish(code, project=project, by=by, current={"id": "c1", "title": "Call Ada"})


def deliveries() -> list[Delivery]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Delivery).order_by(Delivery.seq)))


def test_a_webhook_that_wants_everything_gets_one_delivery(make: Make) -> None:
    webhook = make.webhook()
    event = publish(make.project_of(webhook.created_by))
    assert fan_out() == 1
    assert fan_out() == 0
    (delivery,) = deliveries()
    assert (delivery.event_seq, delivery.webhook_id) == (event.seq, webhook.id)
    assert delivery.state is DeliveryState.PENDING
    assert delivery.next_attempt_at <= utc_now()
    assert delivery.snapshot_seq == webhook.snapshot_seq
    assert event.refusals is None
    assert event.fanned_out_at is not None


def test_an_event_that_was_not_chosen_is_refused_with_its_reason(make: Make) -> None:
    webhook = make.webhook(events=["COMMENT_CREATED"])
    event = publish(make.project_of(webhook.created_by))
    fan_out()
    db.session.rollback()
    assert deliveries() == []
    assert event.refusals == [{"reason": "event_not_chosen", "webhookIds": [webhook.id]}]


def test_a_project_that_was_not_chosen_is_refused_with_its_reason(make: Make) -> None:
    owner = make.user()
    chosen, other = make.project(owner), make.project(owner)
    webhook = make.webhook(by=owner, project_ids=[chosen.id])
    event = publish(other)
    publish(chosen)
    fan_out()
    db.session.rollback()
    assert event.refusals == [{"reason": "project_not_chosen", "webhookIds": [webhook.id]}]
    assert [delivery.project_id for delivery in deliveries()] == [chosen.id]


def test_a_webhook_younger_than_the_event_gets_nothing(make: Make) -> None:
    project = make.project()
    event = make.event(project, created_at=utc_now() - timedelta(seconds=1))
    webhook = make.webhook(by=project.members[0].user)
    fan_out()
    db.session.rollback()
    assert deliveries() == []
    assert event.refusals == [{"reason": "created_later", "webhookIds": [webhook.id]}]


def test_events_before_and_after_a_webhook_was_made_are_told_apart_in_one_fan_out(make: Make) -> None:
    project = make.project()
    owner = project.members[0].user
    settled = make.webhook(by=owner)
    made_at = utc_now()
    early, late, latest = (make.event(project, created_at=made_at + timedelta(seconds=each)) for each in (-1, 0, 1))
    young = make.webhook(by=owner, created_at=made_at)
    settled_at = made_at - timedelta(hours=1)
    with transaction():
        settled.created_at = settled_at
    assert fan_out() == 3
    db.session.rollback()
    assert early.refusals == [{"reason": "created_later", "webhookIds": [young.id]}]
    assert late.refusals is latest.refusals is None
    owed = {(delivery.event_seq, delivery.webhook_id) for delivery in deliveries()}
    both = {(event.seq, webhook.id) for event in (late, latest) for webhook in (settled, young)}
    assert owed == both | {(early.seq, settled.id)}


def test_a_reason_is_kept_once_however_many_webhooks_it_holds_for(make: Make) -> None:
    project = make.project()
    owner = project.members[0].user
    deaf = sorted(make.webhook(by=owner, events=["COMMENT_CREATED"]).id for _ in range(3))
    elsewhere = make.webhook(by=owner, project_ids=[make.project(owner).id])
    event = publish(project)
    fan_out()
    db.session.rollback()
    assert event.refusals is not None
    assert {each["reason"]: each["webhookIds"] for each in event.refusals} == {
        "event_not_chosen": deaf,
        "project_not_chosen": [elsewhere.id],
    }


def test_events_of_one_kind_share_their_refusals_and_others_do_not(make: Make) -> None:
    webhook = make.webhook(events=["COMMENT_CREATED"])
    project = make.project_of(webhook.created_by)
    first, second = publish(project), publish(project)
    wanted = publish(project, code="COMMENT_CREATED")
    fan_out()
    db.session.rollback()
    assert first.refusals == second.refusals == [{"reason": "event_not_chosen", "webhookIds": [webhook.id]}]
    assert wanted.refusals is None
    assert [delivery.event_seq for delivery in deliveries()] == [wanted.seq]


@pytest.mark.proves("W15")
def test_only_administrators_of_the_project_get_its_events_and_of_others_nothing_is_recorded(make: Make) -> None:
    project = make.project()
    for role in Role:
        person = make.user(name=role.lower())
        make.project(owner=person)
        make.webhook(by=person, name=role)
        if role is not Role.OWNER:
            make.member(project, person, role)
    make.webhook(by=project.members[0].user, name="owner's")
    event = publish(project)
    fan_out()
    db.session.rollback()
    assert {delivery.webhook.name for delivery in deliveries()} == {"owner's", "ADMIN"}
    assert event.refusals is None


def test_members_count_where_the_operator_said_so(app: Flask, make: Make) -> None:
    app.extensions["settings"].webhook_role = "member"
    project, person = make.project(), make.user()
    make.member(project, person, Role.MEMBER)
    make.webhook(by=person)
    publish(project)
    fan_out()
    assert len(deliveries()) == 1


def test_a_disabled_webhook_gets_its_delivery_held(make: Make) -> None:
    webhook = make.webhook(enabled=False)
    publish(make.project_of(webhook.created_by))
    fan_out()
    (delivery,) = deliveries()
    assert (delivery.state, delivery.reason) == (DeliveryState.HELD, "webhook_disabled")
    assert delivery.next_attempt_at is None
    assert delivery.held_at is not None


def test_one_that_the_system_disabled_is_held_with_that_reason(make: Make) -> None:
    webhook = make.webhook(enabled=False, status=WebhookStatus.UNHEALTHY)
    publish(make.project_of(webhook.created_by))
    fan_out()
    (delivery,) = deliveries()
    assert (delivery.state, delivery.reason) == (DeliveryState.HELD, "webhook_unhealthy")


def test_deleted_webhooks_and_those_of_suspended_people_get_nothing(make: Make) -> None:
    suspended = make.user(suspended_at=utc_now())
    project = make.project(owner=suspended)
    make.webhook(by=suspended)
    owner = make.user()
    make.member(project, owner, Role.OWNER)
    make.webhook(by=owner, deleted_at=utc_now())
    publish(project)
    fan_out()
    assert deliveries() == []


def test_a_move_between_projects_reaches_webhooks_of_both_once_each(make: Make) -> None:
    ada, bob = make.user(), make.user()
    source, target = make.project(ada), make.project(bob)
    make.member(target, ada, Role.ADMIN)
    of_ada, of_bob = make.webhook(by=ada), make.webhook(by=bob)
    narrow = make.webhook(by=ada, project_ids=[source.id])
    with transaction():
        outbox.publish("TODO_MOVED", project=target, source_project=source, by=ada, previous={}, current={})
    fan_out()
    assert sorted(delivery.webhook_id for delivery in deliveries()) == sorted([of_ada.id, of_bob.id, narrow.id])


def test_the_short_body_is_written_once_when_somebody_wants_it(make: Make) -> None:
    owner = make.user()
    project = make.project(owner)
    make.webhook(by=owner)
    full = publish(project)
    fan_out()
    make.webhook(by=owner, payload_format=PayloadFormat.COMPACT)
    both = publish(project, by=owner)
    fan_out()
    db.session.rollback()
    assert full.compact is None
    assert both.compact.startswith(b'{"event":"RECORD_CREATED","record":{"id":"c1"')


def test_more_events_than_fit_into_one_transaction_are_fanned_out_in_several(make: Make) -> None:
    webhook = make.webhook()
    project = make.project_of(webhook.created_by)
    with transaction():
        for _ in range(MAX_EVENTS + 5):
            outbox.publish("TODO_CREATED", project=project, by=None, current={})
    assert [fan_out(), fan_out(), fan_out()] == [MAX_EVENTS, 5, 0]
    assert len(deliveries()) == MAX_EVENTS + 5


def test_many_workers_at_once_make_each_delivery_once(app: Flask, make: Make) -> None:
    owner = make.user()
    project = make.project(owner)
    for _ in range(3):
        make.webhook(by=owner)
    for _ in range(20):
        publish(project)

    def work() -> None:
        with app.app_context():
            while fan_out():
                pass

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    pairs = [(delivery.event_seq, delivery.webhook_id) for delivery in deliveries()]
    assert len(pairs) == len(set(pairs)) == 60


def test_what_is_held_since_its_webhook_was_switched_off_is_held_later_than_that(app: Flask, make: Make) -> None:
    webhook = make.webhook()
    publish(make.project_of(webhook.created_by))
    is_locked, may_end = threading.Event(), threading.Event()

    def switch_off() -> None:
        with app.app_context(), transaction() as session:
            off = session.scalars(sa.select(Webhook).where(Webhook.id == webhook.id).with_for_update()).one()
            is_locked.set()
            may_end.wait(10)
            off.enabled, off.disabled_at = False, database_now()

    def fan() -> None:
        with app.app_context():
            fan_out()

    threads = [threading.Thread(target=work) for work in (switch_off, fan)]
    threads[0].start()
    assert is_locked.wait(10)
    threads[1].start()
    time.sleep(0.2)  # the fan-out waits for the webhook meanwhile
    may_end.set()
    for thread in threads:
        thread.join()
    (delivery,) = deliveries()
    db.session.refresh(webhook)
    assert delivery.state is DeliveryState.HELD
    assert delivery.held_at >= webhook.disabled_at
