"""Webhooks over REST: the fields, the one moment in which a secret is told, switching, pinging."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.api.conftest import Program
from tests.conftest import Cast
from tests.factories import Make
from tests.receiver import Receiver
from webapp.delivery.dispatching import Dispatcher
from webapp.extensions import db
from webapp.models import Base, Delivery, DeliveryKind, Role, User, Webhook
from webapp.models.base import decrypt

Count = Callable[[type[Base]], int]
Programs = Callable[[User], Program]

URL = "https://93.184.216.34/hooks"
OWN_SECRET = "a secret of my own, 32 bytes long"


def test_a_webhook_is_made_with_what_was_sent_and_sensible_rest(api: Program, cast: Cast, make: Make) -> None:
    project = make.project_of(cast.admin)
    answer = api.post("/webhooks", {"name": "Orders", "url": URL, "projectIds": [project.id]})
    assert answer.status_code == 201, answer.text
    shown = answer.json
    assert answer.headers["Location"] == "/api/v1/webhooks/" + shown["id"]
    assert (shown["name"], shown["url"], shown["events"], shown["projectIds"]) == ("Orders", URL, [], [project.id])
    assert (shown["enabled"], shown["payloadFormat"], shown["signed"]) == (True, "full", True)
    assert (shown["status"], shown["health"], shown["healthCheck"]) == ("HEALTHY", "new", None)
    assert shown["warnings"] == []
    read = api.get("/webhooks/" + shown["id"])
    assert read.json == {name: value for name, value in shown.items() if name not in {"secret", "warnings"}}
    assert api.get("/webhooks").json == {"items": [read.json]}


@pytest.mark.parametrize(
    ("sent", "told"),
    [({}, "whsec_"), ({"secret": None}, None), ({"secret": ""}, None), ({"secret": OWN_SECRET}, OWN_SECRET)],
)
def test_the_secret_is_made_left_out_or_your_own(api: Program, sent: dict[str, Any], told: str | None) -> None:
    answer = api.post("/webhooks", {"name": "Orders", "url": URL, **sent})
    assert answer.status_code == 201, answer.text
    webhook = db.session.get_one(Webhook, answer.json["id"])
    assert answer.json["signed"] is (told is not None)
    if told is None:
        assert (answer.json["secret"], webhook.secret_ciphertext) == (None, None)
    else:
        assert answer.json["secret"].startswith(told)
        assert decrypt(webhook.secret_ciphertext or "") == answer.json["secret"]


def test_the_secret_is_told_once(api: Program) -> None:
    created = api.post("/webhooks", {"name": "Orders", "url": URL}).json
    path = "/webhooks/" + created["id"]
    api.post(path + "/pings")
    delivery_id = api.get("/deliveries").json["items"][0]["id"]
    later = [
        api.get(path),
        api.get("/webhooks"),
        api.patch(path, {"name": "New"}),
        api.get("/deliveries/" + delivery_id),
    ]
    for answer in later:
        assert answer.status_code == 200
        assert created["secret"] not in answer.text
    assert all("secret" not in answer.json for answer in later)


def test_something_odd_is_a_warning_and_no_refusal(api: Program) -> None:
    api.post("/webhooks", {"name": "Orders", "url": URL})
    twin = api.post("/webhooks", {"name": "Orders", "url": URL})
    assert twin.status_code == 201
    assert twin.json["warnings"] == [{"field": "name", "detail": "You have another webhook with this name."}]


def test_a_webhook_needs_an_administrator(program: Programs, cast: Cast, count: Count) -> None:
    answer = program(cast.teammate).post("/webhooks", {"name": "Orders", "url": URL})
    assert answer.status_code == 403
    assert answer.json["detail"].startswith("Webhooks are set up by project administrators.")
    assert count(Webhook) == 0


def test_only_what_was_sent_is_changed(api: Program, cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin, events=["TODO_CREATED"])
    answer = api.patch("/webhooks/" + webhook.id, {"name": "Renamed", "payloadFormat": "compact"})
    assert answer.status_code == 200
    assert (answer.json["name"], answer.json["payloadFormat"]) == ("Renamed", "compact")
    assert (answer.json["events"], answer.json["enabled"]) == (["TODO_CREATED"], True)
    assert api.patch("/webhooks/" + webhook.id, {"events": []}).json["events"] == []
    assert api.patch("/webhooks/" + webhook.id, {}).json["name"] == "Renamed"


SET_BY_THE_SYSTEM = ("secret", "status", "health", "signed", "healthCheck", "id", "createdAt", "createdById")


def test_what_only_the_system_sets_cannot_be_set(api: Program, cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin)
    for field in SET_BY_THE_SYSTEM:
        answer = api.patch("/webhooks/" + webhook.id, {"name": "Renamed", field: "x"})
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json["errors"]] == [field]
    assert db.session.get_one(Webhook, webhook.id).name == "Orders"


def test_a_webhook_of_a_former_administrator_stays_theirs(
    program: Programs, api: Program, cast: Cast, make: Make
) -> None:
    webhook = make.webhook(by=cast.admin)
    project = make.project_of(cast.admin)
    make.member(project, make.user(), Role.ADMIN)
    assert api.get("/webhooks/" + webhook.id).status_code == 200
    assert program(cast.stranger).patch("/webhooks/" + webhook.id, {"enabled": False}).status_code == 404


def test_switching_on_without_a_worker_says_why_it_stays_off(api: Program, cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin)
    path = "/webhooks/" + webhook.id
    off = api.patch(path, {"enabled": False}).json
    assert (off["enabled"], off["health"], off["status"]) == (False, "disabled", "HEALTHY")
    answer = api.patch(path, {"enabled": True, "name": "Saved anyway"})
    assert answer.status_code == 200
    assert (answer.json["enabled"], answer.json["name"]) == (False, "Saved anyway")
    assert answer.json["healthCheck"]["outcome"] == "no_worker"
    assert "No worker runs" in answer.json["healthCheck"]["detail"]


class TestWithAWorker:
    @pytest.fixture
    def app(self, make_app: Callable[..., Flask], receiver: Receiver) -> Flask:
        return make_app(allow_targets=[f"127.0.0.1:{receiver.port}"])

    @pytest.mark.usefixtures("worker")
    def test_switching_on_sends_a_health_check_and_waits_for_it(
        self, api: Program, cast: Cast, make: Make, receiver: Receiver
    ) -> None:
        webhook = make.webhook(by=cast.admin, url=receiver.url, enabled=False)
        receiver.answers(500, 200)
        refused = api.patch("/webhooks/" + webhook.id, {"enabled": True})
        assert (refused.status_code, refused.json["enabled"]) == (200, False)
        check = refused.json["healthCheck"]
        assert (check["outcome"], check["status"], check["error"]) == ("failed", 500, None)
        assert api.get("/deliveries/" + check["deliveryId"]).json["kind"] == "health_check"

        enabled = api.patch("/webhooks/" + webhook.id, {"enabled": True}).json
        assert (enabled["enabled"], enabled["healthCheck"]["outcome"]) == (True, "passed")
        request = receiver.wait_for(2)[-1]
        assert list(json.loads(request.body)) == ["event", "webhook"]

    def test_a_published_event_arrives_and_its_whole_story_can_be_read(
        self, api: Program, cast: Cast, make: Make, receiver: Receiver, worker: Dispatcher
    ) -> None:
        project = make.project_of(cast.admin)
        secret = api.post("/webhooks", {"name": "Orders", "url": receiver.url}).json["secret"]
        assert secret
        value = {"id": "order-1", "title": "Größe"}
        event_id = api.post("/events", {"event": "TODO_CREATED", "projectId": project.id, "currentValue": value}).json[
            "id"
        ]
        worker.wake()
        (request,) = receiver.wait_for(1)
        assert json.loads(request.body)["currentValue"] == value
        delivery_id = api.get("/events/" + event_id).json["verdicts"][0]["deliveryId"]
        assert request.header("webhook-id") == delivery_id
        assert api.get("/deliveries/" + delivery_id).json["requestBody"]["content"].encode() == request.body


def test_a_ping_is_a_delivery(api: Program, cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin, enabled=False)
    answer = api.post(f"/webhooks/{webhook.id}/pings")
    assert answer.status_code == 202
    ping = db.session.scalars(sa.select(Delivery)).one()
    assert (ping.kind, ping.webhook_id) == (DeliveryKind.PING, webhook.id)
    assert (answer.json["id"], answer.json["kind"], answer.json["state"]) == (ping.id, "ping", "pending")


def test_more_than_ten_pings_a_minute_are_refused(api: Program, cast: Cast, make: Make, count: Count) -> None:
    webhook = make.webhook(by=cast.admin)
    answers = [api.post(f"/webhooks/{webhook.id}/pings") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [202] * 10 + [429]
    assert 1 <= int(answers[10].headers["Retry-After"]) <= 61
    assert count(Delivery) == 10


def test_a_deleted_webhook_is_gone(api: Program, cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin)
    answer = api.delete("/webhooks/" + webhook.id)
    assert (answer.status_code, answer.data) == (204, b"")
    assert api.get("/webhooks/" + webhook.id).status_code == 404
    assert api.delete("/webhooks/" + webhook.id).status_code == 404
    assert api.get("/webhooks").json == {"items": []}
