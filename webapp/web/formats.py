"""How times, numbers, sizes and icons are written. Filters and globals of the templates."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_skeleton, format_time, format_timedelta
from flask import Flask, url_for
from flask_babel import format_decimal, format_percent, get_locale, gettext
from markupsafe import Markup

from webapp.models.base import utc_now
from webapp.web.person import date_format, has_absolute_times, time_zone

# Patterns of Babel: the day, and the day without its year.
DAYS = {"year_first": "yyyy-MM-dd", "day_first": "dd.MM.yyyy", "month_first": "MM/dd/yyyy"}
SHORT_DAYS = {"year_first": "MM-dd", "day_first": "dd.MM.", "month_first": "MM/dd"}
SIZE_STEP = 1024
SIZE_UNITS = ("KB", "MB", "GB", "TB")
SECOND_MS = 1000


def init_app(app: Flask) -> None:
    """Register the filters and globals named below."""
    names = _icon_names(Path(app.static_folder or "static") / "icons.svg")

    def icon(name: str, *, size: str = "") -> Markup:
        """One icon of the sprite, for eyes only: the word beside it (or an aria-label) carries the meaning."""
        if name not in names:
            raise LookupError(f"no icon “{name}” in static/icons.svg")
        address = url_for("static", filename="icons.svg")
        classes = f"icon icon-{size}" if size else "icon"
        return Markup('<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>').format(
            classes, address, name
        )

    app.jinja_env.globals.update(icon=icon, time=time_tag)
    app.jinja_env.filters.update(
        breakable=breakable,
        absolute=absolute,
        brief=brief,
        day=day,
        relative=relative,
        number=number,
        percent=percent,
        duration=duration,
        size=size,
        translated=translated,
    )


def _icon_names(sprite: Path) -> frozenset[str]:
    return frozenset(re.findall(r'<symbol id="([^"]+)"', sprite.read_text(encoding="utf-8")))


def time_tag(at: datetime | None, *, is_absolute: bool = False) -> Markup:
    """A time as “2 minutes ago”, ticking in the browser, with the absolute times in the title. None gives a dash.

    Whoever switched to exact times gets date and clock instead.
    """
    if at is None:
        return Markup('<span class="muted">–</span>')
    at = _utc(at)
    machine = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if is_absolute or has_absolute_times():
        return Markup('<time datetime="{}" title="{}">{}</time>').format(machine, both(at), absolute(at))
    return Markup(
        '<relative-time datetime="{0}" prefix="" title="{1}"><time datetime="{0}">{2}</time></relative-time>'
    ).format(machine, both(at), relative(at))


def both(at: datetime) -> str:
    """A time in the person's zone and in UTC, for titles."""
    in_utc = f"{_utc(at):%H:%M:%S} UTC"
    zone = _zone()
    return f"{absolute(at)} ({in_utc})" if zone.key != "UTC" else f"{absolute(at)} UTC"


def absolute(at: datetime) -> str:
    """Date and time in the person's zone and language, the day as they like it."""
    pattern = DAYS.get(date_format())
    if pattern is None:
        return str(format_datetime(_utc(at).astimezone(_zone()), "medium", tzinfo=_zone(), locale=get_locale()))
    clock = format_time(_utc(at), "medium", tzinfo=_zone(), locale=get_locale())
    return f"{format_datetime(_utc(at), pattern, tzinfo=_zone(), locale=get_locale())}, {clock}"


def day(at: datetime) -> str:
    """The day alone, in the person's zone and language and as they like it."""
    return str(format_date(_utc(at).astimezone(_zone()), DAYS.get(date_format(), "medium"), locale=get_locale()))


def breakable(code: object) -> Markup:
    """A code such as TODO_CREATED that a narrow column may break after its underscores. Everything else is escaped."""
    return Markup("_<wbr>").join(str(code).split("_"))


def brief(at: datetime) -> str:
    """Day and minute in the person's zone and language, for badges: “Nov 24, 10:00 AM”."""
    at, zone, locale_ = _utc(at), _zone(), get_locale()
    pattern = SHORT_DAYS.get(date_format())
    if pattern is None:
        short = format_skeleton("MMMd", at, tzinfo=zone, locale=locale_)
    else:
        short = format_datetime(at, pattern, tzinfo=zone, locale=locale_)
    return f"{short}, {format_time(at, 'short', tzinfo=zone, locale=locale_)}"


def relative(at: datetime) -> str:
    """A time as a span from now: “2 minutes ago”, “in 4 hours”."""
    return str(format_timedelta(_utc(at) - utc_now(), add_direction=True, locale=get_locale()))


def number(value: float) -> str:
    """A number with the separators of the person's language."""
    return str(format_decimal(value))


def percent(share: float) -> str:
    """A share between 0 and 1 as a percentage with at most one decimal; only a full 1 reads 100 %."""
    cut = share if share in {0, 1} else min(max(round(share, 3), 0.001), 0.999)
    return str(format_percent(cut, "#,##0.#%"))


def duration(milliseconds: float | None) -> str:
    """A span in ms: “142 ms”, “2.1 s”. None gives a dash."""
    if milliseconds is None:
        return "–"
    if milliseconds < SECOND_MS:
        return f"{number(round(milliseconds))} ms"
    return f"{number(round(milliseconds / SECOND_MS, 1))} s"


def translated(sentence: str) -> str:
    """A stored sentence in the person's language. Unlike `_()` of the templates it takes percent signs as they are."""
    return str(gettext(sentence))


def size(octets: int) -> str:
    """A number of bytes: “312 B”, “1.5 KB”."""
    if octets < SIZE_STEP:
        return f"{number(octets)} B"
    value = float(octets)
    for unit in SIZE_UNITS:
        value /= SIZE_STEP
        if value < SIZE_STEP or unit == SIZE_UNITS[-1]:
            break
    return f"{number(round(value, 1))} {unit}"


def _zone() -> ZoneInfo:
    return ZoneInfo(time_zone())


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
