"""What is picked in the menu or above a log: a cookie in this browser; theme and language also with the account."""

from __future__ import annotations

from collections.abc import Container

from flask import Blueprint, current_app, redirect, request
from werkzeug.wrappers import Response

from webapp.accounts import preferences
from webapp.web.person import LOCALE_COOKIE, LOCALES, THEME_COOKIE, THEMES, TIMES, TIMES_COOKIE, person
from webapp.web.redirects import next_path

COOKIE_SECONDS = 365 * 24 * 3600

bp = Blueprint("preferences", __name__)


@bp.post("/preferences")
def update() -> Response:
    """Keep what was picked and go back to where it was picked."""
    theme = _one_of(THEMES, "theme")
    locale = _one_of(LOCALES, "locale")
    known = person()
    if known is not None and (theme or locale):
        preferences.choose(known, theme=theme, locale=locale)
    response = redirect(next_path(), code=303)
    for name, value in ((THEME_COOKIE, theme), (LOCALE_COOKIE, locale), (TIMES_COOKIE, _one_of(TIMES, "times"))):
        if value:
            response.set_cookie(
                name,
                value,
                max_age=COOKIE_SECONDS,
                httponly=True,
                samesite="Lax",
                secure=current_app.config["SESSION_COOKIE_SECURE"],
            )
    return response


def _one_of(allowed: Container[str], name: str) -> str:
    value = request.form.get(name, "")
    return value if value in allowed else ""
