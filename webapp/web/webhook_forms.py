"""The form of a webhook. It only parses; the rules stand in `webhooks.rules`."""

from __future__ import annotations

from flask_babel import gettext as _
from wtforms import BooleanField, PasswordField, RadioField, SelectMultipleField, StringField, URLField

from webapp.delivery.event_types import event_types
from webapp.models import PayloadFormat, Project, Webhook
from webapp.web.filter_rows import FilterField
from webapp.web.forms import Form, Required, choice
from webapp.web.forms import lazy_text as _l
from webapp.web.header_rows import HeadersField
from webapp.webhooks import headers
from webapp.webhooks.editing import GENERATED, NONE, WebhookChanges, WebhookValues
from webapp.webhooks.rules import SecretChoice

ALL, CHOSEN = "all", "chosen"


class WebhookForm(Form):
    """Name, URL, events, projects, format."""

    name = StringField(_l("Name"), [Required()])
    url = URLField(_l("Payload URL"), [Required()])
    enabled = BooleanField(_l("Enabled"), default=True)
    which_events = RadioField(
        _l("Events"),
        choices=[choice(ALL, _l("All events, future ones too")), choice(CHOSEN, _l("Let me choose"))],
        default=ALL,
    )
    events = SelectMultipleField(_l("Events"), validate_choice=False)
    which_projects = RadioField(
        _l("Projects"),
        choices=[choice(ALL, _l("All my projects, future ones too")), choice(CHOSEN, _l("Selected projects"))],
        default=ALL,
    )
    project_ids = SelectMultipleField(_l("Projects"), validate_choice=False)
    payload_format = RadioField(
        _l("Payload format"),
        choices=[
            choice(PayloadFormat.FULL.value, _l("Full: the whole record before and after, as Blue sends it")),
            choice(PayloadFormat.COMPACT.value, _l("Compact: a short form with the person who did it")),
        ],
        default=PayloadFormat.FULL.value,
    )
    filter = FilterField(_l("Filter"))
    headers = HeadersField(_l("Headers"))

    @classmethod
    def of(cls, webhook: Webhook) -> WebhookForm:
        """The form as the webhook is set up now."""
        return cls(
            name=webhook.name,
            url=webhook.url,
            enabled=webhook.enabled,
            which_events=CHOSEN if webhook.events else ALL,
            events=list(webhook.events),
            which_projects=CHOSEN if webhook.project_ids else ALL,
            project_ids=list(webhook.project_ids),
            payload_format=webhook.payload_format.value,
            filter=webhook.filter,
            headers=headers.names(webhook),
        )

    def offer(self, projects: list[Project]) -> WebhookForm:
        """The same form with these projects to choose from."""
        self.events.choices = [choice(code, _(each.label)) for code, each in event_types(None).items()]
        self.project_ids.choices = [choice(project.id, project.name) for project in projects]
        return self

    @property
    def is_rearranged(self) -> bool:
        """Whether a button was pressed that only changes what the form shows: then nothing is to be saved."""
        return self.headers.is_rearranged or self.filter.is_rearranged

    @property
    def changes(self) -> WebhookChanges:
        """What was typed."""
        changes = WebhookChanges(
            name=self.name.data or "",
            url=self.url.data or "",
            events=_chosen(self.which_events.data, self.events.data),
            project_ids=_chosen(self.which_projects.data, self.project_ids.data),
            payload_format=self.payload_format.data,
            enabled=bool(self.enabled.data),
        )
        if self.filter.is_sent:
            changes["filter"] = self.filter.written
        if self.headers.is_sent:
            changes["headers"] = self.headers.typed
        return changes


class NewWebhookForm(WebhookForm):
    """The same with a secret, which only a new webhook gets here."""

    which_secret = RadioField(
        _l("Secret"),
        choices=[
            choice(GENERATED.value, _l("Generated: it is shown once, after saving")),
            choice(CHOSEN, _l("My own")),
            choice(NONE.value, _l("None")),
        ],
        default=GENERATED.value,
    )
    secret = PasswordField(_l("Own secret"))

    @property
    def new_values(self) -> WebhookValues:
        """What was typed."""
        which = self.which_secret.data
        secret = self.secret.data or "" if which == CHOSEN else SecretChoice(which)
        return WebhookValues(secret=secret, **self.changes)


def _chosen(which: str, values: list[str] | None) -> list[str] | None:
    """The action's list: an empty one means all, None that nothing was chosen though a choice was announced."""
    return (values or None) if which == CHOSEN else []
