"""All 37 event types, from the forms of the pages to a receiver: each with its schema and true values."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.receiver import Receiver
from tests.schemas import check_body
from tests.shapes import check_shape
from tests.told import at, follows
from tests.web.team_day import TeamDay
from webapp.delivery import dispatching
from webapp.delivery.dispatching import Dispatcher
from webapp.delivery.event_types import event_types
from webapp.extensions import bell, db
from webapp.models import Event, PayloadFormat, Webhook


@pytest.fixture
def app(make_app: Callable[..., Flask], receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application, allowed to send to the receiver."""
    monkeypatch.setattr(bell, "_ring", dispatching.wake)
    return make_app(allow_targets=receiver.target)


def test_the_pages_cause_all_37_and_a_receiver_sees_them_with_true_values(
    client: Browser, cast: Cast, make: Make, receiver: Receiver, worker: Dispatcher
) -> None:
    client.sign_in(cast.admin)
    form = {"name": "Everything", "url": receiver.url, "which_secret": "none", "which_events": "all"}
    client.post("/settings/webhooks", data=form | {"which_projects": "all", "enabled": "1", "payload_format": "full"})
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Webhook)) == 1
    day = TeamDay(client, make.project_of(cast.admin).id, cast.teammate.id)
    day.work()

    assert {told.code for told in day.told} == set(event_types(None))
    db.session.rollback()
    events = list(db.session.scalars(sa.select(Event).order_by(Event.seq)))
    assert [event.type for event in events] == [told.code for told in day.told]
    requests = receiver.wait_for(len(day.told), within=30)
    received = {request.header("X-Webhook-Event-Id"): json.loads(request.body) for request in requests}
    latest: dict[str, Any] = {}
    for event, told in zip(events, day.told, strict=True):
        body = received[event.id]
        assert body["event"] == told.code
        check_body(told.code, PayloadFormat.FULL, body)
        for value in filter(None, (body.get("previousValue"), body["currentValue"])):
            check_shape(told.code, value)
        follows(body, latest)
        for path, (before, after) in told.changes.items():
            assert (at(body["previousValue"], path), at(body["currentValue"], path)) == (before, after)
