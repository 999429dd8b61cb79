"""Is a signature right that somebody pasted? Judged by a webhook's secrets, or by one that is typed.

Which value would have been right is told to nobody: a session left open would else sign any body without the password.
Nothing is stored. Browsers send each line break of a pasted text as CR LF, whatever it was, so that a body with line
breaks is judged in both spellings and the better verdict counts. The age of the timestamp is told beside the verdict:
what is pasted is seldom five minutes young.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from webapp.delivery.signing import TOLERANCE_S, Line, Step, Verdict, check
from webapp.models import Invalid, Webhook, utc_now
from webapp.webhooks import secrets

MAX_SECRET_BYTES = 256  # of a typed one: it may be another product's, whose rules are not ours
PLAIN, STANDARD = "X-Signature", "webhook-signature"
ENTER_BODY = "Paste the body."
ENTER_HEADERS = "Paste at least one of the headers X-Signature and webhook-signature."
NO_SECRET = "This webhook has no secret. Type the one to check with."  # noqa: S105
TOO_LONG = "A secret has at most %(limit)s bytes."

_BEST_FIRST = (Verdict.RIGHT, Verdict.RIGHT_WITH_OLD_SECRET, Verdict.WRONG, Verdict.NO_SECRET, Verdict.NOT_SIGNED)
_NAME = re.compile(r"[A-Za-z][\w-]*")
_BARE_PLAIN = re.compile(r"(?:sha256=)?[0-9a-fA-F]{32,128}")


@dataclass(frozen=True)
class Pasted:
    """A body and headers as they came out of a form; `secret` is checked with in place of the webhook's, if typed."""

    body: str
    headers: str
    secret: str = ""


@dataclass(frozen=True)
class Scheme:
    """The verdict on one of the two headers, and where it fails if it does."""

    name: str
    verdict: Verdict
    step: Step | None = None


@dataclass(frozen=True)
class Checked:
    """Both schemes. `age_s` = seconds since the timestamp, None without one; `is_typed` = by a typed secret."""

    schemes: tuple[Scheme, ...]
    age_s: int | None
    is_typed: bool
    has_line_breaks: bool

    @property
    def late_step(self) -> Step | None:
        """Why a receiver that keeps to the five minutes would refuse a right `webhook-signature` now."""
        is_right = any(each.name == STANDARD and each.verdict in _BEST_FIRST[:2] for each in self.schemes)
        if not is_right or self.age_s is None or abs(self.age_s) <= TOLERANCE_S:
            return None
        return Step.TOO_OLD if self.age_s > 0 else Step.TOO_NEW


def judge(webhook: Webhook, pasted: Pasted) -> Checked:
    """The verdicts on what was pasted. Raises Invalid at `body`, `headers` or `secret`."""
    headers = list(_headers(pasted.headers))
    _refuse_incomplete(pasted, headers)
    valid = [pasted.secret] if pasted.secret else _secrets_of(webhook)
    bodies = _spellings(pasted.body)
    checks = [check(headers=headers, body=body, secrets=valid, now=None) for body in bodies]
    return Checked(
        schemes=(
            _scheme(PLAIN, [each.plain for each in checks]),
            _scheme(STANDARD, [each.standard for each in checks]),
        ),
        age_s=check(headers=headers, body=b"", secrets=(), now=int(utc_now().timestamp())).age_s,
        is_typed=bool(pasted.secret),
        has_line_breaks=len(bodies) > 1,
    )


def _refuse_incomplete(pasted: Pasted, headers: Sequence[tuple[str, str]]) -> None:
    errors: list[Invalid] = []
    if not pasted.body:
        errors.append(Invalid("body", ENTER_BODY))
    if not {PLAIN.lower(), STANDARD} & {name.lower() for name, _ in headers}:
        errors.append(Invalid("headers", ENTER_HEADERS))
    if len(pasted.secret.encode(errors="replace")) > MAX_SECRET_BYTES:
        errors.append(Invalid("secret", TOO_LONG, limit=MAX_SECRET_BYTES))
    if errors:
        raise Invalid.many(errors)


def _secrets_of(webhook: Webhook) -> list[str]:
    if not webhook.is_signed:
        raise Invalid("secret", NO_SECRET)
    return secrets.valid(webhook)


def _headers(text: str) -> Iterator[tuple[str, str]]:
    """The headers in a text: lines as a log, curl or a JSON object has them, or a bare signature."""
    for line in text.splitlines():
        bare = line.strip()
        if _BARE_PLAIN.fullmatch(bare):
            yield PLAIN, bare
        elif bare.startswith("v1,"):
            yield STANDARD, bare
        else:
            name, _, value = bare.partition(":")
            name = name.strip("<>\"' ").upper().removeprefix("HTTP_").replace("_", "-").lower()
            if _NAME.fullmatch(name):
                yield name, value.strip("\"',; \t")


def _spellings(body: str) -> list[bytes]:
    """The body with the line breaks that it may have had; one spelling when it has none."""
    plain = body.replace("\r\n", "\n")
    both = [plain, plain.replace("\n", "\r\n")] if "\n" in plain else [plain]
    return [each.encode(errors="replace") for each in both]


def _scheme(name: str, lines: Sequence[Line]) -> Scheme:
    best = min(lines, key=lambda line: (_BEST_FIRST.index(line.verdict), line.step is Step.MISMATCH))
    return Scheme(name, best.verdict, best.step)
