"""The Test tab: choose an example, edit it, send it, and see the answer in place."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.page_checker import check_page, check_part
from webapp.delivery.event_types import HEALTH_CHECK, event_types
from webapp.extensions import db
from webapp.models import Delivery, DeliveryKind, DeliveryState, PayloadFormat, Webhook, transaction
from webapp.webhooks import log, samples

HTMX = {"HX-Request": "true"}
LIST = "/settings/webhooks"
MOVED = {"event": "TODO_MOVED", "previous_value": '{"title": "a"}', "current_value": '{"title": "b"}'}


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


@pytest.fixture
def webhook(make: Make, cast: Cast) -> Webhook:
    return make.webhook(by=cast.admin)


@pytest.fixture
def path(webhook: Webhook) -> str:
    return f"{LIST}/{webhook.id}"


def only_delivery() -> Delivery:
    return db.session.scalars(sa.select(Delivery)).one()


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_the_tab_begins_with_what_the_webhook_sends_first(
    signed_in: Browser, make: Make, cast: Cast, path: str
) -> None:
    page = check_page(signed_in.get(f"{path}/test"))
    assert page.title.startswith("Test - Orders - ")
    assert page.find("input", name="event").attrs["value"] == "TODO_CREATED"
    assert "do not count for its health. At most 10 a minute." in page.text
    lists = make.webhook(by=cast.admin, events=["TODO_LIST_CREATED", "TODO_CREATED"])
    page = check_page(signed_in.get(f"{LIST}/{lists.id}/test"))
    assert page.find("input", name="event").attrs["value"] == "TODO_LIST_CREATED"


@pytest.mark.parametrize("payload_format", PayloadFormat)
@pytest.mark.parametrize("code", [HEALTH_CHECK, *event_types(None)])
def test_each_example_is_shown_as_it_would_be_sent(
    signed_in: Browser, make: Make, cast: Cast, code: str, payload_format: PayloadFormat
) -> None:
    webhook = make.webhook(by=cast.admin, payload_format=payload_format)
    page = check_page(signed_in.get(f"{LIST}/{webhook.id}/test?event={code}"))
    draft = samples.Draft(None, None) if code == HEALTH_CHECK else samples.example(code)
    names = {each.attrs["name"] for each in page.find_all("textarea")}
    assert names == {
        name for name, value in (("previous_value", draft.previous), ("current_value", draft.current)) if value
    }
    values = {"event": code, "previous_value": draft.previous or "", "current_value": draft.current or ""}
    signed_in.post(f"{LIST}/{webhook.id}/tests", data=values, headers=HTMX)
    body = log.body(only_delivery())
    assert page.find(id="test-bytes").find("pre").text == body.decode()
    assert squeezed(page.find(id="test-body").text) == squeezed(json.dumps(json.loads(body), ensure_ascii=False))


def test_a_type_that_there_is_not_shows_the_usual_one(signed_in: Browser, path: str) -> None:
    page = check_page(signed_in.get(f"{path}/test?event=UNICORN_SEEN"))
    assert page.find("input", name="event").attrs["value"] == "TODO_CREATED"


def test_edited_values_are_sent_and_stay_in_the_fields(signed_in: Browser, path: str) -> None:
    page = check_page(signed_in.post(f"{path}/tests", data=MOVED, headers=HTMX))
    assert "Sending…" in page.find(id="test-result").text
    assert "open" in page.find(class_="code-fields").attrs
    assert json.loads(page.find("textarea", name="current_value").text) == {"title": "b"}
    delivery = only_delivery()
    assert (delivery.kind, delivery.event_type) == (DeliveryKind.TEST, "TODO_MOVED")
    body = json.loads(log.body(delivery))
    assert (body["previousValue"], body["currentValue"]) == ({"title": "a"}, {"title": "b"})


def test_json_that_does_not_parse_comes_back_with_its_line_and_nothing_is_sent(signed_in: Browser, path: str) -> None:
    broken = '{"title": "b",\r\n"x": 1,\r\n"y": 2\r\n"z": 3}'
    page = check_page(signed_in.post(f"{path}/tests", data={**MOVED, "current_value": broken}), 422)
    assert page.errors() == ["This is not valid JSON (line 4)."]
    assert page.find("textarea", name="current_value").attrs["aria-invalid"] == "true"
    assert page.find("textarea", name="current_value").text == '{"title": "b", "x": 1, "y": 2 "z": 3}'
    assert "open" in page.find(class_="code-fields").attrs
    assert db.session.scalars(sa.select(Delivery)).all() == []


def test_the_preview_follows_the_values(signed_in: Browser, path: str) -> None:
    part = check_part(signed_in.post(f"{path}/tests/preview", data=MOVED, headers=HTMX))
    assert (
        part.find(id="test-bytes")
        .find("pre")
        .text.endswith('"previousValue":{"title":"a"},"currentValue":{"title":"b"}}')
    )
    part = check_part(signed_in.post(f"{path}/tests/preview", data={**MOVED, "previous_value": "{"}, headers=HTMX))
    assert "This is not valid JSON (line 1)." in part.text
    page = check_page(signed_in.post(f"{path}/tests/preview", data=MOVED))
    assert '"currentValue":{"title":"b"}' in squeezed(page.find(id="test-body").text)
    assert db.session.scalars(sa.select(Delivery)).all() == []


def test_a_plain_ping_is_one_of_the_choices(signed_in: Browser, path: str) -> None:
    page = check_page(signed_in.get(f"{path}/test?event={HEALTH_CHECK}"))
    assert page.find("button", id="send-test").text == "Send ping"
    signed_in.post(f"{path}/tests", data={"event": HEALTH_CHECK}, headers=HTMX)
    assert only_delivery().kind is DeliveryKind.PING


def test_the_result_is_asked_for_every_second_until_there_is_one(signed_in: Browser, make: Make, path: str) -> None:
    page = check_page(signed_in.post(f"{path}/tests", data=MOVED, headers=HTMX))
    result = page.find(id="test-result")
    assert result.attrs["hx-trigger"].startswith("every 1s")
    delivery = only_delivery()
    make.attempt(
        delivery,
        status=503,
        request_headers=[["X-Signature", "ab12"]],
        response_headers=[["Server", "till"]],
        response_body=b'{"error":"<b>full</b>"}',
    )
    with transaction():
        delivery.state, delivery.last_status, delivery.last_ms = DeliveryState.FAILED, 503, 142.0
    part = check_part(signed_in.get(result.attrs["hx-get"], headers=HTMX))
    for words in ("Failed", "503 Service Unavailable", "in 142 ms", "Error at the receiver.", "X-Signature: ab12"):
        assert words in part.text
    assert "Server: till" in part.text
    assert "<b>full</b>" in part.find(id="test-answer").text
    assert "hx-get" not in part.find(id="test-result").attrs
    assert part.links["Show the delivery"] == f"{path}/deliveries/{delivery.id}"


def test_it_works_without_scripts(signed_in: Browser, path: str) -> None:
    answer = signed_in.post(f"{path}/tests", data=MOVED)
    delivery = only_delivery()
    assert (answer.status_code, answer.location) == (303, f"{path}/tests/{delivery.id}")
    page = check_page(signed_in.get(answer.location))
    assert page.links["Look again"] == answer.location
    assert page.find("input", name="event").attrs["value"] == "TODO_MOVED"


def test_tests_run_while_the_webhook_is_disabled(signed_in: Browser, make: Make, cast: Cast) -> None:
    webhook = make.webhook(by=cast.admin, enabled=False)
    check_page(signed_in.get(f"{LIST}/{webhook.id}/test"))
    assert signed_in.post(f"{LIST}/{webhook.id}/tests", data=MOVED).status_code == 303
    assert only_delivery().state is DeliveryState.PENDING


def test_more_than_ten_a_minute_are_refused_in_words_and_the_values_stay(signed_in: Browser, path: str) -> None:
    for _ in range(10):
        assert signed_in.post(f"{path}/tests", data=MOVED, headers=HTMX).status_code == 200
    page = check_page(signed_in.post(f"{path}/tests", data=MOVED, headers=HTMX), 422)
    assert "At most 10 pings and tests a minute." in page.find(role="alert").text
    assert json.loads(page.find("textarea", name="current_value").text) == {"title": "b"}


def test_a_payload_may_be_as_large_as_an_event_and_no_larger(signed_in: Browser, path: str) -> None:
    large = json.dumps({"text": '"' * 100_000})
    assert signed_in.post(f"{path}/tests", data={**MOVED, "current_value": large}).status_code == 303
    too_large = json.dumps({"text": "a" * (257 * 1024)})
    page = check_page(signed_in.post(f"{path}/tests", data={**MOVED, "current_value": too_large}), 422)
    assert "The values are larger than 256 KiB." in page.find(role="alert").text
    assert signed_in.post(f"{path}/tests", data={**MOVED, "current_value": "a" * 1_100_000}).status_code == 413


@pytest.mark.parametrize(("method", "end"), [("GET", "/test"), ("POST", "/tests"), ("POST", "/tests/preview")])
def test_others_get_404_and_send_nothing(client: Browser, cast: Cast, path: str, method: str, end: str) -> None:
    for other in (cast.teammate, cast.stranger):
        client.sign_in(other)
        assert client.open(path + end, method=method, data=MOVED).status_code == 404
    assert db.session.scalars(sa.select(Delivery)).all() == []


def test_the_result_of_another_persons_test_is_not_there(client: Browser, make: Make, cast: Cast, path: str) -> None:
    delivery = make.delivery(make.webhook(by=cast.admin), kind="test", event_type="TODO_MOVED", sample=b"{}")
    client.sign_in(cast.stranger)
    assert client.get(f"{path}/tests/{delivery.id}").status_code == 404
