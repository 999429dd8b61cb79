"""Imports: a file of records for a list. First what would become of it, line by line; then how far the worker is."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf.file import FileField
from werkzeug.wrappers import Response as AnyResponse
from wtforms import TextAreaField

from webapp.delivery import heartbeats
from webapp.models import Invalid, RecordImport
from webapp.request_extensions import htmx
from webapp.web import import_words, large_forms, loading
from webapp.web.errors import said
from webapp.web.forms import Form, run
from webapp.web.forms import lazy_text as _l
from webapp.web.loading import for_people, me
from webapp.web.person import time_zone
from webapp.workspace import access, csv_files, import_cells, import_columns, imports, members

SHOWN_FAULTS = 100

bp = large_forms.allow(for_people(Blueprint("imports", __name__)), 2 * csv_files.MAX_BYTES)


class UploadForm(Form):
    """A file, or its lines in a field."""

    file = FileField(_l("File"))
    text = TextAreaField(_l("Or paste its lines"))

    @property
    def content(self) -> bytes | str:
        """What was sent; empty when nothing was."""
        sent = self.file.data.read() if self.file.data else b""
        return sent or self.text.data or ""


@bp.get("/lists/<list_id>/imports/new")
def new(list_id: str) -> str:
    """Choose a file."""
    list_ = loading.record_list(list_id)
    access.demand(list_.project, me(), "edit_records")
    return render_template("imports/new.html", list=list_, form=UploadForm(formdata=None))


@bp.post("/lists/<list_id>/imports")
def create(list_id: str) -> AnyResponse | tuple[str, int]:
    """Keep the file, and show what would become of it."""
    list_, form = loading.record_list(list_id), UploadForm()
    name = (form.file.data.filename or "") if form.file.data else ""
    done = run(form, lambda: imports.upload(form.content, name, list_=list_, by=me(), zone=time_zone()))
    if done is None:
        return render_template("imports/new.html", list=loading.record_list(list_id), form=form), 422
    return redirect(url_for(".show", import_id=done.value.id), 303)


@bp.get("/imports/<import_id>")
def show(import_id: str) -> str:
    """What would become of the file; once it was started, how far it is, for htmx only that part."""
    found = imports.load(import_id, me())
    if found.started_at is None and found.finished_at is None:
        return _preview(found)
    return render_template(
        "imports/_progress.html" if htmx else "imports/show.html",
        found=found,
        refused=imports.refused(found, by=me()) if found.finished_at else [],
        shown_faults=SHOWN_FAULTS,
        sentence=import_words.sentence,
        has_worker=found.finished_at is not None or heartbeats.is_any_alive(),
    )


@bp.post("/imports/<import_id>/columns")
def arrange(import_id: str) -> AnyResponse | tuple[str, int]:
    """Say what the columns are."""
    found, form = imports.load(import_id, me()), request.form
    order, mark = form.get("date_order", ""), form.get("decimal_mark", ".")
    try:
        imports.arrange(found, form.getlist("column"), order, mark, by=me())
    except Invalid as error:
        return _preview(imports.load(import_id, me()), said(error)), 422
    return redirect(url_for(".show", import_id=import_id), 303)


@bp.post("/imports/<import_id>/start")
def start(import_id: str) -> AnyResponse | tuple[str, int]:
    """Let a worker begin."""
    found = imports.load(import_id, me())
    try:
        imports.start(found, only_right="only_right" in request.form, by=me())
    except Invalid as error:
        return _preview(imports.load(import_id, me()), said(error)), 422
    return redirect(url_for(".show", import_id=import_id), 303)


@bp.post("/imports/<import_id>/cancellation")
def stop(import_id: str) -> AnyResponse:
    """Stop it: what is a record already stays one."""
    imports.stop(imports.load(import_id, me()), by=me())
    return redirect(url_for(".show", import_id=import_id), 303)


@bp.get("/imports/<import_id>/refused.csv")
def refused(import_id: str) -> Response:
    """The lines that are wrong as a file, to be corrected and imported, with what is wrong in a column of its own."""
    found = imports.load(import_id, me())
    lines = imports.refused(found, by=me())
    rows = [[*line.cells[: len(found.head)], import_words.reasons(line.faults)] for line in lines]
    response = Response("\ufeff" + csv_files.written([[*found.head, _("What is wrong")], *rows]), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="refused-lines.csv"'
    return response


def _preview(found: RecordImport, problem: str = "") -> str:
    seen = imports.preview(found, by=me())
    return render_template(
        "imports/preview.html",
        found=found,
        seen=seen,
        problem=problem,
        labels=import_words.labels(seen.fields),
        examples=import_words.examples(seen),
        rows=import_words.rows(seen, import_words.people(seen, members.of(found.project))),
        faults=[import_words.sentence(one.line.number, fault) for one in seen.wrong for fault in one.faults],
        shown_faults=SHOWN_FAULTS,
        asks_order=import_cells.has_slashes(import_columns.dates(seen.table, seen.choices, seen.fields)),
        asks_mark=import_columns.has_numbers(seen.choices, seen.fields),
    )
