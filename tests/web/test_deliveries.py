"""The delivery log, live."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
import time_machine

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.page_checker import Page, check_page, check_part
from webapp.extensions import db
from webapp.models import DeliveryState, ErrorWord, Redelivery, Webhook, transaction, utc_now

HTMX = {"HX-Request": "true"}


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


@pytest.fixture
def webhook(make: Make, cast: Cast) -> Webhook:
    return make.webhook(by=cast.admin)


def ids(page: Page) -> list[str]:
    return [row.attrs["id"] for row in page.find_all("tr") if row.attrs.get("id", "").startswith("row-")]


def ask(browser: Browser, page: Page) -> tuple[int, str]:
    """Ask for news as the page would: its cursor, its rows."""
    poller = page.find("div", id="delivery-poller")
    marks = [field.attrs["value"] for field in page.find_all("input", name="row")]
    separator = "&" if "?" in poller.attrs["hx-get"] else "?"
    address = poller.attrs["hx-get"] + separator + "&".join(f"row={mark}" for mark in marks)
    answer = browser.get(address, headers=HTMX)
    return answer.status_code, answer.text


def test_the_log_shows_state_event_response_time_and_attempt(
    signed_in: Browser, make: Make, cast: Cast, webhook: Webhook
) -> None:
    make.delivery(webhook, state="failed", last_status=500, last_ms=2100.0, attempts_made=3, attempts_counted=3)
    make.delivery(webhook, attempts_made=2, attempts_counted=2, last_error=ErrorWord.TIMED_OUT)
    make.delivery(webhook, kind="ping", state="succeeded", last_status=204, last_ms=88.0, attempts_made=1)
    page = check_page(signed_in.get(f"/settings/webhooks/{webhook.id}/deliveries"))
    ping, retrying, failed = [page.find("tr", id=each).text for each in ids(page)]
    for words in ("Failed", "Record created", "TODO_CREATED", "500", "2.1 s", "3 of 10", "Retry"):
        assert words in failed
    for words in ("Retrying 3 of 10", "timed_out"):
        assert words in retrying
    for words in ("Delivered", "Ping", "204", "88 ms", "Send again"):
        assert words in ping
    assert make.project_of(cast.admin).name in failed


def test_pages_lead_to_each_other(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    for _ in range(26):
        make.delivery(webhook, state="succeeded")
    first = check_page(signed_in.get("/deliveries"))
    assert len(ids(first)) == 25
    older = check_page(signed_in.get(first.links["Older"]))
    assert len(ids(older)) == 1
    assert ids(check_page(signed_in.get(older.links["Newer"]))) == ids(first)


def test_an_empty_log_and_a_filter_that_matches_nothing_look_different(
    signed_in: Browser, make: Make, webhook: Webhook
) -> None:
    assert "No deliveries yet" in check_page(signed_in.get("/deliveries")).text
    make.delivery(webhook)
    page = check_page(signed_in.get("/deliveries?state=failed"))
    assert "No deliveries match" in page.text
    assert page.links["Clear filters"] == "/deliveries"


@pytest.mark.parametrize(
    "query",
    [
        "state=nonsense",
        "event=NO",
        "since=yesterday",
        "limit=7",
        "before=abc",
        "after=-1",
        "before=99999999999999999999",
    ],
)
def test_filters_that_cannot_be_read_do_not_restrict(
    signed_in: Browser, make: Make, webhook: Webhook, query: str
) -> None:
    make.delivery(webhook)
    assert len(ids(check_page(signed_in.get(f"/deliveries?{query}")))) == 1


def test_filters_are_kept_in_the_form_and_in_the_links(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    for _ in range(26):
        make.delivery(webhook, state="failed", last_status=503)
    page = check_page(signed_in.get("/deliveries?state=failed&response=5xx"))
    assert "state=failed" in page.links["Older"]
    assert "response=5xx" in page.links["Older"]
    chosen = [option.attrs["value"] for option in page.find_all("option") if "selected" in option.attrs]
    assert {"failed", "5xx"} <= set(chosen)


def test_nothing_new_is_204(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    make.delivery(webhook)
    page = check_page(signed_in.get("/deliveries"))
    assert ask(signed_in, page) == (204, "")


def test_a_new_row_and_a_changed_row_arrive_alike_to_those_of_the_page(
    signed_in: Browser, make: Make, webhook: Webhook
) -> None:
    first = make.delivery(webhook)
    page = check_page(signed_in.get("/deliveries"))
    second = make.delivery(webhook, state="succeeded", last_status=200)
    with transaction():
        first.state, first.last_status, first.next_attempt_at = DeliveryState.SUCCEEDED, 202, None
    with time_machine.travel(utc_now(), tick=False):  # "1 second ago" may not become two in between
        status, html = ask(signed_in, page)
        later = Page(signed_in.get("/deliveries").text)
    assert status == 200
    part = Page(html)
    assert ids(part) == [f"row-{second.seq}", f"row-{first.seq}"]
    assert "202" in part.find("tr", id=f"row-{first.seq}").text
    for row in ids(part):
        assert part.find("tr", id=row).text == later.find("tr", id=row).text


def test_the_poller_that_comes_back_asks_on_from_the_newest(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    make.delivery(webhook)
    page = check_page(signed_in.get(f"/settings/webhooks/{webhook.id}/deliveries"))
    newest = make.delivery(webhook)
    _, html = ask(signed_in, page)
    assert f"after={newest.seq}" in Page(html).find("div", id="delivery-poller").attrs["hx-get"]


def test_the_first_row_of_an_empty_log_brings_the_whole_log(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    page = check_page(signed_in.get("/deliveries"))
    make.delivery(webhook)
    poller = page.find("div", id="delivery-poller").attrs["hx-get"]
    answer = signed_in.get(poller, headers=HTMX)
    assert answer.headers["HX-Retarget"] == "#delivery-log"
    assert len(ids(check_part(answer))) == 1


def test_a_log_that_has_grown_long_begins_anew(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    make.delivery(webhook)
    page = check_page(signed_in.get("/deliveries"))
    for _ in range(51):
        make.delivery(webhook)
    poller = page.find("div", id="delivery-poller").attrs["hx-get"]
    answer = signed_in.get(f"{poller}&row=1", headers=HTMX)
    assert answer.headers["HX-Retarget"] == "#delivery-log"
    assert len(ids(check_part(answer))) == 25


def test_a_settled_page_of_the_past_asks_no_more(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    make.delivery(webhook, state="succeeded")
    page = check_page(signed_in.get("/deliveries?until=2999-01-01T00:00"))
    assert "hx-get" not in page.find("div", id="delivery-poller").attrs


def test_retry_in_a_row_answers_with_the_row(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state="failed")
    address = f"/settings/webhooks/{webhook.id}/deliveries/{delivery.id}/redeliveries"
    part = check_part(signed_in.post(address, headers=HTMX))
    assert ids(part) == [f"row-{delivery.seq}"]
    assert "disabled" in part.find("button").attrs
    assert "." in part.find("input", name="row").attrs["value"]
    assert db.session.scalars(sa.select(Redelivery)).one().delivery_seq == delivery.seq
    again = check_part(signed_in.post(address, headers=HTMX), 422)
    assert "somebody asked for that already" in again.text


def test_retry_works_without_htmx_and_leads_back(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state="failed")
    page = f"/settings/webhooks/{webhook.id}/deliveries/{delivery.id}"
    assert signed_in.post(f"{page}/redeliveries").location == page
    assert "It is being sent again." in check_page(signed_in.get(page)).text
    answer = signed_in.post(f"{page}/redeliveries", data={"next": "/deliveries"})
    assert answer.location == "/deliveries"
    assert "somebody asked for that already" in check_page(signed_in.get("/deliveries")).text


def test_a_row_of_a_disabled_webhook_offers_no_retry_and_says_why(signed_in: Browser, make: Make, cast: Cast) -> None:
    webhook = make.webhook(by=cast.admin, enabled=False)
    make.delivery(webhook, state="held")
    page = check_page(signed_in.get(f"/settings/webhooks/{webhook.id}/deliveries"))
    button = page.find("button", id=f"{ids(page)[0]}-retry")
    assert "disabled" in button.attrs
    assert "Enable it first" in button.attrs["title"]


def test_others_get_404(client: Browser, make: Make, cast: Cast, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state="failed")
    make.attempt(delivery)
    page = f"/settings/webhooks/{webhook.id}/deliveries/{delivery.id}"
    for other in (cast.teammate, cast.stranger):
        client.sign_in(other)
        for path in (page, f"{page}/payload", f"{page}/attempts/1/answer"):
            assert client.get(path).status_code == 404
        assert client.post(f"{page}/redeliveries").status_code == 404
        assert delivery.id not in client.get("/deliveries").text
        foreign = client.get(f"/deliveries/news?after=0&top=1&row={delivery.seq}.x", headers=HTMX)
        assert foreign.status_code == 204
    assert db.session.scalars(sa.select(Redelivery)).all() == []
