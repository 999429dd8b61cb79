"""What the form of a record filter offers while one types: paths of the payloads, and values of one's own projects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import sqlalchemy as sa

from webapp.delivery.event_types import event_types, sample_values
from webapp.extensions import db
from webapp.models import ProjectMember, RecordList, Tag, User
from webapp.webhooks import access

MAX_SUGGESTIONS = 200  # values of one kind
MAX_NAMES = 4  # of a suggested path, after its beginning


@cache
def paths() -> list[str]:
    """The paths that lead to a value in the examples of the catalogue, those into the record first."""
    found: dict[str, None] = {}
    for kind in sorted(event_types(None).values(), key=lambda each: each.entity != "record"):
        previous, current = (json.loads(value or b"null") for value in sample_values(kind.code))
        value = current or previous
        if kind.entity == "record":
            found |= dict.fromkeys(_paths(value, "record", MAX_NAMES))
        else:
            found |= dict.fromkeys(_paths(value, "value", MAX_NAMES - 1))
    return list(found)


def list_titles(user: User) -> list[str]:
    """Titles of the lists in projects that this person administers, each once."""
    titles = sa.select(RecordList.title).where(RecordList.project_id.in_(_projects(user)))
    return list(db.session.scalars(titles.distinct().order_by(RecordList.title).limit(MAX_SUGGESTIONS)))


def tag_titles(user: User) -> list[str]:
    """Titles of the tags in projects that this person administers, each once."""
    titles = sa.select(Tag.title).where(Tag.project_id.in_(_projects(user)))
    return list(db.session.scalars(titles.distinct().order_by(Tag.title).limit(MAX_SUGGESTIONS)))


def emails(user: User) -> list[str]:
    """Addresses of the people in projects that this person administers, each once."""
    people = sa.select(User.email).join(ProjectMember, ProjectMember.user_id == User.id)
    people = people.where(ProjectMember.project_id.in_(_projects(user)))
    return list(db.session.scalars(people.distinct().order_by(User.email).limit(MAX_SUGGESTIONS)))


def _projects(user: User) -> list[str]:
    return [project.id for project in access.administered_projects(user)]


def _paths(value: Any, path: str, names_left: int) -> Iterator[str]:
    """All ways through the value; a list is gone through by its first item."""
    if isinstance(value, list):
        value = value[0] if value else None
    if not isinstance(value, dict):
        yield path
    elif names_left:
        for name, item in value.items():
            yield from _paths(item, f"{path}.{name}", names_left - 1)
