"""Records: their page, and the changes that the board and the page offer."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField

from webapp.models import Project, Record
from webapp.web import board, loading
from webapp.web.board import PLACES
from webapp.web.forms import Form, Required, choice, run
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import for_people, me
from webapp.web.redirects import next_path
from webapp.workspace import access, lists, records

STEPS = {"up": -1, "down": 1}

bp = for_people(Blueprint("records", __name__, url_prefix="/records/<record_id>"))


class TitleForm(Form):
    """A record's title."""

    title = StringField(_l("Title"), [Required()])


class PlaceForm(Form):
    """The list that a record moves to, at its bottom or top."""

    list_id = SelectField(_l("List"))
    place = SelectField(_l("Place"), choices=PLACES, default="bottom")


@bp.get("")
def show(record_id: str) -> str:
    """The record."""
    return _page(loading.record(record_id))


@bp.post("/title")
def rename(record_id: str) -> Response | tuple[str, int]:
    """Another title."""
    record, form = loading.record(record_id), TitleForm()
    if run(form, lambda: records.rename(record, form.title.data or "", by=me())) is None:
        return _page(record, title=form), 422
    return _saved(record)


@bp.post("/completion")
def complete(record_id: str) -> Response:
    """Done, or not: `done` is 1 or is left out."""
    record = loading.record(record_id)
    records.set_done(record, request.form.get("done") == "1", by=me())
    return board.changed(record.list.project)


@bp.post("/place")
def move(record_id: str) -> Response | tuple[str, int]:
    """Into another list, or to the bottom or top of this one."""
    record = loading.record(record_id)
    form = _place_form(record)
    done = run(form, lambda: _move(record, form))
    if done is None:
        return _page(record, place=form), 422
    return board.changed(record.list.project)


@bp.post("/order")
def shift(record_id: str) -> Response:
    """One place up or down in its list."""
    record = loading.record(record_id)
    records.shift(record, STEPS.get(request.form.get("to", ""), 0), by=me())
    return board.changed(record.list.project)


@bp.get("/delete")
def confirm(record_id: str) -> str:
    """Ask before a record is deleted."""
    return render_template("records/delete.html", record=loading.record(record_id))


@bp.post("/delete")
def delete(record_id: str) -> Response:
    """Delete a record and go to its board."""
    record = loading.record(record_id)
    title, project_id = record.title, record.list.project_id
    records.delete(record, by=me())
    flash(_("The record “%(title)s” is deleted.", title=title), "success")
    return redirect(url_for("projects.show", project_id=project_id), 303)


def _move(record: Record, form: PlaceForm) -> None:
    target = loading.record_list(form.list_id.data)
    records.move(record, list_=target, by=me(), place=0 if form.place.data == "top" else None)


def _saved(record: Record) -> Response:
    flash(_("Saved."), "success")
    return redirect(next_path(url_for(".show", record_id=record.id)), 303)


def _page(record: Record, *, title: TitleForm | None = None, place: PlaceForm | None = None) -> str:
    project = record.list.project
    role = access.role_in(project, me())
    return render_template(
        "records/show.html",
        record=record,
        project=project,
        rights=set() if project.archived else access.rights(role),
        title_form=title or TitleForm(formdata=None, title=record.title),
        place_form=place or _place_form(record),
    )


def _place_form(record: Record) -> PlaceForm:
    form = PlaceForm(list_id=record.list_id)
    form.list_id.choices = [each for project in _destinations(record) for each in _lists(project)]
    return form


def _lists(project: Project) -> list[Any]:
    return [choice(list_.id, list_.title, project.name) for list_ in lists.of(project)]


def _destinations(record: Record) -> list[Project]:
    """The record's project; for its administrators also the others that they administer."""
    own, mine = record.list.project, me()
    if access.role_in(own, mine) not in access.ADMINISTRATORS:
        return [own]
    return [own, *(each for each in access.run_by(mine) if each is not own)]
