"""The rules for e-mail addresses."""

from __future__ import annotations

import re

from webapp.models.account import EMAIL_LENGTH
from webapp.models.errors import Invalid
from webapp.models.texts import one_line

_EMAIL = re.compile(r"[^@\s<>\",;:\\]+@[^@\s<>\",;:\\]+\.?[^@\s<>\",;:\\.]+")


def address_of(email: str) -> str:
    """An e-mail address as it is stored and compared: without blanks round it, in lower case."""
    return email.strip().lower()


def checked_email(email: str) -> str:
    """The address as it is stored. Raises Invalid at `email` for what is none."""
    address = one_line("email", address_of(email), longest=EMAIL_LENGTH, empty="Enter an e-mail address.")
    if not _EMAIL.fullmatch(address):
        raise Invalid("email", "Enter an e-mail address such as ada@example.com.")
    return address
