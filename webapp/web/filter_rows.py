"""The rows of the form in which a record filter is entered, and its test against recorded events."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from flask_babel import gettext as _

from webapp.delivery.event_types import event_types
from webapp.delivery.filters import MAX_RULES, Match, Operator
from webapp.models import Invalid, User
from webapp.web.forms import Form, RowsField, show
from webapp.webhooks import filter_fields, filter_suggestions, filter_words, payload_tests
from webapp.webhooks.back_tests import BackTest, Example, back_test
from webapp.webhooks.filter_fields import FieldChoice
from webapp.webhooks.payload_tests import PayloadTest

MATCH, WHAT, PATH, OPERATOR, VALUE = "filter_match", "filter_what", "filter_path", "filter_operator", "filter_value"
# Buttons that save nothing: the form comes back with a row more or less, other controls, or the test's result.
ADD, REMOVE, REFRESH, TEST = "add_rule", "remove_rule", "refresh_rules", "test_filter"
LAST, PASTED = "last", "pasted"  # as the value of TEST: against one payload; else against many events
OTHER = "other"  # as what a rule looks at: a path that is typed
# How paths end whose values are yes or no, a date, a number.
FLAGS, DATES, NUMBERS = (".done", ".checked"), (".duedAt", ".startDate"), (".number",)
SUGGESTED = {
    "record.todoList.title": "filter-lists",
    "record.todoUsers.user.email": "filter-people",
    "record.todoTags.tag.title": "filter-tags",
}
DATE_LENGTH = len("2026-05-04")


@dataclass(frozen=True)
class RuleRow:
    """One row, as it was typed or as it is stored. `what` is a plain choice, OTHER, or "" while nothing was chosen."""

    what: str = ""
    path: str = ""
    operator: str = Operator.IS.value
    value: str = ""

    @classmethod
    def of(cls, rule: dict[str, Any]) -> RuleRow:
        """The row of a stored rule."""
        path, value = rule["path"], rule.get("value")
        values = value if isinstance(value, list) else [] if value is None else [value]
        is_plain = path in filter_words.PATHS or filter_fields.is_field(path)
        return cls(
            path if is_plain else OTHER, "" if is_plain else path, rule["operator"], "\n".join(map(_typed, values))
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing was entered: such a row counts for nothing."""
        return not self.what and not self.value.strip()

    @property
    def written(self) -> dict[str, Any]:
        """The rule as `filters.check` reads it."""
        path = self.path.strip() if self.what == OTHER else self.what
        return {"path": path, "operator": self.operator, "value": self._value}

    @property
    def control(self) -> str:
        """Which control its value has: none, lines, flag, date or text."""
        if self.operator in set(Operator) and not Operator(self.operator).takes_value:
            return "none"
        if self.operator == Operator.IN:
            return "lines"
        is_equality = self.operator in {Operator.IS, Operator.IS_NOT, Operator.CHANGED_TO}
        if self.what.endswith(FLAGS) and is_equality and self.value.lower() in {"", "true", "false"}:
            return "flag"
        if self.what.endswith(DATES) and len(self.value) in {0, DATE_LENGTH} and self.operator not in _IN_TEXTS:
            return "date"
        return "number" if self.what.endswith(NUMBERS) and self.operator not in _IN_TEXTS else "text"

    @property
    def _value(self) -> Any:
        if self.operator == Operator.IN:
            return [line.strip() for line in self.value.splitlines() if line.strip()]
        return self.value.strip()


_IN_TEXTS = {Operator.CONTAINS, Operator.NOT_CONTAINS, Operator.STARTS_WITH}


class FilterField(RowsField):
    """All rules in their order. A form that was sent without any of these fields leaves the filter as it is."""

    match = Match.ALL.value
    is_sent = False
    is_rearranged = False
    is_tested = False
    tested = ""

    def process(self, formdata: Any, data: Any = None, extra_filters: Any = None) -> None:
        """The rows that were sent, else those of `data`, the filter that is stored."""
        super().process(None, data, extra_filters)
        if formdata is None or MATCH not in formdata:
            stored = data if isinstance(data, dict) else {}
            self.match = stored.get("match", self.match)
            self.data = [RuleRow.of(rule) for rule in stored.get("rules", ())]
            return
        self.is_sent, self.is_tested, self.tested = True, TEST in formdata, formdata.get(TEST, "")
        self.is_rearranged = any(name in formdata for name in (ADD, REMOVE, REFRESH, TEST))
        self.match = formdata.get(MATCH)
        sent = zip_longest(*(formdata.getlist(name) for name in (WHAT, PATH, OPERATOR, VALUE)), fillvalue="")
        removed = formdata.get(REMOVE, "")
        rows = [RuleRow(*row) for number, row in enumerate(sent) if str(number) != removed]
        is_kept = REFRESH in formdata
        self.data = [row for row in rows if is_kept or not row.is_empty]
        if ADD in formdata and len(self.data) < MAX_RULES:
            self.data.append(RuleRow())

    @property
    def rows(self) -> list[RuleRow]:
        """What is shown: one empty row when there is none would ask for a rule, so there is none."""
        return list(self.data or ())

    @property
    def written(self) -> dict[str, Any] | None:
        """The filter as `filters.check` reads it; None when no rule was entered."""
        rules = [row.written for row in self.rows if not row.is_empty]
        return {"match": self.match, "rules": rules} if rules else None


@dataclass(frozen=True)
class FilterPart:
    """What the part of the form needs besides the field: choices, suggestions, and the result of a test."""

    whats: dict[str, str]
    fields: list[FieldChoice]
    operators: dict[str, str]
    paths: list[str]
    suggestions: dict[str, list[str]]
    result: BackTest | None = None
    single: PayloadTest | None = None
    most: int = MAX_RULES

    @property
    def names(self) -> dict[str, str]:
        """What custom fields are called, by their paths."""
        return {field.path: field.label for field in self.fields}

    def suggested(self, row: RuleRow) -> str:
        """The id of the list of values that a row's field offers; empty without one."""
        found = SUGGESTED.get(row.what) or f"filter-{row.what}"
        return found if found in self.suggestions else ""

    def reason(self, example: Example) -> str:
        """Why an event would not be sent."""
        return filter_words.sentence(example.refusal, _, self.names) if example.refusal else ""

    def label(self, event_type: str) -> str:
        """What happened, in words."""
        kind = event_types(None).get(event_type)
        return _(kind.label) if kind else event_type

    def found(self, value: Any) -> str:
        """A value that a rule found, in words."""
        return filter_words.value(value, _)


def part(form: Form, field: FilterField, user: User, *, events: Any, project_ids: Any) -> FilterPart:
    """The part for this person; a test that was asked for is made now, over these events and projects."""
    fields = filter_fields.choices(user, project_ids or ())
    return FilterPart(
        whats={path: _(label) for path, label in filter_words.PATHS.items()},
        fields=fields,
        operators={str(operator): _(words) for operator, words in filter_words.OPERATORS.items()},
        paths=filter_suggestions.paths(),
        suggestions={
            "filter-lists": filter_suggestions.list_titles(user),
            "filter-people": filter_suggestions.emails(user),
            "filter-tags": filter_suggestions.tag_titles(user),
        }
        | {f"filter-{each.path}": list(each.options) for each in fields if each.options},
        **(_test(form, field, user, events or (), project_ids or ()) if field.is_tested else {}),
    )


def _test(form: Form, field: FilterField, user: User, events: Any, project_ids: Any) -> dict[str, Any]:
    try:
        if field.tested == LAST:
            return {"single": payload_tests.against_last(user, field.written, events, project_ids)}
        if field.tested == PASTED:
            return {"single": payload_tests.against_pasted(field.written, form[payload_tests.PASTED].data or "")}
        return {"result": back_test(user, field.written, events, project_ids)}
    except Invalid as error:
        show(form, error)
        return {}


def _typed(value: Any) -> str:
    """A value of a rule as one types it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
