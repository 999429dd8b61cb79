"""The cards of a board: the records of its lists with what each shows, in a handful of questions however many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import Record, RecordAssignee, RecordList, RecordTag, Tag, User
from webapp.workspace import checklists, comments, moments
from webapp.workspace.moments import DueState


class DueWish(StrEnum):
    """What a board can be narrowed to by due date; what is done is never overdue."""

    OVERDUE = "overdue"
    WEEK = "week"
    NONE = "none"


class Mark(NamedTuple):
    """A tag on a card."""

    title: str
    color: str


class Card(NamedTuple):
    """A record as a board shows it. `place` is counted from 0 among all records of its list."""

    id: str
    title: str
    done: bool
    dued_at: datetime | None
    due: DueState
    place: int
    tags: tuple[Mark, ...] = ()
    assignees: tuple[str, ...] = ()  # their names
    comments: int = 0
    items_done: int = 0  # of all its checklists
    items: int = 0


class Column(NamedTuple):
    """The cards of a list that are shown, how many more would fit the wish, and how many records the list has."""

    cards: tuple[Card, ...]
    hidden: int
    records: int

    @property
    def fitting(self) -> int:
        """How many cards fit, shown or not."""
        return len(self.cards) + self.hidden


@dataclass(frozen=True)
class Wanted:
    """Which cards somebody wants to see: all of it must fit, what is empty does not matter."""

    text: str = ""  # part of the title
    assignee_id: str = ""
    tag_id: str = ""
    done: bool | None = None
    due: DueWish | None = None
    timezone: str = "UTC"  # in which a week begins

    @property
    def restricts(self) -> bool:
        """Whether any card could be left out."""
        return self != Wanted(timezone=self.timezone)


def of(
    lists: Collection[RecordList],
    now: datetime,
    *,
    wanted: Wanted | None = None,
    most: int | None = None,
    whole: Collection[str] = (),
) -> dict[str, Column]:
    """The column of each list, by the list's id. At most `most` cards of a list are shown, of those in `whole` all."""
    ids = [one.id for one in lists]
    tags, people = _tags(ids), _people(ids)
    fits = _judge(wanted or Wanted(), now, tags, people)
    records = sa.select(Record.id).where(Record.list_id.in_(ids), ~Record.archived)
    said, steps = comments.counts(records), checklists.progress(records)

    def card(place: int, row: Any) -> Card:
        return Card(
            row.id,
            row.title,
            row.done,
            row.dued_at,
            moments.due_state(row.dued_at, done=row.done, now=now),
            place,
            tuple(mark for _, mark in tags.get(row.id, ())),
            tuple(name for _, name in people.get(row.id, ())),
            said.get(row.id, 0),
            *steps.get(row.id, (0, 0)),
        )

    columns = {}
    for list_id, rows in _rows(ids).items():
        fitting = [(place, row) for place, row in enumerate(rows) if fits(row)]
        shown = fitting if most is None or list_id in whole else fitting[:most]
        columns[list_id] = Column(tuple(card(*each) for each in shown), len(fitting) - len(shown), len(rows))
    return columns


def week_of(now: datetime, timezone: str) -> tuple[datetime, datetime]:
    """When the week of this moment begins in a time zone, and when the next one does."""
    today = now.astimezone(ZoneInfo(timezone)).date()
    monday = today - timedelta(days=today.weekday())
    first, last = (datetime.combine(day, time(), ZoneInfo(timezone)) for day in (monday, monday + timedelta(days=7)))
    return first, last


def _rows(ids: list[str]) -> dict[str, list[Any]]:
    """What a board says of each record, by list, in their order. No objects: there may be thousands."""
    query = sa.select(Record.id, Record.list_id, Record.title, Record.done, Record.dued_at)
    query = query.where(Record.list_id.in_(ids), ~Record.archived)
    found: dict[str, list[Any]] = {list_id: [] for list_id in ids}
    for row in db.session.execute(query.order_by(Record.position, Record.id)):
        found[row.list_id].append(row)
    return found


def _tags(ids: list[str]) -> dict[str, list[tuple[str, Mark]]]:
    """The tags of each record with their ids."""
    query = sa.select(RecordTag.record_id, Tag.id, Tag.title, Tag.color).select_from(RecordTag).join(RecordTag.tag)
    query = query.join(Record, Record.id == RecordTag.record_id).where(Record.list_id.in_(ids))
    marks: dict[str, Mark] = {}
    found: dict[str, list[tuple[str, Mark]]] = defaultdict(list)
    for record_id, tag_id, title, color in db.session.execute(query.order_by(RecordTag.created_at, RecordTag.id)):
        found[record_id].append((tag_id, marks.setdefault(tag_id, Mark(title, color))))
    return found


def _people(ids: list[str]) -> dict[str, list[tuple[str, str]]]:
    """The assignees of each record: their ids and names."""
    link = RecordAssignee
    query = sa.select(link.record_id, User.id, User.name).select_from(link).join(link.user)
    query = query.join(Record, Record.id == link.record_id).where(Record.list_id.in_(ids))
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for record_id, user_id, name in db.session.execute(query.order_by(link.created_at, link.id)):
        found[record_id].append((user_id, name))
    return found


def _judge(wanted: Wanted, now: datetime, tags: dict[str, Any], people: dict[str, Any]) -> Any:
    """The question whether a record fits."""
    tests = list(_tests(wanted, now, tags, people))
    return lambda row: all(test(row) for test in tests)


def _tests(wanted: Wanted, now: datetime, tags: dict[str, Any], people: dict[str, Any]) -> Iterator[Any]:
    if text := wanted.text.strip().casefold():
        yield lambda row: text in row.title.casefold()
    if wanted.assignee_id:
        yield lambda row: any(user_id == wanted.assignee_id for user_id, _ in people.get(row.id, ()))
    if wanted.tag_id:
        yield lambda row: any(tag_id == wanted.tag_id for tag_id, _ in tags.get(row.id, ()))
    if wanted.done is not None:
        yield lambda row: row.done is wanted.done
    if wanted.due is DueWish.NONE:
        yield lambda row: row.dued_at is None
    if wanted.due is DueWish.OVERDUE:
        yield lambda row: moments.due_state(row.dued_at, done=row.done, now=now) is DueState.OVERDUE
    if wanted.due is DueWish.WEEK:
        begins, ends = week_of(now, wanted.timezone)
        yield lambda row: row.dued_at is not None and begins <= row.dued_at < ends
