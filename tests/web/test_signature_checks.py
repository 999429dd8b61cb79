"""The workbench on the Signature tab: what it answers, and what it never tells."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from tests.conftest import Browser, Cast
from tests.factories import SECRET, Make
from tests.page_checker import check_page, check_part
from webapp.delivery import signing
from webapp.extensions import db
from webapp.models import AuditEntry, Webhook, utc_now
from webapp.webhooks import log

HTMX = {"HX-Request": "true"}
BODY = '{"event":"TODO_CREATED"}'
RIGHT = signing.signature(BODY.encode(), SECRET)


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


@pytest.fixture
def webhook(make: Make, cast: Cast) -> Webhook:
    return make.webhook(by=cast.admin)


@pytest.fixture
def path(webhook: Webhook) -> str:
    return f"/settings/webhooks/{webhook.id}/signature"


def test_the_verdict_comes_in_place_and_as_a_page(signed_in: Browser, path: str) -> None:
    pasted = {"body": BODY, "headers": f"X-Signature: {RIGHT}"}
    for page in (
        check_part(signed_in.post(f"{path}/check", data=pasted, headers=HTMX)),
        check_page(signed_in.post(f"{path}/check", data=pasted)),
    ):
        result = page.find(id="check-result").text
        assert "X-Signature Right, with the current secret" in result
        assert "webhook-signature Not among the headers" in result
        assert page.find("textarea", name="body").text == BODY


def test_a_wrong_one_says_why_and_never_what_would_be_right(signed_in: Browser, path: str) -> None:
    other = "0" * 64
    pasted = {"body": BODY, "headers": f"X-Signature: {other}\r\nwebhook-id: dlv_a\r\nwebhook-timestamp: 1764000000"}
    answer = signed_in.post(f"{path}/check", data={**pasted, "secret": ""}, headers=HTMX)
    page = check_part(answer)
    assert "Wrong The body or the secret is another one." in page.find(id="check-result").text
    assert RIGHT not in answer.text
    assert signing.standard_signature("dlv_a", 1764000000, BODY.encode(), SECRET) not in answer.text
    assert SECRET not in answer.text


def test_a_typed_secret_is_not_sent_back(signed_in: Browser, path: str) -> None:
    own = "a secret of my own"
    pasted = {"body": BODY, "headers": signing.signature(BODY.encode(), own), "secret": own}
    answer = signed_in.post(f"{path}/check", data=pasted)
    assert "Right, with the typed secret" in check_page(answer).text
    assert own not in answer.text


def test_what_is_missing_stands_at_its_field(signed_in: Browser, path: str) -> None:
    page = check_page(signed_in.post(f"{path}/check", data={"body": "", "headers": "Host: x"}), 422)
    assert page.errors() == ["Paste the body.", "Paste at least one of the headers X-Signature and webhook-signature."]
    assert page.find("textarea", name="headers").text == "Host: x"


def test_nothing_that_was_pasted_is_kept(signed_in: Browser, path: str) -> None:
    signed_in.post(f"{path}/check", data={"body": BODY, "headers": f"X-Signature: {RIGHT}"})
    assert db.session.scalars(sa.select(AuditEntry)).all() == []
    assert BODY not in check_page(signed_in.get(path)).find("textarea", name="body").text


def test_the_last_delivery_fills_the_form_and_is_right(
    signed_in: Browser, make: Make, webhook: Webhook, path: str
) -> None:
    assert check_page(signed_in.get(f"{path}/check?fill=last")).find("textarea", name="body").text == ""
    delivery = make.delivery(webhook, state="succeeded")
    made = signing.headers(
        delivery_id=delivery.id,
        event_word="TODO_CREATED",
        event_id="evt_a",
        attempt_number=1,
        body=log.body(delivery),
        timestamp=int(utc_now().timestamp()),
        keys=[signing.Keys.of(SECRET)],
    )
    make.attempt(delivery, request_headers=[*map(list, made), ["X-Key", "•••"]])
    for page in (
        check_part(signed_in.get(f"{path}/check?fill=last", headers=HTMX)),
        check_page(signed_in.get(f"{path}/check?fill=last")),
    ):
        pasted = {name: page.find("textarea", name=name).text for name in ("body", "headers")}
        assert "X-Key" not in pasted["headers"]
        pasted["headers"] = pasted["headers"].replace(" webhook-", "\nwebhook-").replace(" X-", "\nX-")
        result = check_part(signed_in.post(f"{path}/check", data=pasted, headers=HTMX)).find(id="check-result")
        assert result.text.count("Right, with the current secret") == 2
    with time_machine.travel(utc_now() + timedelta(minutes=6)):
        result = check_part(signed_in.post(f"{path}/check", data=pasted, headers=HTMX)).find(id="check-result")
    assert result.text.count("Right, with the current secret") == 2
    assert "more than 5 minutes old. A receiver that keeps to the five minutes would refuse it now." in result.text


def test_a_body_as_large_as_an_event_can_be_checked(signed_in: Browser, path: str) -> None:
    large = '{"text":"' + '"' * 200_000 + '"}'
    pasted = {"body": large, "headers": signing.signature(large.encode(), SECRET)}
    assert "Right" in check_part(signed_in.post(f"{path}/check", data=pasted, headers=HTMX)).text


def test_foreign_text_comes_back_as_text(signed_in: Browser, path: str) -> None:
    evil = "</textarea><script>alert(1)</script>"
    answer = signed_in.post(f"{path}/check", data={"body": evil, "headers": f"X-Signature: {evil}"})
    assert "<script>alert(1)" not in answer.text
    assert check_page(answer).find("textarea", name="body").text == evil
