"""The form of a webhook. It only parses; the rules stand in `webhooks.rules`."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from wtforms import (
    BooleanField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    SubmitField,
    TextAreaField,
    URLField,
)

from webapp.delivery import signing
from webapp.delivery.event_types import by_group, event_types
from webapp.models import PayloadFormat, Project, Webhook
from webapp.web.filter_rows import FilterField
from webapp.web.forms import Form, Required, choice
from webapp.web.forms import lazy_text as _l
from webapp.web.header_rows import HeadersField
from webapp.webhooks import headers
from webapp.webhooks.editing import GENERATED, NONE, WebhookChanges, WebhookValues
from webapp.webhooks.rules import SecretChoice

ALL, CHOSEN = "all", "chosen"
USUAL_EXAMPLE = "TODO_MOVED"  # it shows both values, and what changed


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
    filter_payload = TextAreaField(_l("Payload to test against"))
    headers = HeadersField(_l("Headers"))
    example_event = SelectField(_l("Example of"), validate_choice=False, default=USUAL_EXAMPLE)
    # Buttons that save nothing: the form comes back with more in it.
    use_inbox = SubmitField(_l("Use an inbox"))
    show_example = SubmitField(_l("Show its example"))

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
        self.example_event.choices = [
            choice(each.code, f"{_(each.label)} ({each.code})", _(group.label))
            for group, types in by_group(None).items()
            for each in types
        ]
        return self

    @property
    def is_rearranged(self) -> bool:
        """Whether a button was pressed that only changes what the form shows: then nothing is to be saved."""
        is_asked = bool(self.use_inbox.data or self.show_example.data)
        return is_asked or self.headers.is_rearranged or self.filter.is_rearranged

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
            choice(GENERATED.value, _l("Generated")),
            choice(CHOSEN, _l("My own")),
            choice(NONE.value, _l("None")),
        ],
        default=GENERATED.value,
    )
    generated = StringField(_l("Generated secret"), default=signing.generate_secret)
    secret = PasswordField(_l("Own secret"))
    ping = BooleanField(_l("Send a ping after creating"))
    new_secret = SubmitField(_l("New one"))

    def process(self, *args: Any, **values: Any) -> None:
        """Read what was sent; who asked for another secret gets one."""
        super().process(*args, **values)
        if self.new_secret.data:
            self.generated.data = signing.generate_secret()

    @property
    def is_rearranged(self) -> bool:
        """The same, or another secret was asked for."""
        return bool(self.new_secret.data) or super().is_rearranged

    @property
    def new_values(self) -> WebhookValues:
        """What was typed."""
        which = self.which_secret.data
        secret: SecretChoice | str = self.secret.data or "" if which == CHOSEN else SecretChoice(which)
        if secret is GENERATED and self.generated.data:
            secret = self.generated.data
        return WebhookValues(secret=secret, **self.changes)


def _chosen(which: str, values: list[str] | None) -> list[str] | None:
    """The action's list: an empty one means all, None that nothing was chosen though a choice was announced."""
    return (values or None) if which == CHOSEN else []
