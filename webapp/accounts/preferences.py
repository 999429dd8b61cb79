"""How a person likes the pages: theme and language."""

from __future__ import annotations

from webapp.models.account import User
from webapp.models.base import transaction


def choose(user: User, *, theme: str = "", locale: str = "") -> None:
    """Keep a theme (`auto light dark`) and a language with the account; an empty one stays as it was."""
    with transaction():
        user.theme = theme or user.theme
        user.locale = locale or user.locale
