"""A small SMTP server on loopback that keeps what it is given, or refuses it as told.

with SmtpServer() as server:
    server.answers["RCPT"] = "550 nobody here"
    ...
    (mail,) = server.mails
"""

from __future__ import annotations

import base64
import email
import email.policy
import socketserver
import ssl
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Self


@dataclass(frozen=True)
class Mail:
    """One mail: from and to as the envelope says, and its content."""

    sender: str
    recipient: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        found = email.message_from_bytes(self.content, policy=email.policy.default)
        assert isinstance(found, EmailMessage)
        return found


@dataclass
class SmtpServer:
    """Listens while it is open. `answers` overrides the answer to a verb; `tls` at once, `starttls` when asked to."""

    tls: ssl.SSLContext | None = None
    starttls: ssl.SSLContext | None = None
    password: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)
    logins: list[tuple[str, str, bool]] = field(default_factory=list)  # user, password, over an encrypted line
    connections: int = 0

    def __enter__(self) -> Self:
        owner = self

        class Conversation(_Conversation):
            server_state = owner

        class Listener(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that leaves early is its own affair."""

        self._listener = Listener(("127.0.0.1", 0), Conversation)
        self.port = self._listener.server_address[1]
        self._thread = threading.Thread(target=self._listener.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


class _Conversation(socketserver.StreamRequestHandler):
    server_state: SmtpServer
    timeout = 10

    def handle(self) -> None:
        state = self.server_state
        state.connections += 1
        self.is_encrypted = False
        if state.tls:
            self._wrap(state.tls)
        if not self._say(state.answers.get("CONNECT", "220 here")):
            return
        self.sender = self.recipient = ""
        while line := self.rfile.readline(4096):
            verb, _, rest = line.decode().strip().partition(" ")
            state.verbs.append(verb.upper())
            if not self._take(verb.upper(), rest):
                return

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def _take(self, verb: str, rest: str) -> bool:
        """Whether the conversation goes on."""
        state = self.server_state
        if verb in state.answers:
            return self._say(state.answers[verb])
        if verb == "EHLO":
            can_encrypt = state.starttls and not self.is_encrypted
            return self._say("250-here", *(["250-STARTTLS"] if can_encrypt else []), "250 AUTH PLAIN")
        if verb == "STARTTLS" and state.starttls:
            self._say("220 go on")
            self._wrap(state.starttls)
            return True
        if verb == "AUTH":
            return self._say("235 welcome" if self._is_known(rest) else "535 no")
        if verb == "DATA":
            return self._say("354 go on") and self._take_content()
        if verb == "MAIL":
            self.sender = rest.partition("<")[2].partition(">")[0]
        if verb == "RCPT":
            self.recipient = rest.partition("<")[2].partition(">")[0]
        return self._say("250 ok") and verb != "QUIT"

    def _take_content(self) -> bool:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b"."))
        answer = self.server_state.answers.get("CONTENT", "250 taken")
        if answer.startswith("250"):
            self.server_state.mails.append(Mail(self.sender, self.recipient, b"".join(lines)))
        return self._say(answer)

    def _is_known(self, rest: str) -> bool:
        _, user, password = base64.b64decode(rest.partition(" ")[2]).decode().split("\0")
        self.server_state.logins.append((user, password, self.is_encrypted))
        return password == self.server_state.password

    def _wrap(self, context: ssl.SSLContext) -> None:
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.is_encrypted = True

    def _say(self, *lines: str) -> bool:
        """Whether the conversation goes on: 421 and nothing at all end it."""
        self.connection.sendall("".join(f"{line}\r\n" for line in lines if line).encode())
        return bool(lines[-1]) and not lines[-1].startswith("421")
