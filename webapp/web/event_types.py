"""The catalogue of event types, for everybody who wants to receive them."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from webapp.delivery import event_types
from webapp.delivery.event_types import EventType
from webapp.models import NotFound, PayloadFormat
from webapp.web.loading import for_people

bp = for_people(Blueprint("event_types", __name__, url_prefix="/event-types"))


@bp.get("")
def index() -> str:
    """All event types in their groups, or those that hold the words searched for."""
    search = request.args.get("q", "").strip()
    groups = {
        group: found
        for group, types in event_types.by_group(None).items()
        if (found := [each for each in types if _holds(each, search.casefold())])
    }
    return render_template("event_types/index.html", groups=groups, search=search)


@bp.get("/<code>")
def show(code: str) -> str:
    """One event type with its examples."""
    event_type = event_types.event_types(None).get(code)
    if event_type is None:
        raise NotFound("There is no such event type.")
    examples = [(each, event_types.example(code, each)) for each in PayloadFormat]
    return render_template("event_types/show.html", event_type=event_type, examples=examples)


def _holds(event_type: EventType, wanted: str) -> bool:
    texts = event_type.code, event_type.compact_code, _(event_type.label), _(event_type.description)
    return any(wanted in text.casefold() for text in texts)
