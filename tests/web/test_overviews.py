"""The overview of a webhook: one state card, figures and charts of a span, causes, the latest deliveries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.page_checker import Page, check_page, check_part
from webapp.models import DeliveryState, ErrorWord, Webhook, WebhookStatus, transaction, utc_now
from webapp.models.webhook import DisabledBecause
from webapp.webhooks.activation import CheckOutcome, HealthCheck

HTMX = {"HX-Request": "true"}
LIST = "/settings/webhooks"


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


@pytest.fixture
def webhook(make: Make, cast: Cast) -> Webhook:
    return make.webhook(by=cast.admin, name="Orders")


def overview(client: Browser, webhook: Webhook, query: str = "") -> Page:
    return check_page(client.get(f"{LIST}/{webhook.id}{query}"))


def cards(page: Page) -> list[str]:
    return [element.attrs["data-card"] for element in page.root.walk() if "data-card" in element.attrs]


def buttons(page: Page) -> list[str]:
    state = page.find(id="webhook-state")
    return [each.text for each in (*state.find_all("a", class_="btn"), *state.find_all("button"))]


def switch_off(webhook: Webhook, because: DisabledBecause, **values: Any) -> None:
    with transaction():
        webhook.enabled, webhook.disabled_at, webhook.disabled_because = False, utc_now(), because
        if because is not DisabledBecause.OWNER:
            webhook.status = WebhookStatus.UNHEALTHY
        for name, value in values.items():
            setattr(webhook, name, value)


def pause(webhook: Webhook, failures: int = 5, **values: Any) -> None:
    with transaction():
        webhook.health.failures_in_a_row, webhook.health.last_outcome = failures, "503"
        webhook.health.first_failure_at = webhook.health.paused_at = utc_now() - timedelta(days=3)
        webhook.health.probe_at = utc_now() + timedelta(minutes=4)
        for name, value in values.items():
            setattr(webhook.health, name, value)


def test_a_new_one_offers_a_ping_and_a_healthy_one_has_no_card(
    signed_in: Browser, make: Make, webhook: Webhook
) -> None:
    page = overview(signed_in, webhook)
    assert (cards(page), buttons(page)) == (["new"], ["Send test ping"])
    make.attempt(make.delivery(webhook, state="succeeded"))
    assert cards(overview(signed_in, webhook)) == []


def test_switched_off_by_its_owner(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    make.delivery(webhook, state="held")
    switch_off(webhook, DisabledBecause.OWNER)
    page = overview(signed_in, webhook)
    assert cards(page) == ["off"]
    assert "1 delivery is held." in page.text
    assert set(buttons(page)) == {"Check and enable", "Discard held…"}


def test_disabled_by_failures_tells_how_many_and_offers_the_check(signed_in: Browser, webhook: Webhook) -> None:
    pause(webhook, 23, last_outcome="timed_out")
    switch_off(webhook, DisabledBecause.FAILURES)
    page = overview(signed_in, webhook)
    assert cards(page) == ["failures"]
    assert "5 days without a success, 23 failed attempts (last: timed_out)" in page.text


def test_a_failed_check_says_why_and_leads_to_its_request(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    check = make.delivery(webhook, kind="health_check", state="failed", last_error=ErrorWord.CONNECT_REFUSED)
    kept = HealthCheck(CheckOutcome.FAILED, utc_now(), check.id, None, ErrorWord.CONNECT_REFUSED).kept()
    switch_off(webhook, DisabledBecause.GONE, health_check=kept)
    page = overview(signed_in, webhook)
    assert cards(page) == ["check_failed"]
    assert "Nobody listens at that port." in page.text
    assert page.links["Request and answer"].endswith(f"/deliveries/{check.id}")
    assert set(buttons(page)) == {"Try again", "Edit the URL"}


def test_paused_with_something_that_waits_can_be_tried_now(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    oldest, _ = make.delivery(webhook, attempts_counted=1), make.delivery(webhook)
    pause(webhook)
    page = overview(signed_in, webhook)
    assert cards(page) == ["paused"]
    assert "2 deliveries are waiting and none is lost." in page.text
    assert "Try now" in buttons(page)
    assert page.find(id="overview").attrs["hx-trigger"].startswith("every 2s,")
    actions = [form.attrs["action"] for form in page.find(id="webhook-state").find_all("form")]
    assert actions == [f"{LIST}/{webhook.id}/deliveries/{oldest.id}/redeliveries"]
    answer = signed_in.post(actions[0], data={"next": f"{LIST}/{webhook.id}"})
    assert (answer.status_code, answer.location) == (303, f"{LIST}/{webhook.id}")


def test_near_to_being_disabled_goes_before_the_pause(signed_in: Browser, webhook: Webhook) -> None:
    pause(webhook, 14, warned_at=utc_now())
    page = overview(signed_in, webhook)
    assert cards(page) == ["disabling_near"]
    assert "14 of 20 failed attempts, 3 of 5 days (last: 503)." in page.text


def test_held_and_stuck_are_told_beside_the_card(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    make.delivery(webhook, state=DeliveryState.HELD)
    assert cards(overview(signed_in, webhook)) == ["held"]
    make.delivery(webhook, state=DeliveryState.STUCK)
    page = overview(signed_in, webhook)
    assert cards(page) == ["stuck"]
    assert "1 older delivery is still held." in page.text
    assert page.links["Decide"].endswith("/held")


def test_figures_charts_and_causes(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    for _ in range(3):
        make.attempt(make.delivery(webhook, state="succeeded"), total_ms=142.0)
    make.attempt(make.delivery(webhook, attempts_counted=1), status=503, total_ms=20.0)
    make.attempt(make.delivery(webhook, attempts_counted=1), status=None, error=ErrorWord.TIMED_OUT, total_ms=20_000.0)
    page = overview(signed_in, webhook)
    assert "60 %" in page.find(id="figures").text
    assert "3 delivered and 2 failed" in page.find(id="bars-words").text
    assert len(page.find(id="chart-table").find_all("tr")) >= 2
    causes = page.find(id="causes")
    assert "1 × timed_out" in causes.text.replace("_ ", "_")
    links = {link.text: link.attrs["href"] for link in causes.find_all("a")}
    assert links["503"].endswith("/deliveries?kind=real&response=5xx")
    assert any(each.endswith("/deliveries?kind=real&error=timed_out") for each in links.values())
    assert len(page.find(id="latest").find_all("tr")) == 6


def test_only_the_chosen_span_is_counted(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state="succeeded")
    make.attempt(delivery, claimed_at=utc_now() - timedelta(days=10))
    assert "No attempts in this time." in overview(signed_in, webhook).text
    page = overview(signed_in, webhook, "?span=30d")
    assert "100 %" in page.find(id="figures").text
    assert page.find(id="span-30d").attrs["aria-current"] == "true"
    assert page.find(id="overview").attrs["hx-get"].endswith("?span=30d")
    assert overview(signed_in, webhook, "?span=odd").find(id="span-24h").attrs["aria-current"] == "true"


def test_the_page_asks_for_its_overview_with_the_badges(signed_in: Browser, webhook: Webhook) -> None:
    part = check_part(signed_in.get(f"{LIST}/{webhook.id}?span=7d", headers=HTMX))
    assert not part.find_all("h1")
    assert part.find(id="overview")
    assert 'hx-target="#webhook-badges"' in part.html


def test_another_person_gets_neither_page_nor_part(client: Browser, cast: Cast, webhook: Webhook) -> None:
    client.sign_in(cast.teammate)
    for headers in ({}, HTMX):
        assert client.get(f"{LIST}/{webhook.id}", headers=headers).status_code == 404
