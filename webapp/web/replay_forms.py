"""The form of a replay: which deliveries are meant. It only parses; the rules stand in `webhooks.replays`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from flask_babel import gettext as _
from wtforms import DateTimeLocalField, SelectField, SelectMultipleField
from wtforms.validators import InputRequired, Optional

from webapp.delivery.event_types import event_types
from webapp.models import DeliveryState, ErrorWord, Project, utc_now
from webapp.web.badges import STATE
from webapp.web.forms import Form, choice
from webapp.web.forms import lazy_text as _l
from webapp.web.local_times import TYPED, as_typed, in_utc
from webapp.web.log_forms import choices, responses
from webapp.webhooks.replays import STATES, Chosen

FIRST_LOOK_BACK = timedelta(days=1)
FURTHER = ("project", "response", "error")
FORMATS = [TYPED, "%Y-%m-%dT%H:%M"]  # browsers leave out seconds that are zero


class ReplayForm(Form):
    """A span, states and event types, in the address and in the form that then sends."""

    since = DateTimeLocalField(_l("From"), [InputRequired(_l("Enter when it begins."))], format=FORMATS)
    until = DateTimeLocalField(_l("To"), [Optional()], format=FORMATS)
    status = SelectMultipleField(
        _l("States"),
        choices=[choice(state.value, STATE[state]) for state in STATES],
        id="states",  # `status` is a region of the frame
    )
    events = SelectMultipleField(_l("Event types"), validate_choice=False)
    project = SelectField(_l("Project"), id="replay-project", default="")
    response = SelectField(_l("Response"), id="replay-response", default="")
    error = SelectField(_l("Error"), id="replay-error", default="")

    @classmethod
    def empty(cls, state: str | None) -> ReplayForm:
        """The form as it is offered first: what failed since yesterday, or what is in this state."""
        known = state if state in {each.value for each in STATES} else STATES[0].value
        return cls(formdata=None, since=as_typed(utc_now() - FIRST_LOOK_BACK), status=[known])

    def offer(self, projects: Sequence[Project]) -> ReplayForm:
        """The same form with the event types, projects, responses and errors to choose from."""
        self.events.choices = [choice(code, _(each.label)) for code, each in event_types(None).items()]
        self.project.choices = choices(_("All projects"), [(each.id, each.name) for each in projects])
        self.response.choices = choices(_("All responses"), responses())
        self.error.choices = choices(_("All errors"), [(word.value, word.value) for word in ErrorWord])
        return self

    @property
    def restricts_further(self) -> bool:
        """Whether one of the fields under the fold is used."""
        return any(self._fields[name].data for name in FURTHER)

    @property
    def chosen(self) -> Chosen:
        """What was chosen."""
        since = in_utc(self.since.data)
        assert since is not None  # noqa: S101 - the field is required
        states = tuple(DeliveryState(word) for word in self.status.data or ())
        return Chosen(
            since,
            in_utc(self.until.data),
            states,
            tuple(self.events.data or ()),
            project_id=self.project.data or None,
            status_class=self.response.data or None,
            error=ErrorWord(self.error.data) if self.error.data else None,
        )

    @property
    def sent(self) -> list[tuple[str, str]]:
        """The same choice as names and values, for the form that sends it."""
        times = [(name, self._fields[name].data) for name in ("since", "until")]
        typed = [(name, at.strftime(TYPED)) for name, at in times if at is not None]
        lists = [(name, value) for name in ("status", "events") for value in self._fields[name].data or ()]
        further = [(name, self._fields[name].data) for name in FURTHER]
        return typed + lists + [(name, value) for name, value in further if value]
