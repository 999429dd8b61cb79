"""The forms of a record's page: each part of a record is a form of its own and saves alone."""

from __future__ import annotations

from typing import Any

from flask import request
from wtforms import SelectField, SelectMultipleField, StringField, TextAreaField

from webapp.models import ChecklistItem, CustomField, FieldKind, Project, Record
from webapp.web.board import PLACES
from webapp.web.forms import Form, Required, choice, time_zones
from webapp.web.forms import lazy_text as _l
from webapp.web.person import time_zone
from webapp.workspace import moments
from webapp.workspace.value_rules import Given


class TitleForm(Form):
    """A title. `was` is what stood there when the page was made."""

    title = StringField(_l("Title"), [Required()])
    was = StringField()


class DescriptionForm(Form):
    """What a record is about, in plain text."""

    description = TextAreaField(_l("Description"))


class PlaceForm(Form):
    """The list that a record moves to, at its bottom or top."""

    list_id = SelectField(_l("List"))
    place = SelectField(_l("Place"), choices=PLACES, default="bottom", validate_choice=False)


class DatesForm(Form):
    """Start and due date, each with a time or without, in a time zone."""

    # Texts, so that what is no date comes back as it was typed: the action judges it.
    started_at = StringField(_l("Start"), render_kw={"type": "date"})
    started_time = StringField(_l("Time of the start"), render_kw={"type": "time"})
    dued_at = StringField(_l("Due"), render_kw={"type": "date"})
    dued_time = StringField(_l("Time of the due date"), render_kw={"type": "time"})
    timezone = SelectField(_l("Time zone"), validate_choice=False)

    @classmethod
    def of(cls, one: Record | ChecklistItem, zone: str | None = None) -> DatesForm:
        """The dates as they are, in this zone; without one in that of whoever looks."""
        zone = zone or time_zone()
        form = cls(formdata=request.form if request.method == "POST" else None, timezone=zone)
        form.timezone.choices = _zones(zone, form.timezone.data)
        if request.method != "POST":
            form._show("started", moments.shown(one.started_at, zone))
            form._show("dued", moments.shown(one.dued_at, zone, is_due=True))
        return form

    @property
    def texts(self) -> dict[str, str]:
        """The dates as the actions read them: days, or moments in the zone; both empty when they are to go."""
        if "clear" in request.form:
            return {"started_at": "", "dued_at": ""}
        return {f"{name}_at": self._text(name) for name in ("started", "dued")}

    @property
    def moments(self) -> dict[str, str]:
        """The same with their offset, for what has no time zone of its own. Raises Invalid at the wrong date."""
        zone = self.timezone.data
        read = {name: moments.read(name, text, zone, is_due=name == "dued_at") for name, text in self.texts.items()}
        return {name: moment.isoformat() if moment else "" for name, moment in read.items()}

    def _show(self, name: str, text: str) -> None:
        day, _, clock = text.partition("T")
        self._fields[f"{name}_at"].data, self._fields[f"{name}_time"].data = day, clock

    def _text(self, name: str) -> str:
        day, clock = ((self._fields[f"{name}_{part}"].data or "").strip() for part in ("at", "time"))
        return f"{day}T{clock}" if day and clock else day


def _zones(*likely: str | None) -> list[Any]:
    """The zones that are likely meant; all 600 only for who asks (`?zones=all`): they weigh 30 KB."""
    if request.args.get("zones") == "all":
        return time_zones()
    return [choice(name, name) for name in dict.fromkeys([*likely, time_zone(), "UTC"]) if name]


class PeopleForm(Form):
    """Who cares for it: the ticked ones, and nobody else."""

    assignee_ids = SelectMultipleField(_l("Assignees"), validate_choice=False)


class TagsForm(Form):
    """The tags that a record carries: the ticked ones, and new ones by their titles with commas between them."""

    tag_ids = SelectMultipleField(_l("Tags"), validate_choice=False)
    tag_titles = StringField(_l("New tags"))

    @property
    def titles(self) -> list[str]:
        """The titles that were typed."""
        return [title for title in (self.tag_titles.data or "").split(",") if title.strip()]


class ValueForm(Form):
    """The value of one custom field; which control it has is the template's."""

    value = StringField()


class CommentForm(Form):
    """What somebody says about a record."""

    text = TextAreaField(_l("Comment"), [Required()])


def place_form(record: Record, destinations: list[tuple[Project, list[Any]]]) -> PlaceForm:
    """Where a record may go: the lists of these projects."""
    form = PlaceForm(list_id=record.list_id)
    form.list_id.choices = [choice(one.id, one.title, project.name) for project, lists in destinations for one in lists]
    return form


def given(field: CustomField) -> Given:
    """The value that this request sent for a field, as the action takes it."""
    values = request.form
    if field.kind is FieldKind.SELECT_MULTI:
        return [value for value in values.getlist("value") if value]
    if field.kind is FieldKind.CHECKBOX:
        return values.get("value") == "1"
    if field.kind is FieldKind.CURRENCY:
        return {"amount": values.get("value", "").strip(), "currency": values.get("currency", "").strip() or None}
    return values.get("value", "")
