"""What machines ask: does this process serve, and is the installation doing its work? No sign-in, no cookies."""

from __future__ import annotations

from flask import Blueprint, Response, abort, jsonify, request

from webapp.delivery import readiness
from webapp.web import metrics as figures

bp = Blueprint("machines", __name__)


@bp.get("/healthz")
def healthz() -> Response:
    """Live: this process answers. It asks nobody, so that a sick database does not restart healthy web processes."""
    return Response("ok\n", mimetype="text/plain")


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Ready: 200 when the database answers, a worker runs and nothing waits too long, else 503 with what is wrong."""
    found = readiness.check()
    checks = [{"name": each.name, "ok": each.is_ok, "detail": each.sentence} for each in found.checks]
    body = {"status": "ready" if found.is_ready else "not_ready", "checks": checks, "notes": list(found.notes)}
    return jsonify(body), 200 if found.is_ready else 503


@bp.get("/metrics")
def metrics() -> Response:
    """Prometheus. This machine may ask, and whoever has the token; for others it does not exist, or asks for one."""
    if not figures.may_ask():
        if not figures.is_token_set():
            abort(404)
        return Response("401\n", 401, {"WWW-Authenticate": "Bearer"}, mimetype="text/plain")
    body, content_type = figures.exposition(request.headers.get("Accept", ""))
    return Response(body, content_type=content_type)
