"""Releases, replays and cancellations over REST."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.api.conftest import Program
from tests.conftest import Cast
from tests.factories import Make
from webapp.delivery import replaying
from webapp.extensions import db
from webapp.models import DeliveryState, Webhook, transaction, utc_now

LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def webhook(cast: Cast, make: Make) -> Webhook:
    return make.webhook(by=cast.admin)


def hold(make: Make, webhook: Webhook, record: str) -> Any:
    event = make.event(make.project_of(webhook.created_by), record_id=record, fanned_out_at=utc_now())
    return make.delivery(webhook, event, state="held")


def settle(make: Make, webhook: Webhook, state: str = "failed") -> Any:
    return make.delivery(webhook, state=state, settled_at=utc_now())


@pytest.mark.parametrize(("mode", "released", "cancelled"), [("all", 3, 0), ("newest", 2, 1), ("discard", 0, 3)])
def test_held_deliveries_are_released_in_one_of_three_ways(
    api: Program, make: Make, webhook: Webhook, mode: str, released: int, cancelled: int
) -> None:
    for record in ("a", "b", "a"):
        hold(make, webhook, record)
    answer = api.post(f"/webhooks/{webhook.id}/releases", {"mode": mode})
    assert (answer.status_code, answer.json) == (200, {"released": released, "cancelled": cancelled})


def test_a_release_to_a_disabled_webhook_is_a_409_with_the_reason(api: Program, make: Make, webhook: Webhook) -> None:
    delivery = hold(make, webhook, "a")
    with transaction():
        webhook.enabled = False
    answer = api.post(f"/webhooks/{webhook.id}/releases", {"mode": "all"})
    assert (answer.status_code, answer.mimetype) == (409, "application/problem+json")
    assert answer.json["detail"].startswith("The webhook is disabled.")
    assert delivery.state is DeliveryState.HELD


@pytest.mark.parametrize("body", [{}, {"mode": "some"}, {"mode": None}, {"mode": 1}])
def test_a_release_names_its_mode(api: Program, webhook: Webhook, body: Any) -> None:
    answer = api.post(f"/webhooks/{webhook.id}/releases", body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json["errors"]] == ["mode"]


def test_a_replay_is_answered_with_its_count_and_can_be_watched(api: Program, make: Make, webhook: Webhook) -> None:
    for state in ("failed", "failed", "stuck", "succeeded"):
        settle(make, webhook, state)
    answer = api.post(f"/webhooks/{webhook.id}/replays", {"since": LONG_AGO})
    assert answer.status_code == 202
    assert (answer.json["count"], answer.json["status"], answer.json["redelivered"]) == (2, ["failed"], 0)
    assert (answer.json["since"], answer.json["until"], answer.json["finishedAt"]) == (
        "2020-01-01T00:00:00.000Z",
        None,
        None,
    )
    replaying.advance()
    now = api.get(answer.headers["Location"].partition("/api/v1")[2])
    assert now.status_code == 200
    assert (now.json["redelivered"], now.json["open"], now.json["succeeded"]) == (2, 2, 0)


@pytest.mark.parametrize(("status", "count"), [("stuck", 1), (["stuck", "failed"], 3), ("succeeded", 0)])
def test_a_replay_takes_one_state_or_several(
    api: Program, make: Make, webhook: Webhook, status: Any, count: int
) -> None:
    for state in ("failed", "failed", "stuck"):
        settle(make, webhook, state)
    body = {"since": LONG_AGO, "until": (utc_now() + timedelta(minutes=1)).isoformat(), "status": status}
    answer = api.post(f"/webhooks/{webhook.id}/replays", body | {"events": ["TODO_CREATED"]})
    assert (answer.status_code, answer.json["count"]) == (202, count)
    assert (answer.json["finishedAt"] is not None) == (count == 0)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "since"),
        ({"since": "yesterday"}, "since"),
        ({"since": LONG_AGO, "until": "2019-01-01T00:00:00Z"}, "until"),
        ({"since": LONG_AGO, "status": "held"}, "status.0"),
        ({"since": LONG_AGO, "status": []}, "status"),
        ({"since": LONG_AGO, "status": 5}, "status"),
        ({"since": LONG_AGO, "events": ["TODO_INVENTED"]}, "events"),
    ],
)
def test_a_replay_that_makes_no_sense_is_refused_at_its_field(
    api: Program, webhook: Webhook, body: Any, field: str
) -> None:
    answer = api.post(f"/webhooks/{webhook.id}/replays", body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json["errors"]] == [field]


def test_a_second_replay_and_one_to_a_disabled_webhook_are_refused(api: Program, make: Make, webhook: Webhook) -> None:
    settle(make, webhook)
    path = f"/webhooks/{webhook.id}/replays"
    first = api.post(path, {"since": LONG_AGO}).json
    assert api.post(path, {"since": LONG_AGO}).status_code == 409
    stopped = api.put(f"{path}/{first['id']}/cancellation")
    assert stopped.status_code == 200
    assert stopped.json["stoppedAt"] == stopped.json["finishedAt"] is not None
    with transaction():
        webhook.enabled = False
    refused = api.post(path, {"since": LONG_AGO})
    assert (refused.status_code, refused.json["detail"].partition(".")[0]) == (409, "The webhook is disabled")


def test_a_waiting_delivery_can_be_cancelled_and_a_settled_one_cannot(
    api: Program, make: Make, webhook: Webhook
) -> None:
    waiting, failed = make.delivery(webhook), settle(make, webhook)
    for _ in range(2):
        answer = api.put(f"/deliveries/{waiting.id}/cancellation")
        assert (answer.status_code, answer.json["state"], answer.json["reason"]) == (200, "cancelled", "by_hand")
    refused = api.put(f"/deliveries/{failed.id}/cancellation")
    assert (refused.status_code, refused.mimetype) == (409, "application/problem+json")
    db.session.rollback()
    assert failed.state is DeliveryState.FAILED
