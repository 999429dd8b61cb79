"""Settings → Webhooks: list, form, one webhook, deletion, switching, pings, the check of a URL."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.page_checker import check_page, check_part
from webapp.extensions import db
from webapp.models import Delivery, DeliveryState, PayloadFormat, Webhook, transaction, utc_now
from webapp.models.base import decrypt

HTMX = {"HX-Request": "true"}
URL = "https://93.184.216.34/hooks"  # by number, so that no name is looked up
LIST = "/settings/webhooks"


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


@pytest.fixture
def webhook(make: Make, cast: Cast) -> Webhook:
    return make.webhook(by=cast.admin, url=URL)


def form(**values: object) -> dict[str, object]:
    return {
        "name": "Orders",
        "url": URL,
        "which_secret": "generated",
        "enabled": "y",
        "which_events": "all",
        "which_projects": "all",
        "payload_format": "full",
        **values,
    }


def only_webhook() -> Webhook:
    return db.session.scalars(sa.select(Webhook)).one()


def test_an_empty_list_offers_the_one_next_step(signed_in: Browser) -> None:
    page = check_page(signed_in.get(LIST))
    assert page.h1 == "Webhooks"
    assert "No webhooks yet" in page.text
    assert page.links["Add webhook"] == f"{LIST}/new"


def test_who_administers_nothing_is_told_whom_to_ask(client: Browser, cast: Cast) -> None:
    page = check_page(client.sign_in(cast.teammate).get(LIST))
    assert "Ask one of: Ada Admin." in page.text
    assert "Add webhook" not in page.links
    assert client.get(f"{LIST}/new").status_code == 403
    assert client.post(LIST, data=form()).status_code == 403
    assert db.session.scalars(sa.select(Webhook)).all() == []


def test_the_list_shows_status_marks_and_figures(signed_in: Browser, make: Make, cast: Cast, webhook: Webhook) -> None:
    unsigned = make.webhook(
        by=cast.admin, name="Short", secret=None, payload_format=PayloadFormat.COMPACT, events=["TODO_MOVED"]
    )
    make.attempt(make.delivery(webhook, state=DeliveryState.SUCCEEDED))
    make.delivery(unsigned, state=DeliveryState.HELD)
    page = check_page(signed_in.get(LIST))
    healthy = page.find("tr", id=f"webhook-{webhook.id}").text
    assert "Healthy" in healthy
    assert "100 %" in healthy
    short = page.find("tr", id=f"webhook-{unsigned.id}").text
    for words in ("New", "Unsigned", "Compact", "1 held", "1 of 37"):
        assert words in short


def test_signed_out_people_are_sent_to_sign_in(client: Browser, webhook: Webhook) -> None:
    for path in (LIST, f"{LIST}/new", f"{LIST}/{webhook.id}", "/deliveries"):
        answer = client.get(path)
        assert answer.status_code == 303
        assert answer.location.startswith("/login")


def test_the_form_offers_37_events_in_6_groups_and_ones_own_projects(
    signed_in: Browser, make: Make, cast: Cast
) -> None:
    own, foreign = make.project_of(cast.admin), make.project_of(cast.stranger)
    page = check_page(signed_in.get(f"{LIST}/new"))
    assert len(page.find_all("input", name="events")) == 37
    groups = page.find(id="event-groups").find_all("fieldset")
    assert len([each for each in groups if "data-group" in each.attrs]) == 6
    assert [box.attrs["value"] for box in page.find_all("input", name="project_ids")] == [own.id]
    assert foreign.name not in page.text


def test_a_new_webhook_shows_its_secret_once(signed_in: Browser) -> None:
    answer = signed_in.post(LIST, data=form())
    webhook = only_webhook()
    assert (answer.status_code, answer.location) == (303, f"{LIST}/{webhook.id}/created")
    secret = decrypt(webhook.secret_ciphertext or "")
    assert secret in check_page(signed_in.get(answer.location)).text
    again = signed_in.get(answer.location)
    assert (again.status_code, again.location) == (303, f"{LIST}/{webhook.id}")
    for path in (LIST, f"{LIST}/{webhook.id}", f"{LIST}/{webhook.id}/settings", "/deliveries"):
        assert secret not in signed_in.get(path).text


def test_another_person_never_sees_the_new_secret(signed_in: Browser, app: Flask, cast: Cast) -> None:
    address = signed_in.post(LIST, data=form()).location
    other = app.test_client()
    assert isinstance(other, Browser)
    assert other.sign_in(cast.stranger).get(address).status_code == 404


def test_a_webhook_with_chosen_events_projects_and_an_own_secret(signed_in: Browser, make: Make, cast: Cast) -> None:
    project = make.project_of(cast.admin)
    values = form(
        which_events="chosen",
        events=["TODO_CREATED", "TODO_DELETED"],
        which_projects="chosen",
        project_ids=[project.id],
        which_secret="chosen",
        secret="my own secret text",
        payload_format="compact",
    )
    assert signed_in.post(LIST, data=values).status_code == 303
    webhook = only_webhook()
    assert (webhook.events, webhook.project_ids) == (["TODO_CREATED", "TODO_DELETED"], [project.id])
    assert decrypt(webhook.secret_ciphertext or "") == "my own secret text"
    assert webhook.payload_format is PayloadFormat.COMPACT


def test_an_unsigned_disabled_webhook(signed_in: Browser) -> None:
    values = form(which_secret="none")
    del values["enabled"]
    answer = signed_in.post(LIST, data=values)
    webhook = only_webhook()
    assert answer.location == f"{LIST}/{webhook.id}"
    page = check_page(signed_in.get(answer.location))
    assert "Unsigned" in page.h1
    assert "Disabled" in page.h1


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"name": ""}, "Enter a name."),
        ({"url": "https://10.0.0.1/"}, "private or reserved address"),
        ({"url": "nonsense"}, "not a complete URL"),
        ({"which_events": "chosen"}, "Choose at least one event."),
        ({"which_projects": "chosen"}, "Choose at least one project."),
        ({"which_secret": "chosen"}, "Enter a secret, or choose None."),
        ({"which_secret": "chosen", "secret": "short"}, "16"),
        ({"which_events": "chosen", "events": ["NO_SUCH"]}, "NO_SUCH"),
        ({"which_projects": "chosen", "project_ids": ["foreign"]}, "foreign"),
        ({"payload_format": "xml"}, ""),
        ({"which_secret": "weird"}, ""),
    ],
)
def test_a_wrong_value_comes_back_at_its_field_with_the_rest_kept(
    signed_in: Browser, values: dict[str, object], error: str
) -> None:
    answer = signed_in.post(LIST, data=form(**{"name": "Kept", **values}))
    page = check_page(answer, 422)
    assert any(error in each for each in page.errors())
    assert page.find_all(role="alert")
    if "name" not in values:
        assert page.find("input", name="name").attrs["value"] == "Kept"
    assert db.session.scalars(sa.select(Webhook)).all() == []


def test_all_that_is_wrong_is_told_at_once(signed_in: Browser) -> None:
    values = form(
        name="", url="https://10.0.0.1/", which_events="chosen", which_projects="chosen", which_secret="chosen"
    )
    page = check_page(signed_in.post(LIST, data=values), 422)
    assert len(page.errors()) == 5


def test_a_wrong_own_secret_is_not_sent_back(signed_in: Browser) -> None:
    answer = signed_in.post(LIST, data=form(which_secret="chosen", secret="tooshort"))
    assert "tooshort" not in answer.text


def test_an_inbox_and_the_catalogue_fill_in_the_form(signed_in: Browser) -> None:
    page = check_page(signed_in.get(f"{LIST}/new?url=https://example.com/x&event=TODO_MOVED&event=NO"))
    assert page.find("input", name="url").attrs["value"] == "https://example.com/x"
    assert [box.attrs["value"] for box in page.find_all("input", name="events") if "checked" in box.attrs] == [
        "TODO_MOVED"
    ]


def test_editing_saves_and_shows_the_webhook(signed_in: Browser, webhook: Webhook) -> None:
    page = check_page(signed_in.get(f"{LIST}/{webhook.id}/settings"))
    assert page.find("input", name="name").attrs["value"] == "Orders"
    assert not page.find_all("input", name="secret")
    answer = signed_in.post(f"{LIST}/{webhook.id}", data=form(name="Invoices"))
    assert answer.location == f"{LIST}/{webhook.id}"
    assert check_page(signed_in.get(answer.location)).h1.startswith("Invoices")


def test_a_wrong_edit_keeps_what_was_typed(signed_in: Browser, webhook: Webhook) -> None:
    page = check_page(signed_in.post(f"{LIST}/{webhook.id}", data=form(name="Typed", url="https://10.0.0.1/")), 422)
    assert page.find("input", name="name").attrs["value"] == "Typed"
    assert webhook.name == "Orders"


def test_switching_on_while_editing_saves_the_rest_and_says_why_it_stays_off(
    signed_in: Browser, webhook: Webhook
) -> None:
    with transaction():
        webhook.enabled, webhook.disabled_because, webhook.disabled_at = False, "owner", utc_now()
    signed_in.post(f"{LIST}/{webhook.id}", data=form(name="Saved"))
    assert (webhook.name, webhook.enabled) == ("Saved", False)
    assert "no worker is running" in check_page(signed_in.get(f"{LIST}/{webhook.id}")).text


def test_disabling_and_the_failed_try_to_enable_are_told_on_the_page(
    signed_in: Browser, make: Make, webhook: Webhook
) -> None:
    make.delivery(webhook)
    signed_in.post(f"{LIST}/{webhook.id}/activation", data={"enabled": "0"})
    page = check_page(signed_in.get(f"{LIST}/{webhook.id}"))
    assert "Disabled" in page.h1
    assert "Switched off by you" in page.text
    assert "1 delivery is held." in page.text
    signed_in.post(f"{LIST}/{webhook.id}/activation", data={"enabled": "1"})
    assert "Still off: no worker is running" in check_page(signed_in.get(f"{LIST}/{webhook.id}")).text


def test_deleting_asks_first_and_then_the_webhook_is_gone(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    make.delivery(webhook)
    page = check_page(signed_in.get(f"{LIST}/{webhook.id}/delete"))
    assert "1 delivery" in page.text
    answer = signed_in.post(f"{LIST}/{webhook.id}/delete", data={"name": webhook.name})
    assert answer.location == LIST
    assert signed_in.get(f"{LIST}/{webhook.id}").status_code == 404
    assert "Cancelled" in check_page(signed_in.get("/deliveries")).text


def test_a_ping_shows_its_result_in_place(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    part = check_part(signed_in.post(f"{LIST}/{webhook.id}/pings", headers=HTMX))
    assert "Sending…" in part.text
    delivery = db.session.scalars(sa.select(Delivery)).one()
    address = part.find("div", id="ping-result").attrs["hx-get"]
    with transaction():
        delivery.state, delivery.last_status, delivery.last_ms = DeliveryState.SUCCEEDED, 204, 142.0
    result = check_part(signed_in.get(address, headers=HTMX))
    assert "Ping delivered in 142 ms." in result.text
    assert "hx-get" not in result.find("div", id="ping-result").attrs


def test_a_failed_ping_says_why_and_what_to_do(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, kind="ping", state="failed", last_error="connect_refused")
    answer = signed_in.get(f"{LIST}/{webhook.id}/pings/{delivery.id}", headers=HTMX)
    assert answer.headers["HX-Trigger"] == "live:refresh", "the rest of the page learns of it at once"
    result = check_part(answer)
    assert "connect_refused" in result.text
    assert "Nobody listens at that port. Start the receiver" in result.text


def test_a_ping_works_without_htmx(signed_in: Browser, webhook: Webhook) -> None:
    answer = signed_in.post(f"{LIST}/{webhook.id}/pings")
    assert (answer.status_code, answer.location) == (303, f"{LIST}/{webhook.id}")
    page = check_page(signed_in.get(answer.location))
    assert "The test ping is on its way." in page.text
    assert "Test ping" not in page.title


def test_too_many_pings_are_refused_in_place(signed_in: Browser, webhook: Webhook) -> None:
    for _ in range(10):
        signed_in.post(f"{LIST}/{webhook.id}/pings", headers=HTMX)
    part = check_part(signed_in.post(f"{LIST}/{webhook.id}/pings", headers=HTMX), 422)
    assert "At most 10 pings and tests a minute." in part.text


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (URL, ""),
        ("https://10.0.0.1/", "private or reserved"),
        ("http://example.com/", "not encrypted"),
        ("http://127.0.0.1:9000/", "ask the operator to open it"),
        ("http://localhost:9000/", "ask the operator to open it"),
        ("https://user:pw@example.com/", "user name"),
    ],
)
def test_a_url_is_checked_while_typing_with_the_words_of_saving(signed_in: Browser, url: str, words: str) -> None:
    part = check_part(signed_in.post(f"{LIST}/url-checks", data={"url": url}, headers=HTMX))
    assert words in part.text
    assert bool(part.errors()) == bool(words)


def test_url_checks_are_limited(minute_begins: None, signed_in: Browser) -> None:
    answers = [signed_in.post(f"{LIST}/url-checks", data={"url": URL}, headers=HTMX) for _ in range(31)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429]
    assert int(answers[-1].headers["Retry-After"]) <= 61


ROUTES = [
    ("GET", ""),
    ("GET", "/settings"),
    ("GET", "/created"),
    ("GET", "/delete"),
    ("GET", "/deliveries/news"),
    ("POST", ""),
    ("POST", "/delete"),
    ("POST", "/activation"),
    ("POST", "/pings"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_others_get_404_and_change_nothing(
    client: Browser, cast: Cast, webhook: Webhook, method: str, path: str
) -> None:
    for other in (cast.teammate, cast.stranger):
        client.sign_in(other)
        answer = client.open(f"{LIST}/{webhook.id}{path}", method=method, data=form(enabled="0"), headers=HTMX)
        missing = client.open(f"{LIST}/nothing{path}", method=method, data=form(enabled="0"), headers=HTMX)
        assert (answer.status_code, missing.status_code) == (404, 404)
    assert (webhook.name, webhook.enabled, webhook.deleted_at) == ("Orders", True, None)
    assert db.session.scalars(sa.select(Delivery)).all() == []


def test_foreign_text_is_shown_as_text(signed_in: Browser, make: Make, cast: Cast) -> None:
    webhook = make.webhook(by=cast.admin, name="<script>alert(1)</script>{{7*7}}")
    for path in (LIST, f"{LIST}/{webhook.id}", f"{LIST}/{webhook.id}/settings", f"{LIST}/{webhook.id}/delete"):
        html = signed_in.get(path).text
        assert "<script>alert(1)" not in html
        assert "{{7*7}}" in html
