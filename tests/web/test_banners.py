"""Banners stand on every page until the cause is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.page_checker import check_page
from webapp.models import WebhookStatus, transaction, utc_now


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


def test_a_webhook_that_the_system_disabled_is_named_on_every_page(signed_in: Browser, make: Make, cast: Cast) -> None:
    make.webhook(
        by=cast.admin,
        name="Orders",
        enabled=False,
        status=WebhookStatus.UNHEALTHY,
        disabled_because="gone",
        disabled_at=utc_now(),
    )
    for path in ("/projects", "/settings/webhooks", "/settings/profile"):
        assert "Webhook “Orders” was disabled on" in check_page(signed_in.get(path)).text


def test_the_gravest_banner_stands_alone_and_the_others_open_below(signed_in: Browser, make: Make, cast: Cast) -> None:
    make.delivery(make.webhook(by=cast.admin))
    disabled = {"enabled": False, "status": WebhookStatus.UNHEALTHY, "disabled_because": "gone"}
    make.webhook(by=cast.admin, name="Old", disabled_at=utc_now() - timedelta(days=1), **disabled)
    make.webhook(by=cast.admin, name="Young", disabled_at=utc_now(), **disabled)
    banners = check_page(signed_in.get("/projects")).find(id="banners")
    assert banners.text.startswith("Webhook “Young” was disabled")
    more = banners.find("details")
    assert more.find("summary").text == "2 more"
    assert [each in more.text for each in ("“Old”", "worker is not running", "“Young”")] == [True, True, False]


def test_a_single_banner_needs_nothing_to_open(signed_in: Browser, make: Make, cast: Cast) -> None:
    make.delivery(make.webhook(by=cast.admin))
    assert not check_page(signed_in.get("/projects")).find(id="banners").find_all("details")


def test_one_that_its_owner_switched_off_needs_no_banner(signed_in: Browser, make: Make, cast: Cast) -> None:
    make.webhook(by=cast.admin, enabled=False, disabled_because="owner", disabled_at=utc_now())
    assert "was disabled" not in check_page(signed_in.get("/projects")).text


def test_the_day_of_the_disabling_is_told_before(signed_in: Browser, make: Make, cast: Cast) -> None:
    webhook = make.webhook(by=cast.admin, name="Orders")
    with transaction():
        webhook.health.failures_in_a_row = 12
        webhook.health.first_failure_at = utc_now() - timedelta(days=3)
        webhook.health.warned_at = utc_now()
    assert "Webhook “Orders” will be disabled on" in check_page(signed_in.get("/projects")).text


def test_deliveries_that_wait_for_a_missing_worker_are_told(signed_in: Browser, make: Make, cast: Cast) -> None:
    assert "worker is not running" not in check_page(signed_in.get("/projects")).text
    make.delivery(make.webhook(by=cast.admin))
    assert "Deliveries are waiting: the worker is not running." in check_page(signed_in.get("/projects")).text


def test_other_people_see_nothing_of_it(client: Browser, make: Make, cast: Cast) -> None:
    make.webhook(by=cast.admin, name="Orders", enabled=False, status=WebhookStatus.UNHEALTHY, disabled_at=utc_now())
    make.delivery(make.webhook(by=cast.admin))
    page = check_page(client.sign_in(cast.stranger).get("/projects"))
    assert "Orders" not in page.text
    assert "worker" not in page.text


@pytest.mark.parametrize("because", ["gone", "failures"])
def test_the_page_of_a_disabled_webhook_says_why(signed_in: Browser, make: Make, cast: Cast, because: str) -> None:
    webhook = make.webhook(
        by=cast.admin, enabled=False, status=WebhookStatus.UNHEALTHY, disabled_because=because, disabled_at=utc_now()
    )
    text = check_page(signed_in.get(f"/settings/webhooks/{webhook.id}")).text
    assert ("410 Gone" if because == "gone" else "without a success") in text


def test_the_page_of_a_paused_webhook_says_when_the_next_probe_goes_out(
    signed_in: Browser, make: Make, cast: Cast
) -> None:
    webhook = make.webhook(by=cast.admin)
    with transaction():
        webhook.health.failures_in_a_row = 5
        webhook.health.paused_at = utc_now()
        webhook.health.probe_at = utc_now() + timedelta(minutes=1)
        webhook.health.last_outcome = "503"
    page = check_page(signed_in.get(f"/settings/webhooks/{webhook.id}"))
    assert "Paused after 5 failures in a row (last: 503)" in page.text
    assert "Paused" in page.h1


def test_the_next_probe_waits_for_something_that_is_due(signed_in: Browser, make: Make, cast: Cast) -> None:
    webhook = make.webhook(by=cast.admin)
    with transaction():
        webhook.health.paused_at = utc_now() - timedelta(hours=1)
        webhook.health.probe_at = utc_now() - timedelta(minutes=14)
    path = f"/settings/webhooks/{webhook.id}"
    assert "Next probe" not in check_page(signed_in.get(path)).text
    make.delivery(webhook, next_attempt_at=utc_now() + timedelta(hours=2, minutes=1))
    assert "Next probe: in 2 hours" in check_page(signed_in.get(path)).text
