"""What a card of the board offers: a menu, or without JavaScript a page with the same."""

from __future__ import annotations

from flask import Blueprint, make_response, render_template
from werkzeug.wrappers import Response

from webapp.request_extensions import htmx
from webapp.web import loading
from webapp.web.loading import for_people, me
from webapp.workspace import access, lists

MENU = "card-menu"  # the id of the box that it opens in

bp = for_people(Blueprint("cards", __name__))


@bp.get("/records/<record_id>/card")
def show(record_id: str) -> Response:
    """The menu of a card: open, move, mark as done, delete."""
    record = loading.record(record_id)
    project = record.list.project
    html = render_template(
        "projects/_card_menu.html" if htmx and htmx.target == MENU else "projects/card.html",
        record=record,
        project=project,
        lists=lists.of(project),
        rights=set() if project.archived else access.rights(access.role_in(project, me())),
    )
    response = make_response(html)
    response.vary.add("HX-Request")
    return response
