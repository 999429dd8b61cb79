"""What stands round the rows of the delivery log, and news for somebody who reads further down."""

from __future__ import annotations

import re

import pytest

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.page_checker import Page, check_page
from tests.web.test_deliveries import HTMX, ids
from webapp.models import DeliveryState, ErrorWord, Webhook, transaction, utc_now
from webapp.web import log_extras
from webapp.webhooks import log


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


@pytest.fixture
def webhook(make: Make, cast: Cast) -> Webhook:
    return make.webhook(by=cast.admin)


def ask(browser: Browser, page: Page, more: str) -> tuple[int, str]:
    """As somebody does who has scrolled down."""
    address = page.find("div", id="delivery-poller").attrs["hx-get"]
    marks = "".join(f"&row={field.attrs['value']}" for field in page.find_all("input", name="row"))
    answer = browser.get(f"{address}{marks}&away=1{more}", headers=HTMX)
    return answer.status_code, answer.text


def test_new_rows_wait_while_somebody_reads_further_down(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    make.delivery(webhook)
    page = check_page(signed_in.get("/deliveries"))
    make.delivery(webhook)
    make.delivery(webhook)
    status, html = ask(signed_in, page, "&waiting=0")
    part = Page(html)
    assert status == 200
    assert ids(part) == []
    assert "2 new deliveries" in part.find("button", id="bring-new").text
    assert ask(signed_in, page, "&waiting=2")[0] == 204
    again = part.find("div", id="delivery-poller").attrs["hx-get"]
    assert len(ids(Page(signed_in.get(f"{again}&row={ids(page)[0][4:]}", headers=HTMX).text))) == 2


def test_the_head_of_a_webhooks_page_changes_with_its_deliveries(
    signed_in: Browser, make: Make, webhook: Webhook
) -> None:
    delivery = make.delivery(webhook, attempts_counted=1, next_attempt_at=utc_now(), last_status=500)
    page = check_page(signed_in.get(f"/settings/webhooks/{webhook.id}/deliveries"))
    everything = check_page(signed_in.get("/deliveries"))
    assert "Failing" in page.find("span", id="webhook-badges").text
    with transaction():
        delivery.state, delivery.next_attempt_at, delivery.settled_at = DeliveryState.SUCCEEDED, None, utc_now()
        delivery.last_status = 200
    status, html = ask(signed_in, page, "")
    assert status == 200
    assert "Failing" not in Page(html).find("span", id="webhook-badges").text
    assert "webhook-badges" not in ask(signed_in, everything, "")[1], "that page is of no single webhook"


def test_chips_lead_to_the_usual_states_and_count_them(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    make.delivery(webhook, state="failed")
    make.delivery(webhook, state="failed")
    make.delivery(webhook, attempts_counted=1, attempts_made=1)
    chips = check_page(signed_in.get("/deliveries?limit=50")).find("nav", id="log-chips")
    assert re.sub(r"\s+", " ", chips.text).strip() == "All Failed 2 Retrying 1 Waiting Held Stuck"
    page = check_page(signed_in.get("/deliveries?state=failed"))
    assert "aria-current" in page.find("a", id="chip-2").attrs
    assert len(ids(page)) == 2
    filtered = check_page(signed_in.get("/deliveries?kind=real"))
    assert "2" not in filtered.find("nav", id="log-chips").text


def test_many_are_not_counted_to_the_end(make: Make) -> None:
    assert log_extras._count(99) == "99"
    assert log_extras._count(100) == "99+"


def test_pending_ones_can_be_told_apart(signed_in: Browser, make: Make, cast: Cast, webhook: Webhook) -> None:
    paused = make.webhook(by=cast.admin)
    with transaction():
        paused.health.paused_at = utc_now()
    expected = {
        "waiting": make.delivery(webhook),
        "sending": make.delivery(webhook, lease_until=utc_now()),
        "retrying": make.delivery(webhook, attempts_counted=1, attempts_made=1),
        "paused": make.delivery(paused, attempts_counted=1, attempts_made=1),
    }
    for state, delivery in expected.items():
        assert ids(check_page(signed_in.get(f"/deliveries?state={state}"))) == [f"row-{delivery.seq}"]
    assert len(ids(check_page(signed_in.get("/deliveries?state=pending")))) == len(expected)


def test_a_look_that_ends_early_says_so_and_can_go_on(
    signed_in: Browser, make: Make, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = make.delivery(webhook, last_status=404)
    for _ in range(5):
        make.delivery(webhook, last_status=200)
    monkeypatch.setattr(log, "LOOK", 3)
    monkeypatch.setattr(log, "MIN_LOOK", 3)
    page = check_page(signed_in.get("/deliveries?response=4xx"))
    assert "No deliveries match so far" in page.text
    further = check_page(signed_in.get(page.links["Look further back"]))
    assert ids(further) == [f"row-{wanted.seq}"]


def test_a_filter_by_time_is_not_live(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    make.delivery(webhook, state="succeeded")
    page = check_page(signed_in.get("/deliveries?until=2999-01-01T00:00"))
    assert "Live is off: the time filter ends in the past." in page.text


def test_the_filters_are_carried_over_to_a_replay(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    make.delivery(webhook, state="failed", last_error=ErrorWord.TIMED_OUT, settled_at=utc_now())
    make.delivery(webhook, state="failed", last_status=500, settled_at=utc_now())
    log_page = f"/settings/webhooks/{webhook.id}/deliveries"
    page = check_page(signed_in.get(f"{log_page}?state=failed&error=timed_out"))
    counted = check_page(signed_in.get(page.links["Retry all that match…"]))
    assert "1 delivery matches" in counted.text
    server_errors = check_page(signed_in.get(f"{log_page}?state=failed&response=5xx&event=TODO_CREATED"))
    assert "1 delivery matches" in check_page(signed_in.get(server_errors.links["Retry all that match…"])).text
    assert "2 deliveries match" in check_page(signed_in.get(check_page(signed_in.get(log_page)).links["Replay…"])).text
    everywhere = check_page(signed_in.get("/deliveries?state=failed"))
    assert "Retry all that match…" not in everywhere.links
    chosen = check_page(signed_in.get(f"/deliveries?state=failed&webhook={webhook.id}"))
    assert "2 deliveries match" in check_page(signed_in.get(chosen.links["Retry all that match…"])).text
    for query in ("state=held", "state=waiting", "kind=tests", "q=dlv_1"):
        assert "Retry all that match…" not in check_page(signed_in.get(f"{log_page}?{query}")).links


def test_a_wish_that_arrives_twice_sends_once(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state="failed", attempts_made=3)
    address = f"/settings/webhooks/{webhook.id}/deliveries/{delivery.id}/redeliveries"
    late = signed_in.post(address, data={"attempts": "2"}, headers=HTMX)
    assert late.status_code == 422
    assert "It was sent again meanwhile." in late.text
    assert signed_in.post(address, data={"attempts": "3"}, headers=HTMX).status_code == 200


def test_the_log_says_how_much_is_shown_and_kept(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    make.delivery(webhook)
    text = check_page(signed_in.get(f"/settings/webhooks/{webhook.id}/deliveries")).text
    for words in ("Showing 1.", "Oldest kept:", "Kept for 30 days."):
        assert words in text
