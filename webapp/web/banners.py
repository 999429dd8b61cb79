"""Banners on every page: a worker that is missing, webhooks that were or will be disabled."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask, url_for
from flask_babel import format_date
from flask_babel import gettext as _

from webapp.models import HandoverOffer
from webapp.web import frame
from webapp.web.frame import Banner
from webapp.web.person import person
from webapp.webhooks import attention, handover
from webapp.webhooks.attention import Attention, Concern


def init_app(app: Flask) -> None:
    """Put them on every page of a signed-in person."""
    frame.add_banner_source(app, _banners)


def _banners() -> Iterator[Banner]:
    user = person()
    if user is None:
        return
    if attention.waits_for_a_worker(user):
        yield Banner(
            "warning",
            _("Deliveries are waiting: the worker is not running."),
            url_for("deliveries.index"),
            _("Show deliveries"),
        )
    for offer in handover.offers_to(user):
        yield Banner(
            "info",
            _("%(name)s offers you the webhook “%(webhook)s”.", **_offered(offer)),
            url_for("handovers.show", webhook_id=offer.webhook_id),
            _("Accept or refuse"),
        )
    for one in attention.of(user):
        yield Banner(_kind(one), _text(one), url_for("webhooks.show", webhook_id=one.webhook.id), _("Open the webhook"))


def _offered(offer: HandoverOffer) -> dict[str, str]:
    return {"name": offer.webhook.created_by.name, "webhook": offer.webhook.name}


def _kind(one: Attention) -> str:
    return "danger" if one.concern is Concern.DISABLED else "warning"


def _text(one: Attention) -> str:
    day = format_date(one.at, "medium") if one.at else ""
    if one.concern is Concern.DISABLED:
        return _("Webhook “%(name)s” was disabled on %(day)s.", name=one.webhook.name, day=day)
    return _(
        "Webhook “%(name)s” will be disabled on %(day)s if nothing succeeds until then.", name=one.webhook.name, day=day
    )
