"""What one save changes on a record, and the events that tell it: one for each kind, in the catalogue's order.

All events of one save carry the same values, before and after. Another description, archiving and another time zone
alone have no event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypedDict

import sqlalchemy as sa

from webapp.delivery import outbox, payloads
from webapp.extensions import db
from webapp.models import Invalid, ProjectMember, Record, RecordAssignee, RecordList, RecordTag, User, utc_now
from webapp.models.texts import as_html, checked, one_line, paragraphs
from webapp.workspace import due_dates, field_values, moments, tags
from webapp.workspace.value_rules import Given

TITLE_LENGTH = 250
DESCRIPTION_LENGTH = 20_000
MAX_ASSIGNEES, MAX_TAGS = 50, 50  # of one record


class RecordChanges(TypedDict, total=False):
    """What of a record is to change; a value that is left out stays as it is.

    Dates are texts (see moments.read()), empty = none; without `timezone` they are read in the record's own.
    `assignee_ids` are all that it shall have; so are `tag_ids` and `tag_titles` together, a new title makes a tag.
    `field_values` are by the field's id (see value_rules.read()); fields that are left out stay.
    """

    title: str
    description: str
    done: bool
    archived: bool
    started_at: str | None
    dued_at: str | None
    timezone: str | None
    assignee_ids: Collection[str]
    tag_ids: Collection[str]
    tag_titles: Sequence[str]
    field_values: Mapping[str, Given]


def title(text: str) -> str:
    """The title of a record. Raises Invalid at `title`."""
    return one_line("title", text, longest=TITLE_LENGTH, empty="Enter a title.")


def check(changes: RecordChanges) -> None:
    """Whether a new record may have these titles, texts and dates. Raises Invalid with each wrong field."""
    _read(Record(title="", done=False), changes)


def add(list_: RecordList, changes: RecordChanges, *, position: float, by: User) -> Record:
    """Inside transaction(): a new record at this position, told by its event. Raises Invalid with the wrong fields."""
    record = Record(title="", done=False, archived=False, list=list_, position=position, created_by_id=by.id)
    apply(record, changes, by=by)
    db.session.add(record)
    db.session.flush()
    publish("TODO_CREATED", record, by, current=payloads.record(record))
    return record


def apply(record: Record, changes: RecordChanges, *, by: User) -> None:
    """Inside transaction(): change these things, and touch nothing else. Raises Invalid with the wrong fields."""
    values = _read(record, changes)
    for name, value in values.items():
        setattr(record, name, value)
    if "assignee_ids" in changes:
        _assign(record, changes["assignee_ids"])
    if "tag_ids" in changes or "tag_titles" in changes:
        _tag(record, changes.get("tag_ids", ()), changes.get("tag_titles", ()), by)
    field_values.assign(record, changes.get("field_values", {}))


@contextmanager
def told(record: Record, *, by: User) -> Iterator[None]:
    """Inside transaction(): publish what the block changes on this record; nothing when nothing did."""
    before, previous = _State(record), payloads.record(record)
    yield
    kinds = _State(record).differences(before)
    if kinds:
        record.updated_at = utc_now()
        db.session.flush()
        values = {"previous": payloads.to_json(previous), "current": payloads.to_json(payloads.record(record))}
    for kind in kinds:
        publish(f"TODO_{kind}", record, by, **values)


def publish(code: str, record: Record, by: User, **values: Any) -> None:
    """Inside transaction(): publish an event of this record in its project."""
    outbox.publish(code, project=record.list.project, by=by, record_id=record.id, **values)


class _State:
    """What of a record can change with an event."""

    def __init__(self, record: Record) -> None:
        self.title, self.done = record.title, record.done
        self.dates = (record.started_at, record.dued_at)
        self.people = {one.user_id for one in record.assignees}
        self.tags = {one.tag_id for one in record.tags}
        self.values = {field_values.content(value) for value in record.field_values}

    def differences(self, before: _State) -> list[str]:
        """The kinds of change, as the event types end and in the catalogue's order."""
        dates = due_dates.change(before.dates, self.dates)
        kinds = {
            "NAME_CHANGED": self.title != before.title,
            "DONE_STATUS_UPDATED": self.done != before.done,
            f"DUE_DATE_{dates}": dates is not None,
            "ASSIGNEE_ADDED": bool(self.people - before.people),
            "ASSIGNEE_REMOVED": bool(before.people - self.people),
            "TAG_ADDED": bool(self.tags - before.tags),
            "TAG_REMOVED": bool(before.tags - self.tags),
            "CUSTOM_FIELD_UPDATED": self.values != before.values,
        }
        return [kind for kind, is_there in kinds.items() if is_there]


def _read(record: Record, changes: RecordChanges) -> dict[str, Any]:
    """The values of the record's own columns. Raises Invalid with each wrong field."""
    values = checked(**{name: rule for name, rule in _rules(record, changes).items() if name in changes})
    if "description" in values:
        text = values.pop("description") or None
        values |= {"text": text, "html": text and as_html(text)}
    dates = [values.get(name, getattr(record, name)) for name in ("started_at", "dued_at")]
    due_dates.check((dates[0], dates[1]))
    if "timezone" in values or "started_at" in values or "dued_at" in values:
        values["timezone"] = values.get("timezone", record.timezone) if any(dates) else None
    return values


def _rules(record: Record, changes: RecordChanges) -> dict[str, Any]:
    zone = changes.get("timezone", record.timezone)
    return {
        "title": lambda: title(changes["title"]),
        "description": lambda: paragraphs("description", changes["description"], longest=DESCRIPTION_LENGTH),
        "done": lambda: changes["done"],
        "archived": lambda: changes["archived"],
        "timezone": lambda: moments.zone_name(zone),
        "started_at": lambda: moments.read("started_at", changes["started_at"], zone),
        "dued_at": lambda: moments.read("dued_at", changes["dued_at"], zone, is_due=True),
    }


def _assign(record: Record, user_ids: Collection[str]) -> None:
    """Let exactly these people care for it. Who is new must be a member of the project; who was one may stay."""
    there = {one.user_id: one for one in record.assignees}
    new = [user_id for user_id in dict.fromkeys(user_ids) if user_id not in there]
    query = sa.select(User).join(ProjectMember, ProjectMember.user_id == User.id)
    query = query.where(ProjectMember.project_id == record.list.project_id, User.id.in_(new))
    members = {member.id: member for member in db.session.scalars(query)}
    if len(members) < len(new):
        raise Invalid("assignee_ids", "Choose members of this project only.")
    stay = [one for user_id, one in there.items() if user_id in user_ids]
    if len(stay) + len(new) > MAX_ASSIGNEES:
        raise Invalid("assignee_ids", "A record has at most %(most)s assignees.", most=MAX_ASSIGNEES)
    record.assignees = [*stay, *(RecordAssignee(user_id=user_id, user=members[user_id]) for user_id in new)]


def _tag(record: Record, tag_ids: Collection[str], titles: Sequence[str], by: User) -> None:
    """Let it carry exactly these tags, and those of these titles."""
    project = record.list.project
    wanted = {tag.id: tag for tag in [*tags.chosen(project, tag_ids), *tags.titled(project, titles, by=by)]}
    if len(wanted) > MAX_TAGS:
        raise Invalid("tag_ids", "A record has at most %(most)s tags.", most=MAX_TAGS)
    there = {one.tag_id: one for one in record.tags}
    stay = [one for tag_id, one in there.items() if tag_id in wanted]
    new = [tag for tag_id, tag in wanted.items() if tag_id not in there]
    record.tags = [*stay, *(RecordTag(tag_id=tag.id, tag=tag) for tag in new)]
