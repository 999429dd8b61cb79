"""How often somebody may guess: each try is a row, counted before the answer is judged, so that tries at once count."""

from __future__ import annotations

import hashlib
import math
from datetime import timedelta

import sqlalchemy as sa

from webapp.accounts import turns
from webapp.extensions import db
from webapp.models import FailedSignIn, TooMany, transaction, utc_now

TRIES_PER_NAME = 10
TRIES_PER_ADDRESS = 100
WINDOW = timedelta(minutes=15)
GUESSING_TURN = 0x60E5


def count_try(name: str, *, address: str, most: int = TRIES_PER_NAME) -> None:
    """Count one try at `name` (an account, a code) from a network address; a name has `most` of them.

    Raises TooMany, and then counts nothing.
    """
    with transaction() as session:
        turns.wait_for(session, GUESSING_TURN)
        now = utc_now()
        _refuse_over(FailedSignIn.email_sha256 == _digest(name), most)
        _refuse_over(FailedSignIn.address == address, TRIES_PER_ADDRESS)
        session.execute(sa.delete(FailedSignIn).where(FailedSignIn.at < now - WINDOW))
        session.add(FailedSignIn(email_sha256=_digest(name), address=address, at=now))


def forgive(session: sa.orm.Session, name: str) -> None:
    """The last try at `name` was right: forget the wrong ones. Belongs inside transaction()."""
    session.execute(sa.delete(FailedSignIn).where(FailedSignIn.email_sha256 == _digest(name)))


def _refuse_over(condition: sa.ColumnElement[bool], tries: int) -> None:
    now = utc_now()
    query = sa.select(FailedSignIn.at).where(condition, FailedSignIn.at > now - WINDOW).order_by(FailedSignIn.at.desc())
    oldest = db.session.scalar(query.offset(tries - 1).limit(1))
    if oldest is not None:
        wait_s = max(1, math.ceil((oldest + WINDOW - now).total_seconds()))
        minutes = math.ceil(wait_s / 60)
        raise TooMany("Too many tries. Try again in %(minutes)s minutes.", retry_after_s=wait_s, minutes=minutes)


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
