"""The page of held deliveries: count, choose, be asked once more before discarding."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.page_checker import check_page
from webapp.extensions import db
from webapp.models import Delivery, Webhook, transaction, utc_now


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


@pytest.fixture
def webhook(make: Make, cast: Cast) -> Webhook:
    return make.webhook(by=cast.admin)


@pytest.fixture
def held(make: Make, webhook: Webhook) -> list[Delivery]:
    return [hold(make, webhook, record) for record in ("a", "b", "a")]


def hold(make: Make, webhook: Webhook, record: str) -> Delivery:
    event = make.event(make.project_of(webhook.created_by), record_id=record, fanned_out_at=utc_now())
    return make.delivery(webhook, event, state="held", held_at=utc_now())


def chosen(page: Any, mode: str, **values: str) -> dict[str, str]:
    return {"mode": mode, "until_seq": page.find("input", name="until_seq").attrs["value"], **values}


def states(deliveries: list[Delivery]) -> list[str]:
    db.session.rollback()
    return [str(each.state) for each in deliveries]


def test_the_webhook_asks_for_the_decision_and_the_page_counts(
    signed_in: Browser, webhook: Webhook, held: list[Delivery]
) -> None:
    overview = check_page(signed_in.get(f"/settings/webhooks/{webhook.id}"))
    assert "3 older deliveries are still held" in overview.text
    page = check_page(signed_in.get(overview.links["Decide"]))
    for words in (
        "3 deliveries were held", "TODO_CREATED", "Send all 3", "Send only the newest (2)",
        "The other one is cancelled", "Discard all", "kept for 30 days",
    ):  # fmt: skip
        assert words in page.text


@pytest.mark.parametrize(("mode", "told"), [("all", "3 deliveries are on their way"), ("newest", "2 deliveries are")])
def test_what_is_chosen_is_done_and_the_log_shows_them(
    signed_in: Browser, webhook: Webhook, held: list[Delivery], mode: str, told: str
) -> None:
    page = check_page(signed_in.get(f"/settings/webhooks/{webhook.id}/held"))
    answer = signed_in.post(f"/settings/webhooks/{webhook.id}/releases", data=chosen(page, mode))
    assert answer.status_code == 303
    log = check_page(signed_in.get(answer.headers["Location"]))
    assert told in log.text
    assert len([row for row in log.find_all("tr") if row.attrs.get("id", "").startswith("row-")]) == 3
    assert set(states(held)) == ({"pending"} if mode == "all" else {"pending", "cancelled"})


def test_discarding_asks_once_more_and_leaves_what_was_held_later(
    signed_in: Browser, make: Make, webhook: Webhook, held: list[Delivery]
) -> None:
    address = f"/settings/webhooks/{webhook.id}"
    page = check_page(signed_in.get(f"{address}/held"))
    later = hold(make, webhook, "c")
    answer = signed_in.post(f"{address}/releases", data=chosen(page, "discard"))
    assert states([*held, later]) == ["held"] * 4
    question = check_page(signed_in.get(answer.headers["Location"]))
    assert question.h1 == "Discard 3 held deliveries?"
    assert "One more was held since you looked" in question.text
    done = signed_in.post(f"{address}/releases", data=chosen(question, "discard", is_sure="1"))
    log = check_page(signed_in.get(done.headers["Location"]))
    assert "3 deliveries were cancelled. One more was held meanwhile." in log.text
    assert states([*held, later]) == ["cancelled"] * 3 + ["held"]


def test_choosing_nothing_brings_the_page_back(signed_in: Browser, webhook: Webhook, held: list[Delivery]) -> None:
    page = check_page(signed_in.post(f"/settings/webhooks/{webhook.id}/releases", data={}), 422)
    assert "Choose one of these." in page.errors()
    assert states(held) == ["held"] * 3


def test_while_the_webhook_is_off_nothing_can_be_sent_but_discarded(
    signed_in: Browser, webhook: Webhook, held: list[Delivery]
) -> None:
    with transaction():
        webhook.enabled = False
    page = check_page(signed_in.get(f"/settings/webhooks/{webhook.id}/held"))
    assert [each.attrs["value"] for each in page.find_all("input", name="mode")] == ["discard"]
    refused = signed_in.post(f"/settings/webhooks/{webhook.id}/releases", data=chosen(page, "all"))
    assert refused.status_code == 422
    assert states(held) == ["held"] * 3


def test_nothing_held_says_so(signed_in: Browser, webhook: Webhook) -> None:
    page = check_page(signed_in.get(f"/settings/webhooks/{webhook.id}/held"))
    assert "Nothing is held" in page.text
    gone = signed_in.post(f"/settings/webhooks/{webhook.id}/releases", data={"mode": "all", "until_seq": "0"})
    assert "Nothing was held any more" in check_page(signed_in.get(gone.headers["Location"])).text


def test_for_others_there_is_nothing(client: Browser, cast: Cast, webhook: Webhook, held: list[Delivery]) -> None:
    for other in (cast.teammate, cast.stranger):
        client.sign_in(other)
        address = f"/settings/webhooks/{webhook.id}"
        assert client.get(f"{address}/held").status_code == client.get(f"{address}/held/discard").status_code == 404
        assert client.post(f"{address}/releases", data={"mode": "discard", "is_sure": "1"}).status_code == 404
    assert states(held) == ["held"] * 3


def test_a_number_beyond_all_deliveries_counts_as_the_last_one(
    signed_in: Browser, webhook: Webhook, held: list[Delivery]
) -> None:
    huge = "9" * 30
    assert signed_in.get(f"/settings/webhooks/{webhook.id}/held/discard?until_seq={huge}").status_code == 200
    done = signed_in.post(f"/settings/webhooks/{webhook.id}/releases", data={"mode": "all", "until_seq": huge})
    assert done.status_code == 303
    assert states(held) == ["pending", "pending", "pending"]
