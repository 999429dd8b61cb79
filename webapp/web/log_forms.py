"""The filters of the delivery log, read from the address. What cannot be read does not restrict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import request
from flask_babel import gettext as _
from wtforms import DateTimeLocalField, SearchField, SelectField
from wtforms.validators import Optional

from webapp.delivery.event_types import by_group
from webapp.models import DeliveryState, ErrorWord, Project, User, Webhook
from webapp.web.badges import DELIVERY, STATE
from webapp.web.forms import Form, choice, project_choices
from webapp.web.forms import lazy_text as _l
from webapp.web.local_times import in_utc
from webapp.webhooks import access
from webapp.webhooks.log import LIMITS
from webapp.webhooks.log_filter import STATUS_CLASSES, STEPS, LogFilter
from webapp.webhooks.words import DeliveryWord

MAX_TEXT_LENGTH = 100
KINDS = {"real": True, "tests": False}


class LogForm(Form):
    """The filters as fields. Their names are those of the address."""

    webhook = SelectField(_l("Webhook"))
    state = SelectField(_l("State"))
    event = SelectField(_l("Event"))
    project = SelectField(_l("Project"))
    response = SelectField(_l("Response"))
    error = SelectField(_l("Error"))
    kind = SelectField(_l("Kind"))
    since = DateTimeLocalField(_l("From"), [Optional()])
    until = DateTimeLocalField(_l("To"), [Optional()])
    q = SearchField(_l("Delivery, event or record id"))
    limit = SelectField(_l("Rows"))

    @classmethod
    def of_request(cls, user: User, webhook_id: str | None = None) -> LogForm:
        """The filters of this request, for one webhook or for all of this person's."""
        form = cls(formdata=request.args)
        form._offer(access.of(user) if webhook_id is None else [], access.administered_projects(user))
        form.webhook_id = webhook_id
        form.validate()
        return form

    webhook_id: str | None = None

    def _offer(self, webhooks: Sequence[Webhook], projects: Sequence[Project]) -> None:
        self.webhook.choices = choices(_("All webhooks"), [(each.id, each.name) for each in webhooks])
        self.state.choices = [choice("", _("All states")), *_states()]
        self.event.choices = [choice("", _("All events"))] + [
            choice(each.code, _(each.label), _(group.label))
            for group, types in by_group(None).items()
            for each in types
        ]
        self.project.choices = project_choices(projects, _("All projects"))
        self.response.choices = choices(_("All responses"), responses())
        self.error.choices = choices(_("All errors"), [(word.value, word.value) for word in ErrorWord])
        self.kind.choices = choices(_("Real and tests"), [("real", _("Real only")), ("tests", _("Tests only"))])
        self.limit.choices = [choice(str(limit), str(limit)) for limit in LIMITS]

    @property
    def filters(self) -> LogFilter:
        """What the log is asked."""
        state, event = self._chosen("state"), self._chosen("event")
        error = self._chosen("error")
        step = DeliveryWord(state) if state in STEPS else None
        return LogFilter(
            webhook_id=self.webhook_id or self._chosen("webhook") or None,
            states=[DeliveryState(state)] if state and not step else [],
            step=step,
            event_types=[event] if event else [],
            project_id=self._chosen("project") or None,
            status_class=self._chosen("response") or None,
            error=ErrorWord(error) if error else None,
            is_real=KINDS.get(self._chosen("kind")),
            since=in_utc(self.since.data),
            until=in_utc(self.until.data),
            text=(self.q.data or "").strip()[:MAX_TEXT_LENGTH],
        )

    @property
    def rows(self) -> int:
        """How many rows a page has."""
        return int(self._chosen("limit") or LIMITS[0])

    @property
    def values(self) -> dict[str, str]:
        """What is chosen, for links that keep it."""
        names = ("webhook", "state", "event", "project", "response", "error", "kind", "limit")
        values = {name: self._chosen(name) for name in names}
        values |= {name: request.args.get(name, "") for name in ("since", "until") if self._fields[name].data}
        values["q"] = self.filters.text
        return {name: value for name, value in values.items() if value}

    @property
    def restricts_more_than_state(self) -> bool:
        """Whether anything but a state is left out."""
        return bool(self.values.keys() - {"limit", "state"})

    @property
    def restricts(self) -> bool:
        """Whether anything is left out."""
        return bool(self.values.keys() - {"limit"})

    @property
    def restricts_further(self) -> bool:
        """Whether one of the filters under the fold is used."""
        return bool(self.values.keys() & {"project", "response", "error", "kind", "since", "until"})

    def _chosen(self, name: str) -> str:
        field: Any = self._fields[name]
        return "" if field.errors else str(field.data or "")


def responses() -> list[tuple[str, str]]:
    """The classes of answers, as value and words."""
    return [(name, _("No response") if name == "none" else name) for name in STATUS_CLASSES]


def choices(all_of_them: str, values: list[tuple[str, str]]) -> list[Any]:
    """A select field that restricts nothing, or to one of these."""
    return [choice("", all_of_them), *(choice(value, label) for value, label in values)]


def _states() -> list[Any]:
    """The stored states; `pending` with how far it has come, under a heading of its own."""
    group = _("On the way")
    steps = [choice(step.value, str(DELIVERY[step].word), group) for step in STEPS]
    others = [each for each in DeliveryState if each is not DeliveryState.PENDING]
    return [
        choice(DeliveryState.PENDING.value, _("All on the way"), group),
        *steps,
        *(choice(each.value, str(STATE[each]), _("Others")) for each in others),
    ]
