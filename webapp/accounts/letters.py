"""What the mails say: a text of templates/mail/ in the person's language, with links to this installation alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from flask import current_app
from flask_babel import force_locale, get_locale

from webapp.config import Settings, current
from webapp.models import Notice, User

DEFAULT_LOCALE = "en"
SENDER_NAME = "Blue Webhooks"
MAX_SUBJECT = 200  # characters
_BLANK_LINES = re.compile(r"\n{3,}")
FALLBACK_DOMAIN = "localhost.localdomain"


@dataclass(frozen=True)
class Recipient:
    """Whom a mail goes to, and how they like to read it. Of who is not here yet only the address is known."""

    email: str
    name: str = ""
    locale: str = ""
    time_zone: str = ""

    @classmethod
    def of(cls, user: User) -> Recipient:
        """Somebody of this installation."""
        return cls(user.email, user.name, user.locale, user.time_zone)


def letter(notice: Notice, to: Recipient, *, token: str = "") -> EmailMessage:
    """The mail of a notice. Raises what a template or an address that cannot be used raises.

    `token` is that of the link in it, for a mail that has one. The Message-ID is the same each time, so that mailboxes
    recognise one that was handed over twice.
    """
    settings = current()
    with force_locale(to.locale or DEFAULT_LOCALE):
        subject, text = _written(notice.template, {**notice.values, "token": token}, to, settings)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(SENDER_NAME, addr_spec=sender(settings))
    message["To"] = Address(to.name, addr_spec=to.email)
    message["Subject"] = subject
    message["Date"] = notice.created_at
    message["Message-ID"] = f"<notice.{notice.seq}.{int(notice.created_at.timestamp())}@{domain(settings)}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    return message


def sender(settings: Settings) -> str:
    """The address that mails come from: the operator's choice, else the mail account's, else one of our own domain."""
    server = settings.mail_server
    if server and server.sender:
        return server.sender
    if server and "@" in server.user:
        return server.user
    return f"webhooks@{domain(settings)}"


def domain(settings: Settings) -> str:
    """The name that this installation is known by, for mail."""
    return urlsplit(settings.base_url).hostname or FALLBACK_DOMAIN


def _written(template: str, values: Mapping[str, Any], to: Recipient, settings: Settings) -> tuple[str, str]:
    """Subject and text: the first line of the template, and what comes after the blank line below it."""

    def link(*path: str) -> str:
        """The address of a page here; empty where nobody said what the installation's address is."""
        parts = [quote(part, safe="") for part in path if part]
        return "/".join([settings.base_url, *parts]) if settings.base_url else ""

    known = {
        **values,
        "person": to.name,
        "link": link,
        "host": urlsplit(values.get("url") or "").hostname or "",
        "disabled_at": _time(values.get("disabledAt"), to),
    }
    text = current_app.jinja_env.get_template(f"mail/{template}.txt").render(known)
    subject, _, body = text.lstrip().partition("\n\n")
    return " ".join(subject.split())[:MAX_SUBJECT], _BLANK_LINES.sub("\n\n", body.strip()) + "\n"


def _time(iso: str | None, to: Recipient) -> str:
    if not iso:
        return ""
    zone = ZoneInfo(to.time_zone or "UTC")
    at = datetime.fromisoformat(iso)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return str(format_datetime(at, "long", tzinfo=zone, locale=get_locale()))
