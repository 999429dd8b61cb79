"""Secrets and own headers over REST: what is told once, and what no answer ever holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.api.conftest import Program
from tests.conftest import Cast
from tests.factories import SECRET, Make
from webapp.extensions import db
from webapp.models import AuditEntry, User, Webhook, utc_now
from webapp.models.base import decrypt
from webapp.webhooks import headers

URL = "https://93.184.216.34/hooks"
OWN = "a secret of my own"
KEY = "the key of the receiver"
HEADERS = [{"name": "X-Api-Key", "value": KEY}, {"name": "X-Team", "value": "blue"}]
MASKED = [{"name": "X-Api-Key", "value": None}, {"name": "X-Team", "value": None}]


@pytest.fixture
def webhook(make: Make, cast: Cast) -> Webhook:
    return make.webhook(by=cast.admin, url=URL)


@pytest.fixture
def path(webhook: Webhook) -> str:
    return f"/webhooks/{webhook.id}"


def now_in(webhook: Webhook) -> tuple[str | None, str | None]:
    """The current and the previous secret."""
    db.session.refresh(webhook)
    both = (webhook.secret_ciphertext, webhook.previous_secret_ciphertext)
    current, previous = (decrypt(text) if text else None for text in both)
    return current, previous


@pytest.mark.parametrize("body", [{}, {"secret": None}, {"overlapHours": 24}])
def test_a_rotation_tells_the_new_secret_and_how_long_the_old_one_lives(
    api: Program, webhook: Webhook, path: str, body: dict[str, Any]
) -> None:
    answer = api.post(f"{path}/rotations", body)
    assert answer.status_code == 201, answer.text
    assert now_in(webhook) == (answer.json["secret"], SECRET)
    until = datetime.fromisoformat(answer.json["previousSecretUntil"])
    assert timedelta(hours=23, minutes=59) < until - utc_now() <= timedelta(hours=24)
    assert api.get(path).json["previousSecretUntil"] == answer.json["previousSecretUntil"]


def test_a_rotation_needs_no_body(api: Program, webhook: Webhook, path: str) -> None:
    answer = api.post(f"{path}/rotations")
    assert answer.status_code == 201, answer.text
    assert now_in(webhook) == (answer.json["secret"], SECRET)
    assert api.post("/webhooks").status_code == 415


def test_an_own_secret_without_an_overlap(api: Program, webhook: Webhook, path: str) -> None:
    answer = api.post(f"{path}/rotations", {"secret": OWN, "overlapHours": 0})
    assert answer.json == {"secret": OWN, "previousSecretUntil": None}
    assert now_in(webhook) == (OWN, None)


@pytest.mark.parametrize(
    ("body", "field", "beginning"),
    [
        ({"secret": "short"}, "secret", "16 to 64 bytes."),
        ({"secret": ""}, "secret", "Enter a secret"),
        ({"secret": 7}, "secret", "Send a text."),
        ({"secret": SECRET}, "secret", "This is the secret already."),
        ({"overlapHours": -1}, "overlapHours", "Choose 0 to 168 hours."),
        ({"overlapHours": 169}, "overlapHours", "Choose 0 to 168 hours."),
        ({"overlapHours": 10**40}, "overlapHours", "Choose 0 to 168 hours."),
        ({"overlapHours": 1.5}, "overlapHours", "Send a whole number of hours"),
        ({"overlapHours": "24"}, "overlapHours", "Send a whole number of hours"),
        ({"overlapHours": True}, "overlapHours", "Send a whole number of hours"),
        ({"overlapHours": None}, "overlapHours", "This cannot be null."),
        ({"hours": 1}, "hours", "There is no such field here."),
    ],
)
def test_a_wrong_rotation_is_refused_at_its_field(
    api: Program, webhook: Webhook, path: str, body: dict[str, Any], field: str, beginning: str
) -> None:
    answer = api.post(f"{path}/rotations", body)
    assert answer.status_code == 422, answer.text
    (error,) = answer.json["errors"]
    assert error["field"] == field
    assert error["detail"].startswith(beginning)
    assert now_in(webhook) == (SECRET, None)


def test_removing_the_secret_takes_both(api: Program, webhook: Webhook, path: str) -> None:
    api.post(f"{path}/rotations", {})
    answer = api.delete(f"{path}/secret")
    assert (answer.status_code, answer.data) == (204, b"")
    assert now_in(webhook) == (None, None)
    assert (api.get(path).json["signed"], api.get(path).json["previousSecretUntil"]) == (False, None)
    assert api.delete(f"{path}/secret").status_code == 204
    of_webhook = sa.select(AuditEntry.action).where(AuditEntry.subject == f"webhook:{webhook.id}")
    actions = db.session.scalars(of_webhook.order_by(AuditEntry.seq)).all()
    assert actions == ["webhook.secret_rotated", "webhook.secret_removed"]


def test_others_find_no_webhook_to_rotate(program: Callable[[User], Program], cast: Cast, webhook: Webhook) -> None:
    for other in (cast.teammate, cast.stranger):
        foreign = program(other)
        for path in (f"/webhooks/{webhook.id}", "/webhooks/nothing"):
            assert foreign.post(f"{path}/rotations", {}).status_code == 404
            assert foreign.delete(f"{path}/secret").status_code == 404
    assert now_in(webhook) == (SECRET, None)


@pytest.mark.proves("W29")
def test_headers_are_taken_and_shown_by_name_alone(api: Program) -> None:
    created = api.post("/webhooks", {"name": "Orders", "url": URL, "headers": HEADERS})
    assert created.status_code == 201, created.text
    path = "/webhooks/" + created.json["id"]
    answers = [created, api.get(path), api.patch(path, {"name": "New"})]
    assert [answer.json["headers"] for answer in answers] == [MASKED] * 3
    assert not any(KEY in answer.text for answer in (*answers, api.get("/webhooks")))


def test_headers_are_kept_replaced_and_removed(api: Program) -> None:
    created = api.post("/webhooks", {"name": "Orders", "url": URL, "headers": HEADERS}).json
    webhook, path = db.session.get_one(Webhook, created["id"]), "/webhooks/" + created["id"]
    before = webhook.headers_ciphertext
    assert api.patch(path, {"headers": api.get(path).json["headers"]}).status_code == 200
    db.session.refresh(webhook)
    assert webhook.headers_ciphertext == before
    api.patch(path, {"headers": [{"name": "X-Api-Key"}, {"name": "X-New", "value": "1"}]})
    db.session.refresh(webhook)
    assert decrypt(webhook.headers_ciphertext or "") == f'[["X-Api-Key", "{KEY}"], ["X-New", "1"]]'
    wrong = api.patch(path, {"headers": [{"name": "X-New", "value": "2"}, {"name": "X-Team"}]})
    assert [error["field"] for error in wrong.json["errors"]] == ["headers.1.value"]
    assert api.patch(path, {"headers": []}).json["headers"] == []
    db.session.refresh(webhook)
    assert headers.names(webhook) == []


def test_another_host_clears_the_headers_and_the_answer_says_so(api: Program) -> None:
    path = "/webhooks/" + api.post("/webhooks", {"name": "Orders", "url": URL, "headers": HEADERS}).json["id"]
    answer = api.patch(path, {"url": "https://93.184.216.35/hooks"})
    assert (answer.status_code, answer.json["headers"]) == (200, [])
    (warning,) = answer.json["warnings"]
    assert warning["field"] == "headers"
    assert "X-Api-Key, X-Team" in warning["detail"]
