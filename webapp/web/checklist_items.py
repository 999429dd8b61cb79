"""Items of a checklist: tick off and order them on the record; title, dates and people on a page of their own."""

from __future__ import annotations

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp.models import ChecklistItem
from webapp.web import record_page
from webapp.web.forms import Form, run
from webapp.web.loading import for_people, me
from webapp.web.record_forms import DatesForm, PeopleForm, TitleForm
from webapp.workspace import access, checklist_items, members
from webapp.workspace.checklist_items import ItemChanges

bp = for_people(Blueprint("checklist_items", __name__, url_prefix="/checklist-items/<item_id>"))

STEPS = {"up": -1, "down": 1}


@bp.get("")
def edit(item_id: str) -> Response:
    """An item, to change."""
    return _page(access.load_checklist_item(item_id, me()))


@bp.post("/title")
def rename(item_id: str) -> Response:
    """Another title."""
    form = TitleForm()
    return _save(item_id, "title", form, {"title": form.title.data or ""})


@bp.post("/dates")
def schedule(item_id: str) -> Response:
    """Start and due date, or none."""
    item = access.load_checklist_item(item_id, me())
    form = DatesForm.of(item)
    if run(form, lambda: checklist_items.edit(item, ItemChanges(**form.moments), by=me())) is None:  # type: ignore[typeddict-item]
        return _page(item, {"dates": form})
    return _saved(item)


@bp.post("/assignees")
def assign(item_id: str) -> Response:
    """Who cares for it."""
    form = PeopleForm()
    return _save(item_id, "people", form, {"assignee_ids": form.assignee_ids.data or []})


@bp.post("/completion")
def complete(item_id: str) -> Response:
    """Done, or not: `done` is 1 or is left out."""
    item = access.load_checklist_item(item_id, me())
    checklist_items.edit(item, {"done": request.form.get("done") == "1"}, by=me())
    return record_page.changed(item.checklist.record, opened=f"item-{item.id}")


@bp.post("/order")
def shift(item_id: str) -> Response:
    """One place up or down in its checklist."""
    item = access.load_checklist_item(item_id, me())
    checklist_items.shift(item, STEPS.get(request.form.get("to", ""), 0), by=me())
    return record_page.changed(item.checklist.record, opened=f"item-{item.id}")


@bp.post("/delete")
def delete(item_id: str) -> Response:
    """Delete an item."""
    item = access.load_checklist_item(item_id, me())
    record, checklist_id = item.checklist.record, item.checklist_id
    checklist_items.delete(item, by=me())
    return record_page.changed(record, opened=f"checklist-{checklist_id}")


def _save(item_id: str, part: str, form: Form, changes: ItemChanges) -> Response:
    item = access.load_checklist_item(item_id, me())
    if run(form, lambda: checklist_items.edit(item, changes, by=me())) is None:
        return _page(item, {part: form})
    return _saved(item)


def _saved(item: ChecklistItem) -> Response:
    flash(_("Saved."), "success")
    return redirect(url_for(".edit", item_id=item.id), 303)


def _page(item: ChecklistItem, wrong: dict[str, Form] | None = None) -> Response:
    record = item.checklist.record
    project = record.list.project
    forms = {
        "title": TitleForm(formdata=None, title=item.title),
        "dates": DatesForm.of(item),
        "people": PeopleForm(formdata=None, assignee_ids=[one.user_id for one in item.assignees]),
    }
    html = render_template(
        "records/item.html",
        item=item,
        record=record,
        project=project,
        rights=set() if project.archived else access.rights(access.role_in(project, me())),
        forms=forms | (wrong or {}),
        members=[member.user for member in members.of(project)],
    )
    return make_response(html, 422 if wrong else 200)
