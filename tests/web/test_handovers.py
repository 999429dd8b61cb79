from __future__ import annotations

import pytest

from tests.page_checker import check_page
from webapp.models import Role
from webapp.webhooks import handover


@pytest.fixture
def webhook(cast, make):
    return make.webhook(by=cast.admin, name="Orders")


@pytest.fixture
def heir(cast, make):
    person = make.user(name="Grace")
    make.member(make.project_of(cast.admin), person, Role.ADMIN)
    return person


def test_a_webhook_is_offered_and_accepted(client, cast, webhook, heir):
    client.sign_in(cast.admin)
    url = f"/settings/webhooks/{webhook.id}/handover"
    page = check_page(client.get(url))
    assert [option.attrs["value"] for option in page.find_all("option")] == [heir.id]
    assert client.post(url, data={"to_user_id": heir.id}).location == url
    assert "Offered to Grace." in check_page(client.get(url)).text
    client.sign_in(heir)
    page = check_page(client.get("/projects"))
    assert "Ada Admin offers you the webhook “Orders”." in page.text
    offer = page.links["Accept or refuse"]
    page = check_page(client.get(offer))
    assert webhook.url in page.text
    assert client.post(f"{offer}/acceptance").location == f"/settings/webhooks/{webhook.id}"
    check_page(client.get(f"/settings/webhooks/{webhook.id}"))
    assert "offers you" not in check_page(client.get("/projects")).text
    client.sign_in(cast.admin)
    assert client.get(f"/settings/webhooks/{webhook.id}").status_code == 404


def test_an_offer_is_refused_or_withdrawn(client, cast, webhook, heir):
    handover.offer(webhook, heir.id, by=cast.admin)
    client.sign_in(heir)
    assert client.post(f"/settings/handovers/{webhook.id}/refusal").location == "/settings/webhooks"
    assert client.get(f"/settings/handovers/{webhook.id}").status_code == 404
    handover.offer(webhook, heir.id, by=cast.admin)
    client.sign_in(cast.admin)
    client.post(f"/settings/webhooks/{webhook.id}/handover/withdrawal")
    assert handover.offers_to(heir) == []


def test_who_is_no_candidate_comes_back(client, cast, webhook, heir):
    client.sign_in(cast.admin)
    page = check_page(
        client.post(f"/settings/webhooks/{webhook.id}/handover", data={"to_user_id": cast.stranger.id}), 422
    )
    assert page.errors() == ["Choose somebody who administers the projects of this webhook."]


def test_without_a_candidate_the_page_says_what_to_do(client, cast, webhook):
    client.sign_in(cast.admin)
    page = check_page(client.get(f"/settings/webhooks/{webhook.id}/handover"))
    assert "Nobody else administers" in page.text


def test_for_others_there_is_nothing_to_hand_over_or_accept(client, cast, webhook, heir):
    handover.offer(webhook, heir.id, by=cast.admin)
    for person in (cast.teammate, cast.stranger):
        client.sign_in(person)
        assert client.get(f"/settings/webhooks/{webhook.id}/handover").status_code == 404
        assert client.post(f"/settings/webhooks/{webhook.id}/handover").status_code == 404
        assert client.post(f"/settings/webhooks/{webhook.id}/handover/withdrawal").status_code == 404
        assert client.get(f"/settings/handovers/{webhook.id}").status_code == 404
        for noun in ("acceptance", "refusal"):
            assert client.post(f"/settings/handovers/{webhook.id}/{noun}").status_code == 404
    assert webhook.created_by_id == cast.admin.id
