"""The CSRF token of forms: masked anew in each answer, and still the one that Flask-WTF checks."""

from __future__ import annotations

import json

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Browser
from tests.factories import Make
from tests.page_checker import Page, check_page
from webapp.csrf import masked, unmasked

ASCII = st.text(st.characters(codec="ascii"), min_size=1, max_size=200)
FORM = "/preferences"


@pytest.fixture(autouse=True)
def _guarded(app: Flask, make: Make) -> None:
    """There is a person, so that the first-run page is behind us; and forms need a token here."""
    app.config["WTF_CSRF_ENABLED"] = True
    make.user()


def token_of(page: Page) -> str:
    return page.find_all("input", name="csrf_token")[0].attrs["value"]


def send(client: Browser, token: str) -> int:
    status: int = client.post(FORM, data={"theme": "dark", "csrf_token": token}).status_code
    return status


@given(ASCII)
def test_what_is_masked_comes_back(text: str) -> None:
    assert unmasked(masked(text)) == text


@given(st.text(st.characters(codec="ascii"), min_size=12, max_size=200))
def test_two_masks_of_a_text_differ_from_it_and_from_each_other(text: str) -> None:
    one, other = masked(text), masked(text)
    assert len({one, other, text}) == 3
    assert len(one) == len(other)


@given(st.text())
def test_unmasking_takes_any_text(text: str) -> None:
    found = unmasked(text)
    assert found is None or found.isascii()


def test_two_answers_have_nothing_of_a_token_in_common(client: Browser) -> None:
    one, other = (token_of(check_page(client.get("/docs"))) for _ in range(2))
    assert one != other
    assert not {one[at : at + 8] for at in range(len(one) - 8)} & {other[at : at + 8] for at in range(len(other) - 8)}


def test_all_forms_and_the_header_of_an_answer_have_one_token(client: Browser) -> None:
    page = check_page(client.get("/docs"))
    tokens = {field.attrs["value"] for field in page.find_all("input", name="csrf_token")}
    tokens.add(json.loads(page.find("body").attrs["hx-headers"])["X-CSRFToken"])
    assert len(tokens) == 1


def test_a_token_is_taken_from_the_form_and_from_the_header_again_and_again(client: Browser) -> None:
    token = token_of(check_page(client.get("/docs")))
    assert send(client, token) == 303
    assert send(client, token) == 303
    assert client.post(FORM, data={"theme": "dark"}, headers={"X-CSRFToken": token}).status_code == 303


def test_a_wrong_an_unmasked_and_a_foreign_token_are_refused(app: Flask, client: Browser) -> None:
    token = token_of(check_page(client.get("/docs")))
    foreign = token_of(check_page(app.test_client().get("/docs")))
    for wrong in ("", "x", "ä", token[:-4], token[::-1], unmasked(token) or "", masked("guess"), foreign):
        assert send(client, wrong) == 400, wrong
    assert send(client, token) == 303
