"""Who looks at the page, and how they like it: language, time zone, dates, theme, shortcuts."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import Any
from urllib.parse import unquote

from flask import has_request_context, request
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from webapp.models.account import User

LOCALES = {"en": "English", "de": "Deutsch"}
THEMES = {"auto": _l("Auto"), "light": _l("Light"), "dark": _l("Dark")}
TIMES = {"relative": _l("Relative times"), "absolute": _l("Exact times")}
THEME_COOKIE, LOCALE_COOKIE, ZONE_COOKIE, TIMES_COOKIE = "theme", "lang", "tz", "times"


def person() -> User | None:
    """Who is signed in, or None."""
    signed_in: Any = current_user
    if not has_request_context() or not signed_in.is_authenticated:
        return None
    found: User = signed_in._get_current_object()
    return found


def locale() -> str:
    """The language of this page: the person's choice, else this browser's cookie, else what the browser asks for."""
    if not has_request_context():
        return "en"
    known = person()
    for choice in (known.locale if known else "", request.cookies.get(LOCALE_COOKIE, "")):
        if choice in LOCALES:
            return choice
    return request.accept_languages.best_match(LOCALES, "en") or "en"


def time_zone() -> str:
    """The time zone of this page: the person's choice, else the browser's (a cookie set by theme.js), else UTC."""
    if not has_request_context():
        return "UTC"
    known = person()
    for choice in (known.time_zone if known else "", browser_time_zone()):
        if choice in _zones():
            return choice
    return "UTC"


def browser_time_zone() -> str:
    """What the browser says of its time zone; empty where it says nothing that is one."""
    said = unquote(request.cookies.get(ZONE_COOKIE, "")) if has_request_context() else ""
    return said if said in _zones() else ""


def date_format() -> str:
    """One of DATE_FORMATS; empty where dates are written as the language has them."""
    known = person()
    return known.date_format if known else ""


def has_absolute_times() -> bool:
    """Whether this browser wants times as date and clock, instead of “2 minutes ago”."""
    return has_request_context() and request.cookies.get(TIMES_COOKIE) == "absolute"


def has_shortcuts() -> bool:
    """Whether keys of the keyboard do things."""
    known = person()
    return known.has_shortcuts if known else True


def theme() -> str:
    """`auto`, `light` or `dark`: the person's choice, else this browser's cookie."""
    known = person()
    for choice in (known.theme if known else "", request.cookies.get(THEME_COOKIE, "")):
        if choice in THEMES:
            return choice
    return "auto"


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
