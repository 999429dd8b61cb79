"""A record filter in words."""

from __future__ import annotations

from typing import Any

import pytest

from webapp.delivery.filters import Operator, check
from webapp.webhooks import filter_suggestions, filter_words


def refused(**values: Any) -> dict[str, Any]:
    return {
        "match": "all",
        "rule": 1,
        "path": "record.title",
        "operator": "contains",
        "value": "X",
        "found": "Y",
        **values,
    }


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "Filter: rule 2, Title contains “X” - found “Y”."),
        ({"path": "value.x.y"}, "Filter: rule 2, value.x.y contains “X” - found “Y”."),
        ({"found": None}, "Filter: rule 2, Title contains “X” - found nothing."),
        ({"found": ["a", 1, True]}, "Filter: rule 2, Title contains “X” - found “a”, 1, true."),
        ({"operator": "in", "value": ["a", 2.5]}, "Filter: rule 2, Title is one of “a”, 2.5 - found “Y”."),
        ({"operator": "not_exists", "value": None}, "Filter: rule 2, Title is not there - found “Y”."),
        (
            {"operator": "changed_to", "before": "X", "found": "X"},
            "Filter: rule 2, Title has changed to “X” - found “X”, before “X”.",
        ),
        ({"match": "any", "rule": 0}, "Filter: no rule holds; rule 1, Title contains “X” - found “Y”."),
        ({"found": "100%(x)s"}, "Filter: rule 2, Title contains “X” - found “100%(x)s”."),
    ],
)
def test_a_refusal_is_told_in_one_sentence(values: dict[str, Any], sentence: str) -> None:
    assert filter_words.sentence(refused(**values)) == sentence


def test_it_is_told_in_another_language_too() -> None:
    german = {
        "Title": "Titel",
        "contains": "enthält",
        filter_words.REFUSED: "Filter: %(rule)s (Regel %(number)s): %(found)s",
    }
    shown = filter_words.sentence(refused(), lambda text: german.get(text, text))
    assert shown == "Filter: Titel enthält “X” (Regel 2): “Y”"


def test_every_operator_has_words_and_every_plain_choice_a_path_that_the_payloads_have() -> None:
    assert set(filter_words.OPERATORS) == set(Operator)
    assert set(filter_words.PATHS) <= set(filter_suggestions.paths())


def test_every_suggested_path_can_be_used() -> None:
    paths = filter_suggestions.paths()
    assert len(paths) == len(set(paths)) > 100
    for path in paths:
        check({"rules": [{"path": path, "operator": "exists"}]})
