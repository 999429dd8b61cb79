from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.page_checker import check_page
from webapp.accounts import tokens
from webapp.extensions import db
from webapp.models import ApiToken


@pytest.fixture
def ada(cast, client):
    client.sign_in(cast.admin)
    return cast.admin


def test_without_tokens_the_page_says_what_they_are_for(client, ada, make):
    page = check_page(client.get("/settings/api"))
    assert "No tokens yet" in page.text
    assert "http://localhost/api/v1" in page.text
    assert make.project_of(ada).id in page.text


@pytest.mark.proves("W21")
def test_a_token_is_shown_once_and_works(client, ada):
    answer = client.post("/settings/api", data={"name": "Shop", "expires_in_days": "90"})
    text = check_page(answer, 201).find("input", id="token").attrs["value"]
    assert "no-store" in answer.headers["Cache-Control"]
    assert tokens.find(text).user_id == ada.id
    page = check_page(client.get("/settings/api"))
    assert "Shop" in page.text
    assert text[37:] not in page.html


@pytest.mark.parametrize("values", [{"name": ""}, {"name": "n" * 101}, {"name": "Shop", "expires_in_days": "31"}])
def test_a_wrong_token_is_told_and_not_made(client, ada, values):
    page = check_page(client.post("/settings/api", data=values), 422)
    assert len(page.errors()) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ApiToken)) == 0


def test_a_token_is_revoked_after_a_question(client, ada):
    token, text = tokens.create(ada, "Shop")
    url = f"/settings/api/{token.id}/revocation"
    assert "stop working at once" in check_page(client.get(url)).text
    assert tokens.find(text).user_id == ada.id
    assert client.post(url).location == "/settings/api"
    assert tokens.find(text) is None
    assert "No tokens yet" in check_page(client.get("/settings/api")).text


def test_other_peoples_tokens_are_not_there(client, cast, ada):
    token, text = tokens.create(cast.teammate, "Shop")
    for send in (client.get, client.post):
        assert send(f"/settings/api/{token.id}/revocation").status_code == 404
    assert tokens.find(text).user_id == cast.teammate.id
