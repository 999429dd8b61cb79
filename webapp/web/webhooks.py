"""Settings → Webhooks: the list, the form, one webhook with its overview and its log, and its deletion."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from webapp import config
from webapp.delivery.event_types import RECORD_UPDATED, by_group, event_types
from webapp.extensions import htmx
from webapp.models import Project, Webhook
from webapp.web import delivery_log, filter_rows, new_secrets, overviews, webhook_list, webhook_pages
from webapp.web.forms import run
from webapp.web.loading import for_people, me
from webapp.web.webhook_forms import CHOSEN, NewWebhookForm, WebhookForm
from webapp.webhooks import access, editing, headers
from webapp.webhooks.editing import Saved

bp = for_people(Blueprint("webhooks", __name__, url_prefix="/settings/webhooks"))


@bp.get("")
def index() -> str:
    """The webhooks of this person. The page asks for its list again while it is open."""
    return render_template(
        "webhooks/_list.html" if htmx else "webhooks/index.html",
        list=webhook_list.view(),
        may_create=access.administers(me()),
        administrators=access.administrators(me()),
    )


@bp.get("/new")
def new() -> str:
    """The form, with what an inbox or the catalogue has filled in."""
    access.require_administrator(me())
    chosen = [code for code in request.args.getlist("event") if code in event_types(None)]
    values = {"which_events": CHOSEN, "events": chosen} if chosen else {}
    return _form(NewWebhookForm(formdata=None, url=request.args.get("url", ""), **values))


@bp.post("")
def create() -> Response | str | tuple[str, int]:
    """Make a webhook; then its secret is shown once."""
    form = NewWebhookForm()
    if form.is_rearranged:
        return _form(form)
    done = run(form, lambda: editing.create(form.new_values, by=me()))
    if done is None:
        return _form(form), 422
    _tell_warnings(done.value)
    webhook = done.value.webhook
    if done.value.secret is None:
        flash(_("The webhook is set up. Its requests are unsigned."), "success")
        return redirect(url_for(".show", webhook_id=webhook.id), 303)
    new_secrets.remember(webhook)
    return redirect(url_for(".created", webhook_id=webhook.id), 303)


@bp.get("/<webhook_id>/created")
def created(webhook_id: str) -> Response | str:
    """The secret of a webhook that was made just now, once."""
    webhook = access.load(me(), webhook_id)
    secret = new_secrets.tell_once(webhook)
    if secret is None:
        return redirect(url_for(".show", webhook_id=webhook.id), 303)
    return render_template("webhooks/created.html", webhook=webhook, secret=secret)


@bp.get("/<webhook_id>")
def show(webhook_id: str) -> str:
    """One webhook: how it stands, how it did. The page asks for itself while it is open."""
    webhook = access.load(me(), webhook_id)
    shown = webhook_pages.shown([webhook])[0]
    template = "webhooks/_overview_news.html" if htmx else "webhooks/show.html"
    return render_template(template, shown=shown, webhook=webhook, view=overviews.view(shown))


@bp.get("/<webhook_id>/deliveries")
def log(webhook_id: str) -> str:
    """The delivery log of one webhook."""
    webhook = access.load(me(), webhook_id)
    return webhook_pages.page("webhooks/log.html", webhook, log=delivery_log.view(me(), webhook.id))


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
        return _form(form, webhook)
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
    return render_template("webhooks/delete.html", shown=webhook_pages.shown([webhook])[0])


@bp.post("/<webhook_id>/delete")
def destroy(webhook_id: str) -> Response:
    """Delete the webhook."""
    webhook = access.load(me(), webhook_id)
    name = webhook.name
    editing.delete(webhook, by=me())
    flash(_("“%(name)s” is deleted.", name=name), "success")
    return redirect(url_for(".index"), 303)


def _form(form: WebhookForm, webhook: Webhook | None = None) -> str:
    projects = access.administered_projects(me())
    chosen = form.changes
    values: dict[str, Any] = {
        "filter_part": filter_rows.part(
            form, form.filter, me(), events=chosen["events"], project_ids=chosen["project_ids"]
        ),
        "form": form.offer(projects),
        "groups": by_group(None),
        "record_updated": RECORD_UPDATED,
        "companies": _by_company(projects),
        "stored_headers": headers.names(webhook) if webhook else [],
        "request_limit": f"{config.current().request_timeout.total_seconds():g}",
    }
    if webhook is None:
        return render_template("webhooks/new.html", webhook=None, **values)
    return webhook_pages.page("webhooks/edit.html", webhook, **values)


def _by_company(projects: list[Project]) -> dict[str, list[Project]]:
    companies: dict[str, list[Project]] = {}
    for project in projects:
        companies.setdefault(project.company.name, []).append(project)
    return companies


def _tell_warnings(saved: Saved) -> None:
    for warning in saved.warnings:
        flash(_(warning.template, **warning.values), "warning")
