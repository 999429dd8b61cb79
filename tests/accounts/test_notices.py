"""Notices are owed until the mail server took them, and nothing but that takes them away."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
import trustme
from flask import Flask

from tests.factories import Make
from tests.smtp_server import Mail, SmtpServer
from webapp.accounts import mailing, notices
from webapp.extensions import db
from webapp.mail_server import MailServer
from webapp.models import Notice, NoticeTemplate, User, transaction, utc_now

BASE_URL = "https://hooks.example.com"
VALUES = {
    "webhookId": "cabc",
    "name": "Aufträge & Größe",
    "url": "https://receiver.example/hooks/s3cret?token=t0ken",
    "failures": 21,
    "lastOutcome": "timed_out",
    "disabledAt": "2026-11-28T09:30:00+00:00",
    "held": 3,
    "by": "Grace",
    "projectId": "p1",
    "project": "Orders",
    "cancelled": 2,
}


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def app(make_app: Callable[..., Flask], server: SmtpServer) -> Flask:
    return make_app(mail_url=f"smtp://127.0.0.1:{server.port}", base_url=BASE_URL)


@pytest.fixture
def ada(make: Make) -> User:
    return make.user(name="Ada “A” Lövelace", email="ada@example.com")


WITH_LINK = (NoticeTemplate.PASSWORD_RESET, NoticeTemplate.WELCOME, NoticeTemplate.INVITATION)
TO_AN_ADDRESS = NoticeTemplate.EMAIL_CHANGED
TEMPLATES = [template for template in NoticeTemplate if template not in {*WITH_LINK, TO_AN_ADDRESS}]


def owe(user: User, template: str = "webhook_disabled", **values: Any) -> Notice:
    with transaction():
        return notices.owe(user, NoticeTemplate(template), {**VALUES, **values})


def later(notice: Notice, **span: float) -> None:
    """Let it have been owed for that long, and be due."""
    with transaction():
        notice.created_at = utc_now() - timedelta(**span)
        notice.next_attempt_at = utc_now()


def text_of(mail: Mail) -> str:
    body = mail.message.get_body()
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def test_a_notice_is_sent_once_to_the_person_it_is_for(ada: User, server: SmtpServer) -> None:
    notice = owe(ada)

    assert notices.send_due() == 1
    assert notices.send_due() == 0

    (mail,) = server.mails
    assert (mail.sender, mail.recipient) == ("webhooks@hooks.example.com", "ada@example.com")
    message = mail.message
    assert message["Subject"] == "Your webhook “Aufträge & Größe” was disabled"
    assert message["To"].addresses[0].display_name == "Ada “A” Lövelace"
    assert message["Auto-Submitted"] == "auto-generated"
    assert f"{BASE_URL}/settings/webhooks/cabc\n" in text_of(mail)
    assert (notice.sent_at is not None, notice.next_attempt_at, notice.last_error) == (True, None, None)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize(("locale", "hello"), [("en", "Hello Ada"), ("de", "Hallo Ada"), ("", "Hello Ada")])
def test_each_mail_speaks_the_persons_language(
    ada: User, server: SmtpServer, template: str, locale: str, hello: str
) -> None:
    with transaction():
        ada.locale = locale
    owe(ada, template)
    with transaction():  # every value may be missing
        notices.owe(ada, NoticeTemplate(template), {})

    assert notices.send_due() == 2

    full, bare = (text_of(mail) for mail in server.mails)
    assert hello in full
    assert {hello in mail for mail in (full, bare)} == {True}
    english = ("Your ", "You ", "webhook is", "was disabled", "Receiver", "If ", "What ", "sends this")
    assert any(word in full + str(server.mails[0].message["Subject"]) for word in english) is (locale != "de")
    assert "s3cret" not in full
    assert "t0ken" not in full
    assert "None" not in full + bare
    assert "\n\n\n" not in full + bare
    assert max(len(line) for line in str(server.mails[0].message["Subject"]).splitlines()) < 100


def test_times_stand_in_the_persons_zone(ada: User, server: SmtpServer) -> None:
    with transaction():
        ada.time_zone = "Asia/Tokyo"
    owe(ada, "webhook_disabling_near")

    notices.send_due()

    (line,) = [line for line in text_of(server.mails[0]).splitlines() if "November 28, 2026" in line]
    assert "6:30:00" in line
    assert "+0900" in line


def test_links_lead_to_pages_that_exist(app: Flask, ada: User, server: SmtpServer) -> None:
    for template in TEMPLATES:
        owe(ada, template)
    notices.send_due()

    for mail in server.mails:
        (link,) = [line for line in text_of(mail).splitlines() if line.startswith("http")]
        endpoint, _ = app.url_map.bind("").match(link.removeprefix(BASE_URL))
        assert endpoint in {"webhooks.show", "webhooks.index", "handovers.show"}


def test_without_an_address_of_the_installation_there_is_no_link(
    make_app: Callable[..., Flask], server: SmtpServer
) -> None:
    make_app(mail_url=f"smtp://127.0.0.1:{server.port}")
    owe(Make().user())

    assert notices.send_due() == 1
    assert "http" not in text_of(server.mails[0])


def test_hostile_names_stay_text(make: Make, server: SmtpServer) -> None:
    user = make.user(name="Eve\r\nBcc: all@example.com", email="eve@example.com")
    owe(user, name="x\r\nBcc: victim@example.com\r\n\r\n.\r\n<b>" + "y" * 500)

    notices.send_due()

    for mail in server.mails:
        assert mail.message["Bcc"] is None
        assert mail.recipient == "eve@example.com"
    db.session.rollback()
    assert [notice.next_attempt_at for notice in db.session.scalars(sa.select(Notice))] == [None]


def test_without_a_mail_server_the_notice_stays_owed_and_grows_stale(
    make_app: Callable[..., Flask], server: SmtpServer
) -> None:
    make_app()
    user = Make().user()
    old, new = owe(user), owe(user)
    assert notices.send_due() == 0
    assert (old.attempts_made, old.sent_at) == (0, None)
    later(old, hours=25)
    later(new, hours=23)

    make_app(mail_url=f"smtp://127.0.0.1:{server.port}")

    assert notices.send_due() == 1
    rows = db.session.scalars(sa.select(Notice).order_by(Notice.seq)).all()
    assert [(row.sent_at is not None, row.next_attempt_at) for row in rows] == [(False, None), (True, None)]


def test_a_mail_server_that_is_down_costs_a_line_and_loses_nothing(
    ada: User, server: SmtpServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers["CONNECT"] = "421 later\r\x1b[2J"
    first, second = owe(ada), owe(ada)

    assert notices.send_due() == 0

    assert len(caplog.records) == 1
    assert caplog.records[0].getMessage().isprintable()
    assert server.connections == 1
    for notice in (first, second):
        assert notice.attempts_made == 1
        assert notice.last_error is not None
        assert notice.next_attempt_at is not None
        assert timedelta(seconds=50) < notice.next_attempt_at - utc_now() <= timedelta(minutes=1)
    del server.answers["CONNECT"]
    with time_machine.travel(utc_now() + timedelta(seconds=61), tick=False):
        assert notices.send_due() == 2


@pytest.mark.parametrize("verb", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "CONTENT"])
def test_a_server_that_hangs_up_in_the_middle_is_tried_again(ada: User, server: SmtpServer, verb: str) -> None:
    server.answers[verb] = ""
    notice = owe(ada)

    assert notices.send_due() == 0
    assert notice.next_attempt_at is not None
    server.answers.clear()
    later(notice, hours=1)
    assert notices.send_due() == 1


@pytest.mark.parametrize(
    ("verb", "answer", "is_final"),
    [
        ("RCPT", "550 nobody here", True),
        ("CONTENT", "554 no", True),
        ("RCPT", "450 later", False),
        ("CONTENT", "452 full", False),
        ("MAIL", "553 not you", False),
    ],
)
def test_one_mail_that_is_refused_does_not_stop_the_next(
    ada: User, server: SmtpServer, verb: str, answer: str, is_final: bool
) -> None:
    server.answers[verb] = answer
    refused, next_ = owe(ada), owe(ada)

    assert notices.send_due() == 0

    assert [notice.attempts_made for notice in (refused, next_)] == [1, 1]
    assert {notice.next_attempt_at is None for notice in (refused, next_)} == {is_final}
    assert answer in (refused.last_error or "")


def test_waits_double_to_an_hour_and_end_after_three_days(ada: User, server: SmtpServer) -> None:
    server.answers["RCPT"] = "450 later"
    notice = owe(ada)
    waits = [notices.wait_after(number) for number in (1, 2, 3, 6, 7, 60)]
    notices.send_due()
    later(notice, days=2, hours=23, minutes=50)
    notices.send_due()
    assert notice.next_attempt_at is not None
    later(notice, days=3)

    notices.send_due()

    assert [wait.total_seconds() / 60 for wait in waits] == [1, 2, 4, 32, 60, 60]
    assert (notice.next_attempt_at, notice.sent_at, notice.attempts_made) == (None, None, 3)


def test_somebody_who_was_suspended_gets_no_mail(ada: User, server: SmtpServer) -> None:
    owe(ada)
    with transaction():
        ada.suspended_at = utc_now()

    assert notices.send_due() == 0
    assert server.mails == []
    assert notices.send_due() == 0


def test_two_at_once_send_each_mail_once(app: Flask, ada: User, server: SmtpServer) -> None:
    for _ in range(20):
        owe(ada)
    counts: list[int] = []
    ready = threading.Barrier(3)

    def run() -> None:
        with app.app_context():
            ready.wait()
            counts.append(notices.send_due())

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(counts) == len(server.mails) == len({mail.message["Message-ID"] for mail in server.mails}) == 20


def test_what_a_dead_worker_had_claimed_is_sent_by_another(ada: User, server: SmtpServer) -> None:
    notice = owe(ada)
    notices._claim()
    assert notices.send_due() == 0

    with time_machine.travel(utc_now() + notices.LEASE + timedelta(seconds=1), tick=False):
        assert notices.send_due() == 1
    assert notice.attempts_made == 2


def test_an_unknown_template_is_given_up_and_logged(ada: User, server: SmtpServer) -> None:
    with transaction() as session:
        session.add(Notice(user_id=ada.id, template="of_a_later_version", values={}))
    owe(ada)

    assert notices.send_due() == 1


@pytest.fixture
def authority(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """A certificate for localhost, and the authority that vouches for it."""
    ca = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ca.issue_cert("localhost").configure_cert(context)
    path = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(path)
    return context, path


def test_a_password_goes_over_an_encrypted_line(
    make_app: Callable[..., Flask], authority: tuple[ssl.SSLContext, Path]
) -> None:
    context, ca_file = authority
    with SmtpServer(starttls=context, password="p@ss") as server:
        make_app(mail_url=f"smtp://me%40example.com:p%40ss@localhost:{server.port}", ca_file=ca_file)
        owe(Make().user())
        assert notices.send_due() == 1
    assert server.logins == [("me@example.com", "p@ss", True)]
    assert server.mails[0].sender == "me@example.com"


def test_smtps_needs_a_certificate_that_is_right(
    make_app: Callable[..., Flask], authority: tuple[ssl.SSLContext, Path]
) -> None:
    context, ca_file = authority
    with SmtpServer(tls=context) as server:
        url = f"smtps://localhost:{server.port}?from=bot@example.com"
        make_app(mail_url=url)
        notice = owe(Make().user())
        assert notices.send_due() == 0
        later(notice)
        make_app(mail_url=url, ca_file=ca_file)
        assert notices.send_due() == 1
    assert server.mails[0].sender == "bot@example.com"


def test_no_password_is_sent_in_clear(server: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = MailServer.parse(f"smtp://me:secret@127.0.0.1:{server.port}")
    monkeypatch.setattr(MailServer, "is_local", False)

    with pytest.raises(mailing.MailFailed, match="no encryption"), mailing.Connection(elsewhere, name="x"):
        pass

    assert server.logins == []


def test_a_wrong_password_is_tried_again_and_never_told(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    with SmtpServer(password="right") as server:
        make_app(mail_url=f"smtp://me:hunter22@127.0.0.1:{server.port}")
        notice = owe(Make().user())
        assert notices.send_due() == 0
    assert notice.next_attempt_at is not None
    assert "535" in (notice.last_error or "")
    assert "hunter22" not in (notice.last_error or "") + caplog.text
