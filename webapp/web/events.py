"""Events: what happened in a person's projects, and what became of it at each of their webhooks."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request

from webapp.request_extensions import htmx
from webapp.web import event_log as log_view
from webapp.web.change_words import field_name, value_text
from webapp.web.loading import for_people, me
from webapp.webhooks import changes, verdicts
from webapp.workspace import event_log, event_subjects

bp = for_people(Blueprint("events", __name__, url_prefix="/events"))

PART = "event-log"


@bp.get("")
def index() -> Response:
    """The events, newest first. For htmx the log alone, and 204 when it is as the page has it."""
    log = log_view.view(me())
    is_part = bool(htmx) and htmx.target == PART
    is_known = is_part and request.args.get("seen") == log.fingerprint
    template = "events/_log.html" if is_part else "events/index.html"
    response = make_response("", 204) if is_known else make_response(render_template(template, log=log))
    response.vary.update(["HX-Request", "HX-Target"])
    return response


@bp.get("/<event_id>")
def show(event_id: str) -> str:
    """One event: what changed, what it carries, and why each of my webhooks got it or not."""
    event = event_log.load(event_id, me())
    return render_template(
        "events/show.html",
        event=event,
        label=log_view.label(event),
        subjects=event_subjects.of([event], me()),
        values=log_view.values(event),
        changes=changes.of_bytes(event.previous_value, event.current_value),
        verdicts=verdicts.of([event], user=me())[event.seq],
        field_name=field_name,
        value_text=value_text,
    )
