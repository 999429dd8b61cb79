"""WEBAPP_MAIL_URL: what it may look like, and that a wrong one is told at start without its password."""

import pytest

from webapp import config
from webapp.config import SettingsError
from webapp.mail_server import MailServer


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", MailServer("mail.example.com", 25, False)),
        ("smtp://mail.example.com:2525/", MailServer("mail.example.com", 2525, False)),
        ("smtps://mail.example.com", MailServer("mail.example.com", 465, True)),
        ("smtp://me:p%40ss%2F@mail.example.com", MailServer("mail.example.com", 587, False, "me", "p@ss/")),
        ("smtp://me%40a.b:x@h?from=bot@a.b", MailServer("h", 587, False, "me@a.b", "x", "bot@a.b")),
        ("smtp://[::1]:25?from=x%2By@a.b", MailServer("::1", 25, False, sender="x+y@a.b")),
    ],
)
def test_its_parts_are_read(url: str, server: MailServer) -> None:
    assert MailServer.parse(url) == server
    assert "p@ss" not in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.com",
        "http://u:hunter2@h",
        "smtp://",
        "smtp://u:hunter2@h/path",
        "smtp://u:hunter2@h#x",
        "smtp://u:hunter2@h:0",
        "smtp://u:hunter2@h:70000",
        "smtp://u:hunter2@h:port",
        "smtp://u:hunter2@h?to=a@b",
        "smtp://u:hunter2@h?from=nobody",
        "smtp://u:hunter2@h?from=a@b%0d%0aBcc:c@d",
        "smtp://[u:hunter2@h",
    ],
)
def test_a_wrong_one_is_refused_at_start(url: str) -> None:
    with pytest.raises(SettingsError, match="WEBAPP_MAIL_URL") as refused:
        config.load(mail_url=url)

    assert "hunter2" not in str(refused.value)


def test_no_refusal_repeats_a_password() -> None:
    with pytest.raises(SettingsError, match="WEBAPP_DATABASE_URL") as refused:
        config.load(database_url="mysql://me:hunter2@localhost/x", metrics_token=["hunter2"])

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("host", "is_local"), [("127.0.0.1", True), ("127.1.2.3", True), ("[::1]", True), ("localhost", True), ("h", False)]
)
def test_this_machine_is_known(host: str, is_local: bool) -> None:
    assert MailServer.parse(f"smtp://{host}").is_local is is_local
