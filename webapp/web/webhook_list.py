"""The list of webhooks: its filters, which stand in the address, its order, and its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from wtforms import SearchField, SelectField

from webapp.models import Project, Webhook
from webapp.web import charts, webhook_pages
from webapp.web.badges import WEBHOOK
from webapp.web.charts import Bar
from webapp.web.forms import Form, choice
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import me
from webapp.web.state_cards import check_headline
from webapp.web.webhook_pages import Shown
from webapp.webhooks import access
from webapp.webhooks.activation import CheckOutcome, HealthCheck

MAX_TEXT_LENGTH = 100
NEVER = datetime.min.replace(tzinfo=UTC)
ORDERS: dict[str, Callable[[Shown], Any]] = {  # after these by name
    "last": lambda shown: -(shown.figures.last_at or NEVER).timestamp(),
    "failures": lambda shown: (-shown.figures.failed, -shown.figures.stuck),
}


class ListForm(Form):
    """The filters as fields. Their names are those of the address."""

    q = SearchField(_l("Name or URL"))
    status = SelectField(_l("Status"), id="filter-status")
    project = SelectField(_l("Project"), id="filter-project")
    sort = SelectField(_l("Sort by"))

    @classmethod
    def of_request(cls, projects: list[Project]) -> ListForm:
        """The filters of this request."""
        form = cls(formdata=request.args)
        form.status.choices = [choice("", _("Every status"))] + [
            choice(word.value, str(badge.word)) for word, badge in WEBHOOK.items()
        ]
        form.project.choices = [choice("", _("Every project"))] + [choice(each.id, each.name) for each in projects]
        form.sort.choices = [
            choice("", _("By name")),
            choice("last", _("By last delivery")),
            choice("failures", _("By failures")),
        ]
        form.validate()
        return form

    @property
    def values(self) -> dict[str, str]:
        """What is chosen, for links that keep it."""
        chosen = {name: self.chosen(name) for name in ("q", "status", "project", "sort")}
        return {name: value for name, value in chosen.items() if value}

    @property
    def restricts(self) -> bool:
        """Whether anything is left out."""
        return bool(self.values.keys() - {"sort"})

    def chosen(self, name: str) -> str:
        """The value of a field; empty for one that cannot be read."""
        field: Any = self._fields[name]
        return "" if field.errors else str(field.data or "").strip()[:MAX_TEXT_LENGTH]


@dataclass(frozen=True)
class ListRow:
    """One row. `trouble` says why a webhook that somebody wanted to switch on is still off."""

    shown: Shown
    bars: list[Bar]
    trouble: str


@dataclass(frozen=True)
class ListView:
    """What the templates ask. `is_empty` says that there is no webhook at all, whatever the filters."""

    form: ListForm
    rows: list[ListRow]
    is_empty: bool

    @property
    def url(self) -> str:
        """Where the page asks for itself."""
        return url_for("webhooks.index", **self.form.values)  # type: ignore[arg-type]  # no keyword of url_for's own


def view() -> ListView:
    """The webhooks of this person that the request asks for."""
    form = ListForm.of_request(access.administered_projects(me()))
    webhooks = access.of(me())
    chosen = [shown for shown in webhook_pages.shown(webhooks) if _fits(shown, form)]
    order = ORDERS.get(form.chosen("sort"))
    rows = [_row(shown) for shown in (sorted(chosen, key=order) if order else chosen)]
    return ListView(form, rows, is_empty=not webhooks)


def row(webhook: Webhook) -> ListRow:
    """The row of one webhook."""
    return _row(webhook_pages.shown([webhook])[0])


def _fits(shown: Shown, form: ListForm) -> bool:
    webhook, text = shown.webhook, form.chosen("q").lower()
    if text and text not in webhook.name.lower() and text not in webhook.url.lower():
        return False
    if form.chosen("status") not in ("", shown.figures.word):
        return False
    project = form.chosen("project")
    return not project or not webhook.project_ids or project in webhook.project_ids


def _row(shown: Shown) -> ListRow:
    check = None if shown.webhook.enabled else HealthCheck.of(shown.webhook)
    has_failed = check is not None and check.outcome is not CheckOutcome.PASSED
    trouble = check_headline(check) if check is not None and has_failed else ""
    return ListRow(shown, charts.spark(shown.figures.tries), trouble)
