"""Personal access tokens: `pat_<id>_<secret>`, shown once; of the secret only its SHA-256 is kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import ApiToken, Invalid, NotFound, User, audit, transaction, utc_now
from webapp.models.base import new_uid, table_of
from webapp.models.texts import NAME_LENGTH, one_line

SECRET_BYTES = 32
EXPIRES_IN_DAYS = (30, 90, 365)
SHOWN_AFTER_END = timedelta(days=30)
USE_IS_NOTED_EVERY = timedelta(minutes=1)

_TOKEN = re.compile(r"pat_([0-9a-f]{32})_([A-Za-z0-9_-]{43})")
_WITH_OWNER = (
    sa.select(table_of(ApiToken), table_of(User).c.suspended_at)
    .join(table_of(User), table_of(User).c.id == table_of(ApiToken).c.user_id)
    .where(table_of(ApiToken).c.id == sa.bindparam("token_id"))
)


def create(user: User, name: str, expires_in_days: int | None = None) -> tuple[ApiToken, str]:
    """A new token and its text, which cannot be had again. Raises Invalid at `name` or `expires_in_days`."""
    name = one_line("name", name, longest=NAME_LENGTH, empty="Enter a name, so that you know the token again.")
    if expires_in_days is not None and expires_in_days not in EXPIRES_IN_DAYS:
        raise Invalid("expires_in_days", "Choose one of the spans.")
    secret = secrets.token_urlsafe(SECRET_BYTES)
    expires_at = utc_now() + timedelta(days=expires_in_days) if expires_in_days else None
    with transaction() as session:
        token = ApiToken(id=new_uid(), user_id=user.id, name=name, secret_sha256=_digest(secret), expires_at=expires_at)
        session.add(token)
        audit.note("token.created", f"token:{token.id}", user, name=name, days=expires_in_days)
    return token, f"pat_{token.id}_{secret}"


@dataclass(frozen=True)
class Found:
    """A valid token, and whose it is."""

    token_id: str
    user_id: str


def find(text: str) -> Found | None:
    """The valid token with this text, else None. Notes the use, at most once a minute.

    Every call begins with this, so it takes one statement and makes no objects.
    """
    parts = _TOKEN.fullmatch(text)
    if not parts:
        return None
    token = db.session.connection().execute(_WITH_OWNER, {"token_id": parts[1]}).one_or_none()
    if token is None or not hmac.compare_digest(token.secret_sha256, _digest(parts[2])) or is_over(token):
        return None
    if token.suspended_at is not None:
        return None
    _note_use(token)
    return Found(token.id, token.user_id)


def is_over(token: ApiToken | sa.Row[Any]) -> bool:
    """Whether it was revoked or has expired."""
    return token.revoked_at is not None or (token.expires_at is not None and token.expires_at <= utc_now())


def of(user: User) -> list[ApiToken]:
    """A person's tokens, newest first; those that expired are shown for 30 days more."""
    query = sa.select(ApiToken).where(
        ApiToken.user_id == user.id,
        ApiToken.revoked_at.is_(None),
        sa.or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > utc_now() - SHOWN_AFTER_END),
    )
    return list(db.session.scalars(query.order_by(ApiToken.created_at.desc(), ApiToken.id)))


def load(user: User, token_id: str) -> ApiToken:
    """One of a person's tokens; raises NotFound."""
    token = db.session.scalar(sa.select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == user.id))
    if token is None:
        raise NotFound("There is no such token.")
    return token


def revoke(token: ApiToken, *, by: User) -> None:
    """End a token: programs that use it stop working at once. Twice is as good as once."""
    with transaction():
        if token.revoked_at is None:
            token.revoked_at = utc_now()
            audit.note("token.revoked", f"token:{token.id}", by, name=token.name)


def _note_use(token: sa.Row[Any]) -> None:
    now = utc_now()
    if token.last_used_at is None or token.last_used_at < now - USE_IS_NOTED_EVERY:
        with transaction() as session:
            session.execute(sa.update(ApiToken).where(ApiToken.id == token.id).values(last_used_at=now))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
