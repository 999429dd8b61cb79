"""The pages of a replay: how many, then go, then its progress and a way to stop."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.page_checker import check_page, check_part
from webapp.delivery import replaying
from webapp.extensions import db
from webapp.models import Redelivery, Replay, Webhook, transaction, utc_now

HTMX = {"HX-Request": "true"}
LONG_AGO = {"since": "2020-01-01T00:00"}


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


@pytest.fixture
def webhook(make: Make, cast: Cast) -> Webhook:
    return make.webhook(by=cast.admin)


@pytest.fixture
def address(webhook: Webhook) -> str:
    return f"/settings/webhooks/{webhook.id}/replays"


def settle(make: Make, webhook: Webhook, *states: str) -> None:
    for state in states:
        make.delivery(webhook, state=state, settled_at=utc_now(), attempts_made=1)


def asked(address: str, **values: Any) -> str:
    return f"{address}/new?{urlencode({**LONG_AGO, 'status': 'failed', **values}, doseq=True)}"


def test_the_page_begins_with_what_failed_since_yesterday(signed_in: Browser, webhook: Webhook, address: str) -> None:
    overview = check_page(signed_in.get(f"/settings/webhooks/{webhook.id}"))
    assert overview.links["Replay…"] == f"{address}/new"
    page = check_page(signed_in.get(f"{address}/new"))
    ticked = [each.attrs["value"] for each in page.find_all("input", name="status") if "checked" in each.attrs]
    assert ticked == ["failed"]
    assert page.find("input", name="since").attrs["value"]
    assert "match" not in page.text


def test_it_is_counted_first_and_nothing_is_sent(
    signed_in: Browser, make: Make, webhook: Webhook, address: str
) -> None:
    settle(make, webhook, "failed", "failed", "stuck", "succeeded")
    page = check_page(signed_in.get(asked(address, status=["failed", "stuck"])))
    assert "3 deliveries match" in page.text
    assert "Replay 3" in page.text
    assert "disabled" not in page.find("button", id="replay-them").attrs
    part = check_part(signed_in.get(asked(address), headers=HTMX))
    assert part.find("div", id="replay") is not None
    assert "2 deliveries match" in part.text
    assert db.session.scalars(sa.select(Replay)).all() == []


def test_what_was_counted_is_replayed(signed_in: Browser, make: Make, webhook: Webhook, address: str) -> None:
    settle(make, webhook, "failed", "stuck", "succeeded")
    page = check_page(signed_in.get(asked(address, status=["failed", "stuck"], events="TODO_CREATED")))
    form = page.find("form", method="post", action=address)
    sent = [(each.attrs["name"], each.attrs["value"]) for each in form.find_all("input", type="hidden")]
    data: dict[str, list[str]] = {}
    for name, value in sent:
        data.setdefault(name, []).append(value)
    answer = signed_in.post(address, data=data)
    assert answer.status_code == 303
    progress = check_page(signed_in.get(answer.headers["Location"]))
    assert progress.h1 == "Replay of 2 deliveries"
    for words in ("Running", "0 of 2", "No worker is running", "Failed, Stuck", "TODO_CREATED"):
        assert words in progress.text
    assert progress.find("progress").attrs == progress.find("progress").attrs | {"value": "0", "max": "2"}


def test_the_progress_asks_again_until_it_is_over(
    signed_in: Browser, make: Make, webhook: Webhook, address: str
) -> None:
    settle(make, webhook, "failed", "failed")
    place = signed_in.post(address, data={**LONG_AGO, "status": "failed"}).headers["Location"]
    replaying.advance()
    first, second = db.session.scalars(sa.select(Redelivery).order_by(Redelivery.seq))
    part = check_part(signed_in.get(place, headers=HTMX))
    assert part.find("section", id="replay-progress").attrs["hx-get"] == place
    for wish, status in ((first, 200), (second, 500)):
        make.attempt(wish.delivery, status=status, redelivery_seq=wish.seq)
        with transaction():
            wish.finished_at = utc_now()
    replaying.advance()
    part = check_part(signed_in.get(place, headers=HTMX))
    assert "hx-get" not in part.find("section", id="replay-progress").attrs
    for words in ("Done", "2 of 2", "Delivered 1", "Failed again 1"):
        assert words in part.text


def test_it_can_be_stopped(signed_in: Browser, make: Make, webhook: Webhook, address: str) -> None:
    settle(make, webhook, "failed")
    place = signed_in.post(address, data={**LONG_AGO, "status": "failed"}).headers["Location"]
    form = check_page(signed_in.get(place)).find("form", action=f"{place}/cancellation")
    answer = signed_in.post(form.attrs["action"])
    page = check_page(signed_in.get(answer.headers["Location"]))
    assert "Stopped" in page.text
    assert "What was not yet sent stays as it was." in page.text
    assert page.find_all("form", action=f"{place}/cancellation") == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"since": ""}, "Enter when it begins."),
        ({"until": "2019-01-01T00:00"}, "The end lies before the beginning."),
        ({"status": []}, "Choose at least one state."),
        ({"status": ["held"]}, "is not a valid choice"),
        ({"events": ["TODO_INVENTED"]}, "There is no event type TODO_INVENTED"),
    ],
)
def test_a_choice_that_makes_no_sense_comes_back(
    signed_in: Browser, address: str, values: dict[str, Any], words: str
) -> None:
    page = check_page(signed_in.get(asked(address, **values)), 422)
    assert any(words in error for error in page.errors()), page.errors()
    assert signed_in.post(address, data={**LONG_AGO, "status": "failed", **values}).status_code == 422


def test_with_no_match_a_disabled_webhook_or_a_running_replay_the_button_is_off(
    signed_in: Browser, make: Make, webhook: Webhook, address: str
) -> None:
    page = check_page(signed_in.get(asked(address)))
    assert "Nothing matches" in page.text
    assert "Choose another state or an earlier start." in page.text
    assert "disabled" in page.find("button", id="replay-them").attrs
    settle(make, webhook, "failed")
    signed_in.post(address, data={**LONG_AGO, "status": "failed"})
    page = check_page(signed_in.get(asked(address)))
    assert "A replay of this webhook is running" in page.text
    assert "disabled" in page.find("button", id="replay-them").attrs
    assert signed_in.post(address, data={**LONG_AGO, "status": "failed"}).status_code == 409
    with transaction():
        webhook.enabled = False
    page = check_page(signed_in.get(asked(address)))
    assert "The webhook is disabled" in page.text


def test_for_others_there_is_nothing(client: Browser, cast: Cast, make: Make, webhook: Webhook, address: str) -> None:
    settle(make, webhook, "failed")
    place = client.sign_in(cast.admin).post(address, data={**LONG_AGO, "status": "failed"}).headers["Location"]
    for other in (cast.teammate, cast.stranger):
        client.sign_in(other)
        assert client.get(f"{address}/new").status_code == client.get(place).status_code == 404
        assert client.post(address, data={**LONG_AGO, "status": "failed"}).status_code == 404
        assert client.post(f"{place}/cancellation").status_code == 404
    assert db.session.scalars(sa.select(Replay)).one().stopped_at is None
