"""The rows of a webhook's form in which its own headers are entered."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from tests.conftest import Browser, Cast
from tests.page_checker import Page, check_page
from webapp.extensions import db
from webapp.models import Webhook
from webapp.models.base import decrypt
from webapp.webhooks import editing
from webapp.webhooks.editing import WebhookValues

URL = "https://93.184.216.34/hooks"
KEY = "the key of the receiver"
LIST = "/settings/webhooks"


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


@pytest.fixture
def webhook(cast: Cast) -> Webhook:
    rows = [("X-Api-Key", KEY), ("X-Team", "blue")]
    return editing.create(WebhookValues(name="Orders", url=URL, headers=rows), by=cast.admin).webhook


def form(*rows: tuple[str, str], **values: object) -> dict[str, object]:
    return {
        "name": "Orders",
        "url": URL,
        "which_secret": "generated",
        "enabled": "y",
        "which_events": "all",
        "which_projects": "all",
        "payload_format": "full",
        "header_name": [name for name, _ in rows],
        "header_value": [value for _, value in rows],
        **values,
    }


def stored(webhook: Webhook) -> list[list[str]]:
    db.session.refresh(webhook)
    return json.loads(decrypt(webhook.headers_ciphertext)) if webhook.headers_ciphertext else []


def shown(page: Page) -> list[tuple[str, str]]:
    names, values = page.find_all("input", name="header_name"), page.find_all("input", name="header_value")
    return [
        (name.attrs.get("value", ""), value.attrs.get("value", "")) for name, value in zip(names, values, strict=True)
    ]


def is_open(page: Page) -> bool:
    return any("open" in each.attrs for each in page.find("section", **{"aria-labelledby": "advanced-heading"}).walk())


def test_a_new_form_has_one_empty_row_in_a_closed_part(signed_in: Browser) -> None:
    page = check_page(signed_in.get(f"{LIST}/new"))
    assert shown(page) == [("", "")]
    assert not is_open(page)


def test_headers_are_saved_with_a_new_webhook(signed_in: Browser) -> None:
    signed_in.post(LIST, data=form(("X-Api-Key", KEY), ("", ""), ("X-Team", "blue")))
    webhook = db.session.scalars(sa.select(Webhook)).one()
    assert stored(webhook) == [["X-Api-Key", KEY], ["X-Team", "blue"]]


def test_stored_values_are_not_in_the_form_and_an_empty_one_keeps_them(signed_in: Browser, webhook: Webhook) -> None:
    page = check_page(signed_in.get(f"{LIST}/{webhook.id}/settings"))
    assert shown(page) == [("X-Api-Key", ""), ("X-Team", ""), ("", "")]
    assert "2 headers" in page.text
    assert KEY not in page.html
    signed_in.post(f"{LIST}/{webhook.id}", data=form(("X-Api-Key", ""), ("X-Team", "red"), ("", "")))
    assert stored(webhook) == [["X-Api-Key", KEY], ["X-Team", "red"]]
    signed_in.post(f"{LIST}/{webhook.id}", data=form(("X-Team", ""), ("", "")))
    assert stored(webhook) == [["X-Team", "red"]]


def test_a_form_without_the_part_leaves_them_alone(signed_in: Browser, webhook: Webhook) -> None:
    values = form(name="Renamed")
    del values["header_name"], values["header_value"]
    signed_in.post(f"{LIST}/{webhook.id}", data=values)
    assert len(stored(webhook)) == 2
    assert webhook.name == "Renamed"


def test_a_row_is_added_without_saving_and_nothing_that_was_typed_is_lost(signed_in: Browser, webhook: Webhook) -> None:
    sent = form(("X-Api-Key", ""), ("X-New", "typed"), name="Typed", add_header="1")
    page = check_page(signed_in.post(f"{LIST}/{webhook.id}", data=sent))
    assert shown(page) == [("X-Api-Key", ""), ("X-New", "typed"), ("", "")]
    assert is_open(page)
    assert page.find("input", name="name").attrs["value"] == "Typed"
    assert "data-focus" in page.find_all("input", name="header_name")[-1].attrs
    again = check_page(signed_in.post(f"{LIST}/{webhook.id}", data=form(("", ""), add_header="1")))
    assert shown(again) == [("", ""), ("", "")]
    assert (webhook.name, len(stored(webhook))) == ("Orders", 2)


def test_a_row_is_removed_without_saving(signed_in: Browser, webhook: Webhook) -> None:
    sent = form(("X-Api-Key", ""), ("X-Team", ""), remove_header="0")
    assert shown(check_page(signed_in.post(f"{LIST}/{webhook.id}", data=sent))) == [("X-Team", "")]
    last = check_page(signed_in.post(LIST, data=form(("X-Team", "blue"), remove_header="0")))
    assert shown(last) == [("", "")]
    assert len(stored(webhook)) == 2


def test_there_is_no_twenty_first_row(signed_in: Browser) -> None:
    rows = [(f"X-{number}", "v") for number in range(20)]
    page = check_page(signed_in.post(LIST, data=form(*rows, add_header="1")))
    assert len(shown(page)) == 20
    assert not page.find_all("button", name="add_header")


def test_enter_in_a_field_saves_and_adds_no_row(signed_in: Browser) -> None:
    page = check_page(signed_in.get(f"{LIST}/new"))
    first = page.find("form", action=LIST).find_all("button")[0]
    assert "name" not in first.attrs


def test_what_is_wrong_is_told_at_its_row(signed_in: Browser) -> None:
    answer = signed_in.post(LIST, data=form(("", ""), ("X-Right", "v"), ("Host", "a"), ("X-Bad", "ümlaut")))
    page = check_page(answer, 422)
    assert page.errors() == [
        "This header is set by us.",
        "Only visible ASCII characters, with blanks or tabs between them. No line feeds.",
    ]
    assert page.find("div", id="header-name-1-error").text == "This header is set by us."
    assert page.find("input", id="header-value-2").attrs["aria-invalid"] == "true"
    assert page.find_all(role="alert")
    assert is_open(page)
    many = check_page(signed_in.post(LIST, data=form(*[(f"X-{number}", "v") for number in range(21)])), 422)
    assert many.errors() == ["At most 20 headers."]


def test_another_host_clears_them_and_the_next_page_says_so(signed_in: Browser, webhook: Webhook) -> None:
    sent = form(("X-Api-Key", ""), ("X-Team", "red"), url="https://93.184.216.35/hooks")
    answer = signed_in.post(f"{LIST}/{webhook.id}", data=sent)
    assert "these headers were removed: X-Api-Key." in check_page(signed_in.get(answer.location)).text
    assert stored(webhook) == [["X-Team", "red"]]
