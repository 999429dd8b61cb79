"""Comments: what people say about a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import url_for

from webapp.api.authentication import caller
from webapp.api.resource import Resource
from webapp.api.schemas import comments as shapes
from webapp.models import Comment
from webapp.workspace import access, comments

bp = Resource("comments", "What people say about a record.")


@bp.call("GET", "/records/<record_id>/comments", "listComments")
@bp.gives(200, shapes.CommentList, example={"items": [shapes.SHOWN]})
def index(record_id: str) -> dict[str, Any]:
    """List the comments on a record, oldest first."""
    return {"items": comments.of(access.load_record(record_id, caller()))}


@bp.call("POST", "/records/<record_id>/comments", "createComment")
@bp.takes(shapes.CommentBody, example=shapes.EXAMPLE)
@bp.gives(201, shapes.CommentShown, example=shapes.SHOWN)
def create(values: Mapping[str, Any], record_id: str) -> tuple[Comment, int, dict[str, str]]:
    """Comment on a record. Publishes COMMENT_CREATED."""
    comment = comments.create(values["text"], record=access.load_record(record_id, caller()), by=caller())
    return comment, 201, {"Location": url_for("api_comments.show", comment_id=comment.id)}


@bp.call("GET", "/comments/<comment_id>", "readComment")
@bp.gives(200, shapes.CommentShown, example=shapes.SHOWN)
def show(comment_id: str) -> Comment:
    """Read one comment."""
    return access.load_comment(comment_id, caller())


@bp.call("PATCH", "/comments/<comment_id>", "changeComment")
@bp.takes(shapes.CommentBody, example=shapes.EXAMPLE)
@bp.gives(200, shapes.CommentShown, example=shapes.SHOWN)
def edit(values: Mapping[str, Any], comment_id: str) -> Comment:
    """Change a comment of your own. Another text publishes COMMENT_UPDATED."""
    comment = access.load_comment(comment_id, caller())
    comments.edit(comment, values["text"], by=caller())
    return comment


@bp.call("DELETE", "/comments/<comment_id>", "deleteComment")
@bp.gives(204)
def delete(comment_id: str) -> None:
    """Delete a comment of your own, or anybody's as an administrator. Publishes COMMENT_DELETED."""
    comments.delete(access.load_comment(comment_id, caller()), by=caller())
