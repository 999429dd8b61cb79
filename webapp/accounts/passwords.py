"""Passwords: argon2id hashes, and the rules for choosing one."""

from __future__ import annotations

import re
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from webapp.models import Invalid

SHORTEST = 12
LONGEST = 1000
LONGEST_REPEATED = 8
RANDOM_BYTES = 32

# OWASP's least for argon2id (reliability W18): 19 MiB and two passes, about 25 ms.
MEMORY_KIB = 19 * 1024
PASSES = 2

_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1)

# Verified when there is no such person, so that the answer takes as long as for one who exists.
_nobody = _hasher.hash("nobody has this password")

# A password that is one of these with digits and signs round it is guessed first.
_WORDS = (
    "abc abcdef abcdefg abcdefgh abcdefghijkl admin administrator baseball batman blue bluewebhooks changeit "
    "changeme charlie cheese computer default demo dragon facebook flower football freedom geheim google guest "
    "hallo hello iloveyou internet jordan killer letmein liverpool login lovely master michael monkey mustang "
    "mypassword newpassword pass passwd passwort password passwordpassword princess qazwsx qazwsxedc qwer "
    "qwert qwerty qwertyuiop qwertyuiopasdf qwertz qwertzuiop root schatz secret shadow starwars sunshine "
    "superman temp test trustno trustnoone user webhook webhooks welcome whatever willkommen zaq zaqxsw zxcvbn "
    "zxcvbnm asdf asdfgh asdfghjkl asdfghjklqwerty thequickbrownfox "
)
_COMMON = frozenset(_WORDS.split())
_LEET = str.maketrans("013457$@!", "oieastsai")
_ROWS = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


def hash_of(password: str) -> str:
    """The argon2id hash. Takes tens of milliseconds: never inside a transaction()."""
    return _hasher.hash(password)


def unknown() -> str:
    """The hash of a password that nobody knows, for somebody who has yet to choose one."""
    return hash_of(secrets.token_urlsafe(RANDOM_BYTES))


def is_right(password: str, stored: str | None) -> bool:
    """Whether the password belongs to the hash; without a hash (nobody) it is wrong, in the same time."""
    try:
        return _hasher.verify(stored or _nobody, password[:LONGEST]) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def accept(password: str, *, field: str = "password", email: str = "") -> str:
    """The password, if it may be chosen: at least 12 characters and not easily guessed. Raises Invalid at `field`."""
    if len(password) < SHORTEST:
        raise Invalid(field, "Use at least %(shortest)s characters.", shortest=SHORTEST)
    if len(password) > LONGEST:
        raise Invalid(field, "Use at most %(longest)s characters.", longest=LONGEST)
    if _is_common(password.lower(), email.lower()):
        raise Invalid(field, "This password is guessed easily. Three or four unrelated words make a good one.")
    return password


def _is_common(password: str, email: str) -> bool:
    if _repeats(password) or any(password in row for row in _ROWS):
        return True
    trimmed = re.sub(r"^[^a-z]+|[^a-z]+$", "", password)
    cores = {re.sub(r"[^a-z]", "", text) for text in (trimmed, trimmed.translate(_LEET))}
    return bool(cores & _COMMON) or password in {email, email.partition("@")[0]}


def _repeats(password: str) -> bool:
    return any(
        password == (password[:size] * len(password))[: len(password)] for size in range(1, LONGEST_REPEATED + 1)
    )
