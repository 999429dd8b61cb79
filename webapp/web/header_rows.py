"""The rows of the form in which a webhook's own headers are entered: as many as it takes, also without scripts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from webapp.web.forms import RowsField
from webapp.webhooks.headers import MAX_HEADERS, Typed

NAMES, VALUES = "header_name", "header_value"
ADD, REMOVE = "add_header", "remove_header"


@dataclass(frozen=True)
class HeaderRow:
    """A name and the value beside it. What is stored is never put back into a form, so its value is empty."""

    name: str = ""
    value: str = ""


class HeadersField(RowsField):
    """All rows in their order. Two buttons of the form only rearrange them: then nothing is to be saved."""

    is_sent = False
    is_rearranged = False

    def process(self, formdata: Any, data: Any = (), extra_filters: Any = None) -> None:
        """The rows that were sent, else those of `data`, the names that are set."""
        super().process(None, data, extra_filters)
        self.data = [HeaderRow(name) for name in data or ()]
        if formdata is not None and NAMES in formdata:
            self.is_sent = True
            self._read(formdata)

    @property
    def rows(self) -> list[HeaderRow]:
        """What the form shows: with one more row to fill in, unless the person says how many there are."""
        is_full = len(self.data) >= MAX_HEADERS or (self.is_rearranged and self.data)
        return list(self.data) if is_full else [*self.data, HeaderRow()]

    @property
    def typed(self) -> list[Typed]:
        """The rows as the rules take them: a value that was left empty keeps the stored one."""
        return [(row.name, row.value or None) for row in self.data]

    def _read(self, formdata: Any) -> None:
        sent = zip_longest(formdata.getlist(NAMES), formdata.getlist(VALUES), fillvalue="")
        rows = [HeaderRow(*row) for row in sent]
        self.is_rearranged = ADD in formdata or REMOVE in formdata
        if not self.is_rearranged:
            self.data = [row for row in rows if row.name or row.value]
            return
        removed = formdata.get(REMOVE, "")
        added = [HeaderRow()] if ADD in formdata else []
        self.data = ([row for number, row in enumerate(rows) if str(number) != removed] + added)[:MAX_HEADERS]
