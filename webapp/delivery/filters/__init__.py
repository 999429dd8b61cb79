"""Record filters: rules over an event's values that decide last whether a webhook wants it. Pure.

    {"match": "all" | "any", "rules": [{"path": "record.todoList.title", "operator": "is", "value": "Done"}]}

In reading order: `rules` (what a filter may be), `values` (what a path finds in an event), `comparing` (when a value
that was found fits the one of a rule), `judging` (the rule that refuses, and what it saw).

How rules are read:

- A path names keys of the full format, whatever is sent: `record.` goes into the record that the event is about or
  belongs to, `value.` into the entity itself. Lists on the way are flattened. What was deleted is judged as it was.
- Brackets pick of a list the items with this id, or that link it: ``record.todoCustomFields[cm0…].number`` is one
  custom field, ``record.todoTags[cm1…].tag.title`` one tag. Where no item fits nothing is there, and it is no dead end.
- A rule holds if any value that its path finds fits. `is_not` and `not_contains` hold when `is` and `contains` do not,
  so "Tag is not Internal" refuses a record that has this tag among others.
- A path that leads nowhere (no such key) makes no rule hold but `not_exists`. Null, an empty text and an empty list are
  "not there" to `exists`; but they are no dead end: `is_not` and `not_contains` hold for them.
- A rule on `record.` holds for events without a record (lists, tags, definitions of custom fields).
- `changed` and `changed_to` need both values, so nothing that was created or deleted has changed. `changed_to` holds
  when the value fits now and did not before.
- What is found decides how it is compared. A text: as text, capital letters and small ones alike, or as a date when
  both sides are dates. A number: as a number, and true or false likewise, also when the rule has it as text: 12.5 and
  "12.5" are the same rule. `greater` and `less` compare numbers, also in texts, and dates.
- Dates are ISO 8601. A day (2026-05-04) stands for the whole day in UTC; a moment without a zone is in UTC.

Looking is bounded, so that no filter and no event can make it slow: of lists the first 50 items, of texts the first
8,000 characters; values of more than 4,000 parts count as changed. There are no regular expressions, and nothing but
`check` raises.
"""

from webapp.delivery.filters.judging import Finding, Refusal, explain, judge
from webapp.delivery.filters.rules import MAX_RULES, Filter, Match, Operator, Rule, check, restore
from webapp.delivery.filters.values import Values

__all__ = [
    "MAX_RULES",
    "Filter",
    "Finding",
    "Match",
    "Operator",
    "Refusal",
    "Rule",
    "Values",
    "check",
    "explain",
    "judge",
    "restore",
]
