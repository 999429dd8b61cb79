"""Changes of lists and records at moments of the past, and the event of each, as people's actions would publish it.

Nothing is written: rows are made in memory, and `writing` adds what is left of them in the end.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from webapp.delivery import payloads
from webapp.models import Event, Project, Record, RecordList, User
from webapp.models.base import new_event_id, new_id, new_uid
from webapp.workspace import positions

FAN_OUT_TAKES = timedelta(milliseconds=9)


class Boards:
    """The lists and records of all projects as they change, and what was published."""

    def __init__(self) -> None:
        self.lists: list[RecordList] = []
        self.records: list[Record] = []
        self.events: list[Event] = []

    def add_list(self, title: str, project: Project, at: datetime, by: User, *, is_told: bool = True) -> RecordList:
        """A list behind the others; without `is_told` it is older than the events that are kept."""
        highest = max((one.position for one in self.lists if one.project is project), default=None)
        list_ = RecordList(
            **made(at),
            title=title,
            position=positions.last(highest),
            project=project,
            project_id=project.id,
            created_by_id=by.id,
        )
        self.lists.append(list_)
        if is_told:
            self._publish("TODO_LIST_CREATED", project, at, by, current=payloads.record_list(list_))
        return list_

    def rename_list(self, list_: RecordList, title: str, at: datetime, by: User) -> None:
        """Another title for a list."""
        previous = payloads.record_list(list_)
        list_.title, list_.updated_at = title, at
        current = payloads.record_list(list_)
        self._publish("TODO_LIST_NAME_CHANGED", list_.project, at, by, previous=previous, current=current)

    def create(
        self,
        title: str,
        list_: RecordList,
        at: datetime,
        by: User,
        *,
        adorn: Callable[[Record], None] | None = None,
        is_told: bool = True,
    ) -> Record:
        """A record at the bottom of a list, with what `adorn` gives it; without `is_told` it is an old one."""
        record = Record(
            **made(at),
            title=title,
            position=self._bottom(list_),
            archived=False,
            done=False,
            list=list_,
            list_id=list_.id,
            created_by_id=by.id,
        )
        if adorn:
            adorn(record)
        self.records.append(record)
        if is_told:
            self.publish_of("TODO_CREATED", record, at, by, current=payloads.record(record))
        return record

    def rename(self, record: Record, title: str, at: datetime, by: User) -> None:
        """Another title for a record."""
        self._change("TODO_NAME_CHANGED", record, at, by, title=title)

    def move(self, record: Record, list_: RecordList, at: datetime, by: User) -> None:
        """To the bottom of another list."""
        self._change("TODO_MOVED", record, at, by, position=self._bottom(list_), list=list_, list_id=list_.id)

    def finish(self, record: Record, at: datetime, by: User) -> None:
        """Tick a record as done."""
        self._change("TODO_DONE_STATUS_UPDATED", record, at, by, done=True)

    def delete(self, record: Record, at: datetime, by: User) -> None:
        """Delete a record; the events about it stay."""
        self.records.remove(record)
        self.publish_of("TODO_DELETED", record, at, by, previous=payloads.record(record), current=None)

    def publish_of(self, code: str, record: Record, at: datetime, by: User, **values: Any) -> None:
        """An event about a record, or about something that belongs to one."""
        self._publish(code, record.list.project, at, by, record_id=record.id, **values)

    def _bottom(self, list_: RecordList) -> float:
        return positions.last(max((one.position for one in self.records if one.list is list_), default=None))

    def _change(self, code: str, record: Record, at: datetime, by: User, **values: Any) -> None:
        previous = payloads.record(record)
        for name, value in {**values, "updated_at": at}.items():
            setattr(record, name, value)
        self.publish_of(code, record, at, by, previous=previous, current=payloads.record(record))

    def _publish(
        self, code: str, project: Project, at: datetime, by: User, *, record_id: str | None = None, **values: Any
    ) -> None:
        written = {f"{name}_value": payloads.to_json(value) for name, value in values.items()}
        self.events.append(
            Event(
                id=new_event_id(),
                type=code,
                project_id=project.id,
                company_id=project.company_id,
                user_id=by.id,
                record_id=record_id,
                created_at=at,
                fanned_out_at=at + FAN_OUT_TAKES,
                **written,
            )
        )


def made(at: datetime) -> dict[str, Any]:
    """What every row has from the moment in which it is made."""
    return {"id": new_id(), "uid": new_uid(), "created_at": at, "updated_at": at}
