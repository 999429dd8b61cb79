"""The filters of the events, read from the address. What cannot be read does not restrict."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_babel import gettext as _
from wtforms import BooleanField, DateTimeLocalField, SearchField, SelectField
from wtforms.validators import Optional

from webapp.delivery.event_types import by_group
from webapp.models import User
from webapp.web.forms import Form, choice, project_choices
from webapp.web.forms import lazy_text as _l
from webapp.web.local_times import in_utc
from webapp.workspace import access, event_subjects
from webapp.workspace.event_log import EventFilter

MAX_ID_LENGTH = 64
CHOICES = ("project", "event", "person")


class EventForm(Form):
    """The filters as fields. Their names are those of the address."""

    project = SelectField(_l("Project"))
    event = SelectField(_l("Event type"))
    person = SelectField(_l("Person"))
    record = SearchField(_l("Record id"))
    since = DateTimeLocalField(_l("From"), [Optional()])
    until = DateTimeLocalField(_l("To"), [Optional()])
    unsent = BooleanField(_l("Not sent to any of mine"))

    @classmethod
    def of_request(cls, user: User) -> EventForm:
        """The filters of this request."""
        form = cls(formdata=request.args)
        form._offer(user)
        form.validate()
        return form

    def _offer(self, user: User) -> None:
        projects = access.projects_of(user, include_archived=True)
        self.project.choices = project_choices(projects, _("All projects"))
        people = event_subjects.people(user)
        self.person.choices = [choice("", _("Everybody")), *(choice(each.id, each.name) for each in people)]
        self.event.choices = [choice("", _("All events"))] + [
            choice(each.code, _(each.label), _(group.label))
            for group, types in by_group(None).items()
            for each in types
        ]

    @property
    def filters(self) -> EventFilter:
        """What the log of events is asked."""
        event = self._chosen("event")
        return EventFilter(
            project_id=self._chosen("project") or None,
            event_types=[event] if event else [],
            record_id=(self.record.data or "").strip()[:MAX_ID_LENGTH] or None,
            user_id=self._chosen("person") or None,
            since=in_utc(self.since.data),
            until=in_utc(self.until.data),
            is_unsent=bool(self.unsent.data),
        )

    @property
    def values(self) -> dict[str, str]:
        """What is chosen, for links that keep it."""
        values = {name: self._chosen(name) for name in CHOICES}
        values |= {name: request.args.get(name, "") for name in ("since", "until") if self._fields[name].data}
        values["record"] = self.filters.record_id or ""
        values["unsent"] = "y" if self.unsent.data else ""
        return {name: value for name, value in values.items() if value}

    @property
    def restricts(self) -> bool:
        """Whether anything is left out."""
        return bool(self.values)

    def _chosen(self, name: str) -> str:
        field: Any = self._fields[name]
        return "" if field.errors else str(field.data or "")
