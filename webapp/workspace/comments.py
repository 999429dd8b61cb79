"""Comments: what people say about a record. Writing, changing and deleting one publishes one event each."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from webapp.delivery import outbox, payloads
from webapp.extensions import db
from webapp.models import Comment, Forbidden, Record, Role, User, transaction, utc_now
from webapp.models.texts import as_html, paragraphs
from webapp.workspace import access

TEXT_LENGTH = 10_000


def create(text: str, *, record: Record, by: User) -> Comment:
    """A new comment, in plain text. Raises Invalid at `text`, Forbidden, Conflict when the project is archived."""
    text, record_id, now = _text(text), record.id, utc_now()
    with transaction() as session:
        record = access.load_record(record_id, by, is_locked=True)
        access.demand(record.list.project, by, "comment")
        # Both moments the same, which tells a comment that was never changed.
        comment = Comment(text=text, html=as_html(text), record=record, user=by, created_at=now, updated_at=now)
        session.add(comment)
        session.flush()
        _publish("COMMENT_CREATED", comment, by, current=payloads.comment(comment))
    return comment


def edit(comment: Comment, text: str, *, by: User) -> None:
    """Another text for one's own comment; the same one publishes nothing. Raises Invalid, Forbidden, Conflict."""
    text, comment_id = _text(text), comment.id
    with transaction() as session:
        comment = access.load_comment(comment_id, by, is_locked=True)
        require_author(comment, by)
        if comment.text == text:
            return
        previous = payloads.comment(comment)
        comment.text, comment.html = text, as_html(text)
        session.flush()
        _publish("COMMENT_UPDATED", comment, by, previous=previous, current=payloads.comment(comment))


def delete(comment: Comment, *, by: User) -> None:
    """Delete one's own comment for good, or as an administrator anybody's. Raises Forbidden, Conflict."""
    comment_id = comment.id
    with transaction() as session:
        comment = access.load_comment(comment_id, by, is_locked=True)
        require_deleter(comment, by)
        _publish("COMMENT_DELETED", comment, by, previous=payloads.comment(comment), current=None)
        session.delete(comment)


def require_author(comment: Comment, by: User) -> None:
    """Raises Forbidden for who may not change this comment, Conflict when the project is archived."""
    access.demand(comment.record.list.project, by, "comment")
    if comment.user_id != by.id:
        raise Forbidden("Only its author changes a comment.")


def require_deleter(comment: Comment, by: User) -> None:
    """Raises Forbidden for who may not delete this comment, Conflict when the project is archived."""
    project = comment.record.list.project
    access.demand(project, by, "comment")
    if not may_delete(comment, by, access.role_in(project, by)):
        raise Forbidden("Only its author, owners and administrators delete a comment.")


def may_delete(comment: Comment, user: User, role: Role | None) -> bool:
    """Whether somebody with this role in the project may delete this comment."""
    return access.may(role, "comment") and (comment.user_id == user.id or role in access.ADMINISTRATORS)


def of(record: Record) -> list[Comment]:
    """The comments on a record with their authors, oldest first."""
    query = sa.select(Comment).where(Comment.record_id == record.id).options(joinedload(Comment.user))
    return list(db.session.scalars(query.order_by(Comment.created_at, Comment.id)))


def counts(record_ids: Collection[str] | sa.Select[str]) -> dict[str, int]:
    """How many comments each of these records has, given as ids or as a question for ids; none = left out."""
    query = sa.select(Comment.record_id, sa.func.count()).where(Comment.record_id.in_(record_ids))
    return {row[0]: row[1] for row in db.session.execute(query.group_by(Comment.record_id))}


def _text(text: str) -> str:
    return paragraphs("text", text, longest=TEXT_LENGTH, empty="Write something first.")


def _publish(code: str, comment: Comment, by: User, **values: Any) -> None:
    outbox.publish(code, project=comment.record.list.project, by=by, record_id=comment.record_id, **values)
