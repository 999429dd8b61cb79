"""Held deliveries: a person decides whether all of them are sent, only the newest, or none."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response
from wtforms import HiddenField, IntegerField, RadioField
from wtforms.validators import InputRequired, Optional

from webapp import config
from webapp.delivery.event_types import event_types
from webapp.models import Webhook
from webapp.web.delivery_log import MAX_SEQ
from webapp.web.formats import number
from webapp.web.forms import Form, choice
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import for_people, me
from webapp.web.local_times import TYPED, as_typed
from webapp.webhooks import access, releases
from webapp.webhooks.releases import Held, Mode, Released

bp = for_people(Blueprint("releases", __name__, url_prefix="/settings/webhooks"))


class ReleaseForm(Form):
    """The choice. `until_seq` is the last delivery that the page counted; `is_sure` comes from the second question."""

    mode = RadioField(_l("What is to become of them?"), [InputRequired(_l("Choose one of these."))])
    until_seq = IntegerField(_l("Last one"), [Optional()])
    is_sure = HiddenField()

    def offer(self, held: Held, webhook: Webhook) -> ReleaseForm:
        """The same form with what can be chosen now; nothing is sent while the webhook is off."""
        self.mode.choices = _choices(held) if webhook.enabled else _choices(held)[-1:]
        return self


@bp.get("/<webhook_id>/held")
def new(webhook_id: str) -> str:
    """What is held, and the three things that can be done with it."""
    webhook = access.load(me(), webhook_id)
    return _page(webhook, releases.held(webhook), ReleaseForm(formdata=None))


@bp.post("/<webhook_id>/releases")
def create(webhook_id: str) -> Response | tuple[str, int]:
    """Do what was chosen with what the page had counted. Discarding asks once more."""
    webhook = access.load(me(), webhook_id)
    form = ReleaseForm()
    held = releases.held(webhook, _seq(form.until_seq.data))
    if not form.offer(held, webhook).validate():
        return _page(webhook, held, form), 422
    if form.mode.data == Mode.DISCARD and not form.is_sure.data:
        return redirect(url_for(".confirm", webhook_id=webhook.id, until_seq=held.until_seq), 303)
    done = releases.release(webhook, form.mode.data, by=me(), until_seq=held.until_seq)
    flash(" ".join(_told(done, releases.held(webhook).count)), "success")
    return redirect(_log_of(webhook, held, form.mode.data), 303)


@bp.get("/<webhook_id>/held/discard")
def confirm(webhook_id: str) -> str:
    """The question before they are discarded, with their number."""
    webhook = access.load(me(), webhook_id)
    held = releases.held(webhook, _seq(request.args.get("until_seq", type=int)))
    return render_template(
        "releases/confirm.html", webhook=webhook, held=held, later=releases.held(webhook).count - held.count
    )


def _seq(typed: int | None) -> int | None:
    """A number that any database can compare with."""
    return None if typed is None else max(0, min(typed, MAX_SEQ))


def _choices(held: Held) -> list[Any]:
    rest = held.count - held.newest
    newest = [_("Send only the newest (%(count)s), per record and event type.", count=number(held.newest))]
    if rest:
        newest.append(
            ngettext(
                "The other one is cancelled and stays visible in the log.",
                "The other %(count)s are cancelled and stay visible in the log.",
                rest,
                count=number(rest),
            )
        )
    return [
        choice(Mode.ALL.value, _("Send all %(count)s, oldest first.", count=number(held.count))),
        choice(Mode.NEWEST.value, " ".join(newest)),
        choice(Mode.DISCARD.value, _("Discard all. Nothing is sent; they can still be sent again one by one.")),
    ]


def _page(webhook: Webhook, held: Held, form: ReleaseForm) -> str:
    kept = timedelta(days=config.current().retention_days)
    known = event_types(None)
    return render_template(
        "releases/new.html",
        webhook=webhook,
        held=held,
        form=form.offer(held, webhook),
        kinds=[(code, _(known[code].label) if code in known else "", held.by_type[code]) for code in held.by_type],
        kept_days=kept.days,
        first_gone_at=held.since + kept if held.since else None,
    )


def _told(done: Released, left: int) -> list[str]:
    told = []
    if done.released:
        told.append(ngettext("One delivery is on its way.", "%(num)s deliveries are on their way.", done.released))
    if done.cancelled:
        told.append(ngettext("One delivery was cancelled.", "%(num)s deliveries were cancelled.", done.cancelled))
    if left:
        told.append(ngettext("One more was held meanwhile.", "%(num)s more were held meanwhile.", left))
    return told or [_("Nothing was held any more.")]


def _log_of(webhook: Webhook, held: Held, mode: str) -> str:
    """The log with these deliveries: those that were discarded by their state, others by their time."""
    values: dict[str, Any] = {"state": "cancelled"} if mode == Mode.DISCARD else {}
    if held.since and held.until:
        values["since"] = as_typed(held.since).strftime(TYPED)
        values["until"] = as_typed(held.until + timedelta(seconds=1)).strftime(TYPED)
    return url_for("webhooks.log", webhook_id=webhook.id, **values)
