"""What a receiver does with a signed request: is it right, with which secret, and if not, where does it fail?

For the built-in inbox, `webapp listen` and the page that checks a pasted signature. Nothing here raises for what
arrived: that is a stranger's. Values are compared in constant time.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from webapp.delivery.signing.headers import plain_value, standard_value
from webapp.delivery.signing.keys import SecretError, standard_key, text_key
from webapp.delivery.signing.received import Received
from webapp.delivery.signing.steps import Step

TOLERANCE_S = 300  # difference of clocks and time on the way, seconds

Key = Callable[[str], bytes]


class Verdict(StrEnum):
    """What a receiver should think of a request."""

    RIGHT = "right"
    RIGHT_WITH_OLD_SECRET = "right_with_old_secret"  # noqa: S105
    WRONG = "wrong"
    NOT_SIGNED = "not_signed"
    NO_SECRET = "no_secret"  # noqa: S105


@dataclass(frozen=True)
class Line:
    """One of the two schemes: the value received, the one that the newest secret makes, the verdict, where it fails."""

    received: str | None
    computed: str | None
    verdict: Verdict
    step: Step | None = None


@dataclass(frozen=True)
class Check:
    """The verdict on a request, and a line for each scheme. `age_s` = seconds since its timestamp, None without one."""

    verdict: Verdict
    plain: Line
    standard: Line
    age_s: int | None


@dataclass(frozen=True)
class _Scheme:
    """How a scheme takes its key from a secret, how the other one does, and the value from key and body."""

    key: Key
    other_key: Key
    value: Callable[[bytes, bytes], str]


def check(*, headers: Iterable[tuple[str, str]], body: bytes, secrets: Sequence[str], now: int | None) -> Check:
    """Judge the signatures of a request by the receiver's secrets, newest first.

    `now` is in seconds since 1970; with None the age is not judged. A request is right when every scheme that it
    carries is right. A receiver that knows only the old secret finds that in `X-Signature-Previous`.
    """
    received = Received(headers)
    plain = _plain(received, body, secrets)
    standard = _standard(received, body, secrets, now)
    return Check(_overall(plain.verdict, standard.verdict), plain, standard, received.age_s(now))


def _overall(*verdicts: Verdict) -> Verdict:
    """The gravest."""
    for verdict in (Verdict.WRONG, Verdict.NO_SECRET, Verdict.RIGHT_WITH_OLD_SECRET, Verdict.RIGHT):
        if verdict in verdicts:
            return verdict
    return Verdict.NOT_SIGNED


def _plain(received: Received, body: bytes, secrets: Sequence[str]) -> Line:
    scheme = _Scheme(text_key, standard_key, plain_value)
    computed = _computed(scheme, body, secrets)
    if (value := received.plain) is None:
        return Line(None, computed, Verdict.NOT_SIGNED)
    if not secrets:
        return Line(value, None, Verdict.NO_SECRET)
    if fault := received.plain_fault():
        return Line(value, computed, Verdict.WRONG, fault)
    verdict = _verdict(scheme, [value], body, secrets)
    if verdict is Verdict.WRONG and received.plain_previous:
        previous = _verdict(scheme, [received.plain_previous], body, secrets)
        verdict = Verdict.WRONG if previous is Verdict.WRONG else Verdict.RIGHT_WITH_OLD_SECRET
    return Line(value, computed, verdict, _cause(scheme, [value], body, secrets) if verdict is Verdict.WRONG else None)


def _standard(received: Received, body: bytes, secrets: Sequence[str], now: int | None) -> Line:
    scheme = _Scheme(
        standard_key, text_key, lambda key, content: standard_value(key, received.id, received.timestamp, content)
    )
    computed = None if received.content_fault() else _computed(scheme, body, secrets)
    if (value := received.standard) is None:
        return Line(None, computed, Verdict.NOT_SIGNED)
    if not secrets:
        return Line(value, None, Verdict.NO_SECRET)
    if fault := received.standard_fault():
        return Line(value, computed, Verdict.WRONG, fault)
    verdict = _verdict(scheme, received.standard_parts, body, secrets)
    if verdict is Verdict.WRONG:
        return Line(value, computed, verdict, _cause(scheme, received.standard_parts, body, secrets))
    if fault := _age_fault(received.age_s(now)):
        return Line(value, computed, Verdict.WRONG, fault)
    return Line(value, computed, verdict)


def _age_fault(age_s: int | None) -> Step | None:
    if age_s is None or abs(age_s) <= TOLERANCE_S:
        return None
    return Step.TOO_OLD if age_s > 0 else Step.TOO_NEW


def _computed(scheme: _Scheme, body: bytes, secrets: Sequence[str]) -> str | None:
    keys = _keys(scheme.key, secrets[:1])
    return scheme.value(keys[0], body) if keys else None


def _verdict(scheme: _Scheme, values: Sequence[str], body: bytes, secrets: Sequence[str]) -> Verdict:
    if _fits(scheme, scheme.key, values, body, secrets[:1]):
        return Verdict.RIGHT
    return Verdict.RIGHT_WITH_OLD_SECRET if _fits(scheme, scheme.key, values, body, secrets[1:]) else Verdict.WRONG


def _cause(scheme: _Scheme, values: Sequence[str], body: bytes, secrets: Sequence[str]) -> Step:
    """The first thing that, done otherwise, would have made a value right."""
    if not _keys(scheme.key, secrets):
        return Step.NO_KEY
    if _fits(scheme, scheme.other_key, values, body, secrets):
        return Step.OTHER_KEY
    for step, other in _other_forms(body):
        if _fits(scheme, scheme.key, values, other, secrets):
            return step
    return Step.MISMATCH


def _fits(scheme: _Scheme, key: Key, values: Sequence[str], body: bytes, secrets: Sequence[str]) -> bool:
    expected = [scheme.value(each, body) for each in _keys(key, secrets)]
    return any(_same(value, each) for value in values for each in expected)


def _keys(key: Key, secrets: Sequence[str]) -> list[bytes]:
    """The keys of those secrets that hold one."""
    found = []
    for secret in secrets:
        try:
            found.append(key(secret))
        except SecretError:
            continue
    return found


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())


def _other_forms(body: bytes) -> Iterator[tuple[Step, bytes]]:
    """The body as it may have been when it was signed."""
    yield Step.NEWLINE, body.rstrip(b"\r\n")
    try:
        yield Step.REFORMATTED, json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return
