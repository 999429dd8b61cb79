"""Signing in by password, and the tickets that sessions carry."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

import sqlalchemy as sa

from webapp.accounts import guessing, passwords
from webapp.extensions import db
from webapp.models import EndedSession, Invalid, RequestError, User, audit, transaction, utc_now
from webapp.models.addresses import address_of
from webapp.models.base import new_uid

log = logging.getLogger(__name__)

LONGEST_SESSION = timedelta(days=14)


class WrongPassword(RequestError):
    """E-mail or password is not right; which of the two is told to nobody."""


def sign_in(email: str, password: str, *, address: str, device: str = "") -> User:
    """The person behind e-mail and password. Raises WrongPassword or TooMany, alike for known and unknown people.

    `address` is the network address of the caller. `device` names a browser that this person signed in with before: its
    tries are counted apart, so that a stranger who guesses cannot lock the owner out of their own browser.
    """
    name = f"{address_of(email)} {device}"
    guessing.count_try(name, address=address)
    person = db.session.scalar(sa.select(User).where(User.email == address_of(email)))
    is_right = passwords.is_right(password, person.password_hash if person else None)
    if person is None or not is_right or not person.is_active:
        log.warning("a sign-in was refused", extra={"address": address})
        raise WrongPassword("E-mail or password is not right.")
    renewed = passwords.hash_of(password) if passwords.is_outdated(person.password_hash) else person.password_hash
    with transaction() as session:
        guessing.forgive(session, name)
        person.password_hash = renewed
        person.last_sign_in_at = utc_now()
        audit.note("user.signed_in", f"user:{person.id}", person)
    return person


def confirm(person: User, password: str, *, address: str, field: str = "password") -> None:
    """Let go on who is signed in and knows the password too. Raises Invalid at `field`, or TooMany.

    Tries are counted apart from those of signing in: nobody else can make them.
    """
    name = f"{person.id} confirms"
    guessing.count_try(name, address=address)
    if not passwords.is_right(password, person.password_hash):
        raise Invalid(field, "This is not your password.")
    with transaction() as session:
        guessing.forgive(session, name)


def ticket(person: User) -> str:
    """What a new session carries: its person, the key that "sign out everywhere" changes, its own id, when it began."""
    return f"{person.get_id()}.{new_uid()}.{int(time.time())}"


def holder(text: str) -> User | None:
    """The person who may use this ticket; None when it ended, is older than 14 days, or its person may not sign in."""
    try:
        user_id, session_key, session_id, began = text.split(".")
        age_s = time.time() - int(began)
    except ValueError:
        return None
    if not -60 < age_s < LONGEST_SESSION.total_seconds():
        return None
    ended = sa.exists().where(EndedSession.id == session_id)
    query = sa.select(User).where(User.id == user_id, User.session_key == session_key, ~ended)
    person = db.session.scalar(query)
    return person if person and person.is_active else None


def sign_out(text: str) -> None:
    """End one session: its ticket is worthless from now on, wherever a copy of the cookie lies."""
    parts = text.split(".")
    if len(parts) != 4:
        return
    with transaction() as session:
        session.execute(sa.delete(EndedSession).where(EndedSession.ended_at < utc_now() - 2 * LONGEST_SESSION))
        session.merge(EndedSession(id=parts[2][:32]))
