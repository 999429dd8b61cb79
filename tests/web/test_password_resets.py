from __future__ import annotations

import concurrent.futures
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from tests.factories import PASSWORD, Make
from tests.page_checker import check_page
from tests.smtp_server import SmtpServer
from webapp.accounts import links, notices, tokens
from webapp.extensions import db
from webapp.models import OneTimeLink, utc_now

BASE_URL = "http://localhost:5000"
NEW = "four other unrelated words"


@pytest.fixture
def server():
    with SmtpServer() as server:
        yield server


@pytest.fixture
def app(make_app, server):
    return make_app(mail_url=f"smtp://127.0.0.1:{server.port}", base_url=BASE_URL)


@pytest.fixture
def ada(make):
    return make.user(email="ada@example.com", name="Ada")


def ask(client, email="ada@example.com"):
    return client.post("/password-resets", data={"email": email})


def mailed(server):
    """The paths in the mails that were sent."""
    texts = [str(mail.message.get_body().get_content()) for mail in server.mails]
    return [re.findall(r"http://localhost:5000(/password-resets/\S+)", text)[0] for text in texts]


def test_a_link_by_mail_leads_to_a_new_password(app, client, ada, server):
    page = check_page(client.get("/login"))
    assert page.links["Forgot the password?"] == "/password-resets"
    check_page(client.get("/password-resets"))
    assert "a mail with a link is on its way" in check_page(ask(client, " ADA@example.com ")).text
    assert notices.send_due() == 1
    assert server.mails[0].recipient == "ada@example.com"
    [path] = mailed(server)
    assert check_page(client.get(path)).h1 == "Choose a new password"
    key, (_, token) = ada.session_key, tokens.create(ada, "a program")
    assert client.post(path, data={"new": NEW}).location == "/projects"
    assert ada.session_key != key
    assert tokens.find(token).user_id == ada.id
    assert client.post("/login", data={"email": ada.email, "password": PASSWORD}).status_code == 422
    assert client.post("/login", data={"email": ada.email, "password": NEW}).status_code == 303


@pytest.mark.proves("W19")
def test_a_link_works_once_and_takes_the_others_along(client, ada, server):
    for _ in range(2):
        ask(client)
    notices.send_due()
    first, second = mailed(server)
    assert client.post(first, data={"new": "short"}).status_code == 422
    assert client.post(second, data={"new": NEW}).status_code == 303
    for path in (first, second):
        assert "is not valid" in check_page(client.get(path), 404).text
        assert client.post(path, data={"new": "yet another long password"}).status_code == 404


@pytest.mark.proves("W19")
def test_a_link_works_for_an_hour(client, ada, server):
    ask(client)
    notices.send_due()
    [path] = mailed(server)
    with time_machine.travel(utc_now() + timedelta(minutes=59)):
        assert client.get(path).status_code == 200
    with time_machine.travel(utc_now() + timedelta(hours=1, seconds=1)):
        assert client.get(path).status_code == 404


def statements(client, email):
    """What is asked of the database for one request, without its values, and the answer."""
    heard = []
    listener = lambda *call: heard.append(call[2])  # noqa: E731
    sa.event.listen(db.engine, "before_cursor_execute", listener)
    try:
        answer = ask(client, email)
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", listener)
    return heard, answer


@pytest.mark.proves("W45")
def test_for_an_unknown_address_the_same_is_done_and_answered(client, ada, server):
    client.get("/login")  # whether anybody is here at all is asked once
    known, first = statements(client, "ada@example.com")
    unknown, second = statements(client, "eve@example.com")
    assert known == unknown
    assert len(known) > 3
    assert first.status_code == second.status_code == 200
    pages = [re.sub(r"ada@|eve@", "", check_page(each).text) for each in (first, second)]
    assert pages[0] == pages[1]
    assert notices.send_due() == 1
    assert [mail.recipient for mail in server.mails] == ["ada@example.com"]


def test_who_is_suspended_gets_no_link(client, make, server):
    make.user(email="gone@example.com", suspended_at=utc_now())
    ask(client, "gone@example.com")
    assert notices.send_due() == 0
    assert server.mails == []


def test_a_suspended_persons_link_is_worthless(client, make):
    person = make.user(is_operator=True)
    gone = make.user(email="gone@example.com", suspended_at=utc_now())
    with db.session.no_autoflush:
        token = links._made(user_id=gone.id, expires_at=utc_now() + timedelta(hours=1))
    assert client.get(f"/password-resets/{token}").status_code == 404
    assert person.is_active


@pytest.mark.proves("W19")
def test_no_token_is_kept_anywhere(client, ada, server):
    ask(client)
    notices.send_due()
    [path] = mailed(server)
    token = path.rpartition("/")[2]
    dump = "\n".join(
        str(row) for table in db.metadata.sorted_tables for row in db.session.execute(sa.select(table)).all()
    )
    assert "ada@example.com" in dump
    assert token not in dump


@pytest.mark.parametrize("email", ["", "no address", "a\x00@example.com", "x" * 300 + "@example.com"])
def test_what_is_no_address_comes_back(client, ada, email):
    assert len(check_page(ask(client, email), 422).errors()) == 1


def test_an_address_gets_three_mails_in_a_quarter_of_an_hour(client, ada, server):
    answers = [ask(client).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]
    assert ask(client, "eve@example.com").status_code == 200


@pytest.mark.proves("W19")
def test_a_forged_host_does_not_stand_in_the_mail(client, ada, server):
    asked = {"data": {"email": ada.email}}
    assert client.post("/password-resets", base_url="http://evil.example", **asked).status_code == 400
    assert client.post("/password-resets", headers={"X-Forwarded-Host": "evil.example"}, **asked).status_code == 200
    assert notices.send_due() == 1
    assert b"evil" not in server.mails[0].content
    assert len(mailed(server)) == 1


@pytest.mark.parametrize("settings", [{}, {"base_url": BASE_URL}, {"mail_url": "smtp://127.0.0.1:9"}])
def test_without_mail_the_sign_in_page_names_the_operator(make_app, settings):
    client = make_app(**settings).test_client()
    Make().user()
    page = check_page(client.get("/login"))
    assert "Ask the operator for a new password." in page.text
    assert "/password-resets" not in page.html
    assert client.get("/password-resets").status_code == 404
    assert ask(client).status_code == 404


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_of_two_at_once_one_sets_the_password(app, make):
    person = make.user()
    token = links._made(user_id=person.id, expires_at=utc_now() + timedelta(hours=1))

    def choose(password: str) -> bool:
        with app.app_context():
            try:
                links.choose_password(token, password)
            except links.NotFound:
                return False
            finally:
                db.session.remove()
        return True

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(choose, [NEW, "and these are five words"])) == [False, True]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(OneTimeLink)) == 0
