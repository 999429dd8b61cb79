"""The workbench: verdicts on what somebody pasted, and the first cause that explains a wrong one."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.factories import SECRET, Make
from webapp.delivery import signing
from webapp.delivery.signing import Step, Verdict
from webapp.delivery.signing.headers import plain_value
from webapp.delivery.signing.keys import standard_key
from webapp.models import Invalid, Webhook, transaction, utc_now
from webapp.models.base import keyring
from webapp.webhooks import signature_checks
from webapp.webhooks.signature_checks import Checked, Pasted

OLD = "the older secret, long enough"
BODY = '{"event":"TODO_CREATED","currentValue":{"title":"Größe – 100 €"}}'
PRETTY = json.dumps(json.loads(BODY), ensure_ascii=False, indent=2)


@pytest.fixture
def webhook(make: Make) -> Webhook:
    webhook = make.webhook()
    with transaction():
        webhook.previous_secret_ciphertext = keyring().encrypt(OLD.encode()).decode()
        webhook.previous_secret_until = utc_now() + timedelta(hours=5)
    return webhook


def headers(body: str = BODY, secret: str = SECRET, age_s: int = 0) -> dict[str, str]:
    """The signatures of a body."""
    made = signing.headers(
        delivery_id="dlv_a",
        event_word="TODO_CREATED",
        event_id="evt_a",
        attempt_number=1,
        body=body.encode(),
        timestamp=int(utc_now().timestamp()) - age_s,
        keys=[signing.Keys.of(secret)],
    )
    return dict(made)


def lines(pairs: dict[str, str]) -> str:
    return "\r\n".join(f"{name}: {value}" for name, value in pairs.items())


def judge(webhook: Webhook, body: str = BODY, pasted: str = "", secret: str = "") -> Checked:
    return signature_checks.judge(webhook, Pasted(body, pasted or lines(headers()), secret))


def verdicts(checked: Checked) -> list[tuple[Verdict, Step | None]]:
    return [(scheme.verdict, scheme.step) for scheme in checked.schemes]


def test_what_was_really_sent_is_right_by_both_schemes(webhook: Webhook) -> None:
    checked = judge(webhook)
    assert verdicts(checked) == [(Verdict.RIGHT, None)] * 2
    assert (checked.is_typed, checked.has_line_breaks, checked.late_step) == (False, False, None)


def test_the_old_secret_is_told_from_the_current_one_until_it_ends(webhook: Webhook) -> None:
    pasted = lines(headers(secret=OLD))
    assert verdicts(judge(webhook, pasted=pasted)) == [(Verdict.RIGHT_WITH_OLD_SECRET, None)] * 2
    with transaction():
        webhook.previous_secret_until = utc_now() - timedelta(seconds=1)
    assert verdicts(judge(webhook, pasted=pasted)) == [(Verdict.WRONG, Step.MISMATCH)] * 2


def test_a_typed_secret_counts_in_place_of_the_webhooks(webhook: Webhook, make: Make) -> None:
    other = "somebody else's"
    pasted = lines(headers(secret=other))
    for each in (webhook, make.webhook(secret=None)):
        checked = judge(each, pasted=pasted, secret=other)
        assert verdicts(checked) == [(Verdict.RIGHT, None)] * 2
        assert checked.is_typed
    assert verdicts(judge(webhook, secret=other)) == [(Verdict.WRONG, Step.MISMATCH)] * 2


@pytest.mark.parametrize(
    ("body", "change", "step"),
    [
        (BODY + "\r\n", {}, Step.NEWLINE),
        (PRETTY.replace("\n", "\r\n"), {}, Step.REFORMATTED),
        (BODY.replace("100", "101"), {}, Step.MISMATCH),
        (BODY, {"X-Signature": "sha256=" + headers()["X-Signature"]}, Step.PREFIXED),
        (BODY, {"X-Signature": headers()["X-Signature"][:-2]}, Step.LENGTH),
        (BODY, {"X-Signature": headers()["X-Signature"].upper()}, Step.UPPER_CASE),
        (BODY, {"X-Signature": "not hex at all"}, Step.NOT_HEX),
    ],
)
def test_a_wrong_x_signature_says_why(webhook: Webhook, body: str, change: dict[str, str], step: Step) -> None:
    checked = judge(webhook, body, lines({**headers(), **change}))
    assert verdicts(checked)[0] == (Verdict.WRONG, step)


def test_the_key_of_the_other_scheme_is_recognised(webhook: Webhook) -> None:
    value = plain_value(standard_key(SECRET), BODY.encode())
    assert verdicts(judge(webhook, pasted=f"X-Signature: {value}"))[0] == (Verdict.WRONG, Step.OTHER_KEY)


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_a_body_with_line_breaks_is_right_whatever_the_browser_made_of_them(webhook: Webhook, line_break: str) -> None:
    signed = PRETTY.replace("\n", line_break)
    as_a_browser_sends_it = PRETTY.replace("\n", "\r\n")
    checked = judge(webhook, as_a_browser_sends_it, lines(headers(signed)))
    assert verdicts(checked) == [(Verdict.RIGHT, None)] * 2
    assert checked.has_line_breaks


@pytest.mark.parametrize(("age_s", "step"), [(290, None), (310, Step.TOO_OLD), (-310, Step.TOO_NEW)])
def test_an_old_request_is_right_and_its_age_stands_beside_that(
    webhook: Webhook, age_s: int, step: Step | None
) -> None:
    checked = judge(webhook, pasted=lines(headers(age_s=age_s)))
    assert verdicts(checked) == [(Verdict.RIGHT, None)] * 2
    assert checked.late_step is step


def test_a_wrong_signature_is_not_also_called_late(webhook: Webhook) -> None:
    assert judge(webhook, BODY + "x", lines(headers(age_s=1000))).late_step is None


@pytest.mark.parametrize(
    "template",
    [
        "X-Signature: {}",
        "x-signature:{}",
        "> X-Signature: {}",
        "HTTP_X_SIGNATURE: {}",
        '  "x-signature": "{}",',
        "POST /hooks HTTP/1.1\r\nHost: example.com\r\nX-Signature: {}\r\n",
        "{}",
    ],
)
def test_headers_are_read_as_logs_and_tools_print_them(webhook: Webhook, template: str) -> None:
    checked = judge(webhook, pasted=template.format(headers()["X-Signature"]))
    assert verdicts(checked) == [(Verdict.RIGHT, None), (Verdict.NOT_SIGNED, None)]


def test_a_bare_standard_signature_lacks_its_id_and_timestamp(webhook: Webhook) -> None:
    checked = judge(webhook, pasted=headers()["webhook-signature"])
    assert verdicts(checked) == [(Verdict.NOT_SIGNED, None), (Verdict.WRONG, Step.ID)]


@pytest.mark.parametrize(
    ("pasted", "fields"),
    [
        (Pasted("", ""), {"body", "headers"}),
        (Pasted(BODY, "webhook-id: dlv_a"), {"headers"}),
        (Pasted(BODY, lines(headers()), "x" * 257), {"secret"}),
    ],
)
def test_what_is_missing_is_asked_for(webhook: Webhook, pasted: Pasted, fields: set[str]) -> None:
    with pytest.raises(Invalid) as caught:
        signature_checks.judge(webhook, pasted)
    assert set(caught.value.fields) == fields


def test_without_a_secret_that_can_be_read_one_must_be_typed(webhook: Webhook, make: Make) -> None:
    with pytest.raises(Invalid, match="This webhook has no secret"):
        judge(make.webhook(secret=None))
    with transaction():
        webhook.secret_ciphertext = webhook.previous_secret_ciphertext = "of another installation"
    with pytest.raises(Invalid, match="a key that this installation does not have"):
        judge(webhook)
