"""Settings → Webhooks: the list, and one webhook with its overview and its log. The form is in `webhook_editing`."""

from __future__ import annotations

from flask import Blueprint, render_template

from webapp.request_extensions import htmx
from webapp.web import delivery_log, large_forms, overviews, webhook_list, webhook_pages
from webapp.web.loading import for_people, me
from webapp.webhooks import access

bp = large_forms.allow(for_people(Blueprint("webhooks", __name__, url_prefix="/settings/webhooks")))


@bp.get("")
def index() -> str:
    """The webhooks of this person. The page asks for its list again while it is open."""
    return render_template(
        "webhooks/_list.html" if htmx else "webhooks/index.html",
        list=webhook_list.view(),
        may_create=access.administers(me()),
        administrators=access.administrators(me()),
    )


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
