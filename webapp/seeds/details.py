"""What records carry beside their titles: tags, custom fields with values, people and due dates.

The tags and fields are older than the events that are kept; records have theirs from the start, and publish nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from random import Random

from webapp.models import (
    CustomField,
    CustomFieldOption,
    FieldKind,
    Project,
    Record,
    RecordAssignee,
    RecordFieldValue,
    RecordTag,
    Tag,
    User,
)
from webapp.seeds.boards import made
from webapp.seeds.casting import Cast
from webapp.workspace import moments, positions

ORANGE, GREEN, PURPLE, BLUE = "#d9730d", "#2e8b57", "#7b5ea7", "#4a9fff"
PARCELS = {"Letter": GREEN, "Small parcel": BLUE, "Large parcel": ORANGE}
PRICES = (9.5, 12.9, 24.0, 49.0, 79.9, 129.0)  # of one thing, in euros
EXPRESS_EVERY, GIFT_EVERY = 4, 10  # orders; the first is both, however few a quiet weekend brings
SENT_WITHIN, WRITTEN_WITHIN = timedelta(days=2), timedelta(days=6)


class Details:
    """The tags and custom fields of both projects, and how new records get some of them. The dice fall as always."""

    def __init__(self, cast: Cast, at: datetime) -> None:
        website, orders = cast.website, cast.orders
        self._express, self._gift = _tag("Express", ORANGE, orders, at), _tag("Gift", PURPLE, orders, at)
        self._text, self._design = _tag("Text", GREEN, website, at), _tag("Design", BLUE, website, at)
        self._price = _field("Price", FieldKind.CURRENCY, orders, at, min=0.0, currency="EUR")
        self._parcel = _field("Parcel", FieldKind.SELECT_SINGLE, orders, at, position=2 * positions.STEP)
        self._parcel.options = _options(self._parcel, at)
        self._words = _field("Words", FieldKind.NUMBER, website, at, min=0.0)
        self.tags = [self._express, self._gift, self._text, self._design]
        self.fields = [self._price, self._parcel, self._words]
        self._writers = [cast.ada, cast.mary]
        self._packer = cast.charles
        self._orders = count()
        self._dice = Random("details")  # noqa: S311 - a story, not a secret

    def of_order(self, order: Record) -> None:
        """A price, a parcel, and a day by which it is sent; some are in a hurry, some are presents."""
        _due(order, SENT_WITHIN)
        _assign(order, self._packer)
        _value(order, self._price, number=self._dice.choice(PRICES), currency="EUR")
        option = self._dice.choice(self._parcel.options)
        _value(order, self._parcel, option=option, option_id=option.id)
        number = next(self._orders)
        for tag, every in ((self._express, EXPRESS_EVERY), (self._gift, GIFT_EVERY)):
            if number % every == 0:
                _put(order, tag)

    def of_page(self, page: Record) -> None:
        """Somebody who writes or draws it, by some day, and how many words it is to have."""
        _due(page, WRITTEN_WITHIN)
        _assign(page, self._dice.choice(self._writers))
        _put(page, self._dice.choice([self._text, self._design]))
        _value(page, self._words, number=50.0 * self._dice.randint(2, 20))


def _tag(title: str, color: str, project: Project, at: datetime) -> Tag:
    return Tag(**made(at), title=title, color=color, project=project, project_id=project.id)


def _field(
    name: str,
    kind: FieldKind,
    project: Project,
    at: datetime,
    *,
    position: float = positions.STEP,
    min: float | None = None,  # noqa: A002 - a column
    currency: str | None = None,
) -> CustomField:
    return CustomField(
        **made(at),
        name=name,
        kind=kind,
        position=position,
        min=min,
        currency=currency,
        project=project,
        project_id=project.id,
    )


def _options(field: CustomField, at: datetime) -> list[CustomFieldOption]:
    numbered = zip(PARCELS.items(), positions.numbered(len(PARCELS)), strict=True)
    return [
        CustomFieldOption(**made(at), title=title, color=color, position=position, field_id=field.id)
        for (title, color), position in numbered
    ]


def _due(record: Record, span: timedelta) -> None:
    day = (record.created_at + span).date()
    record.dued_at = moments.read("dued_at", day.isoformat(), None, is_due=True)


def _assign(record: Record, person: User) -> None:
    link = RecordAssignee(**made(record.created_at), record_id=record.id, user_id=person.id, user=person)
    record.assignees.append(link)


def _put(record: Record, tag: Tag) -> None:
    record.tags.append(RecordTag(**made(record.created_at), record_id=record.id, tag_id=tag.id, tag=tag))


def _value(record: Record, field: CustomField, **columns: object) -> None:
    value = RecordFieldValue(**made(record.created_at), record_id=record.id, field_id=field.id, field=field, **columns)
    record.field_values.append(value)
