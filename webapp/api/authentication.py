"""Who calls: by bearer token alone, never by cookie and never by a token in the address. And not too often."""

from __future__ import annotations

from flask import g, request, session

from webapp.accounts import tokens
from webapp.api.errors import Unauthorized
from webapp.extensions import limiter
from webapp.models import NotFound, User

# Of one token, in one web process unless the queue is Redis: five times an honest publisher with 100 calls a second.
RATE = "30000 per minute"
UNNAMED = "Send a token as `Authorization: Bearer pat_…`. Settings → API makes one."
UNKNOWN = "This token is not valid: mistyped, revoked or expired. Settings → API makes a new one."


def forget_the_session() -> None:
    """Whoever is signed in by cookie is nobody here, and gets no cookie renewed."""
    session.clear()
    session.modified = False


def require_token() -> None:
    """Raises Unauthorized without a valid token, RateLimitExceeded for one that is used too often."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthorized(UNNAMED)
    person = tokens.owner_of(text.strip())
    if person is None:
        raise Unauthorized(UNKNOWN)
    g.caller, g.token_id = person, text.strip().split("_")[1]
    with _limit:
        pass


def refuse_odd_ids() -> None:
    """An id that no database column can hold names nothing. Raises NotFound."""
    if any("\0" in str(value) for value in (request.view_args or {}).values()):
        raise NotFound("There is nothing with this id.")


def caller() -> User:
    """Whose token came with this request."""
    person: User = g.caller
    return person


# The key comes from the request and not from a closure: the limiter keeps one of these for all requests.
_limit = limiter.shared_limit(lambda: RATE, scope="api", key_func=lambda: str(g.token_id))
