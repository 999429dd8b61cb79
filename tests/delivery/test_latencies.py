"""Percentiles from classes of latencies."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.delivery.latencies import LAST, bucket, percentile

SPANS = st.lists(st.floats(min_value=1, max_value=60_000), min_size=1, max_size=200)


@given(SPANS, st.sampled_from([0.5, 0.95, 1.0]))
def test_a_percentile_errs_by_a_tenth_at_most(spans: list[float], share: float) -> None:
    exact = sorted(spans)[max(math.ceil(share * len(spans)), 1) - 1]
    estimated = percentile(Counter(map(bucket, spans)), share)
    assert estimated == pytest.approx(exact, rel=0.1)


def test_nothing_has_no_percentile_and_the_ends_are_bounded() -> None:
    assert percentile({}, 0.5) is None
    assert percentile({3: 0}, 0.5) is None
    assert (bucket(0.0), bucket(0.4), bucket(10**12)) == (0, 0, LAST)
    assert percentile({0: 5}, 0.5) == 1.0
