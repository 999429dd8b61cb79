"""The state of the installation, for its operators. For everybody else this page does not exist."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from flask import Blueprint, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from webapp.config import VERSION, current
from webapp.delivery import condition, surveying
from webapp.delivery.condition import Count, Finding, Level, Survey
from webapp.models import DeliveryState
from webapp.request_extensions import htmx
from webapp.web import formats
from webapp.web.badges import STATE
from webapp.web.users import only_operators

LIBRARIES = ("Flask", "SQLAlchemy", "huey", "requests", "urllib3", "dnspython", "cryptography", "gunicorn")
LEVELS = {
    Level.GOOD: ("success", "circle-check", _l("Good")),
    Level.WATCH: ("warning", "triangle-alert", _l("Watch")),
    Level.BAD: ("danger", "circle-x", _l("Bad")),
}
PARTS: dict[str, LazyString] = {
    "workers": _l("Workers"),
    "fan_out": _l("Events waiting for their webhooks"),
    "due": _l("Oldest delivery that is due"),
    "stuck": _l("Stuck deliveries"),
    "speed": _l("Speed"),
    "bell": _l("Queue"),
    "database": _l("Database"),
    "disk": _l("Disk"),
    "pruning": _l("Deleting what is old"),
    "targets": _l("Private addresses"),
}

bp = Blueprint("system", __name__, url_prefix="/admin/system")
bp.before_request(only_operators)


@dataclass(frozen=True)
class Row:
    """A part of the installation: how it is, its figures, and what to do."""

    part: str
    label: LazyString
    kind: str
    icon: str
    word: LazyString
    figures: str
    sentence: str
    url: str = ""


@bp.get("")
def show() -> str:
    """How everything is. Asked by htmx, only what changes by itself."""
    survey = surveying.survey()
    values = {
        "survey": survey,
        "rows": [_row(finding, survey) for finding in condition.judge(survey)],
        "states": [(STATE[DeliveryState(name)], count_text(count)) for name, count in survey.states.items()],
    }
    if htmx and not htmx.boosted:
        return render_template("system/_state.html", **values)
    return render_template("system/show.html", settings=list(current().rows()), versions=list(_versions()), **values)


def count_text(count: Count) -> str:
    """A number, or “more than 10,000”."""
    text = formats.number(count.number)
    return _("more than %(number)s", number=text) if count.is_more else text


def _row(finding: Finding, survey: Survey) -> Row:
    kind, icon, word = LEVELS[finding.level]
    url = url_for("deliveries.index", state="stuck") if finding.part == "stuck" else ""
    figures = FIGURES[finding.part](survey)
    return Row(finding.part, PARTS[finding.part], kind, icon, word, figures, formats.translated(finding.sentence), url)


def _workers(survey: Survey) -> str:
    alive = [beat for beat in survey.workers if not beat.is_silent(survey.now)]
    threads = sum(beat.threads for beat in alive)
    return _("%(alive)s running, %(threads)s requests at once", alive=len(alive), threads=threads)


def _fan_out(survey: Survey) -> str:
    return count_text(survey.events_waiting)


def _due(survey: Survey) -> str:
    oldest = min((at for at in (survey.oldest_due_at, survey.oldest_behind_at) if at), default=None)
    if oldest is None or oldest > survey.now:
        return _("none is due")
    return _("for %(span)s", span=formats.duration((survey.now - oldest).total_seconds() * 1000))


def _stuck(survey: Survey) -> str:
    return count_text(survey.states.get("stuck", Count(0)))


def _speed(survey: Survey) -> str:
    speed = survey.speed
    return _(
        "%(rate)s deliveries a second in the last minute; half were answered within %(p50)s, 95 of 100 within %(p95)s",
        rate=formats.number(round(speed.per_second, 1)),
        p50=formats.duration(speed.p50_ms),
        p95=formats.duration(speed.p95_ms),
    )


def _bell(survey: Survey) -> str:
    waiting = "–" if survey.queue.waiting is None else formats.number(survey.queue.waiting)
    lost = formats.number(survey.queue.lost)
    return _("%(kind)s, %(waiting)s waiting, %(lost)s lost", kind=survey.queue.kind, waiting=waiting, lost=lost)


def _database(survey: Survey) -> str:
    database = survey.database
    size, took = formats.size(database.size), formats.duration(database.took_ms)
    return _(
        "%(kind)s %(version)s, %(size)s, answered in %(took)s",
        kind=database.kind,
        version=database.version,
        size=size,
        took=took,
    )


def _disk(survey: Survey) -> str:
    return _("%(free)s of %(size)s free", free=formats.size(survey.disk_free), size=formats.size(survey.disk_size))


def _pruning(survey: Survey) -> str:
    return formats.absolute(survey.pruned_at) if survey.pruned_at else _("not yet")


def _targets(survey: Survey) -> str:
    return ", ".join((*survey.open_targets, *survey.open_ranges)) or _("none")


FIGURES = {
    "workers": _workers,
    "fan_out": _fan_out,
    "due": _due,
    "stuck": _stuck,
    "speed": _speed,
    "bell": _bell,
    "database": _database,
    "disk": _disk,
    "pruning": _pruning,
    "targets": _targets,
}


def _versions() -> Iterator[tuple[str, str]]:
    yield "Blue Webhooks", VERSION
    yield "Python", platform.python_version()
    for name in LIBRARIES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue
