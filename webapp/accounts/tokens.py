"""Personal access tokens: `pat_<id>_<secret>`, shown once; of the secret only its SHA-256 is kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import timedelta

import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import ApiToken, Invalid, NotFound, User, transaction, utc_now
from webapp.models.base import new_uid
from webapp.models.texts import NAME_LENGTH, one_line

SECRET_BYTES = 32
EXPIRES_IN_DAYS = (30, 90, 365)
SHOWN_AFTER_END = timedelta(days=30)
USE_IS_NOTED_EVERY = timedelta(minutes=1)

_TOKEN = re.compile(r"pat_([0-9a-f]{32})_([A-Za-z0-9_-]{43})")


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
    return token, f"pat_{token.id}_{secret}"


def owner_of(text: str) -> User | None:
    """The person whose valid token this is, else None. Notes the use, at most once a minute."""
    parts = _TOKEN.fullmatch(text)
    if not parts:
        return None
    token = db.session.get(ApiToken, parts[1])
    if token is None or not hmac.compare_digest(token.secret_sha256, _digest(parts[2])) or is_over(token):
        return None
    person = db.session.get(User, token.user_id)
    if person is None or not person.is_active:
        return None
    _note_use(token)
    return person


def is_over(token: ApiToken) -> bool:
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


def revoke(token: ApiToken) -> None:
    """End a token: programs that use it stop working at once. Twice is as good as once."""
    with transaction():
        token.revoked_at = token.revoked_at or utc_now()


def _note_use(token: ApiToken) -> None:
    now = utc_now()
    if token.last_used_at is None or token.last_used_at < now - USE_IS_NOTED_EVERY:
        with transaction():
            token.last_used_at = now


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
