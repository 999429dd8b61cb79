"""The state card in words: what happened, what it means, and the buttons that help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask import url_for
from flask_babel import format_date, ngettext
from flask_babel import gettext as _

from webapp.delivery.health import (
    DISABLE_AFTER,
    DISABLE_AFTER_FAILURES,
    HEALTH_CHECK_LIMIT,
    disabled_at_the_earliest,
)
from webapp.delivery.tallying import health_of
from webapp.models import Webhook, utc_now
from webapp.web.formats import number
from webapp.web.outcomes import explain
from webapp.webhooks import state_cards, statistics
from webapp.webhooks.activation import CheckOutcome, HealthCheck
from webapp.webhooks.state_cards import CardKind
from webapp.webhooks.statistics import Figures

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Step:
    """A button: a link, or a form when `hidden` (which may be empty) is to be posted. A ping answers in place."""

    label: str
    url: str
    icon: str = ""
    hidden: dict[str, str] | None = None
    is_ping: bool = False


@dataclass
class StateCard:
    """A card as the template shows it. `beside` are further sentences with a link each; `at` stands behind
    `at_label`, ticking; the first of the steps is the one to take."""

    kind: CardKind
    colour: str
    icon: str
    headline: str
    lines: list[str] = field(default_factory=list)
    code: str = ""
    steps: list[Step] = field(default_factory=list)
    at_label: str = ""
    at: datetime | None = None
    request_url: str = ""
    beside: list[tuple[str, str, str]] = field(default_factory=list)


def of(webhook: Webhook, figures: Figures) -> StateCard | None:
    """The card of this webhook; None when there is nothing to say."""
    found = state_cards.card(state_cards.situation(webhook, figures))
    if found is None:
        return None
    shown = _MAKERS[found.kind](webhook, figures)
    shown.beside = [_BESIDE[kind](webhook, figures) for kind in found.beside]
    return shown


def check_headline(check: HealthCheck) -> str:
    """Why a webhook stayed off after its last health check, in a sentence."""
    if check.outcome is CheckOutcome.NO_WORKER:
        return _("Still off: no worker is running, so the health check could not be sent.")
    if check.outcome is CheckOutcome.NO_ANSWER:
        seconds = f"{HEALTH_CHECK_LIMIT.total_seconds():g}"
        return _("Still off: the health check was not answered within %(seconds)s seconds.", seconds=seconds)
    if check.outcome is CheckOutcome.URL_CHANGED:
        return _("Still off: the URL was changed during the health check. Check again.")
    return _("Still off: the health check failed.")


def _gone(webhook: Webhook, figures: Figures) -> StateCard:
    headline = _("Disabled on %(day)s: the receiver answered 410 Gone.", day=_day(webhook.disabled_at))
    lines = [_("The delivery that was answered so has failed."), *_held_since(figures), _("Check the URL first.")]
    steps = [_enable(webhook), _failed(webhook), _edit(webhook)]
    return StateCard(CardKind.GONE, "danger", "circle-x", headline, lines, steps=steps)


def _failures(webhook: Webhook, figures: Figures) -> StateCard:
    headline = _(
        "Disabled on %(day)s: %(days)s days without a success, %(count)s failed attempts (last: %(outcome)s).",
        day=_day(webhook.disabled_at),
        days=DISABLE_AFTER.days,
        count=number(webhook.health.failures_in_a_row),
        outcome=_last(webhook),
    )
    lines = [*_held_since(figures), _("Mend the receiver, then check and enable.")]
    return StateCard(
        CardKind.FAILURES, "danger", "circle-x", headline, lines, steps=[_enable(webhook), _failed(webhook)]
    )


def _off(webhook: Webhook, figures: Figures) -> StateCard:
    headline = _("Switched off by you on %(day)s.", day=_day(webhook.disabled_at))
    lines = [_("Nothing is sent."), *_held(figures)]
    steps = [_enable(webhook)]
    if figures.held:
        steps.append(Step(_("Discard held…"), url_for("releases.new", webhook_id=webhook.id)))
    return StateCard(CardKind.OFF, "warning", "circle-slash", headline, lines, steps=steps)


def _check_failed(webhook: Webhook, figures: Figures) -> StateCard:
    check = HealthCheck.of(webhook)
    assert check is not None  # noqa: S101 - the card says so
    card = StateCard(CardKind.CHECK_FAILED, "danger", "circle-x", check_headline(check))
    if check.outcome is CheckOutcome.FAILED:
        explained = explain(check.status, check.error)
        card.code = " ".join(str(part) for part in (check.status, check.error) if part is not None)
        card.lines = [str(explained.sentence), str(explained.remedy)]
    card.lines += _held(figures)
    card.at_label, card.at = _("Checked:"), check.at
    if check.delivery_id:
        card.request_url = url_for("deliveries.show", webhook_id=webhook.id, delivery_id=check.delivery_id)
    card.steps = [_enable(webhook, _("Try again")), _edit(webhook)]
    return card


def _near(webhook: Webhook, figures: Figures) -> StateCard:
    health = health_of(webhook.health)
    days = (utc_now() - health.first_failure_at) // DAY if health.first_failure_at else 0
    headline = _(
        "Will be disabled on %(day)s if nothing succeeds until then.", day=_day(disabled_at_the_earliest(health))
    )
    so_far = _(
        "%(failures)s of %(most)s failed attempts, %(days)s of %(limit)s days (last: %(outcome)s).",
        failures=min(health.failures, DISABLE_AFTER_FAILURES),
        most=DISABLE_AFTER_FAILURES,
        days=min(days, DISABLE_AFTER.days),
        limit=DISABLE_AFTER.days,
        outcome=_last(webhook),
    )
    card = StateCard(CardKind.DISABLING_NEAR, "danger", "triangle-alert", headline, [so_far, *_waiting(figures)])
    _tell_probe(card, webhook)
    card.steps = [*_try_now(webhook), _ping(webhook), _failing(webhook)]
    return card


def _paused(webhook: Webhook, figures: Figures) -> StateCard:
    count = webhook.health.failures_in_a_row
    headline = ngettext(
        "Paused after %(num)s failure in a row (last: %(outcome)s).",
        "Paused after %(num)s failures in a row (last: %(outcome)s).",
        count,
        outcome=_last(webhook),
    )
    lines = [
        *_waiting(figures),
        _("The next that is due is tried after a minute or more, then after two, four and so on, at most an hour."),
        _("The first success opens it again. Waiting costs no attempt."),
    ]
    card = StateCard(CardKind.PAUSED, "warning", "pause", headline, lines)
    _tell_probe(card, webhook)
    card.steps = [*_try_now(webhook), _failing(webhook)] if figures.waiting else [_ping(webhook)]
    return card


def _stuck(webhook: Webhook, figures: Figures) -> StateCard:
    text, label, url = _stuck_beside(webhook, figures)
    return StateCard(CardKind.STUCK, "danger", "triangle-alert", text, steps=[Step(label, url)])


def _held_to_decide(webhook: Webhook, figures: Figures) -> StateCard:
    text, label, url = _held_beside(webhook, figures)
    return StateCard(CardKind.HELD, "info", "hand", _("The webhook is on again."), [text], steps=[Step(label, url)])


def _new(webhook: Webhook, _figures: Figures) -> StateCard:
    lines = [_("The next event that you chose is sent at once. A test ping shows whether the receiver gets it.")]
    return StateCard(CardKind.NEW, "info", "circle", _("Nothing sent yet."), lines, steps=[_ping(webhook)])


def _stuck_beside(webhook: Webhook, figures: Figures) -> tuple[str, str, str]:
    text = ngettext(
        "%(count)s delivery is stuck: five workers took it and none could record what happened.",
        "%(count)s deliveries are stuck: five workers took them and none could record what happened.",
        figures.stuck,
        count=number(figures.stuck),
    )
    return text, _("Show them"), url_for("webhooks.log", webhook_id=webhook.id, state="stuck")


def _held_beside(webhook: Webhook, figures: Figures) -> tuple[str, str, str]:
    text = ngettext(
        "%(count)s older delivery is still held.",
        "%(count)s older deliveries are still held.",
        figures.held,
        count=number(figures.held),
    )
    return text, _("Decide"), url_for("releases.new", webhook_id=webhook.id)


_MAKERS: dict[CardKind, Callable[[Webhook, Figures], StateCard]] = {
    CardKind.CHECK_FAILED: _check_failed,
    CardKind.GONE: _gone,
    CardKind.FAILURES: _failures,
    CardKind.OFF: _off,
    CardKind.DISABLING_NEAR: _near,
    CardKind.PAUSED: _paused,
    CardKind.STUCK: _stuck,
    CardKind.HELD: _held_to_decide,
    CardKind.NEW: _new,
}
_BESIDE: dict[CardKind, Callable[[Webhook, Figures], tuple[str, str, str]]] = {
    CardKind.STUCK: _stuck_beside,
    CardKind.HELD: _held_beside,
}


def _day(at: datetime | None) -> str:
    return str(format_date(at, "medium")) if at else "–"


def _last(webhook: Webhook) -> str:
    return webhook.health.last_outcome or "–"


def _held(figures: Figures) -> list[str]:
    if not figures.held:
        return []
    held = number(figures.held)
    return [ngettext("%(count)s delivery is held.", "%(count)s deliveries are held.", figures.held, count=held)]


def _held_since(figures: Figures) -> list[str]:
    if not figures.held:
        return []
    held = number(figures.held)
    return [
        ngettext(
            "Since then %(count)s delivery is held.",
            "Since then %(count)s deliveries are held.",
            figures.held,
            count=held,
        )
    ]


def _waiting(figures: Figures) -> list[str]:
    if not figures.waiting:
        return []
    waiting = number(figures.waiting)
    return [
        ngettext(
            "%(count)s delivery is waiting and not lost.",
            "%(count)s deliveries are waiting and none is lost.",
            figures.waiting,
            count=waiting,
        )
    ]


def _tell_probe(card: StateCard, webhook: Webhook) -> None:
    at = statistics.next_probe_at(webhook) if webhook.health.paused_at else None
    if at is not None:
        card.at_label, card.at = _("Next probe:"), at


def _enable(webhook: Webhook, label: str = "") -> Step:
    url = url_for("activations.update", webhook_id=webhook.id)
    return Step(label or _("Check and enable"), url, "play", {"enabled": "1"})


def _try_now(webhook: Webhook) -> list[Step]:
    delivery_id = statistics.oldest_waiting(webhook)
    if delivery_id is None:
        return []
    url = url_for("redeliveries.create", webhook_id=webhook.id, delivery_id=delivery_id)
    return [Step(_("Try now"), url, "play", {"next": url_for("webhooks.show", webhook_id=webhook.id)})]


def _ping(webhook: Webhook) -> Step:
    return Step(_("Send test ping"), url_for("pings.create", webhook_id=webhook.id), "send", {}, is_ping=True)


def _edit(webhook: Webhook) -> Step:
    return Step(_("Edit the URL"), url_for("webhooks.edit", webhook_id=webhook.id), "pencil")


def _failed(webhook: Webhook) -> Step:
    return Step(
        _("Show failed deliveries"), url_for("webhooks.log", webhook_id=webhook.id, state="failed", kind="real")
    )


def _failing(webhook: Webhook) -> Step:
    return Step(_("Show failures"), url_for("webhooks.log", webhook_id=webhook.id, state="pending", kind="real"))
