"""How a person likes the pages: theme, language and time zone."""

from __future__ import annotations

from webapp.models.account import User
from webapp.models.base import transaction


def choose(user: User, *, theme: str = "", locale: str = "", time_zone: str = "") -> None:
    """Keep a theme (`auto light dark`), a language and a time zone with the account; an empty one stays as it was."""
    with transaction():
        user.theme = theme or user.theme
        user.locale = locale or user.locale
        user.time_zone = time_zone or user.time_zone
