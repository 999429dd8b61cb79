"""Records: their page, and the changes that the board and the page offer."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from webapp.models import Record
from webapp.request_extensions import htmx
from webapp.web import board, loading, record_page
from webapp.web.forms import run
from webapp.web.loading import for_people, me
from webapp.web.record_forms import PlaceForm, TitleForm, place_form
from webapp.workspace import access, records

STEPS = {"up": -1, "down": 1}
PLACE_DIGITS = 6

bp = for_people(Blueprint("records", __name__, url_prefix="/records/<record_id>"))


@bp.get("")
def show(record_id: str) -> Response:
    """The record."""
    return record_page.show(loading.record(record_id))


@bp.get("/sent")
def sent(record_id: str) -> AnyResponse:
    """What was sent of it, for the page that asks again and again; 204 when nothing changed."""
    record = loading.record(record_id)
    if htmx:
        return record_page.news(record, request.args.get("seen", ""))
    return redirect(url_for(".show", record_id=record.id), 303)


@bp.post("/title")
def rename(record_id: str) -> AnyResponse:
    """Another title. Whoever saves last wins, and is told when somebody else was faster."""
    record, form = loading.record(record_id), TitleForm()
    before = record.title
    if run(form, lambda: records.rename(record, form.title.data or "", by=me())) is None:
        return record_page.show(record, wrong={"title": form})
    is_late = form.was.data and before not in {form.was.data, record.title}
    warning = _("Meanwhile somebody changed it to “%(title)s”. Yours was saved over that.", title=before)
    return record_page.changed(record, warning=warning if is_late else "")


@bp.post("/completion")
def complete(record_id: str) -> AnyResponse:
    """Done, or not: `done` is 1 or is left out."""
    record = loading.record(record_id)
    records.set_done(record, request.form.get("done") == "1", by=me())
    return _changed(record)


@bp.post("/place")
def move(record_id: str) -> AnyResponse:
    """Into another list, or to the bottom or top of this one."""
    record = loading.record(record_id)
    form = place_form(record, record_page.destinations(record))
    if run(form, lambda: _move(record, form)) is None:
        return record_page.show(record, wrong={"place": form})
    return _changed(record)


@bp.post("/order")
def shift(record_id: str) -> AnyResponse:
    """One place up or down in its list."""
    record = loading.record(record_id)
    records.shift(record, STEPS.get(request.form.get("to", ""), 0), by=me())
    return board.changed(record.list.project)


@bp.get("/delete")
def confirm(record_id: str) -> str:
    """Ask before a record is deleted."""
    record = loading.record(record_id)
    access.demand(record.list.project, me(), "edit_records")
    return render_template("records/delete.html", record=record)


@bp.post("/delete")
def delete(record_id: str) -> AnyResponse:
    """Delete a record and go to its board."""
    record = loading.record(record_id)
    title, project_id = record.title, record.list.project_id
    records.delete(record, by=me())
    flash(_("The record “%(title)s” is deleted.", title=title), "success")
    return redirect(url_for("projects.show", project_id=project_id), 303)


def _move(record: Record, form: PlaceForm) -> None:
    target = loading.record_list(form.list_id.data)
    records.move(record, list_=target, by=me(), place=_place(form.place.data or ""))


def _place(text: str) -> int | None:
    """A place among the others, counted from 0: what a dragged card says; `top`; anything else is the bottom."""
    return int(text) if text.isdecimal() and len(text) <= PLACE_DIGITS else 0 if text == "top" else None


def _changed(record: Record) -> AnyResponse:
    """The board and the record's page both offer it: each gets its own part."""
    return record_page.changed(record) if record_page.is_part() else board.changed(record.list.project)
