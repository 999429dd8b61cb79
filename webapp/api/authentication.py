"""Who calls: by bearer token alone, never by cookie and never by a token in the address. And not too often."""

from __future__ import annotations

from flask import g, request, session

from webapp.accounts import tokens
from webapp.api.errors import Unauthorized
from webapp.api.pace import Pace
from webapp.extensions import db
from webapp.models import NotFound, User

UNNAMED = "Send a token as `Authorization: Bearer pat_…`. Settings → API makes one."
UNKNOWN = "This token is not valid: mistyped, revoked or expired. Settings → API makes a new one."

_pace = Pace()


def forget_the_session() -> None:
    """Whoever is signed in by cookie is nobody here, and gets no cookie renewed."""
    session.clear()
    session.modified = False


def require_token() -> None:
    """Raises Unauthorized without a valid token, TooMany for one that is used too often."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized(UNNAMED)
    found = tokens.find(text.strip())
    if found is None:
        raise Unauthorized(UNKNOWN)
    _pace.count(found.token_id)
    g.caller_id = found.user_id


def refuse_odd_ids() -> None:
    """An id that no database column can hold names nothing. Raises NotFound."""
    if any("\0" in str(value) for value in (request.view_args or {}).values()):
        raise NotFound("There is nothing with this id.")


def caller() -> User:
    """Whose token came with this request."""
    return db.session.get_one(User, caller_id())


def caller_id() -> str:
    """The same person's id, for calls that need no more of them."""
    found: str = g.caller_id
    return found
