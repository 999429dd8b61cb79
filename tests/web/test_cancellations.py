"""The Cancel button of a delivery, and the stuck ones."""

from __future__ import annotations

import pytest

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.page_checker import check_page
from webapp.extensions import db
from webapp.models import DeliveryState, Webhook


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


@pytest.fixture
def webhook(make: Make, cast: Cast) -> Webhook:
    return make.webhook(by=cast.admin)


@pytest.mark.parametrize("state", ["pending", "held", "stuck"])
def test_an_open_delivery_is_cancelled_from_its_page(
    signed_in: Browser, make: Make, webhook: Webhook, state: str
) -> None:
    delivery = make.delivery(webhook, state=state)
    address = f"/settings/webhooks/{webhook.id}/deliveries/{delivery.id}"
    form = check_page(signed_in.get(address)).find("form", action=f"{address}/cancellation")
    answer = signed_in.post(form.attrs["action"])
    assert (answer.status_code, answer.headers["Location"]) == (303, address)
    page = check_page(signed_in.get(address))
    assert "It is cancelled and will not be sent." in page.text
    assert "Its owner cancelled it." in page.text
    assert page.find_all("form", action=f"{address}/cancellation") == []


def test_a_settled_one_has_no_button_and_says_why_not(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state="succeeded")
    address = f"/settings/webhooks/{webhook.id}/deliveries/{delivery.id}"
    assert check_page(signed_in.get(address)).find_all("form", action=f"{address}/cancellation") == []
    signed_in.post(f"{address}/cancellation")
    assert "It has been settled already." in check_page(signed_in.get(address)).text


def test_stuck_ones_are_shown_with_what_it_means_and_cancelled_in_the_log(
    signed_in: Browser, make: Make, webhook: Webhook
) -> None:
    make.delivery(webhook, state="succeeded")
    stuck = make.delivery(webhook, state="stuck", claims=5)
    overview = check_page(signed_in.get(f"/settings/webhooks/{webhook.id}"))
    assert "1 delivery is stuck" in overview.text
    log_address = overview.links["Show them"]
    log = check_page(signed_in.get(log_address))
    assert "A worker took these five times" in log.text
    action = f"/settings/webhooks/{webhook.id}/deliveries/{stuck.id}/cancellation"
    assert log.find("form", action=action) is not None
    answer = signed_in.post(action, data={"next": log_address})
    assert answer.headers["Location"] == log_address
    db.session.rollback()
    assert stuck.state is DeliveryState.CANCELLED


def test_for_others_there_is_no_such_delivery(client: Browser, cast: Cast, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook)
    for other in (cast.teammate, cast.stranger):
        client.sign_in(other)
        action = f"/settings/webhooks/{webhook.id}/deliveries/{delivery.id}/cancellation"
        assert client.post(action).status_code == 404
    db.session.rollback()
    assert delivery.state is DeliveryState.PENDING
