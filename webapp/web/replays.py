"""Replays: many deliveries again. First the count, then the replay, then its progress, with a button to stop it."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.delivery import heartbeats
from webapp.delivery.event_types import by_group
from webapp.models import Invalid, Replay, Webhook
from webapp.request_extensions import htmx
from webapp.web import forms
from webapp.web.badges import STATE
from webapp.web.loading import for_people, me
from webapp.web.replay_forms import ReplayForm
from webapp.webhooks import access, replays
from webapp.webhooks.replays import Chosen

bp = for_people(Blueprint("replays", __name__, url_prefix="/settings/webhooks/<webhook_id>/replays"))


@bp.get("/new")
def new(webhook_id: str) -> str | tuple[str, int]:
    """The form; with a choice in the address also how many deliveries match it. Nothing is sent."""
    webhook = access.load(me(), webhook_id)
    if "since" not in request.args:
        return _page(webhook, ReplayForm.empty(request.args.get("state")))
    form = _offered(ReplayForm(formdata=request.args))
    count = _count(webhook, form)
    page = _page(webhook, form, count)
    return page if count is not None else (page, 422)


@bp.post("")
def create(webhook_id: str) -> Response | tuple[str, int]:
    """Begin what was counted."""
    webhook = access.load(me(), webhook_id)
    form = _offered(ReplayForm())
    done = forms.run(form, lambda: replays.start(webhook, form.chosen, by=me()))
    if done is None:
        return _page(webhook, form), 422
    return redirect(url_for(".show", webhook_id=webhook.id, replay_id=done.value.id), 303)


@bp.get("/<replay_id>")
def show(webhook_id: str, replay_id: str) -> str:
    """How far it is; for htmx only that part."""
    webhook = access.load(me(), webhook_id)
    replay = replays.load(webhook, replay_id)
    return render_template(
        "replays/_progress.html" if htmx else "replays/show.html",
        webhook=webhook,
        replay=replay,
        chosen=Chosen.of(replay.chosen),
        projects={project.id: project.name for project in access.administered_projects(me())},
        states=STATE,
        progress=replays.progress(replay),
        has_worker=replay.finished_at is not None or heartbeats.is_any_alive(),
    )


@bp.post("/<replay_id>/cancellation")
def stop(webhook_id: str, replay_id: str) -> Response:
    """Stop it: what is not yet sent stays as it was."""
    replay = _load(webhook_id, replay_id)
    replays.stop(replay, by=me())
    return redirect(url_for(".show", webhook_id=webhook_id, replay_id=replay_id), 303)


def _offered(form: ReplayForm) -> ReplayForm:
    return form.offer(access.administered_projects(me()))


def _load(webhook_id: str, replay_id: str) -> Replay:
    return replays.load(access.load(me(), webhook_id), replay_id)


def _count(webhook: Webhook, form: ReplayForm) -> int | None:
    """How many match; None when the choice makes no sense, and the form says why."""
    if not form.validate():
        return None
    try:
        return replays.count(webhook, form.chosen)
    except Invalid as error:
        forms.show(form, error)
        return None


def _page(webhook: Webhook, form: ReplayForm, count: int | None = None) -> str:
    return render_template(
        "replays/_form.html" if htmx else "replays/new.html",
        webhook=webhook,
        form=_offered(form),
        groups=by_group(None),
        count=count,
        running=replays.running(webhook),
    )
