"""Two companies side by side: no event of one reaches a webhook of the other, and no closed address is ever reached."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.receiver import Receiver, wait_until
from webapp.accounts import tokens
from webapp.delivery.dispatching import Dispatcher
from webapp.delivery.fan_out import fan_out
from webapp.extensions import db
from webapp.models import Attempt, Delivery, DeliveryState, Event, Webhook, utc_now

WEBHOOKS, EVENTS = 50, 100


@pytest.mark.proves("W15")
def test_no_event_reaches_a_webhook_of_another_company(make: Make, cast: Cast) -> None:
    for person in (cast.admin, cast.stranger):
        for number in range(WEBHOOKS):
            make.webhook(by=person, events=["TODO_CREATED"] if number % 2 else [])
    projects = [make.project_of(person) for person in (cast.admin, cast.stranger)]
    for number in range(EVENTS):
        make.event(projects[number % 2])
    while fan_out():
        db.session.rollback()
    companies = {cast.admin.id: projects[0].company_id, cast.stranger.id: projects[1].company_id}
    query = sa.select(Webhook.created_by_id, Event.company_id, sa.func.count())
    query = query.select_from(Delivery).join(Webhook, Webhook.id == Delivery.webhook_id)
    query = query.join(Event, Event.seq == Delivery.event_seq).group_by(Webhook.created_by_id, Event.company_id)
    sent = {(owner, company): count for owner, company, count in db.session.execute(query)}
    assert sent == dict.fromkeys(companies.items(), WEBHOOKS * EVENTS // 2)


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(retry_schedule="0,100ms")


@pytest.mark.proves("W16")
def test_whatever_is_asked_for_no_closed_address_is_reached(
    client: Browser, make: Make, cast: Cast, receiver: Receiver, worker: Dispatcher
) -> None:
    """The receiver listens on loopback, which nobody has opened here."""
    webhook = make.webhook(by=cast.admin, url=receiver.url)
    bearer = {"Authorization": f"Bearer {tokens.create(cast.admin, 'a program')[1]}"}
    place = f"/api/v1/webhooks/{webhook.id}"
    event = make.event(make.project_of(cast.admin), fanned_out_at=utc_now())
    failed = make.delivery(webhook, event, state=DeliveryState.FAILED)
    assert client.post(f"{place}/pings", headers=bearer).status_code == 202
    assert client.post(f"/api/v1/deliveries/{failed.id}/redeliveries", headers=bearer).status_code == 202
    worker.wake()

    def errors() -> list[str]:
        db.session.rollback()
        return [str(error) for error in db.session.scalars(sa.select(Attempt.error)) if error]

    wait_until(lambda: len(errors()) >= 2)
    assert client.patch(place, json={"url": receiver.url + "/other"}, headers=bearer).status_code == 422
    assert client.patch(place, json={"enabled": False}, headers=bearer).status_code == 200
    enabled = client.patch(place, json={"enabled": True}, headers=bearer).json
    assert enabled["enabled"] is False
    wait_until(lambda: len(errors()) >= 3)
    assert set(errors()) == {"address_refused"}
    assert receiver.connections == 0
