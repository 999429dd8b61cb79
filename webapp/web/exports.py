"""The delivery log as a file, with the filters of the page, sent while it is read."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Flask, Response, abort, current_app
from flask_babel import gettext as _

from webapp.extensions import db
from webapp.models import User, utc_now
from webapp.web import export_lines
from webapp.web.export_lines import Lines
from webapp.web.formats import number
from webapp.web.loading import for_people, me
from webapp.web.log_forms import LogForm
from webapp.webhooks import log, log_export
from webapp.webhooks.log_export import Part
from webapp.webhooks.log_filter import LogFilter

bp = for_people(Blueprint("exports", __name__))

FORMATS: dict[str, tuple[str, str, Lines]] = {
    "csv": ("text/csv", export_lines.csv_head(), export_lines.as_csv),
    "jsonl": ("application/jsonl", "", export_lines.as_json_lines),
}


@bp.get("/deliveries/export.<ending>", defaults={"webhook_id": None})
@bp.get("/settings/webhooks/<webhook_id>/deliveries/export.<ending>")
def show(webhook_id: str | None, ending: str) -> Response:
    """What the filters match, newest first."""
    if ending not in FORMATS:
        abort(404)
    mimetype, head, lines = FORMATS[ending]
    filters = LogForm.of_request(me(), webhook_id).filters
    log.deliveries(me(), filters, limit=1)  # whose webhook it is must be known before the file begins
    remark = _("Only the newest %(limit)s. Filter by time for the others.", limit=number(log_export.MAX_ROWS))
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    response = Response(_content(app, me().id, filters, head=head, lines=lines, remark=remark), mimetype=mimetype)
    name = f"deliveries-{utc_now():%Y-%m-%d-%H%M}.{ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _content(app: Flask, user_id: str, filters: LogFilter, *, head: str, lines: Lines, remark: str) -> Iterator[str]:
    """Each part in a context of its own, so that between them no transaction is open, however slow the reader is."""
    yield head
    part: Part | None = None
    while part is None or part.cursor is not None:
        with app.app_context():
            part = log_export.part(db.session.get_one(User, user_id), filters, part)
            text = lines(part, remark)
        yield text
