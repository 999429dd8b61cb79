"""The server that takes our mail: the parts of WEBAPP_MAIL_URL."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

SMTP_PORT = 25
SUBMISSION_PORT = 587  # with a user name
SMTPS_PORT = 465
_ADDRESS = re.compile(r"[!-?A-~]{1,64}@[A-Za-z0-9.\-]{1,253}")


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed over, as whom, and from whom it is (empty: made from the installation's address)."""

    host: str
    port: int
    is_encrypted: bool  # from the first byte; else STARTTLS where the server offers it
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""

    @classmethod
    def parse(cls, url: str) -> MailServer:
        """Read ``smtp://user:password@host:port?from=address`` or ``smtps:…``. Raises ValueError with a sentence.

        The port defaults to 25, with a user name to 587, for smtps to 465. Reserved characters are percent-encoded.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"}:
            raise ValueError("must begin with smtp:// or smtps://")
        if not parts.hostname or parts.path not in {"", "/"} or parts.fragment:
            raise ValueError("must look like smtp://user:password@host:port?from=address")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        usual = SMTPS_PORT if parts.scheme == "smtps" else SUBMISSION_PORT if user else SMTP_PORT
        return cls(
            host=parts.hostname,
            port=_port(parts.port if parts.port is not None else usual),
            is_encrypted=parts.scheme == "smtps",
            user=user,
            password=password,
            sender=_sender(parts.query),
        )

    @property
    def is_local(self) -> bool:
        """Whether it is this machine: no eavesdropper sits between, and its certificate has no name to check."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def _port(port: int) -> int:
    if port == 0:
        raise ValueError("the port must lie between 1 and 65535")
    return port


def _sender(query: str) -> str:
    values = dict(parse_qsl(query, keep_blank_values=True))
    sender = values.pop("from", "")
    if values:
        raise ValueError("knows only the option from")
    if sender and not _ADDRESS.fullmatch(sender):
        raise ValueError("from must be a plain e-mail address")
    return sender
