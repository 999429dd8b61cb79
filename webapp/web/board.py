"""The board of a project: the whole page, or for htmx the part below the heading, which is swapped by its id."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse
from wtforms import SelectField, StringField

from webapp.models import Project, utc_now
from webapp.request_extensions import htmx
from webapp.web.board_filter import BoardAddress
from webapp.web.board_parts import BoardParts
from webapp.web.forms import Form, Required, choice
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import me
from webapp.web.redirects import next_path
from webapp.workspace import access, cards, lists, members

PLACES = [choice("bottom", _l("Bottom")), choice("top", _l("Top"))]
SHOWN_RECORDS = 100  # of one list, until "Show more"
SHOWN_PEOPLE = 6  # in the head
FINGERPRINT_LENGTH = 16


class ListForm(Form):
    """A list's title."""

    title = StringField(_l("Title"), [Required()])


class RecordForm(Form):
    """A new record, at the bottom of its list or on top."""

    title = StringField(_l("Title"), [Required()])
    place = SelectField(_l("Place"), choices=PLACES, default="bottom")


def show(
    project: Project,
    *,
    list_form: ListForm | None = None,
    record_form: RecordForm | None = None,
    record_list_id: str = "",
    keeps_open: str = "",
    status: int = 200,
) -> Response:
    """The board. A form that came back stands where it was typed; `keeps_open` is the list whose form stays open.

    A page that has seen the board as it is now gets 204.
    """
    address, rights = BoardAddress.of_request(project), _rights(project)
    columns = _columns(project, address)
    fingerprint = _fingerprint(columns, project.archived, sorted(rights))
    if request.args.get("seen") == fingerprint and _is_part():
        return Response(status=204)
    html = render_template(
        "projects/_board.html" if _is_part() else "projects/show.html",
        project=project,
        columns=columns,
        rights=rights,
        address=address,
        fingerprint=fingerprint,
        list_form=list_form or ListForm(formdata=None),
        record_form=record_form,
        record_list_id=record_list_id,
        keeps_open=keeps_open,
        max_lists=lists.MAX_LISTS,
        parts=BoardParts(),
        **({} if _is_part() else _head(project, address)),
    )
    response = make_response(html, status)
    response.vary.add("HX-Request")
    if htmx and htmx.trigger == "board-filter":
        response.headers["HX-Push-Url"] = address.url()
    return response


def changed(project: Project, *, keeps_open: str = "") -> AnyResponse:
    """After a change: the board as it is now, by a redirect to where the form stood where there is no htmx."""
    if _is_part():
        return show(project, keeps_open=keeps_open)
    return redirect(next_path(BoardAddress.of_request(project).url(open=keeps_open or None)), 303)


def _is_part() -> bool:
    return bool(htmx) and htmx.target == "board"


def _rights(project: Project) -> frozenset[access.Right]:
    return frozenset() if project.archived else access.rights(access.role_in(project, me()))


def _columns(project: Project, address: BoardAddress) -> list[tuple[Any, cards.Column]]:
    """The lists and their cards."""
    all_lists = lists.of(project)
    shown = cards.of(all_lists, utc_now(), wanted=address.wanted, most=SHOWN_RECORDS, whole=address.whole)
    return [(one, shown[one.id]) for one in all_lists]


def _fingerprint(columns: list[tuple[Any, cards.Column]], *further: object) -> str:
    """The same as long as the board looks the same."""
    seen = repr(([(one.id, one.title, column) for one, column in columns], further))
    return hashlib.sha256(seen.encode()).hexdigest()[:FINGERPRINT_LENGTH]


def _head(project: Project, address: BoardAddress) -> dict[str, Any]:
    """What stands above the board and is not swapped with it."""
    people = [member.user.name for member in members.of(project)]
    return {"people": tuple(people[:SHOWN_PEOPLE]), "more_people": len(people[SHOWN_PEOPLE:]), "filter": address.form()}
