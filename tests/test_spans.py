"""Spans of time in settings: what people type, and how it is shown again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from webapp import spans


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("0", 0),
        ("20", 20),
        ("300ms", 0.3),
        ("5s", 5),
        ("30m", 1_800),
        ("2h", 7_200),
        ("30d", 2_592_000),
        (" 1.5 H ", 5_400),
    ],
)
def test_a_span_has_a_number_and_a_unit_or_means_seconds(typed: str, seconds: float) -> None:
    assert spans.parse(typed) == timedelta(seconds=seconds)


@pytest.mark.parametrize("typed", ["", "s", "soon", "5 weeks", "1h30m", "nan", "inf", "5y"])
def test_what_is_no_span_is_told_with_examples(typed: str) -> None:
    with pytest.raises(ValueError, match="is no span of time; write for example 5s, 30m or 2h"):
        spans.parse(typed)


@pytest.mark.parametrize("typed", ["-1s", "31d", "721h"])
def test_a_span_outside_of_its_bounds_is_told_with_them(typed: str) -> None:
    with pytest.raises(ValueError, match="must lie between 0 and 30 days"):
        spans.parse(typed)


@pytest.mark.parametrize(
    "typed", ["0s", "0.3s", "5s", "90s", "5m", "30m", "2h", "1.5s", "24h", "1000001s", "123456.5s"]
)
def test_a_span_is_shown_as_it_may_be_typed(typed: str) -> None:
    assert spans.text(spans.parse(typed)) == typed
