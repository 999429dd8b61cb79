"""Comments as payloads show them (reference: blue.md 6). Only records have comments here, so other parents are null."""

from __future__ import annotations

from webapp.delivery.payloads.entities import Value, parent_record, user
from webapp.delivery.payloads.json_bytes import instant
from webapp.models import Comment


def comment(row: Comment) -> Value:
    """A comment: fifteen keys, among them its author (null when the account is gone) and its record."""
    return {
        "id": row.id,
        "uid": row.uid,
        "html": row.html,
        "text": row.text,
        "category": row.category,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "deletedAt": None,
        "userId": row.user_id,
        "todoId": row.record_id,
        "discussionId": None,
        "statusUpdateId": None,
        "user": user(row.user) if row.user else None,
        "todo": parent_record(row.record),
        "files": [],
    }
