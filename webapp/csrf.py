"""The CSRF token of forms, masked anew in each answer, so that the length of a compressed page tells nothing about it.

Whoever can have text of theirs put into a page beside a secret, and see how long the compressed answer is, learns the
secret bit by bit: text that is alike makes the answer shorter (BREACH, Gluck, Harris and Prado, 2013, who name masking
as the remedy). A masked token is a random pad and the token combined with it by XOR; no two answers have bytes in
common to find out. Flask-WTF makes, signs and checks the token as ever; only what travels is masked.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import TypeVar

from flask import Flask, g
from flask_wtf import CSRFProtect
from flask_wtf.csrf import generate_csrf

View = TypeVar("View")


class MaskedCsrf(CSRFProtect):
    """Flask-WTF's protection, with tokens that look different in each answer. An unmasked one is refused."""

    def init_app(self, app: Flask) -> None:
        """Bind the protection, and give the templates masked tokens."""
        super().init_app(app)  # type: ignore[no-untyped-call]
        app.jinja_env.globals["csrf_token"] = token
        app.context_processor(lambda: {"csrf_token": token})

    def exempt(self, view: View) -> View:
        """Let this view or blueprint take requests without a token."""
        exempted: View = super().exempt(view)  # type: ignore[no-untyped-call]
        return exempted

    def _get_csrf_token(self) -> str | None:
        return unmasked(super()._get_csrf_token() or "")  # type: ignore[no-untyped-call]


def token() -> str:
    """The token for the forms and headers of this answer: one mask for all of them."""
    if "masked_csrf_token" not in g:
        g.masked_csrf_token = masked(generate_csrf())
    return str(g.masked_csrf_token)


def masked(plain: str) -> str:
    """A random pad of the text's length, and the text under it."""
    text = plain.encode("ascii")
    pad = secrets.token_bytes(len(text))
    return base64.urlsafe_b64encode(pad + _xor(pad, text)).decode("ascii")


def unmasked(text: str) -> str | None:
    """The text below its pad, or None for what was never masked."""
    try:
        both = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        half = len(both) // 2
        return _xor(both[:half], both[half:]).decode("ascii") if both and len(both) % 2 == 0 else None
    except (UnicodeError, binascii.Error):
        return None


def _xor(pad: bytes, text: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(pad, text, strict=True))
