"""What the pages of one webhook share: its head with status, marks and buttons, and the tabs below it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel.speaklater import LazyString

from webapp.delivery.event_types import event_types
from webapp.models import Webhook, utc_now
from webapp.web.badges import WEBHOOK, Badge
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import me
from webapp.webhooks import access, statistics, words
from webapp.webhooks.statistics import Figures

SHORT_URL_LENGTH = 32  # characters
TABS: tuple[tuple[str, LazyString, tuple[str, ...]], ...] = (
    ("webhooks.show", _l("Overview"), ()),
    ("webhooks.log", _l("Deliveries"), ()),
    ("tests.new", _l("Test"), ("tests.create", "tests.show")),
    (
        "signatures.show",
        _l("Signature"),
        (
            "signatures.reveal",
            "signatures.rotate",
            "signatures.new_rotation",
            "signatures.confirm_removal",
            "signature_checks.new",
            "signature_checks.create",
        ),
    ),
    ("webhooks.edit", _l("Settings"), ("webhooks.update",)),
)


@dataclass(frozen=True)
class Shown:
    """A webhook as the pages show it."""

    webhook: Webhook
    figures: Figures
    badge: Badge
    events: str
    projects: str
    project_names: list[str]
    old_secret_until: datetime | None

    @property
    def tabs(self) -> list[tuple[str, str, bool]]:
        """The pages of this webhook: words, address, whether it is the one that is shown."""
        return [
            (str(label), url_for(endpoint, webhook_id=self.webhook.id), request.endpoint in {endpoint, *others})
            for endpoint, label, others in TABS
            if endpoint in current_app.view_functions
        ]

    @property
    def short_url(self) -> str:
        """The URL, its middle cut out when it is long: host and end tell webhooks apart."""
        url = self.webhook.url
        return url if len(url) <= SHORT_URL_LENGTH else f"{url[: SHORT_URL_LENGTH - 13]}…{url[-12:]}"


def page(template: str, webhook: Webhook, **values: Any) -> str:
    """A page of one webhook; its template extends webhook.html, which shows `shown` in the head."""
    return render_template(template, shown=shown([webhook])[0], webhook=webhook, **values)


def shown(webhooks: list[Webhook]) -> list[Shown]:
    """These webhooks as lists and heads show them, with a few queries for all of them."""
    figures = statistics.figures(webhooks)
    names = {project.id: project.name for project in access.administered_projects(me())}
    total = len(event_types(None))
    return [
        Shown(
            webhook=webhook,
            figures=figures[webhook.id],
            badge=WEBHOOK[figures[webhook.id].word],
            events=_("%(some)s of %(all)s", some=len(webhook.events), all=total) if webhook.events else _("All"),
            projects=str(len(webhook.project_ids)) if webhook.project_ids else _("All"),
            old_secret_until=words.old_secret_until(webhook, utc_now()),
            project_names=[names[each] for each in webhook.project_ids if each in names],
        )
        for webhook in webhooks
    ]
