"""The check of a URL while the form is filled in: the same rules and words as at saving."""

from __future__ import annotations

import time

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from flask_limiter import RequestLimit

from webapp.models import Invalid
from webapp.request_extensions import limiter
from webapp.web.errors import said
from webapp.web.loading import for_people, me
from webapp.webhooks import access, targets
from webapp.webhooks.rules import Advice

bp = for_people(Blueprint("url_checks", __name__, url_prefix="/settings/webhooks"))

RATE = "30 per minute"  # each may cost a name look-up


def _too_many(limit: RequestLimit) -> Response:
    wait_s = max(1, limit.reset_at - int(time.time()))
    told = _("Too many checks. Try again in %(seconds)s s.", seconds=wait_s)
    response = make_response(render_template("webhooks/_url_check.html", problem=told, warning=""), 429)
    response.headers["Retry-After"] = str(wait_s)
    return response


@bp.post("/url-checks")
@limiter.limit(RATE, key_func=lambda: me().id, on_breach=_too_many)
def create() -> str:
    """What is wrong or odd about a URL, or how it is spelled on the wire, as the part of the form below its field."""
    access.require_administrator(me())
    typed = request.form.get("url", "").strip()
    warnings: list[Advice] = []
    problem = spelled = ""
    try:
        spelled = targets.checked_url(typed, warnings)
    except Invalid as error:
        problem = said(error)
    warning = _(warnings[0].template, **warnings[0].values) if warnings else ""
    shown = "" if spelled == typed else spelled
    return render_template("webhooks/_url_check.html", problem=problem, warning=warning, spelled=shown)
