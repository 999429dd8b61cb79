"""The workbench on the Signature tab: is a pasted signature right, and if not, why?"""

from __future__ import annotations

from flask import Blueprint, render_template, request
from wtforms import PasswordField, TextAreaField

from webapp.delivery.signing import Verdict
from webapp.models import Webhook
from webapp.request_extensions import htmx
from webapp.web import large_forms, last_deliveries, webhook_pages
from webapp.web.badges import Badge
from webapp.web.forms import Form, Required, run
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import for_people, me
from webapp.webhooks import access, signature_checks
from webapp.webhooks.signature_checks import Checked, Pasted

bp = large_forms.allow(
    for_people(Blueprint("signature_checks", __name__, url_prefix="/settings/webhooks/<webhook_id>/signature/check"))
)

VERDICTS = {
    Verdict.RIGHT: Badge("success", "circle-check", _l("Right, with the current secret")),
    Verdict.RIGHT_WITH_OLD_SECRET: Badge("success", "circle-check", _l("Right, with the old secret")),
    Verdict.WRONG: Badge("danger", "circle-x", _l("Wrong")),
    Verdict.NOT_SIGNED: Badge("secondary", "circle-slash", _l("Not among the headers")),
}
RIGHT_WITH_TYPED = Badge("success", "circle-check", _l("Right, with the typed secret"))


class CheckForm(Form):
    """A body, its headers, and a secret in place of the webhook's."""

    body = TextAreaField(_l("Body"), [Required()], id="check-body")
    headers = TextAreaField(_l("Headers"), [Required()], id="check-headers")
    secret = PasswordField(_l("Another secret"), id="check-secret")

    @property
    def pasted(self) -> Pasted:
        """What was pasted."""
        return Pasted(self.body.data or "", self.headers.data or "", self.secret.data or "")


@bp.get("")
def new(webhook_id: str) -> str:
    """The empty form, or one with what the last delivery sent."""
    webhook = access.load(me(), webhook_id)
    form = CheckForm(formdata=None)
    if request.args.get("fill") == "last" and (last := last_deliveries.of(me(), webhook)):
        form.body.data = last.body.decode(errors="replace")
        form.headers.data = last.signed_lines
    return _answer(webhook, form)


@bp.post("")
def create(webhook_id: str) -> str | tuple[str, int]:
    """Judge what was pasted. Nothing of it is kept."""
    webhook = access.load(me(), webhook_id)
    form = CheckForm()
    done = run(form, lambda: signature_checks.judge(webhook, form.pasted))
    return _answer(webhook, form, done.value) if done else (_answer(webhook, form), 422)


def badge_of(verdict: Verdict, *, is_typed: bool) -> Badge:
    """How a verdict is shown."""
    return RIGHT_WITH_TYPED if is_typed and verdict is Verdict.RIGHT else VERDICTS[verdict]


def _answer(webhook: Webhook, form: CheckForm, checked: Checked | None = None) -> str:
    values = {"check": form, "checked": checked, "badge_of": badge_of}
    if htmx:
        return render_template("signatures/_check.html", webhook=webhook, **values)
    return webhook_pages.page("signatures/check.html", webhook, **values)
