"""All 37 event types, from the call of a program to a receiver: each with its schema and true values, both formats."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.api.conftest import Program
from tests.api.working_day import WorkingDay
from tests.conftest import Cast
from tests.factories import Make
from tests.receiver import Received, Receiver
from tests.schemas import check_body
from tests.shapes import check_shape
from tests.told import at, follows
from webapp.delivery import dispatching
from webapp.delivery.dispatching import Dispatcher
from webapp.delivery.event_types import HEALTH_CHECK, compact_word, event_types
from webapp.extensions import bell, db
from webapp.models import Event, PayloadFormat

SECRET = "a secret of my own, 32 bytes long"

pytestmark = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def app(make_app: Callable[..., Flask], receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application, allowed to send to the receiver."""
    monkeypatch.setattr(bell, "_ring", dispatching.wake)
    return make_app(allow_targets=receiver.target)


@pytest.fixture
def webhook_ids(api: Program, receiver: Receiver) -> dict[str, str]:
    """A webhook for each format, that wants everything; each has a path of its own at the receiver."""
    ids = {}
    for word in PayloadFormat:
        body = {"name": word, "url": receiver.url + word, "secret": SECRET, "payloadFormat": word}
        ids[str(word)] = api.post("/webhooks", body).json["id"]
    return ids


@pytest.fixture
def day(api: Program, webhook_ids: dict[str, str], make: Make, cast: Cast, worker: Dispatcher) -> WorkingDay:
    """The work is done, while a worker sends."""
    day = WorkingDay(api, make.project_of(cast.admin).id, cast.teammate.id)
    day.work()
    return day


def arrived(receiver: Receiver, payload_format: PayloadFormat, count: int) -> dict[str, Received]:
    """What came in this format, by the id of its event."""
    requests = receiver.wait_for(2 * count, within=30)
    of_format = [request for request in requests if request.path == f"/{payload_format}"]
    found = {request.header("X-Webhook-Event-Id") or "": request for request in of_format}
    assert len(found) == len(of_format) == count
    return found


def events() -> list[Event]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Event).order_by(Event.seq)))


def test_a_day_of_work_tells_of_every_type_in_the_order_of_the_calls(day: WorkingDay) -> None:
    assert {told.code for told in day.told} == set(event_types(None))
    assert [event.type for event in events()] == [told.code for told in day.told]


def test_a_receiver_sees_every_type_with_its_schema_its_shape_and_true_values(
    day: WorkingDay, receiver: Receiver
) -> None:
    received = arrived(receiver, PayloadFormat.FULL, len(day.told))
    latest: dict[str, Any] = {}
    for event, told in zip(events(), day.told, strict=True):
        request = received[event.id]
        body = json.loads(request.body)
        assert body["event"] == request.header("X-Webhook-Event") == told.code
        check_body(told.code, PayloadFormat.FULL, body)
        for value in filter(None, (body.get("previousValue"), body["currentValue"])):
            check_shape(told.code, value)
        for path, (before, after) in told.changes.items():
            assert (at(body["previousValue"], path), at(body["currentValue"], path)) == (before, after)
        follows(body, latest)


def test_the_compact_form_says_the_same_in_its_own_words(day: WorkingDay, receiver: Receiver, cast: Cast) -> None:
    received = arrived(receiver, PayloadFormat.COMPACT, len(day.told))
    for event, told in zip(events(), day.told, strict=True):
        body = json.loads(received[event.id].body)
        assert body["event"] == received[event.id].header("X-Webhook-Event") == compact_word(told.code)
        check_body(told.code, PayloadFormat.COMPACT, body)
        assert body["user"] == {"id": cast.admin.id}
        for path, (before, after) in told.changes.items():
            key = path.partition(".")[0]
            change = body["changes"][key]
            assert [at({key: change[word]}, path) for word in ("from", "to")] == [before, after]


def test_every_request_is_signed_over_its_very_bytes(day: WorkingDay, receiver: Receiver) -> None:
    for request in receiver.wait_for(2 * len(day.told), within=30):
        digest = hmac.new(SECRET.encode(), request.body, hashlib.sha256).hexdigest()
        assert request.header("X-Signature") == digest


def test_switching_on_sends_a_health_check_that_fits_its_schema(
    api: Program, receiver: Receiver, webhook_ids: dict[str, str], worker: Dispatcher
) -> None:
    for word in PayloadFormat:
        path = f"/webhooks/{webhook_ids[word]}"
        api.patch(path, {"enabled": False})
        assert api.patch(path, {"enabled": True}).json["healthCheck"]["outcome"] == "passed"
        body = json.loads(receiver.requests[-1].body)
        assert body["event"] == HEALTH_CHECK
        check_body(HEALTH_CHECK, word, body)
