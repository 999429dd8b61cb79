"""Latencies in classes: each class is a fifth wider than the one before, so that percentiles err by a tenth at most.

Pure. A class stands for the geometric middle of its bounds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

STEP = 1.2
LAST = 80  # half an hour: more than any attempt may take


def bucket(milliseconds: float) -> int:
    """The class of a span; what took less than a millisecond is in the first."""
    return 0 if milliseconds <= 1 else min(math.ceil(math.log(milliseconds, STEP)), LAST)


def upper_bound(bucket: int) -> float:
    """The longest span of a class, in ms; the last class has more."""
    return float(STEP**bucket)


def middle(bucket: int) -> float:
    """The span that stands for a class, in ms."""
    return float(STEP ** (bucket - 0.5)) if bucket else 1.0


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """The span, in ms, that this share of the counted attempts did not exceed, to about a tenth; None without any.

    `counts` tells how many fell into each class.
    """
    rank = share * sum(counts.values())
    seen = 0
    for each in sorted(counts):
        seen += counts[each]
        if counts[each] and seen >= rank:
            return middle(each)
    return None
