"""The list of webhooks: filters and order in the address, refreshing, the switch of each row."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.page_checker import Page, check_page, check_part
from webapp.models import DeliveryState, transaction, utc_now
from webapp.webhooks.activation import CheckOutcome, HealthCheck

HTMX = {"HX-Request": "true"}
LIST = "/settings/webhooks"


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


def names(page: Page) -> list[str]:
    return [row.find("a").text for row in page.find_all("tr") if row.attrs.get("id", "").startswith("webhook-")]


def test_text_status_and_project_restrict(signed_in: Browser, make: Make, cast: Cast) -> None:
    project, other = make.project_of(cast.admin), make.project(owner=cast.admin)
    make.webhook(by=cast.admin, name="Chat", url="https://chat.example.com/in", project_ids=[project.id])
    make.webhook(by=cast.admin, name="Billing", enabled=False)
    make.webhook(by=cast.admin, name="Audit", project_ids=[other.id])
    assert names(check_page(signed_in.get(LIST))) == ["Audit", "Billing", "Chat"]
    assert names(check_page(signed_in.get(f"{LIST}?q=CHAT.example"))) == ["Chat"]
    assert names(check_page(signed_in.get(f"{LIST}?status=disabled"))) == ["Billing"]
    assert names(check_page(signed_in.get(f"{LIST}?project={other.id}"))) == ["Audit", "Billing"]
    page = check_page(signed_in.get(f"{LIST}?q=chat&status=new"))
    assert page.find("input", id="q").attrs["value"] == "chat"
    assert page.find(id="webhook-list").attrs["hx-get"] == f"{LIST}?q=chat&status=new"


def test_nothing_that_fits_offers_to_clear_the_filters(signed_in: Browser, make: Make, cast: Cast) -> None:
    make.webhook(by=cast.admin)
    page = check_page(signed_in.get(f"{LIST}?q=nowhere"))
    assert "No webhooks match" in page.text
    assert page.links["Clear filters"] == LIST


def test_what_cannot_be_read_does_not_restrict(signed_in: Browser, make: Make, cast: Cast) -> None:
    make.webhook(by=cast.admin, name="Orders")
    assert names(check_page(signed_in.get(f"{LIST}?status=broken&project=none&sort=odd"))) == ["Orders"]


def test_by_last_delivery_and_by_failures(signed_in: Browser, make: Make, cast: Cast) -> None:
    early, late, never = (make.webhook(by=cast.admin, name=name) for name in ("Early", "Late", "Never"))
    make.attempt(make.delivery(early, created_at=utc_now() - timedelta(hours=2), state="failed"), status=500)
    make.attempt(make.delivery(late, state="succeeded"))
    assert never.id
    assert names(check_page(signed_in.get(f"{LIST}?sort=last"))) == ["Late", "Early", "Never"]
    assert names(check_page(signed_in.get(f"{LIST}?sort=failures"))) == ["Early", "Late", "Never"]


def test_the_page_asks_for_its_list_alone(signed_in: Browser, make: Make, cast: Cast) -> None:
    make.webhook(by=cast.admin, name="Orders")
    part = check_part(signed_in.get(LIST, headers=HTMX))
    assert names(part) == ["Orders"]
    assert not part.find_all("h1")


def test_the_last_day_is_drawn(signed_in: Browser, make: Make, cast: Cast) -> None:
    webhook = make.webhook(by=cast.admin)
    make.attempt(make.delivery(webhook, state="succeeded"))
    make.attempt(make.delivery(webhook, state="failed"), status=500)
    row = check_page(signed_in.get(LIST)).find("tr", id=f"webhook-{webhook.id}")
    assert "50 %" in row.text
    assert (len(row.find_all("rect", class_="chart-good")), len(row.find_all("rect", class_="chart-bad"))) == (1, 1)


def test_the_switch_is_a_form_and_answers_htmx_with_the_row(signed_in: Browser, make: Make, cast: Cast) -> None:
    webhook = make.webhook(by=cast.admin, name="Orders")
    page = check_page(signed_in.get(LIST))
    switch = page.find("button", id=f"switch-{webhook.id}")
    assert (switch.attrs["role"], switch.attrs["aria-checked"]) == ("switch", "true")
    path = f"{LIST}/{webhook.id}/activation"
    row = check_part(signed_in.post(path, data={"enabled": "0"}, headers=HTMX))
    assert row.find("button", id=f"switch-{webhook.id}").attrs["aria-checked"] == "false"
    assert "Disabled" in row.text
    row = check_part(signed_in.post(path, data={"enabled": "1"}, headers=HTMX))
    assert "Still off: no worker is running" in row.text
    assert "Still off" in check_page(signed_in.get(LIST)).text


def test_without_htmx_the_switch_leads_back_to_the_list(signed_in: Browser, make: Make, cast: Cast) -> None:
    webhook = make.webhook(by=cast.admin)
    answer = signed_in.post(f"{LIST}/{webhook.id}/activation", data={"enabled": "0", "next": LIST})
    assert (answer.status_code, answer.location) == (303, LIST)


def test_a_webhook_that_is_on_has_no_trouble_left(signed_in: Browser, make: Make, cast: Cast) -> None:
    webhook = make.webhook(by=cast.admin)
    with transaction():
        webhook.health_check = HealthCheck(CheckOutcome.NO_WORKER, utc_now()).kept()
    assert "Still off" not in check_page(signed_in.get(LIST)).text


def test_a_ping_from_the_list_names_its_webhook(signed_in: Browser, make: Make, cast: Cast) -> None:
    webhook = make.webhook(by=cast.admin, name="Orders")
    answer = signed_in.post(f"{LIST}/{webhook.id}/pings", data={"with_name": "1"}, headers=HTMX)
    part = check_part(answer)
    assert part.text.startswith("Orders: Sending…")
    again = check_part(signed_in.get(part.find(id="ping-result").attrs["hx-get"], headers=HTMX))
    assert again.text.startswith("Orders:")


def test_long_names_and_foreign_text_are_only_text(signed_in: Browser, make: Make, cast: Cast) -> None:
    make.webhook(by=cast.admin, name="<b>" * 33, url="https://example.com/" + "a" * 2000)
    page = check_page(signed_in.get(LIST))
    assert names(page) == ["<b>" * 33]
    make.delivery(make.webhook(by=cast.admin), state=DeliveryState.HELD)
    assert "1 held" in check_page(signed_in.get(LIST)).text
