"""The items of a checklist. One save may change several things; each kind of change publishes one event."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, TypedDict

import sqlalchemy as sa

from webapp.delivery import outbox, payloads
from webapp.extensions import db
from webapp.models import (
    Checklist,
    ChecklistItem,
    ChecklistItemAssignee,
    Invalid,
    Project,
    ProjectMember,
    User,
    transaction,
    utc_now,
)
from webapp.models.texts import checked, one_line
from webapp.workspace import access, due_dates, moments, ordering, positions

TITLE_LENGTH = 250
MAX_ITEMS = 200  # of one checklist
MAX_ASSIGNEES = 50  # of one item


class ItemChanges(TypedDict, total=False):
    """What of an item is to change; a value that is left out stays as it is.

    Dates are texts (see moments.read()), empty = none, read in the record's time zone. `assignee_ids` are all that it
    shall have.
    """

    title: str
    done: bool
    started_at: str | None
    dued_at: str | None
    assignee_ids: Collection[str]


def create(title: str, *, checklist: Checklist, by: User) -> ChecklistItem:
    """A new item at the end. Raises Invalid at `title`, Forbidden, Conflict when the project is archived."""
    title, checklist_id = _title(title), checklist.id
    with transaction() as session:
        checklist = access.load_checklist(checklist_id, by, is_locked=True)
        access.demand(checklist.record.list.project, by, "edit_records")
        count, highest = session.execute(
            sa.select(sa.func.count(), sa.func.max(ChecklistItem.position)).where(
                ChecklistItem.checklist_id == checklist_id
            )
        ).one()
        if count >= MAX_ITEMS:
            raise Invalid("title", "A checklist has at most %(most)s items.", most=MAX_ITEMS)
        item = ChecklistItem(
            title=title, position=positions.last(highest), checklist_id=checklist_id, created_by_id=by.id
        )
        session.add(item)
        session.flush()
        _publish("CREATED", item, by, current=payloads.checklist_item(item))
    return item


def edit(item: ChecklistItem, changes: ItemChanges, *, by: User) -> None:
    """Change an item. Each kind of change publishes one event, all with the same values before and after.

    What is as it was publishes nothing. Raises Invalid with each wrong field, Forbidden, Conflict when the project is
    archived.
    """
    item_id = item.id
    with transaction() as session:
        item = _editable(item_id, by)
        before, previous = _State(item), payloads.checklist_item(item)
        for name, value in _read(item, changes).items():
            setattr(item, name, value)
        if "assignee_ids" in changes:
            _assign(item, changes["assignee_ids"])
        kinds = _State(item).differences(before)
        if kinds:
            item.updated_at = utc_now()
            session.flush()
            current = payloads.checklist_item(item)
        for kind in kinds:
            _publish(kind, item, by, previous=previous, current=current)


def shift(item: ChecklistItem, steps: int, *, by: User) -> None:
    """Move an item up (negative) or down in its checklist; publishes nothing. Raises Forbidden, Conflict."""
    item_id = item.id
    with transaction():
        item = _editable(item_id, by)
        ordering.shift(item, steps, among=ChecklistItem.checklist_id == item.checklist_id)


def delete(item: ChecklistItem, *, by: User) -> None:
    """Delete an item for good. Raises Forbidden, Conflict when the project is archived."""
    item_id = item.id
    with transaction() as session:
        item = _editable(item_id, by)
        _publish("DELETED", item, by, previous=payloads.checklist_item(item), current=None)
        session.delete(item)


class _State:
    """What of an item can change with an event."""

    def __init__(self, item: ChecklistItem) -> None:
        self.title, self.done = item.title, item.done
        self.dates = (item.started_at, item.dued_at)
        self.people = {one.user_id for one in item.assignees}

    def differences(self, before: _State) -> list[str]:
        """The kinds of change, as the event types end and in the catalogue's order."""
        dates = due_dates.change(before.dates, self.dates)
        kinds = {
            "NAME_CHANGED": self.title != before.title,
            f"DUE_DATE_{dates}": dates is not None,
            "ASSIGNEE_ADDED": bool(self.people - before.people),
            "ASSIGNEE_REMOVED": bool(before.people - self.people),
            "DONE_STATUS_UPDATED": self.done != before.done,
        }
        return [kind for kind, is_there in kinds.items() if is_there]


def _read(item: ChecklistItem, changes: ItemChanges) -> dict[str, Any]:
    """The values of the item's own columns. Raises Invalid with each wrong field."""
    zone = item.checklist.record.timezone
    rules: dict[str, Callable[[], Any]] = {
        "title": lambda: _title(changes["title"]),
        "done": lambda: changes["done"],
        "started_at": lambda: moments.read("started_at", changes["started_at"], zone),
        "dued_at": lambda: moments.read("dued_at", changes["dued_at"], zone, is_due=True),
    }
    values = checked(**{name: rule for name, rule in rules.items() if name in changes})
    due_dates.check((values.get("started_at", item.started_at), values.get("dued_at", item.dued_at)))
    return values


def _title(title: str) -> str:
    return one_line("title", title, longest=TITLE_LENGTH, empty="Enter a title.")


def _editable(item_id: str, by: User) -> ChecklistItem:
    item = access.load_checklist_item(item_id, by, is_locked=True)
    access.demand(_project(item), by, "edit_records")
    return item


def _assign(item: ChecklistItem, user_ids: Collection[str]) -> None:
    """Let exactly these people care for it. Who is new must be a member of the project; who was one may stay."""
    there = {one.user_id: one for one in item.assignees}
    new = [user_id for user_id in dict.fromkeys(user_ids) if user_id not in there]
    members = sa.select(ProjectMember.user_id).where(
        ProjectMember.project_id == _project(item).id, ProjectMember.user_id.in_(new)
    )
    if set(new) - set(db.session.scalars(members)):
        raise Invalid("assignee_ids", "Choose members of this project only.")
    stay = [one for user_id, one in there.items() if user_id in user_ids]
    if len(stay) + len(new) > MAX_ASSIGNEES:
        raise Invalid("assignee_ids", "A checklist item has at most %(most)s assignees.", most=MAX_ASSIGNEES)
    item.assignees = [*stay, *(ChecklistItemAssignee(user_id=user_id) for user_id in new)]


def _project(item: ChecklistItem) -> Project:
    return item.checklist.record.list.project


def _publish(kind: str, item: ChecklistItem, by: User, **values: Any) -> None:
    code = f"TODO_CHECKLIST_ITEM_{kind}"
    outbox.publish(code, project=_project(item), by=by, record_id=item.checklist.record_id, **values)
