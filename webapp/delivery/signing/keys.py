"""What a secret may be, and the keys in it."""

from __future__ import annotations

import base64
import binascii
import secrets
import unicodedata
from typing import NamedTuple, Self

from webapp.models import Invalid

PREFIX = "whsec_"
GENERATED_BYTES = 32
MIN_BYTES = 16
MAX_BYTES = 64  # HMAC hashes longer keys, so that two different secrets would verify alike
MIN_DECODED_BYTES = 24
_HIDDEN = frozenset(["Cc", "Cs", "Zl", "Zp"])  # control characters, half characters, separators of lines and paragraphs


class SecretError(Invalid):
    """A secret breaks a rule; its field is `secret`."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__("secret", sentence, **values)


def generate_secret() -> str:
    """A new secret: ``whsec_`` and the base64 of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(GENERATED_BYTES)).decode()


def check_secret(text: str) -> None:
    """Raises SecretError, with a sentence that says how to mend it, when this cannot be a secret."""
    if not text:
        raise SecretError("Enter a secret, or choose None.")
    if any(unicodedata.category(character) in _HIDDEN for character in text) or text != text.strip():
        raise SecretError("No line feeds or control characters, and no blanks at the ends.")
    if not MIN_BYTES <= len(text.encode()) <= MAX_BYTES:
        raise SecretError("%(least)s to %(most)s bytes.", least=MIN_BYTES, most=MAX_BYTES)
    if text.startswith(PREFIX) and len(decoded(text.removeprefix(PREFIX)) or b"") < MIN_DECODED_BYTES:
        raise SecretError("After whsec_ there must be base64 of at least %(least)s bytes.", least=MIN_DECODED_BYTES)


def text_key(secret: str) -> bytes:
    """The key of `X-Signature`: the whole secret as it was shown, as UTF-8."""
    return secret.encode()


def standard_key(secret: str) -> bytes:
    """The key of `webhook-signature`: what ``whsec_`` stands before, decoded; another secret's UTF-8 bytes.

    Raises SecretError when no strict base64 follows ``whsec_``.
    """
    if not secret.startswith(PREFIX):
        return text_key(secret)
    key = decoded(secret.removeprefix(PREFIX))
    if not key:
        raise SecretError("After whsec_ there must be base64 of at least %(least)s bytes.", least=MIN_DECODED_BYTES)
    return key


class Keys(NamedTuple):
    """The keys in one secret, worked out once for many signatures."""

    text: bytes
    standard: bytes

    @classmethod
    def of(cls, secret: str) -> Self:
        """Those of `text_key` and `standard_key`. Raises SecretError."""
        return cls(text_key(secret), standard_key(secret))


def decoded(text: str) -> bytes | None:
    """The bytes of strict base64: standard alphabet, all of its padding, one way to write each. None for all else."""
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if base64.b64encode(content).decode() == text else None
