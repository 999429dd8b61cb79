"""Comments and checklists at moments of the past, and the event of each, as people's actions would publish it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from webapp.delivery import payloads
from webapp.models import Checklist, ChecklistItem, ChecklistItemAssignee, Comment, Record, User
from webapp.models.comment import CATEGORY
from webapp.models.texts import as_html
from webapp.seeds.boards import Boards, made
from webapp.workspace import positions


class Discussions:
    """The comments and checklists on the records of the boards as they grow. What is told stands among their events."""

    def __init__(self, boards: Boards) -> None:
        self.comments: list[Comment] = []
        self.checklists: list[Checklist] = []
        self._boards = boards

    def comment(self, text: str, record: Record, at: datetime, by: User) -> None:
        """Somebody says something about a record."""
        comment = Comment(
            **made(at),
            text=text,
            html=as_html(text),
            category=CATEGORY,
            user=by,
            user_id=by.id,
            record=record,
            record_id=record.id,
        )
        self.comments.append(comment)
        self._boards.publish_of("COMMENT_CREATED", record, at, by, current=payloads.comment(comment))

    def add_checklist(self, title: str, record: Record, at: datetime, by: User, steps: Sequence[str]) -> Checklist:
        """A checklist with its items, all at one moment."""
        checklist = Checklist(
            **made(at),
            title=title,
            position=positions.STEP,
            created_by_id=by.id,
            record=record,
            record_id=record.id,
        )
        self.checklists.append(checklist)
        created = payloads.checklist(checklist)
        self._boards.publish_of("TODO_CHECKLIST_CREATED", record, at, by, current=created)
        for step, position in zip(steps, positions.numbered(len(steps)), strict=True):
            item = ChecklistItem(
                **made(at),
                title=step,
                position=position,
                done=False,
                created_by_id=by.id,
                checklist=checklist,
                checklist_id=checklist.id,
            )
            current = payloads.checklist_item(item)
            self._boards.publish_of("TODO_CHECKLIST_ITEM_CREATED", record, at, by, current=current)
        return checklist

    def tick(self, item: ChecklistItem, at: datetime, by: User) -> None:
        """An item is done."""
        self._change("DONE_STATUS_UPDATED", item, at, by, done=True)

    def assign(self, item: ChecklistItem, person: User, at: datetime, by: User) -> None:
        """Somebody is to care for an item."""
        assignee = ChecklistItemAssignee(**made(at), user=person, user_id=person.id, item_id=item.id)
        self._change("ASSIGNEE_ADDED", item, at, by, assignees=[*item.assignees, assignee])

    def _change(self, kind: str, item: ChecklistItem, at: datetime, by: User, **values: Any) -> None:
        previous = payloads.checklist_item(item)
        for name, value in {**values, "updated_at": at}.items():
            setattr(item, name, value)
        current = payloads.checklist_item(item)
        code = f"TODO_CHECKLIST_ITEM_{kind}"
        self._boards.publish_of(code, item.checklist.record, at, by, previous=previous, current=current)
