"""Comments on a record: write one, change one's own, delete."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from webapp.web import loading, record_page
from webapp.web.forms import run
from webapp.web.loading import for_people, me
from webapp.web.record_forms import CommentForm
from webapp.workspace import access, comments

bp = for_people(Blueprint("comments", __name__))


@bp.post("/records/<record_id>/comments")
def create(record_id: str) -> Response:
    """Say something about a record."""
    record, form = loading.record(record_id), CommentForm()
    if run(form, lambda: comments.create(form.text.data or "", record=record, by=me())) is None:
        return record_page.show(record, wrong={"comment": form})
    return record_page.changed(record, opened="comment")


@bp.get("/comments/<comment_id>")
def edit(comment_id: str) -> str:
    """One's comment, to change."""
    comment = access.load_comment(comment_id, me())
    comments.require_author(comment, me())
    return render_template("records/comment.html", comment=comment, form=CommentForm(formdata=None, text=comment.text))


@bp.post("/comments/<comment_id>")
def update(comment_id: str) -> Response | tuple[str, int]:
    """Another text."""
    comment, form = access.load_comment(comment_id, me()), CommentForm()
    if run(form, lambda: comments.edit(comment, form.text.data or "", by=me())) is None:
        return render_template("records/comment.html", comment=comment, form=form), 422
    return _to_record(comment.record_id, f"comment-{comment.id}")


@bp.get("/comments/<comment_id>/delete")
def confirm(comment_id: str) -> str:
    """Ask before a comment is deleted."""
    comment = access.load_comment(comment_id, me())
    comments.require_deleter(comment, me())
    return render_template("records/comment_delete.html", comment=comment)


@bp.post("/comments/<comment_id>/delete")
def delete(comment_id: str) -> Response:
    """Delete a comment."""
    comment = access.load_comment(comment_id, me())
    record_id = comment.record_id
    comments.delete(comment, by=me())
    return _to_record(record_id, "comments")


def _to_record(record_id: str, anchor: str) -> Response:
    return redirect(url_for("records.show", record_id=record_id, _anchor=anchor), 303)
