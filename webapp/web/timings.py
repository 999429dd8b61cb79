"""Where the time of an attempt went: its steps as parts of a bar that is drawn as SVG."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from webapp.models import Attempt

WIDTH = 100.0
LEAST = 0.5  # of the width, so that a short step can be seen


@dataclass(frozen=True)
class Step:
    """A step with its place in the bar; `kind` names its colour."""

    kind: str
    label: LazyString
    ms: float
    x: float
    width: float


STEPS = (
    ("dns", _l("Name"), "dns_ms"),
    ("connect", _l("Connect"), "connect_ms"),
    ("tls", _l("TLS"), "tls_ms"),
    ("wait", _l("First byte"), "first_byte_ms"),
)
REST = ("rest", _l("Rest"))


def steps(attempt: Attempt) -> list[Step]:
    """The steps that took place, one after the other. What no step accounts for is the rest."""
    total = attempt.total_ms
    if not total:
        return []
    known = [(kind, label, ms) for kind, label, name in STEPS if (ms := getattr(attempt, name)) is not None]
    rest = total - sum(ms for _, _, ms in known)
    return _placed([*known, (*REST, rest)] if rest > 0 else known)


def _placed(spans: list[tuple[str, LazyString, float]]) -> list[Step]:
    whole = sum(ms for _, _, ms in spans)
    widths = [max(LEAST, WIDTH * ms / whole) for _, _, ms in spans]
    scale = WIDTH / sum(widths)
    found: list[Step] = []
    for (kind, label, ms), width in zip(spans, widths, strict=True):
        x = found[-1].x + found[-1].width if found else 0.0
        found.append(Step(kind, label, ms, round(x, 2), round(width * scale, 2)))
    return found
