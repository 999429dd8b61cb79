"""Checklists of a record: add, rename, order, delete."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.models import Checklist
from webapp.web import loading, record_page
from webapp.web.forms import run
from webapp.web.loading import for_people, me
from webapp.web.record_forms import TitleForm
from webapp.workspace import access, checklist_items, checklists

bp = for_people(Blueprint("checklists", __name__))

STEPS = {"up": -1, "down": 1}


@bp.post("/records/<record_id>/checklists")
def create(record_id: str) -> Response:
    """Add a checklist; its form for items stands open."""
    record, form = loading.record(record_id), TitleForm()
    done = run(form, lambda: checklists.create(form.title.data or "", record=record, by=me()))
    if done is None:
        return record_page.show(record, wrong={"checklist": form})
    return record_page.changed(record, opened=f"add-{done.value.id}")


@bp.get("/checklists/<checklist_id>")
def edit(checklist_id: str) -> str:
    """A checklist's title, to change."""
    checklist = _mine(checklist_id)
    return _edit(checklist, TitleForm(formdata=None, title=checklist.title))


@bp.post("/checklists/<checklist_id>")
def update(checklist_id: str) -> Response | tuple[str, int]:
    """Rename a checklist."""
    checklist, form = access.load_checklist(checklist_id, me()), TitleForm()
    if run(form, lambda: checklists.rename(checklist, form.title.data or "", by=me())) is None:
        return _edit(checklist, form), 422
    return _to_record(checklist.record_id, f"checklist-{checklist.id}")


@bp.post("/checklists/<checklist_id>/order")
def shift(checklist_id: str) -> Response:
    """One place up or down on its record."""
    checklist = access.load_checklist(checklist_id, me())
    checklists.shift(checklist, STEPS.get(request.form.get("to", ""), 0), by=me())
    return record_page.changed(checklist.record, opened=f"checklist-{checklist.id}")


@bp.post("/checklists/<checklist_id>/items")
def create_item(checklist_id: str) -> Response:
    """Add an item; the form stays open for the next one."""
    checklist, form = access.load_checklist(checklist_id, me()), TitleForm()
    done = run(form, lambda: checklist_items.create(form.title.data or "", checklist=checklist, by=me()))
    if done is None:
        return record_page.show(checklist.record, wrong={f"add-{checklist.id}": form})
    return record_page.changed(checklist.record, opened=f"add-{checklist.id}")


@bp.get("/checklists/<checklist_id>/delete")
def confirm(checklist_id: str) -> str:
    """Ask before a checklist is deleted with its items."""
    return render_template("records/checklist_delete.html", checklist=_mine(checklist_id))


@bp.post("/checklists/<checklist_id>/delete")
def delete(checklist_id: str) -> Response:
    """Delete a checklist."""
    checklist = access.load_checklist(checklist_id, me())
    record_id = checklist.record_id
    checklists.delete(checklist, by=me())
    return _to_record(record_id, "checklists")


def _mine(checklist_id: str) -> Checklist:
    checklist = access.load_checklist(checklist_id, me())
    access.demand(checklist.record.list.project, me(), "edit_records")
    return checklist


def _edit(checklist: Checklist, form: TitleForm) -> str:
    return render_template("records/checklist.html", checklist=checklist, form=form)


def _to_record(record_id: str, anchor: str) -> Response:
    return redirect(url_for("records.show", record_id=record_id, _anchor=anchor), 303)
