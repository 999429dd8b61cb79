"""The delivery log as a file, with the filters of the page, sent while it is read."""

from __future__ import annotations

from flask import Blueprint, Response, abort, stream_with_context

from webapp.models import utc_now
from webapp.web import export_lines
from webapp.web.export_lines import Lines
from webapp.web.loading import for_people, me
from webapp.web.log_forms import LogForm
from webapp.webhooks import log, log_export

bp = for_people(Blueprint("exports", __name__))

FORMATS: dict[str, tuple[str, Lines]] = {
    "csv": ("text/csv", export_lines.as_csv),
    "jsonl": ("application/jsonl", export_lines.as_json_lines),
}


@bp.get("/deliveries/export.<ending>", defaults={"webhook_id": None})
@bp.get("/settings/webhooks/<webhook_id>/deliveries/export.<ending>")
def show(webhook_id: str | None, ending: str) -> Response:
    """What the filters match, newest first."""
    if ending not in FORMATS:
        abort(404)
    mimetype, lines = FORMATS[ending]
    filters = LogForm.of_request(me(), webhook_id).filters
    log.deliveries(me(), filters, limit=1)  # whose webhook it is must be known before the file begins
    content = lines(log_export.parts(me().id, filters))
    response = Response(stream_with_context(content), mimetype=mimetype)
    name = f"deliveries-{utc_now():%Y-%m-%d-%H%M}.{ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
