"""Lists, checklists, their items and custom fields are moved by steps among their neighbours."""

from __future__ import annotations

from typing import cast

import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import Checklist, ChecklistItem, CustomField, RecordList
from webapp.workspace import positions


def shift(
    row: RecordList | Checklist | ChecklistItem | CustomField, steps: int, *, among: sa.ColumnElement[bool]
) -> None:
    """Inside transaction(): up (negative) or down by so many places among those that fit, as far as there are any."""
    row = cast(ChecklistItem, row)  # the columns below are those of either
    kind = type(row)
    rows = list(db.session.scalars(sa.select(kind).where(among).order_by(kind.position, kind.id)))
    here = rows.index(row)
    place = min(max(here + steps, 0), len(rows) - 1)
    if place == here:
        return
    rows.remove(row)
    taken = [one.position for one in rows]
    if not positions.has_room(*positions.edges(taken, place)):
        taken = positions.numbered(len(rows))
        _number(kind, [one.id for one in rows], taken)
    row.position = positions.between(*positions.edges(taken, place))


def _number(kind: type[ChecklistItem], ids: list[str], numbers: list[float]) -> None:
    """Set positions that keep the order. Nobody changed these rows, so their `updated_at` stays."""
    for id_, number in zip(ids, numbers, strict=True):
        change = sa.update(kind).where(kind.id == id_)
        db.session.execute(change.values(position=number, updated_at=kind.updated_at))
