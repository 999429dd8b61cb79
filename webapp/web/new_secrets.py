"""A secret that was set just now is shown once, on the page that follows: the session remembers of which webhook."""

from __future__ import annotations

from flask import session

from webapp.models import Webhook
from webapp.web import compression
from webapp.webhooks import secrets

KEY = "new_secret_of"


def remember(webhook: Webhook) -> None:
    """The next page may show the secret of this webhook. The session holds its id alone."""
    session[KEY] = webhook.id


def tell_once(webhook: Webhook) -> str | None:
    """The secret, if it is the one that this browser set just now and has not been shown yet."""
    if session.get(KEY) != webhook.id:
        return None
    del session[KEY]
    compression.forbid()
    return secrets.of_new(webhook)
