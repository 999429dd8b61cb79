"""The delivery log over REST: pages, filters, attempts, and sending again."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.api.conftest import Program
from tests.conftest import Cast
from tests.factories import Make
from webapp.extensions import db
from webapp.models import Base, Delivery, DeliveryState, ErrorWord, Redelivery, Webhook, utc_now

Count = Callable[[type[Base]], int]


@pytest.fixture
def webhook(cast: Cast, make: Make) -> Webhook:
    return make.webhook(by=cast.admin)


def test_deliveries_are_listed_newest_first_in_pages(api: Program, make: Make, webhook: Webhook) -> None:
    ids = [make.delivery(webhook).id for _ in range(5)]
    first = api.get("/deliveries?limit=3").json
    assert [item["id"] for item in first["items"]] == [ids[4], ids[3], ids[2]]
    last = api.get(f"/deliveries?limit=3&cursor={first['nextCursor']}").json
    assert [item["id"] for item in last["items"]] == [ids[1], ids[0]]
    assert last["nextCursor"] is None


def test_a_new_delivery_does_not_move_the_pages(api: Program, make: Make, webhook: Webhook) -> None:
    ids = [make.delivery(webhook).id for _ in range(2)]
    first = api.get("/deliveries?limit=1").json
    make.delivery(webhook)
    second = api.get(f"/deliveries?limit=1&cursor={first['nextCursor']}").json
    assert [item["id"] for item in first["items"] + second["items"]] == ids[::-1]


def test_deliveries_are_chosen_by_webhook_state_type_project_and_time(
    api: Program, cast: Cast, make: Make, webhook: Webhook
) -> None:
    other_project = make.project(owner=cast.admin)
    other = make.webhook(by=cast.admin)
    waiting = make.delivery(webhook)
    old = make.delivery(webhook, state=DeliveryState.SUCCEEDED, created_at=utc_now() - timedelta(days=2))
    failed = make.delivery(
        other,
        make.event(other_project, type="TODO_DELETED"),
        state=DeliveryState.FAILED,
        last_error=ErrorWord.TIMED_OUT,
    )

    def ids(query: str) -> set[str]:
        return {item["id"] for item in api.get("/deliveries?" + query).json["items"]}

    assert ids("webhookId=" + webhook.id) == {waiting.id, old.id}
    assert ids("status=failed,succeeded") == {old.id, failed.id}
    assert ids("event=TODO_DELETED") == {failed.id}
    assert ids("projectId=" + other_project.id) == {failed.id}
    yesterday = (utc_now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert ids("until=" + yesterday) == {old.id}
    assert ids(f"since={yesterday}&status=pending") == {waiting.id}
    assert api.get("/deliveries?webhookId=missing").status_code == 404


def test_a_delivery_shows_every_attempt_with_request_and_answer(api: Program, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state=DeliveryState.SUCCEEDED, last_status=200)
    make.attempt(delivery, status=None, error=ErrorWord.CONNECT_REFUSED, sentence="Nobody listens there.", total_ms=1.5)
    make.attempt(
        delivery,
        status=200,
        request_headers=[["webhook-id", delivery.id], ["X-Webhook-Attempt", "2"]],
        response_headers=[["Content-Type", "text/plain"], ["Set-Cookie", "a"], ["Set-Cookie", "b"]],
        response_body="<b>ä</b>".encode(),
        peer="93.184.216.34",
        dns_ms=0.25,
        total_ms=12.0,
        redelivery_seq=1,
    )
    shown = api.get("/deliveries/" + delivery.id).json
    assert (shown["state"], shown["attemptCount"], shown["lastStatus"]) == ("succeeded", 2, 200)
    assert shown["eventId"].startswith("evt_")
    assert shown["requestBody"]["content"].startswith('{"event":"TODO_CREATED","webhook":{"id":"')
    first, second = shown["attempts"]
    assert (first["number"], first["status"], first["error"]) == (1, None, "connect_refused")
    assert (first["detail"], first["responseBody"], first["byHand"]) == ("Nobody listens there.", None, False)
    assert second["requestHeaders"][1] == {"name": "X-Webhook-Attempt", "value": "2"}
    assert [header["value"] for header in second["responseHeaders"]] == ["text/plain", "a", "b"]
    assert second["responseBody"] == {"content": "<b>ä</b>", "encoding": "utf-8", "cut": False}
    assert (second["peer"], second["byHand"]) == ("93.184.216.34", True)
    assert second["timings"] == {"dnsMs": 0.25, "connectMs": None, "tlsMs": None, "firstByteMs": None, "totalMs": 12.0}


def test_an_answer_that_is_no_text_comes_as_base64(api: Program, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook)
    make.attempt(delivery, response_body=b"\xff\x00\xfe", is_cut=True)
    body = api.get("/deliveries/" + delivery.id).json["attempts"][0]["responseBody"]
    assert body == {"content": base64.b64encode(b"\xff\x00\xfe").decode(), "encoding": "base64", "cut": True}


def test_an_attempt_whose_outcome_is_not_known_is_shown(api: Program, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook)
    make.attempt(delivery, status=None, started_at=None, finished_at=None, url=None, total_ms=None)
    (attempt,) = api.get("/deliveries/" + delivery.id).json["attempts"]
    assert (attempt["finishedAt"], attempt["status"], attempt["error"]) == (None, None, None)


def test_the_log_of_a_deleted_webhook_can_still_be_read(api: Program, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook)
    api.delete("/webhooks/" + webhook.id)
    shown = api.get("/deliveries/" + delivery.id).json
    assert (shown["state"], shown["reason"]) == ("cancelled", "webhook_deleted")
    answer = api.post(f"/deliveries/{delivery.id}/redeliveries")
    assert answer.status_code == 409
    assert answer.json["detail"] == "The webhook was deleted. Nothing can be sent to it any more."


def test_a_delivery_is_sent_again_once_however_often_it_is_asked(
    api: Program, make: Make, webhook: Webhook, count: Count
) -> None:
    delivery = make.delivery(webhook, state=DeliveryState.FAILED)
    answer = api.post(f"/deliveries/{delivery.id}/redeliveries")
    assert answer.status_code == 202
    redelivery = db.session.scalars(sa.select(Redelivery)).one()
    assert (answer.json["id"], answer.json["deliveryId"]) == (redelivery.id, delivery.id)
    again = api.post(f"/deliveries/{delivery.id}/redeliveries")
    assert again.status_code == 409
    assert count(Redelivery) == 1


def test_nothing_is_sent_again_to_a_disabled_webhook(api: Program, cast: Cast, make: Make, count: Count) -> None:
    delivery = make.delivery(make.webhook(by=cast.admin, enabled=False), state=DeliveryState.FAILED)
    answer = api.post(f"/deliveries/{delivery.id}/redeliveries")
    assert answer.status_code == 409
    assert answer.json["detail"] == "The webhook is disabled. Enable it first, then send this again."
    assert (count(Redelivery), count(Delivery)) == (0, 1)
