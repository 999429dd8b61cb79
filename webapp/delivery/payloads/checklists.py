"""Checklists and their items as payloads show them: own values, what is below, then the parents (blue.md 6)."""

from __future__ import annotations

from webapp.delivery.payloads.entities import Value, parent_record, user
from webapp.delivery.payloads.json_bytes import instant, instant_or_none
from webapp.models import Checklist, ChecklistItem, ChecklistItemAssignee


def checklist(row: Checklist) -> Value:
    """A checklist: ten keys, with its items and, last, its record."""
    items = [_item_scalars(item) for item in row.items]
    return {**_checklist_scalars(row), "checklistItems": items, "todo": parent_record(row.record)}


def checklist_item(row: ChecklistItem) -> Value:
    """An item: thirteen keys, the last one its checklist without the other items."""
    above = {**_checklist_scalars(row.checklist), "todo": parent_record(row.checklist.record)}
    return {**_item_scalars(row), "checklist": above}


def _checklist_scalars(row: Checklist) -> Value:
    return {
        "id": row.id,
        "uid": row.uid,
        "title": row.title,
        "position": row.position,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "createdById": row.created_by_id,
        "todoId": row.record_id,
    }


def _item_scalars(row: ChecklistItem) -> Value:
    return {
        "id": row.id,
        "uid": row.uid,
        "title": row.title,
        "position": row.position,
        "done": row.done,
        "startedAt": instant_or_none(row.started_at),
        "duedAt": instant_or_none(row.dued_at),
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "createdById": row.created_by_id,
        "checklistId": row.checklist_id,
        "checklistItemUsers": [_assignee(one) for one in row.assignees],
    }


def _assignee(row: ChecklistItemAssignee) -> Value:
    return {
        "id": row.id,
        "uid": row.uid,
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.updated_at),
        "checklistItemId": row.item_id,
        "userId": row.user_id,
        "user": user(row.user),
    }
