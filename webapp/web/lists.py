"""Lists: the columns of a board."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.models import Conflict, RecordList
from webapp.web import board, loading
from webapp.web.board import ListForm, RecordForm
from webapp.web.errors import said
from webapp.web.forms import run
from webapp.web.loading import for_people, me
from webapp.workspace import access, lists, records

STEPS = {"left": -1, "right": 1}

bp = for_people(Blueprint("lists", __name__))


@bp.post("/projects/<project_id>/lists")
def create(project_id: str) -> Response:
    """Add a list to a board."""
    project, form = loading.project(project_id), ListForm()
    if run(form, lambda: lists.create(form.title.data or "", project=project, by=me())) is None:
        return board.show(project, list_form=form, status=422)
    return board.changed(project)


@bp.get("/lists/<list_id>")
def edit(list_id: str) -> str:
    """A list's title, to change."""
    list_ = loading.record_list(list_id)
    access.demand(list_.project, me(), "rename_lists")
    return render_template("projects/list.html", list=list_, form=ListForm(formdata=None, title=list_.title))


@bp.post("/lists/<list_id>")
def update(list_id: str) -> Response | tuple[str, int]:
    """Rename a list."""
    list_, form = loading.record_list(list_id), ListForm()
    if run(form, lambda: lists.rename(list_, form.title.data or "", by=me())) is None:
        return render_template("projects/list.html", list=list_, form=form), 422
    return _to_board(list_)


@bp.post("/lists/<list_id>/order")
def shift(list_id: str) -> Response:
    """One place to the left or right on the board."""
    list_ = loading.record_list(list_id)
    lists.shift(list_, STEPS.get(request.form.get("to", ""), 0), by=me())
    return board.changed(list_.project)


@bp.get("/lists/<list_id>/delete")
def confirm(list_id: str) -> str:
    """Ask before a list is deleted."""
    list_ = loading.record_list(list_id)
    access.demand(list_.project, me(), "edit_lists")
    return render_template("projects/list_delete.html", list=list_, held=len(records.on_board([list_])[list_.id]))


@bp.post("/lists/<list_id>/delete")
def delete(list_id: str) -> Response:
    """Delete an empty list."""
    list_ = loading.record_list(list_id)
    to_board = _to_board(list_)
    title = list_.title
    try:
        lists.delete(list_, by=me())
    except Conflict as error:
        flash(said(error), "danger")
    else:
        flash(_("The list “%(title)s” is deleted.", title=title), "success")
    return to_board


@bp.post("/lists/<list_id>/records")
def create_record(list_id: str) -> Response:
    """Add a record to a list; the form stays open for the next one."""
    list_, form = loading.record_list(list_id), RecordForm()
    is_top = form.place.data == "top"
    done = run(form, lambda: records.create(form.title.data or "", list_=list_, by=me(), top=is_top))
    if done is None:
        return board.show(list_.project, record_form=form, record_list_id=list_id, status=422)
    return board.changed(list_.project, keeps_open=list_id)


def _to_board(list_: RecordList) -> Response:
    return redirect(url_for("projects.show", project_id=list_.project_id), 303)
