"""Inboxes: addresses of one's own that show what arrives, live, with the verdict on each signature."""

from __future__ import annotations

import json

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as AnyResponse

from webapp import config
from webapp.delivery.payloads import to_json
from webapp.delivery.signing import TOLERANCE_S, Verdict
from webapp.models import Inbox
from webapp.receiver import arrivals, checking, inboxes
from webapp.receiver.answers import Answer
from webapp.receiver.pruning import KEPT_REQUESTS
from webapp.request_extensions import htmx
from webapp.web.badges import Badge
from webapp.web.forms import run
from webapp.web.inbox_forms import AnswerForm, InboxForm, SecretForm
from webapp.web.loading import for_people, me
from webapp.webhooks import access

bp = for_people(Blueprint("inboxes", __name__, url_prefix="/inboxes"))

MAX_CURSOR = 2**53
VERDICTS = {
    Verdict.RIGHT: Badge("success", "circle-check", _l("Right"), _l("The signature is right")),
    Verdict.RIGHT_WITH_OLD_SECRET: Badge(
        "success", "circle-check", _l("Right with old secret"), _l("Made with the secret from before the rotation")
    ),
    Verdict.WRONG: Badge("danger", "circle-x", _l("Wrong"), _l("The signature is not right")),
    Verdict.NOT_SIGNED: Badge("secondary", "circle-slash", _l("Not signed"), _l("No signature came along")),
    Verdict.NO_SECRET: Badge("secondary", "key-round", _l("No secret to check with")),
    checking.NOT_CHECKED: Badge("secondary", "circle-slash", _l("Not checked"), _l("The body was cut")),
}


@bp.app_template_global()
def verdict_badge(verdict: str) -> Badge:
    """How the verdict on a request is shown."""
    return VERDICTS[verdict]


@bp.app_template_global()
def inbox_address(inbox: Inbox) -> str:
    """Where an inbox receives: at WEBAPP_BASE_URL, else at the address that this page was asked for."""
    base = config.current().base_url or request.host_url.rstrip("/")
    return base + url_for("receiving.receive", token=inbox.token)


@bp.get("")
def index() -> str:
    """All inboxes of this person."""
    return _index(InboxForm())


def _index(form: InboxForm) -> str:
    return render_template("inboxes/index.html", form=form, rows=inboxes.of(me()))


@bp.post("")
def create() -> AnyResponse | tuple[str, int]:
    """Make an inbox and show it."""
    form = InboxForm()
    created = run(form, lambda: inboxes.create(form.name.data or "", by=me()))
    if created is None:
        return _index(form), 422
    return redirect(url_for(".show", inbox_id=created.value.id), 303)


@bp.get("/<inbox_id>")
def show(inbox_id: str) -> str:
    """One inbox: its address, what it answers, and what arrived."""
    return _show(inboxes.load(me(), inbox_id))


def _show(inbox: Inbox, answer_form: AnswerForm | None = None, secret_form: SecretForm | None = None) -> str:
    webhooks = access.of(me())
    return render_template(
        "inboxes/show.html",
        inbox=inbox,
        answer=Answer.of(inbox),
        rows=arrivals.requests(inbox),
        checked_with=checking.secrets_of(inbox).webhooks,
        source=checking.source_of(inbox),
        answer_form=answer_form or AnswerForm.of(inbox),
        secret_form=(secret_form or SecretForm.of(inbox)).offer(webhooks),
        webhooks=webhooks,
    )


@bp.get("/<inbox_id>/requests")
def requests(inbox_id: str) -> AnyResponse | str:
    """What arrived after the cursor, for the page that shows the rest: 204 when nothing did."""
    inbox = inboxes.load(me(), inbox_id)
    if not htmx:
        return redirect(url_for(".show", inbox_id=inbox.id), 303)
    after = max(0, min(request.args.get("after", 0, type=int), MAX_CURSOR))
    rows = arrivals.requests(inbox, after=after)
    if not rows:
        return Response(status=204)
    shown = request.args.get("shown", 0, type=int) + len(rows)
    if after <= 0 or shown > KEPT_REQUESTS:
        return _all_requests(inbox)
    return render_template("inboxes/_rows.html", inbox=inbox, rows=rows, shown=shown)


def _all_requests(inbox: Inbox) -> Response:
    """The whole list anew: when the page had none, or would show more than are kept."""
    response = make_response(
        render_template("inboxes/_requests.html", inbox=inbox, rows=arrivals.requests(inbox), webhooks=[])
    )
    response.headers["HX-Retarget"] = "#requests"
    response.headers["HX-Reswap"] = "outerHTML"
    return response


@bp.get("/<inbox_id>/<request_id>")
def show_request(inbox_id: str, request_id: str) -> str:
    """One request: headers, body, and why its signature is right or wrong."""
    inbox = inboxes.load(me(), inbox_id)
    arrived = arrivals.load(inbox, request_id)
    return render_template(
        "inboxes/request.html",
        inbox=inbox,
        arrived=arrived,
        checks=checking.explain(arrived, checking.secrets_of(inbox)),
        tolerance_s=TOLERANCE_S,
        form=_form(arrived.body),
        previous=arrivals.previous_of_same_delivery(arrived),
        delivery=arrivals.delivery_of(arrived, me()),
    )


def _form(body: bytes) -> str:
    """`compact` for JSON written as webhooks write it, `json` for other JSON, empty for anything else."""
    try:
        value = json.loads(body)
        return "compact" if to_json(value) == body else "json"
    except (ValueError, RecursionError):
        return ""


@bp.get("/<inbox_id>/<request_id>/body")
def body(inbox_id: str, request_id: str) -> Response:
    """The raw body as a file that no browser renders."""
    arrived = arrivals.load(inboxes.load(me(), inbox_id), request_id)
    response = Response(arrived.body, mimetype="text/plain")
    response.headers["Content-Disposition"] = f'attachment; filename="body-{arrived.seq}.txt"'
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@bp.post("/<inbox_id>/answer")
def answer(inbox_id: str) -> AnyResponse | tuple[str, int]:
    """Say what this inbox answers from now on."""
    inbox = inboxes.load(me(), inbox_id)
    form = AnswerForm()
    if run(form, lambda: inboxes.answer_with(inbox.id, form.answer, by=me())) is None:
        return _show(inbox, answer_form=form), 422
    flash(_("Saved. The next request gets this answer."), "success")
    return redirect(url_for(".show", inbox_id=inbox.id), 303)


@bp.post("/<inbox_id>/secret")
def secret(inbox_id: str) -> AnyResponse | tuple[str, int]:
    """Say which secret signatures are checked with from now on."""
    inbox = inboxes.load(me(), inbox_id)
    form = SecretForm().offer(access.of(me()))
    if run(form, lambda: inboxes.check_with(inbox.id, form.chosen, by=me())) is None:
        return _show(inbox, secret_form=form), 422
    flash(_("Saved. The next request is checked with it."), "success")
    return redirect(url_for(".show", inbox_id=inbox.id), 303)


@bp.get("/<inbox_id>/requests/delete")
def confirm_clear(inbox_id: str) -> str:
    """Ask before all that arrived is forgotten."""
    return render_template("inboxes/clear.html", inbox=inboxes.load(me(), inbox_id))


@bp.post("/<inbox_id>/requests/delete")
def clear(inbox_id: str) -> AnyResponse:
    """Forget all that arrived."""
    inboxes.clear(inbox_id, by=me())
    flash(_("The inbox is empty now."), "success")
    return redirect(url_for(".show", inbox_id=inbox_id), 303)


@bp.get("/<inbox_id>/delete")
def confirm_delete(inbox_id: str) -> str:
    """Ask before an inbox is deleted."""
    return render_template("inboxes/delete.html", inbox=inboxes.load(me(), inbox_id))


@bp.post("/<inbox_id>/delete")
def delete(inbox_id: str) -> AnyResponse:
    """Delete an inbox; its address answers 404 from now on."""
    inboxes.delete(inbox_id, by=me())
    flash(_("The inbox is deleted."), "success")
    return redirect(url_for(".index"), 303)
