from __future__ import annotations

import hashlib
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from webapp.accounts import tokens
from webapp.extensions import db
from webapp.models import ApiToken, Invalid, NotFound, transaction, utc_now


@pytest.mark.proves("W21")
def test_a_token_is_shown_once_and_kept_only_as_a_digest(make):
    ada = make.user()
    token, text = tokens.create(ada, "Shop")
    assert re.fullmatch(rf"pat_{token.id}_[A-Za-z0-9_-]{{43}}", text)
    secret = text.split("_", 2)[2]
    assert token.secret_sha256 == hashlib.sha256(secret.encode()).hexdigest()
    row = db.session.execute(sa.text("SELECT * FROM api_token")).one()
    assert not any(secret in str(value) for value in row)
    assert tokens.find(text).user_id == ada.id


def test_only_the_whole_token_opens(make):
    _, text = tokens.create(make.user(), "Shop")
    _, other = tokens.create(make.user(), "Shop")
    head, secret = text[:37], text[37:]
    for wrong in (
        "",
        text[:-1],
        text + "a",
        head + other[37:],
        other[:37] + secret,
        text.upper(),
        f" {text}",
        f"{text}\n",
    ):
        assert tokens.find(wrong) is None


def test_a_revoked_token_stops_at_once(make):
    ada = make.user()
    token, text = tokens.create(ada, "Shop")
    tokens.revoke(token, by=ada)
    revoked_at = token.revoked_at
    tokens.revoke(token, by=ada)
    assert tokens.find(text) is None
    assert token.revoked_at == revoked_at


def test_a_token_stops_at_its_end_and_is_listed_for_thirty_days_more(make):
    ada = make.user()
    token, text = tokens.create(ada, "Shop", 30)
    with time_machine.travel(utc_now() + timedelta(days=30)):
        assert tokens.find(text) is None
        assert tokens.of(ada) == [token]
    with time_machine.travel(utc_now() + timedelta(days=61)):
        assert tokens.of(ada) == []


def test_the_token_of_a_suspended_person_opens_nothing(make):
    ada = make.user()
    _, text = tokens.create(ada, "Shop")
    with transaction():
        ada.suspended_at = utc_now()
    assert tokens.find(text) is None


def test_the_last_use_is_noted_at_most_once_a_minute(make):
    token, text = tokens.create(make.user(), "Shop")
    with time_machine.travel(utc_now(), tick=False) as clock:
        first = utc_now()
        tokens.find(text)
        clock.shift(timedelta(seconds=59))
        tokens.find(text)
        assert token.last_used_at == first
        clock.shift(timedelta(seconds=2))
        tokens.find(text)
        assert token.last_used_at == first + timedelta(seconds=61)


def test_other_peoples_tokens_are_not_there(make):
    ada, grace = make.user(), make.user()
    token, _ = tokens.create(ada, "Shop")
    assert tokens.load(ada, token.id) is token
    assert tokens.of(grace) == []
    with pytest.raises(NotFound):
        tokens.load(grace, token.id)


@pytest.mark.parametrize(
    ("name", "days", "field"), [(" ", None, "name"), ("n" * 101, None, "name"), ("Shop", 31, "expires_in_days")]
)
def test_wrong_values_are_named_and_make_no_token(make, name, days, field):
    with pytest.raises(Invalid) as refused:
        tokens.create(make.user(), name, days)
    assert refused.value.field == field
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ApiToken)) == 0
