"""Deliveries: the log of all webhooks, its news, and one delivery with every attempt."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from webapp.models import Attempt, Delivery, NotFound
from webapp.request_extensions import htmx
from webapp.web import delivery_log, delivery_pages
from webapp.web.loading import for_people, me
from webapp.webhooks import log

bp = for_people(Blueprint("deliveries", __name__))

ONE = "/settings/webhooks/<webhook_id>/deliveries/<delivery_id>"


@bp.get("/deliveries")
def index() -> str:
    """The log of all webhooks of this person."""
    return render_template("deliveries/index.html", log=delivery_log.view(me()))


@bp.get("/deliveries/news", defaults={"webhook_id": None})
@bp.get("/settings/webhooks/<webhook_id>/deliveries/news")
def news(webhook_id: str | None) -> AnyResponse:
    """What changed in a log since its page asked last; 204 when nothing did."""
    if htmx:
        return delivery_log.news(me(), webhook_id)
    if webhook_id is None:
        return redirect(url_for(".index"), 303)
    return redirect(url_for("webhooks.log", webhook_id=webhook_id), 303)


@bp.get(ONE)
def show(webhook_id: str, delivery_id: str) -> AnyResponse:
    """One delivery: how it stands, its time line, its attempts. Also for a log's drawer, and anew while it lives."""
    return delivery_pages.answer(delivery_pages.view(me(), log.load(me(), delivery_id, webhook_id)))


@bp.get(f"{ONE}/payload")
def payload(webhook_id: str, delivery_id: str) -> Response:
    """The body that is sent, as a file that no browser renders."""
    delivery = log.load(me(), delivery_id, webhook_id)
    return _file(log.body(delivery), f"{delivery.id}.txt")


@bp.get(f"{ONE}/attempts/<int:number>/answer")
def answer(webhook_id: str, delivery_id: str, number: int) -> Response:
    """The body that the receiver answered with, as a file that no browser renders."""
    delivery = log.load(me(), delivery_id, webhook_id)
    attempt = _attempt(delivery, number)
    return _file(attempt.response_body or b"", f"{delivery.id}-{number}.txt")


def _attempt(delivery: Delivery, number: int) -> Attempt:
    for attempt in log.attempts(delivery):
        if attempt.number == number:
            return attempt
    raise NotFound("There is no such attempt.")


def _file(content: bytes, name: str) -> Response:
    response = Response(content, mimetype="text/plain")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response
