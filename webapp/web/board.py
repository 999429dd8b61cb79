"""The board of a project: the whole page, or for htmx the part below the heading, which is swapped by its id."""

from __future__ import annotations

from flask import Response, make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse
from wtforms import SelectField, StringField

from webapp.extensions import htmx
from webapp.models import Project
from webapp.web.forms import Form, Required, choice
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import me
from webapp.web.redirects import next_path
from webapp.workspace import access, lists, records

PLACES = [choice("bottom", _l("Bottom")), choice("top", _l("Top"))]
SHOWN_RECORDS = 100  # of one list, until "Show all"


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
    whole_list_id: str = "",
    status: int = 200,
) -> Response:
    """The board. A form that came back stands where it was typed; `keeps_open` is the list whose form stays open."""
    columns = lists.of(project)
    role = access.role_in(project, me())
    html = render_template(
        "projects/_board.html" if _is_part() else "projects/show.html",
        project=project,
        lists=columns,
        records=records.on_board(columns),
        rights=set() if project.archived else access.rights(role),
        is_administrator=role in access.ADMINISTRATORS,
        list_form=list_form or ListForm(formdata=None),
        record_form=record_form,
        record_list_id=record_list_id,
        keeps_open=keeps_open,
        whole_list_id=whole_list_id,
        shown=SHOWN_RECORDS,
    )
    response = make_response(html, status)
    response.vary.add("HX-Request")
    return response


def changed(project: Project, *, keeps_open: str = "") -> AnyResponse:
    """After a change: the board as it is now, by a redirect to where the form stood where there is no htmx."""
    if _is_part():
        return show(project, keeps_open=keeps_open)
    return redirect(next_path(url_for("projects.show", project_id=project.id, open=keeps_open or None)), 303)


def _is_part() -> bool:
    return bool(htmx) and htmx.target == "board"
