from __future__ import annotations

import pytest
import sqlalchemy as sa
import time_machine

from tests.factories import PASSWORD, Make
from tests.smtp_server import SmtpServer
from webapp.accounts import credentials, links, notices, operating, passwords
from webapp.extensions import db
from webapp.models import AuditEntry, Invalid, Notice, OneTimeLink, TooMany, utc_now

NEW = "four other unrelated words"


@pytest.fixture
def ada(make):
    return make.user(email="ada@example.com", name="Ada")


def test_a_new_password_needs_the_old_one_and_ends_all_sessions_and_links(make, ada):
    operating.give_link(ada, by=make.user(is_operator=True))
    key = ada.session_key
    for old, new, field in (("not the password", NEW, "old"), (PASSWORD, "short", "new")):
        with pytest.raises(Invalid) as refused:
            credentials.change_password(ada, old=old, new=new)
        assert refused.value.field == field
    assert ada.session_key == key
    credentials.change_password(ada, old=PASSWORD, new=NEW)
    assert ada.session_key != key
    assert passwords.is_right(NEW, ada.password_hash)
    assert db.session.scalar(sa.select(OneTimeLink)) is None


def test_the_old_password_is_guessed_ten_times_at_most(ada):
    with time_machine.travel(utc_now(), tick=False):
        for _ in range(10):
            with pytest.raises(Invalid):
                credentials.change_password(ada, old="wrong", new=NEW)
        with pytest.raises(TooMany):
            credentials.change_password(ada, old=PASSWORD, new=NEW)


def test_another_address_needs_the_password_and_must_be_free(make, ada):
    taken = make.user(email="grace@example.com")
    for email, password, field in (
        ("no address", PASSWORD, "email"),
        ("new@example.com", "wrong", "password"),
        (taken.email.upper(), PASSWORD, "email"),
    ):
        with pytest.raises(Invalid) as refused:
            credentials.change_email(ada, email, password=password)
        assert list(refused.value.fields) == [field]
    db.session.rollback()
    assert ada.email == "ada@example.com"
    credentials.change_email(ada, " NEW@example.com", password=PASSWORD)
    assert ada.email == "new@example.com"
    [entry] = db.session.scalars(sa.select(AuditEntry))
    assert entry.detail == {"email": ["ada@example.com", "new@example.com"]}


def test_the_same_address_changes_nothing(ada):
    credentials.change_email(ada, "Ada@example.com", password=PASSWORD)
    assert db.session.scalar(sa.select(Notice)) is None


def test_which_addresses_are_taken_is_asked_ten_times_at_most(make, ada):
    make.user(email="grace@example.com")
    with time_machine.travel(utc_now(), tick=False):
        for _ in range(10):
            with pytest.raises(Invalid):
                credentials.change_email(ada, "grace@example.com", password=PASSWORD)
        with pytest.raises(TooMany):
            credentials.change_email(ada, "free@example.com", password=PASSWORD)


def test_the_old_address_is_told_and_links_to_it_end(make_app):
    with SmtpServer() as server:
        make_app(mail_url=f"smtp://127.0.0.1:{server.port}", base_url="https://hooks.example.com")
        make = Make()
        ada = make.user(email="ada@example.com", name="Ada")
        token = operating.give_link(ada, by=make.user(is_operator=True))
        credentials.change_email(ada, "new@example.com", password=PASSWORD)
        notices.send_due()
        told = {mail.recipient: str(mail.message.get_body().get_content()) for mail in server.mails}
    assert "now belongs to the address new@example.com" in told["ada@example.com"]
    assert "Hello Ada," in told["ada@example.com"]
    with pytest.raises(links.NotFound):
        links.holder(token)
