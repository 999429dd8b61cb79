"""The forms of the inbox pages. They only parse; the rules stand in `receiver`."""

from __future__ import annotations

from wtforms import BooleanField, IntegerField, PasswordField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import Optional

from webapp.models import Inbox, Webhook
from webapp.receiver.answers import Answer
from webapp.receiver.checking import Choice, Source, source_of
from webapp.web.forms import Form, choice
from webapp.web.forms import lazy_text as _l

SECOND_MS = 1000


class InboxForm(Form):
    """A new inbox."""

    name = StringField(_l("Name"))


class AnswerForm(Form):
    """What an inbox answers."""

    status = IntegerField(_l("Status"), [Optional()], id="answer-status")
    delay = IntegerField(_l("Delay in seconds"), [Optional()], id="answer-delay")
    retry_after = IntegerField(_l("Retry-After in seconds"), [Optional()], id="answer-retry-after")
    body = TextAreaField(_l("Body"), id="answer-body")
    hangs_up = BooleanField(_l("Hang up without an answer"), id="answer-hangs-up")

    @classmethod
    def of(cls, inbox: Inbox) -> AnswerForm:
        """The form as the inbox is set up now."""
        return cls(
            formdata=None,
            status=inbox.answer_status,
            delay=inbox.answer_delay_ms // SECOND_MS,
            retry_after=inbox.answer_retry_after_s,
            body=inbox.answer_body,
            hangs_up=inbox.hangs_up,
        )

    @property
    def answer(self) -> Answer:
        """What was typed; fields left empty get what an inbox starts with."""
        return Answer(
            status=200 if self.status.data is None else self.status.data,
            delay_ms=(self.delay.data or 0) * SECOND_MS,
            retry_after_s=self.retry_after.data,
            body=self.body.data or "",
            hangs_up=bool(self.hangs_up.data),
        )


class SecretForm(Form):
    """Which secret signatures are checked with. The secret itself is never sent back."""

    source = RadioField(
        _l("Secret to check with"),
        choices=[
            choice(Source.FOUND.value, _l("Of the webhook that points here")),
            choice(Source.WEBHOOK.value, _l("Of one of my webhooks")),
            choice(Source.TYPED.value, _l("My own")),
            choice(Source.NONE.value, _l("None")),
        ],
    )
    webhook_id = SelectField(_l("Webhook"), validate_choice=False)
    secret = PasswordField(_l("Own secret"))

    @classmethod
    def of(cls, inbox: Inbox) -> SecretForm:
        """The form as the inbox is set up now, without the secret."""
        return cls(formdata=None, source=source_of(inbox).value, webhook_id=inbox.webhook_id or "")

    def offer(self, webhooks: list[Webhook]) -> SecretForm:
        """The same form with these webhooks to choose from."""
        self.webhook_id.choices = [choice(webhook.id, webhook.name) for webhook in webhooks]
        return self

    @property
    def chosen(self) -> Choice:
        """What was chosen."""
        return Choice(Source(self.source.data), webhook_id=self.webhook_id.data or "", secret=self.secret.data or "")
