"""Setting a webhook up: the form, its secret once, changes, deletion. Pages of the blueprint `webhooks`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import StringField

from webapp import config
from webapp.delivery.event_types import RECORD_UPDATED, by_group, event_types, example
from webapp.models import Invalid, PayloadFormat, Project, Webhook
from webapp.receiver import inboxes
from webapp.web import audit_words, filter_rows, new_secrets, webhook_pages
from webapp.web.forms import Form, Required, run, show
from webapp.web.forms import lazy_text as _l
from webapp.web.inboxes import inbox_address
from webapp.web.loading import me
from webapp.web.webhook_forms import CHOSEN, NewWebhookForm, WebhookForm
from webapp.web.webhooks import bp
from webapp.webhooks import access, audit, editing, headers, pings
from webapp.webhooks.editing import Saved

__all__ = ["bp"]


class DeletionForm(Form):
    """The name of the webhook, typed by who wants it gone."""

    name = StringField(_l("Its name"), [Required()], id="delete-name")


@bp.get("/new")
def new() -> str:
    """The form, with what an inbox or the catalogue has filled in."""
    access.require_administrator(me())
    chosen = [code for code in request.args.getlist("event") if code in event_types(None)]
    values = {"which_events": CHOSEN, "events": chosen, "example_event": chosen[0]} if chosen else {}
    return _form(NewWebhookForm(formdata=None, url=request.args.get("url", ""), **values))


@bp.post("")
def create() -> Response | str | tuple[str, int]:
    """Make a webhook; then its secret is shown once."""
    form = NewWebhookForm()
    if form.is_rearranged:
        return _rearranged(form)
    done = run(form, lambda: editing.create(form.new_values, by=me()))
    if done is None:
        return _form(form), 422
    _tell_warnings(done.value)
    webhook = done.value.webhook
    ping = pings.ping(webhook, by=me()).id if form.ping.data else None
    if done.value.secret is not None:
        new_secrets.remember(webhook)
    else:
        flash(_("The webhook is set up. Its requests are unsigned."), "success")
    page = ".created" if done.value.secret or ping else ".show"
    return redirect(url_for(page, webhook_id=webhook.id, ping=ping), 303)


@bp.get("/<webhook_id>/created")
def created(webhook_id: str) -> Response | str:
    """The secret of a webhook that was made just now, once, and how its first ping goes."""
    webhook = access.load(me(), webhook_id)
    secret = new_secrets.tell_once(webhook)
    ping = request.args.get("ping")
    if secret is None and not ping:
        return redirect(url_for(".show", webhook_id=webhook.id), 303)
    return render_template("webhooks/created.html", webhook=webhook, secret=secret, ping=ping)


@bp.get("/<webhook_id>/settings")
def edit(webhook_id: str) -> str:
    """The form as the webhook is set up now."""
    webhook = access.load(me(), webhook_id)
    return _form(WebhookForm.of(webhook), webhook)


@bp.post("/<webhook_id>")
def update(webhook_id: str) -> Response | str | tuple[str, int]:
    """Save the changes. Switching on waits for a health check; when it fails the webhook's page says why."""
    webhook = access.load(me(), webhook_id)
    form = WebhookForm()
    if form.is_rearranged:
        return _rearranged(form, webhook)
    done = run(form, lambda: editing.edit(webhook, form.changes, by=me()))
    if done is None:
        return _form(form, webhook), 422
    _tell_warnings(done.value)
    flash(_("Saved."), "success")
    return redirect(url_for(".show", webhook_id=webhook.id), 303)


@bp.get("/<webhook_id>/delete")
def confirm(webhook_id: str) -> str:
    """What deleting means, before it is done."""
    webhook = access.load(me(), webhook_id)
    return _deletion(webhook, DeletionForm(formdata=None))


@bp.post("/<webhook_id>/delete")
def destroy(webhook_id: str) -> Response | tuple[str, int]:
    """Delete the webhook, if its name was typed."""
    webhook = access.load(me(), webhook_id)
    name = webhook.name
    form = DeletionForm()
    done = run(form, lambda: editing.delete(webhook, by=me(), typed_name=form.name.data or ""))
    if done is None:
        return _deletion(webhook, form), 422
    flash(_("“%(name)s” is deleted.", name=name), "success")
    return redirect(url_for(".index"), 303)


def _rearranged(form: WebhookForm, webhook: Webhook | None = None) -> str:
    """The form again, with what a button asked for."""
    if form.use_inbox.data:
        try:
            form.url.data = inbox_address(inboxes.create(form.name.data or "", by=me()))
        except Invalid as error:
            show(form, error, fields={"name": "url"})
    return _form(form, webhook)


def _form(form: WebhookForm, webhook: Webhook | None = None) -> str:
    projects = access.administered_projects(me())
    chosen = form.changes
    code = form.example_event.data if form.example_event.data in event_types(None) else form.example_event.default
    values: dict[str, Any] = {
        "filter_part": filter_rows.part(
            form, form.filter, me(), events=chosen["events"], project_ids=chosen["project_ids"]
        ),
        "form": form.offer(projects),
        "groups": by_group(None),
        "record_updated": RECORD_UPDATED,
        "companies": _by_company(each for each in projects if not each.archived),
        "archived": [each for each in projects if each.archived],
        "examples": [(each.value, _example(str(code), each, webhook)) for each in PayloadFormat],
        "stored_headers": headers.names(webhook) if webhook else [],
        "request_limit": f"{config.current().request_timeout.total_seconds():g}",
    }
    if webhook is None:
        return render_template("webhooks/new.html", webhook=None, **values)
    entries = [audit_words.line(entry) for entry in audit.entries(webhook)]
    return webhook_pages.page(
        "webhooks/edit.html", webhook, audit=entries, most_audit=audit.LAST, **_of_deletion(), **values
    )


def _example(code: str, payload_format: PayloadFormat, webhook: Webhook | None) -> bytes:
    """What would be sent: of a webhook that is set up already with its own object and project."""
    if webhook is None:
        return example(code, payload_format)
    return pings.body(webhook, code, None, by=me(), payload_format=payload_format)


def _deletion(webhook: Webhook, form: DeletionForm) -> str:
    return webhook_pages.page("webhooks/delete.html", webhook, **_of_deletion(form))


def _of_deletion(form: DeletionForm | None = None) -> dict[str, Any]:
    return {"deletion": form or DeletionForm(formdata=None), "kept_days": config.current().retention_days}


def _by_company(projects: Iterable[Project]) -> dict[str, list[Project]]:
    companies: dict[str, list[Project]] = {}
    for project in projects:
        companies.setdefault(project.company.name, []).append(project)
    return companies


def _tell_warnings(saved: Saved) -> None:
    for warning in saved.warnings:
        flash(_(warning.template, **warning.values), "warning")
