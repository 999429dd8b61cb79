"""Badges: icon, word and colour for each word of a webhook and a delivery. Closed lists, one badge for each member."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from webapp.models import Delivery, DeliveryKind, DeliveryState
from webapp.webhooks.words import STATE_WORDS, DeliveryWord, WebhookWord


@dataclass(frozen=True)
class Badge:
    """What a badge shows. `kind` is a colour's name of macros/parts.html, `icon` one of the sprite."""

    kind: str
    icon: str
    word: LazyString | str
    title: LazyString | str = ""


WEBHOOK = {
    WebhookWord.UNHEALTHY: Badge("danger", "circle-x", _l("Unhealthy"), _l("Disabled by the system")),
    WebhookWord.DISABLED: Badge("secondary", "circle-slash", _l("Disabled"), _l("Switched off by its owner")),
    WebhookWord.PAUSED: Badge("warning", "pause", _l("Paused"), _l("5 failures in a row; deliveries wait")),
    WebhookWord.FAILING: Badge("warning", "triangle-alert", _l("Failing"), _l("A delivery is being retried")),
    WebhookWord.NEW: Badge("primary", "circle", _l("New"), _l("Nothing sent yet")),
    WebhookWord.HEALTHY: Badge("success", "circle-check", _l("Healthy")),
}
DELIVERY = {
    DeliveryWord.WAITING: Badge("secondary", "clock", _l("Waiting"), _l("The first attempt has not been made yet")),
    DeliveryWord.SENDING: Badge("primary", "arrow-right", _l("Sending"), _l("An attempt is in flight")),
    DeliveryWord.RETRYING: Badge("warning", "rotate-cw", _l("Retrying"), _l("It failed and will be tried again")),
    DeliveryWord.PAUSED: Badge("warning", "pause", _l("Waiting, webhook paused"), _l("Waiting costs no attempt")),
    DeliveryWord.DELIVERED: Badge("success", "circle-check", _l("Delivered"), _l("The receiver answered 2xx")),
    DeliveryWord.FAILED: Badge("danger", "circle-x", _l("Failed"), _l("No more tries by itself")),
    DeliveryWord.HELD: Badge("primary", "hand", _l("Held"), _l("No attempt is made until its owner decides")),
    DeliveryWord.CANCELLED: Badge("secondary", "ban", _l("Cancelled")),
    DeliveryWord.STUCK: Badge(
        "danger", "triangle-alert", _l("Stuck"), _l("Five workers took it and none could record what happened")
    ),
}
KIND = {
    DeliveryKind.PING: _l("Ping"),
    DeliveryKind.TEST: _l("Test"),
    DeliveryKind.HEALTH_CHECK: _l("Health check"),
}
STATE = {
    DeliveryState.PENDING: _l("Waiting"),
    DeliveryState.SUCCEEDED: _l("Delivered"),
    DeliveryState.FAILED: _l("Failed"),
    DeliveryState.HELD: _l("Held"),
    DeliveryState.CANCELLED: _l("Cancelled"),
    DeliveryState.STUCK: _l("Stuck"),
}
REASON = {
    "webhook_deleted": _l("The webhook was deleted."),
    "webhook_disabled": _l("The webhook was disabled when this waited."),
    "webhook_unhealthy": _l("The system disabled the webhook when this waited."),
    "too_late": _l("No worker sent it in time."),
    "gone": _l("The receiver answered 410 Gone: it wants nothing more."),
    "role_lost": _l("Its owner is no longer an administrator of the project."),
    "by_hand": _l("Its owner cancelled it."),
    "discarded": _l("It was held, and its owner discarded it."),
    "superseded": _l("It was held, and only the newest of its record and event type was sent."),
}


def state_badge(state: DeliveryState) -> Badge:
    """The badge of a delivery of which no more than its state is known."""
    return DELIVERY[STATE_WORDS[state]]


def delivery_badge(delivery: Delivery, word: DeliveryWord, attempts: int) -> Badge:
    """The badge of a delivery; a retry tells which of its `attempts` comes next."""
    badge = DELIVERY[word]
    if word is DeliveryWord.RETRYING:
        next_one = _("Retrying %(number)s of %(all)s", number=delivery.attempts_counted + 1, all=attempts)
        return Badge(badge.kind, badge.icon, next_one, badge.title)
    if word is DeliveryWord.CANCELLED and delivery.reason in REASON:
        return Badge(badge.kind, badge.icon, badge.word, REASON[delivery.reason])
    return badge
