"""The cards of a board: the records of its lists with what each shows, in a handful of questions however many."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import Record, RecordAssignee, RecordList, RecordTag, Tag, User
from webapp.workspace import checklists, comments, moments, records
from webapp.workspace.moments import DueState


@dataclass(frozen=True)
class Card:
    """A record as a board shows it."""

    record: Record
    due: DueState
    tags: list[Tag] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    comments: int = 0
    items_done: int = 0  # of all its checklists
    items: int = 0


def of(lists: list[RecordList], now: datetime) -> dict[str, list[Card]]:
    """The cards of each list, by the list's id, in their order."""
    tags, people = _tags(lists), _people(lists)
    ids = sa.select(Record.id).where(Record.list_id.in_([one.id for one in lists]), ~Record.archived)
    said, steps = comments.counts(ids), checklists.progress(ids)

    def card(record: Record) -> Card:
        due = moments.due_state(record.dued_at, done=record.done, now=now)
        done, items = steps.get(record.id, (0, 0))
        return Card(record, due, tags[record.id], people[record.id], said.get(record.id, 0), done, items)

    return {list_id: [card(record) for record in row] for list_id, row in records.on_board(lists).items()}


def _tags(lists: list[RecordList]) -> dict[str, list[Tag]]:
    found: dict[str, list[Tag]] = defaultdict(list)
    query = sa.select(RecordTag.record_id, Tag).join(RecordTag.tag).join(Record, Record.id == RecordTag.record_id)
    query = query.where(Record.list_id.in_([one.id for one in lists])).order_by(RecordTag.created_at, RecordTag.id)
    for record_id, tag in db.session.execute(query):
        found[record_id].append(tag)
    return found


def _people(lists: list[RecordList]) -> dict[str, list[User]]:
    found: dict[str, list[User]] = defaultdict(list)
    link = RecordAssignee
    query = sa.select(link.record_id, User).join(link.user).join(Record, Record.id == link.record_id)
    query = query.where(Record.list_id.in_([one.id for one in lists])).order_by(link.created_at, link.id)
    for record_id, person in db.session.execute(query):
        found[record_id].append(person)
    return found
