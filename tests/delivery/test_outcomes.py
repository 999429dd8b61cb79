"""What a receiver may ask for with Retry-After, and what counts as a success."""

from datetime import UTC, datetime, timedelta

import pytest

from webapp.delivery.outcomes import Outcome, retry_after
from webapp.models.delivery import ErrorWord

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
DAY = timedelta(hours=24)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("0", timedelta(0)),
        (" 120 ", timedelta(minutes=2)),
        ("1000000000", DAY),
        ("9999999999", DAY),
        ("Mon, 23 Nov 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Monday, 23-Nov-26 12:05:00 GMT", timedelta(minutes=5)),
        ("Mon, 23 Nov 2026 13:05:00 +0100", timedelta(minutes=5)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", DAY),
    ],
)
def test_a_readable_wait_is_bounded_by_a_day(value, wait):
    assert retry_after(value, NOW) == wait


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", "-1", "+1", "1.5", "1e3", "９", "9" * 10_000, "soon", "Mon, 23 Nov 2026 11:59:59 GMT", "\x00"),
        *("Mon, 99 Nov 2026 12:05:00 GMT", "Mon, 23 Nov 99999999999 12:05:00 GMT", ",", "Mon, 23 Nov 2026"),
    ],
)
def test_anything_else_is_ignored(value):
    assert retry_after(value, NOW) is None


def test_an_error_word_is_never_a_success():
    assert Outcome(status=200).is_success
    assert not Outcome(status=200, error=ErrorWord.CONFIG_ERROR).is_success
    assert not Outcome().is_success
