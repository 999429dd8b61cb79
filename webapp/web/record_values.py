"""The parts of a record's page that save alone: description, dates, assignees, tags, custom fields."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response

from webapp.models import Invalid
from webapp.web import loading, record_page
from webapp.web.forms import Form, run, show
from webapp.web.loading import for_people, me
from webapp.web.record_forms import DatesForm, DescriptionForm, PeopleForm, TagsForm, ValueForm, given
from webapp.workspace import custom_fields, records
from webapp.workspace.record_changes import RecordChanges

bp = for_people(Blueprint("record_values", __name__, url_prefix="/records/<record_id>"))


@bp.post("/description")
def describe(record_id: str) -> Response:
    """Another description."""
    form = DescriptionForm()
    return _save(record_id, "description", form, {"description": form.description.data or ""})


@bp.post("/dates")
def schedule(record_id: str) -> Response:
    """Start and due date, or none."""
    form = DatesForm.of(loading.record(record_id))
    changes = RecordChanges(timezone=form.timezone.data or None, **form.texts)  # type: ignore[typeddict-item]
    return _save(record_id, "dates", form, changes)


@bp.post("/assignees")
def assign(record_id: str) -> Response:
    """Who cares for it."""
    form = PeopleForm()
    return _save(record_id, "people", form, {"assignee_ids": form.assignee_ids.data or []})


@bp.post("/tags")
def tag(record_id: str) -> Response:
    """Which tags it carries; a title that is new makes a tag."""
    form = TagsForm()
    return _save(record_id, "tags", form, {"tag_ids": form.tag_ids.data or [], "tag_titles": form.titles})


@bp.post("/values/<field_id>")
def fill(record_id: str, field_id: str) -> Response:
    """The value of a custom field."""
    record, form = loading.record(record_id), ValueForm(formdata=request.form)
    field = custom_fields.load(field_id, me())
    try:
        records.set_value(record, field, given(field), by=me())
    except Invalid as error:
        show(form, error)
        return record_page.show(record, wrong={f"field-{field_id}": form})
    return record_page.changed(record, opened=f"field-{field_id}")


def _save(record_id: str, part: str, form: Form, changes: RecordChanges) -> Response:
    record = loading.record(record_id)
    if run(form, lambda: records.edit(record, changes, by=me())) is None:
        return record_page.show(record, wrong={part: form})
    return record_page.changed(record, opened=f"part-{part}")
