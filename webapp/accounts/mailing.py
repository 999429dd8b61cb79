"""Handing mails over to the operator's mail server, one connection for many.

This is the second way out of the installation beside the sender of deliveries. Its address comes from the operator's
settings, never from a person, so the rules for targets do not apply to it.
"""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Self

from webapp.mail_server import MailServer

TIMEOUT_S = 10.0  # for each step of the conversation
PERMANENT = range(500, 600)


class MailRefused(Exception):
    """The server took the conversation and refused this one mail for good; the text is its answer."""


class MailFailed(Exception):
    """The mail could not be handed over now. `is_server_down`: nor would any other be."""

    def __init__(self, text: str, *, is_server_down: bool) -> None:
        super().__init__(text)
        self.is_server_down = is_server_down


class Connection:
    """A conversation with the mail server; open it with `with`. Raises MailFailed when that fails.

    A password is sent over an encrypted line only, except to this machine. `name` is how we greet.
    """

    def __init__(self, server: MailServer, *, name: str, ca_file: Path | None = None) -> None:
        self._server = server
        self._name = name
        self._ca_file = ca_file
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        try:
            self._smtp = self._open()
            self._secure(self._smtp)
        except (OSError, smtplib.SMTPException) as error:
            self._close()
            raise MailFailed(_said(error), is_server_down=True) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def send(self, message: EmailMessage) -> None:
        """Hand one mail over. Raises MailRefused or MailFailed."""
        assert self._smtp is not None  # noqa: S101 - inside `with`; a fact for the type checker
        try:
            self._smtp.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise _judged(code, text) from None
        except smtplib.SMTPDataError as error:
            raise _judged(error.smtp_code, error.smtp_error) from None
        except (OSError, smtplib.SMTPException) as error:
            is_gone = isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException)
            is_gone |= isinstance(error, smtplib.SMTPServerDisconnected)
            raise MailFailed(_said(error), is_server_down=is_gone) from None

    def _open(self) -> smtplib.SMTP:
        server = self._server
        if server.is_encrypted:
            return smtplib.SMTP_SSL(server.host, server.port, self._name, timeout=TIMEOUT_S, context=self._context())
        return smtplib.SMTP(server.host, server.port, self._name, timeout=TIMEOUT_S)

    def _secure(self, smtp: smtplib.SMTP) -> None:
        server = self._server
        smtp.ehlo_or_helo_if_needed()
        if not server.is_encrypted and smtp.has_extn("starttls"):
            smtp.starttls(context=self._context())
            smtp.ehlo()
        elif not server.is_encrypted and server.user and not server.is_local:
            raise smtplib.SMTPException("the server offers no encryption, so no password is sent to it")
        if server.user:
            smtp.login(server.user, server.password)

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._ca_file:
            context.load_verify_locations(self._ca_file)
        if self._server.is_local and not self._server.is_encrypted:  # STARTTLS of a mail server beside us
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _close(self) -> None:
        if self._smtp is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._smtp.quit()
            self._smtp.close()
            self._smtp = None


def _judged(code: int, text: bytes | str) -> Exception:
    answer = f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
    return MailRefused(answer) if code in PERMANENT else MailFailed(answer, is_server_down=False)


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return str(_judged(error.smtp_code, error.smtp_error))
    return f"{type(error).__name__}: {error}"
