"""Signatures: the vectors, both keys of one secret, and everything a strict receiver refuses."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.requirements import requires
from webapp.config import VERSION
from webapp.delivery import payloads, signing
from webapp.delivery.event_types import event_types, example
from webapp.delivery.signing import Step, Verdict
from webapp.delivery.signing.headers import plain_value, standard_value
from webapp.models import PayloadFormat

TESTS = Path(__file__).parents[1]
VECTORS: list[dict[str, Any]] = json.loads((TESTS / "cases" / "signatures.json").read_text())
RAW = [vector for vector in VECTORS if vector["scheme"] == "raw-body"]
STANDARD = [vector for vector in VECTORS if vector["scheme"] == "standard-webhooks"]

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OWN = "ein eigenes Geheimnis – 🔑"
NOW = 1_700_000_000
BODY = '{"event":"TODO_CREATED","currentValue":{"title":"Größe ändern – 100 €"}}'.encode()
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def signed(body: bytes = BODY, secrets: tuple[str, ...] = (SECRET,), **values: Any) -> dict[str, str]:
    """The headers of a request, by lower-case name."""
    pairs = signing.headers(
        **{
            "delivery_id": "dlv_clb4zna6x0000vt1swuwso25f",
            "event_word": "TODO_CREATED",
            "event_id": "evt_1",
            "attempt_number": 1,
            "timestamp": NOW,
            **values,
        },
        body=body,
        keys=[signing.Keys.of(secret) for secret in secrets],
    )
    return {name.lower(): value for name, value in pairs}


def check(
    headers: dict[str, str], body: bytes = BODY, secrets: tuple[str, ...] = (SECRET,), now: int | None = NOW
) -> signing.Check:
    return signing.check(headers=headers.items(), body=body, secrets=secrets, now=now)


def body_of(vector: dict[str, Any]) -> bytes:
    return b"\x78" * vector["length"] if vector["body_hex"] is None else bytes.fromhex(vector["body_hex"])


@pytest.mark.proves("A50")
@pytest.mark.parametrize("vector", RAW, ids=[vector["id"] for vector in RAW])
def test_the_vectors_of_the_plain_signature(vector: dict[str, Any]) -> None:
    body = body_of(vector)
    assert len(body) == vector["length"]
    key = bytes.fromhex(vector["secret_hex"])
    assert plain_value(key, body) == vector["hmac_sha256_hex"]


@pytest.mark.proves("A50")
@pytest.mark.parametrize("vector", STANDARD, ids=[vector["id"] for vector in STANDARD])
def test_the_vectors_of_the_standard_signature(vector: dict[str, Any]) -> None:
    made = signing.standard_signature(
        vector["webhook_id"], vector["webhook_timestamp"], body_of(vector), vector["secret"]
    )
    assert made == vector["signature"]


@pytest.mark.parametrize(
    ("body", "secret", "expected"),
    [
        ('{"event":"TODO_CREATED"}', "secret", "b29468c3b1d38d3ec56230c4a322724bd320a03c5aefe3c95d34c884395406b8"),
        ('{"event": "TODO_CREATED"}', "secret", "b98157b524d2481ab99020bd2209ddc0453e6cd28aa539e48c4162665d2eb63f"),
        (
            '{"event":"WEBHOOK_HEALTH_CHECK","webhook":{"id":"clb4qaopy0000vt24mlp28v03","secret":""}}',
            "secret",
            "4ec4410f5c115a520f8deb7ebc66c6eb37cec7c04ba878ce552babfbc820c97d",
        ),
        (
            '{"event":"TODO_NAME_CHANGED","currentValue":{"title":"Größe ändern – 100 €"}}',
            "secret",
            "4f9c0845a6c4260b17d4fdfda6c9d522d5ab6afe971c83b86165584629627ec1",
        ),
        ('{"event":"TODO_CREATED"}', "", "488a3a46abdd709a31cc2b7098a3f70b49c53f37b853bfd0d8a19ed8ea13bd53"),
    ],
)
def test_the_vectors_of_blues_contract(body: str, secret: str, expected: str) -> None:
    assert signing.signature(body.encode(), secret) == expected


def test_a_request_carries_the_headers_of_the_contract_in_order() -> None:
    pairs = signing.headers(
        delivery_id="dlv_1",
        event_word="RECORD_CREATED",
        event_id="evt_1",
        attempt_number=3,
        body=BODY,
        timestamp=NOW,
        keys=[signing.Keys.of(SECRET), signing.Keys.of(OTHER)],
        is_test=True,
    )
    assert pairs == (
        ("Content-Type", "application/json"),
        ("User-Agent", f"Blue-Webhooks/{VERSION}"),
        ("X-Webhook-Event", "RECORD_CREATED"),
        ("X-Webhook-Event-Id", "evt_1"),
        ("X-Webhook-Attempt", "3"),
        ("X-Webhook-Test", "true"),
        ("webhook-id", "dlv_1"),
        ("webhook-timestamp", str(NOW)),
        (
            "webhook-signature",
            signing.standard_signature("dlv_1", NOW, BODY, SECRET)
            + " "
            + signing.standard_signature("dlv_1", NOW, BODY, OTHER),
        ),
        ("X-Signature", signing.signature(BODY, SECRET)),
        ("X-Signature-Previous", signing.signature(BODY, OTHER)),
    )


def test_an_unsigned_request_carries_no_signature_but_its_id_and_time() -> None:
    assert list(signed(secrets=(), event_id=None)) == [
        "content-type",
        "user-agent",
        "x-webhook-event",
        "x-webhook-attempt",
        "webhook-id",
        "webhook-timestamp",
    ]


def test_generated_secrets_pass_and_differ() -> None:
    made = {signing.generate_secret() for _ in range(50)}
    assert len(made) == 50
    for secret in made:
        signing.check_secret(secret)
        assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32


@pytest.mark.parametrize(
    "secret", ["x" * 16, "x" * 64, "ä" * 8, OWN, SECRET, OTHER, "whsec-not the prefix", "sixteen = 16 b!!"]
)
def test_secrets_of_16_to_64_bytes_pass(secret: str) -> None:
    signing.check_secret(secret)


BETWEEN = "16 to 64 bytes."
CLEAN = "No line feeds or control characters, and no blanks at the ends."
STRICT = "After whsec_ there must be base64 of at least 24 bytes."


@pytest.mark.parametrize(
    ("secret", "sentence"),
    [
        ("", "Enter a secret, or choose None."),
        ("x" * 15, BETWEEN),
        ("x" * 65, BETWEEN),
        ("ä" * 33, BETWEEN),
        (" " + "x" * 20, CLEAN),
        ("x" * 20 + "\u00a0", CLEAN),
        ("x" * 20 + "\n", CLEAN),
        ("x" * 10 + "\r\n" + "x" * 10, CLEAN),
        ("x" * 20 + "\x00" + "x", CLEAN),
        ("x" * 20 + "\x7f" + "x", CLEAN),
        ("x" * 20 + "\ud800" + "x", CLEAN),
        ("whsec_" + "A" * 28, STRICT),
        ("whsec_" + "A" * 33, STRICT),
        ("whsec_" + "A" * 43, STRICT),
        ("whsec_" + "A" * 42 + "B=", STRICT),
        ("whsec_" + "-_" * 22, STRICT),
        ("whsec_" + "A" * 20 + " " + "A" * 20, STRICT),
        ("whsec_" + "ä" * 20, STRICT),
    ],
)
def test_other_secrets_are_refused_with_a_sentence_at_their_field(secret: str, sentence: str) -> None:
    with pytest.raises(signing.SecretError) as refusal:
        signing.check_secret(secret)
    assert refusal.value.sentence == sentence
    assert list(refusal.value.fields) == ["secret"]


@given(st.binary(min_size=24, max_size=42), st.text(max_size=70) | st.just("whsec_"))
def test_a_secret_that_passes_can_always_sign(content: bytes, text: str) -> None:
    for secret in ("whsec_" + base64.b64encode(content).decode(), text):
        try:
            signing.check_secret(secret)
        except signing.SecretError:
            continue
        assert check(signed(secrets=(secret,)), secrets=(secret,)).verdict is Verdict.RIGHT


def test_the_two_schemes_take_different_keys_from_one_secret() -> None:
    """The trap: the key of X-Signature is the text, that of webhook-signature what is decoded."""
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    headers = signed()
    exchanged = {
        **headers,
        "x-signature": plain_value(key, BODY),
        "webhook-signature": standard_value(SECRET.encode(), headers["webhook-id"], NOW, BODY),
    }
    result = check(exchanged)
    assert result.verdict is Verdict.WRONG
    assert (result.plain.step, result.standard.step) == (Step.OTHER_KEY, Step.OTHER_KEY)


def test_a_right_request_is_right_and_shows_what_was_computed() -> None:
    result = check(signed(), now=NOW + 12)
    assert (result.verdict, result.age_s) == (Verdict.RIGHT, 12)
    for line in (result.plain, result.standard):
        assert (line.verdict, line.step) == (Verdict.RIGHT, None)
        assert line.received == line.computed


def test_names_of_headers_are_compared_without_case() -> None:
    shouted = {name.upper(): value for name, value in signed().items()}
    assert check(shouted).verdict is Verdict.RIGHT


@pytest.mark.parametrize(
    ("now", "step"),
    [
        (NOW + 299, None),
        (NOW + 300, None),
        (NOW + 301, Step.TOO_OLD),
        (NOW - 299, None),
        (NOW - 300, None),
        (NOW - 301, Step.TOO_NEW),
        (None, None),
    ],
)
def test_clocks_may_differ_by_five_minutes(now: int | None, step: Step | None) -> None:
    result = check(signed(), now=now)
    assert result.standard.step is step
    assert result.verdict is (Verdict.WRONG if step else Verdict.RIGHT)


def test_during_a_rotation_receivers_with_either_secret_are_content() -> None:
    headers = signed(secrets=(SECRET, OTHER))
    assert check(headers, secrets=(SECRET,)).verdict is Verdict.RIGHT
    assert check(headers, secrets=(SECRET, OTHER)).verdict is Verdict.RIGHT
    assert check(headers, secrets=(OTHER,)).verdict is Verdict.RIGHT_WITH_OLD_SECRET
    assert check(signed(secrets=(OTHER,)), secrets=(SECRET, OTHER)).verdict is Verdict.RIGHT_WITH_OLD_SECRET
    assert check(headers, secrets=(OWN,)).verdict is Verdict.WRONG


def test_without_signatures_or_without_a_secret_there_is_nothing_to_judge() -> None:
    assert check(signed(secrets=())).verdict is Verdict.NOT_SIGNED
    assert check({}).verdict is Verdict.NOT_SIGNED
    assert check(signed(secrets=()), secrets=()).verdict is Verdict.NOT_SIGNED
    assert check(signed(), secrets=()).verdict is Verdict.NO_SECRET


def test_a_request_with_blues_header_alone_is_right() -> None:
    result = check({"X-Signature": signing.signature(BODY, "a short one")}, secrets=("a short one",))
    assert result.verdict is Verdict.RIGHT
    assert (result.standard.verdict, result.age_s) == (Verdict.NOT_SIGNED, None)


def test_one_wrong_scheme_makes_the_request_wrong() -> None:
    assert check({**signed(), "x-signature": "0" * 64}).verdict is Verdict.WRONG
    assert check({**signed(), "webhook-signature": signed(b"other")["webhook-signature"]}).verdict is Verdict.WRONG


PLAIN = signing.signature(BODY, SECRET)


@pytest.mark.proves("A50")
@pytest.mark.parametrize(
    ("value", "step"),
    [
        ("sha256=" + PLAIN, Step.PREFIXED),
        (PLAIN.upper(), Step.UPPER_CASE),
        (PLAIN[:-1], Step.LENGTH),
        (PLAIN + "00", Step.LENGTH),
        (PLAIN[:40], Step.LENGTH),
        ("", Step.NOT_HEX),
        (" " + PLAIN, Step.NOT_HEX),
        (PLAIN[:-1] + "g", Step.NOT_HEX),
        (PLAIN[:-1] + "٣", Step.NOT_HEX),
        (f"{PLAIN},{PLAIN}", Step.NOT_HEX),
        (PLAIN[:-1] + ("0" if PLAIN[-1] != "0" else "1"), Step.MISMATCH),
        (signing.signature(BODY, OTHER), Step.MISMATCH),
    ],
)
def test_a_wrong_plain_signature_says_where_it_fails(value: str, step: Step) -> None:
    line = check({"x-signature": value}).plain
    assert (line.verdict, line.step, line.computed) == (Verdict.WRONG, step, PLAIN)


@pytest.mark.parametrize(
    ("body", "step"),
    [
        (BODY + b"\n", Step.NEWLINE),
        (BODY + b"\r\n", Step.NEWLINE),
        (json.dumps(json.loads(BODY), indent=2).encode(), Step.REFORMATTED),
        (BODY[:-1], Step.MISMATCH),
        (b"\xff\xfe", Step.MISMATCH),
        (b"[" * 100_000, Step.MISMATCH),
    ],
)
def test_a_changed_body_is_recognised(body: bytes, step: Step) -> None:
    result = check(signed(), body)
    assert (result.plain.step, result.standard.step) == (step, step)


def _standard(**changes: str) -> dict[str, str]:
    headers = {name: value for name, value in signed().items() if name.startswith("webhook-")}
    return {**headers, **{"webhook-" + name: value for name, value in changes.items()}}


SIGNATURE = signed()["webhook-signature"]
STRAY = base64.b64encode(b"\xfb\xff" * 16).decode()


@pytest.mark.proves("A50")
@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({"id": ""}, Step.ID),
        ({"id": "dlv_1,dlv_1"}, Step.ID),
        ({"id": "dlv_1 dlv_1"}, Step.ID),
        ({"id": "dlv.1"}, Step.ID),
        ({"id": "dlv_ä"}, Step.ID),
        ({"id": "dlv_clb4zna6x0000vt1swuwso25g"}, Step.MISMATCH),
        ({"timestamp": ""}, Step.TIMESTAMP),
        ({"timestamp": f"{NOW}.0"}, Step.TIMESTAMP),
        ({"timestamp": f"-{NOW}"}, Step.TIMESTAMP),
        ({"timestamp": f"+{NOW}"}, Step.TIMESTAMP),
        ({"timestamp": f" {NOW}"}, Step.TIMESTAMP),
        ({"timestamp": f"0{NOW}"}, Step.TIMESTAMP),
        ({"timestamp": "1_700_000_000"}, Step.TIMESTAMP),
        ({"timestamp": "١٧٠٠٠٠٠٠٠٠"}, Step.TIMESTAMP),
        ({"timestamp": "9" * 10_000}, Step.TIMESTAMP),
        ({"timestamp": str(NOW + 1)}, Step.MISMATCH),
        ({"signature": ""}, Step.VERSION),
        ({"signature": SIGNATURE.removeprefix("v1,")}, Step.VERSION),
        ({"signature": SIGNATURE.replace("v1,", "v2,")}, Step.VERSION),
        ({"signature": SIGNATURE.replace("v1,", "V1,")}, Step.VERSION),
        ({"signature": SIGNATURE.replace("v1,", "v1a,")}, Step.VERSION),
        ({"signature": SIGNATURE.rstrip("=")}, Step.BASE64),
        ({"signature": SIGNATURE + "="}, Step.BASE64),
        ({"signature": "v1," + STRAY.replace("+", "-").replace("/", "_")}, Step.BASE64),
        ({"signature": "v1,"}, Step.BASE64),
        ({"signature": "v1,AAAA"}, Step.BASE64),
        ({"signature": "v1," + signing.signature(BODY, SECRET)}, Step.BASE64),
        ({"signature": SIGNATURE[:-2] + chr(ord(SIGNATURE[-2]) ^ 1) + "="}, Step.BASE64),
        ({"signature": "v1," + STRAY}, Step.MISMATCH),
    ],
)
def test_a_wrong_standard_signature_says_where_it_fails(changes: dict[str, str], step: Step) -> None:
    line = check(_standard(**changes)).standard
    assert (line.verdict, line.step) == (Verdict.WRONG, step)


def test_signatures_of_versions_to_come_are_passed_over() -> None:
    assert check(_standard(signature=f"v1a,xyz {SIGNATURE} v2,abc")).verdict is Verdict.RIGHT


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature", "x-signature"])
def test_a_header_that_stands_there_twice_is_refused(name: str) -> None:
    pairs = [*signed().items(), (name.title(), signed()[name])]
    result = signing.check(headers=pairs, body=BODY, secrets=[SECRET], now=NOW)
    assert result.verdict is Verdict.WRONG
    assert Step.REPEATED in (result.plain.step, result.standard.step)


def test_a_secret_without_a_key_is_told() -> None:
    line = check(signed(), secrets=("whsec_no base64",)).standard
    assert (line.verdict, line.step, line.computed) == (Verdict.WRONG, Step.NO_KEY, None)


def test_each_step_has_a_sentence() -> None:
    assert len({step.sentence for step in Step}) == len(Step)
    assert all(step.sentence.endswith(".") and "%" not in step.sentence for step in Step)


@pytest.mark.proves("A50")
@given(st.data())
def test_one_flipped_bit_anywhere_is_refused(data: st.DataObject) -> None:
    headers = {key: value.encode() for key, value in signed().items() if "webhook-" in key[:8] or key == "x-signature"}
    parts = {**headers, "": BODY}
    name = data.draw(st.sampled_from(sorted(parts)))
    bit = data.draw(st.integers(0, len(parts[name]) * 8 - 1))
    flipped = bytearray(parts[name])
    flipped[bit // 8] ^= 1 << bit % 8
    parts[name] = bytes(flipped)
    changed = {key: value.decode("latin-1") for key, value in parts.items() if key}
    assert check(changed, parts[""]).verdict is not Verdict.RIGHT


@given(
    st.lists(st.tuples(st.sampled_from(sorted(signed())) | TEXTS, st.text(st.characters(exclude_categories=[])))),
    st.binary(),
)
def test_nothing_that_arrives_makes_the_check_fail(pairs: list[tuple[str, str]], body: bytes) -> None:
    assert signing.check(headers=pairs, body=body, secrets=[SECRET], now=NOW).verdict in {
        Verdict.WRONG,
        Verdict.NOT_SIGNED,
    }


@pytest.fixture
def frozen(time_machine: Any) -> None:
    """The package reads the clock itself."""
    time_machine.move_to(NOW, tick=False)


REAL_BODIES = [example(code, payload_format) for code in event_types(None) for payload_format in PayloadFormat]
HARD_BODIES = [
    payloads.to_json({"event": "TAG_CREATED", "value": value})
    for value in (
        "👩‍👩‍👧 Größe",
        "\u2028\u2029",
        "\x00\x1f\x7f",
        12345678901234567890,
        131070.0,
        1e-7,
        "</script>",
        "a/b",
    )
]


@pytest.mark.proves("A51")
@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize("secret", [SECRET, OTHER, OWN])
def test_the_standard_webhooks_package_verifies_every_example(secret: str) -> None:
    verifier = Webhook(secret if secret.startswith("whsec_") else secret.encode())
    for body in REAL_BODIES + HARD_BODIES:
        assert verifier.verify(body, signed(body, (secret,))) == json.loads(body)
    with pytest.raises(WebhookVerificationError):
        verifier.verify(BODY + b" ", signed(secrets=(secret,)))


@pytest.mark.usefixtures("frozen")
def test_the_package_verifies_with_either_secret_during_a_rotation() -> None:
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(BODY, signed(secrets=(SECRET, OTHER)))


@given(st.dictionaries(TEXTS, TEXTS | st.integers() | st.floats(allow_nan=False, allow_infinity=False)))
def test_the_package_verifies_whatever_is_written(value: dict[str, object]) -> None:
    body = payloads.to_json(value)
    content = Webhook(SECRET).sign("dlv_1", datetime.fromtimestamp(NOW, UTC), body.decode())
    assert content == signing.standard_signature("dlv_1", NOW, body, SECRET)


def in_node(bodies: list[bytes], secret: str) -> list[dict[str, bool]]:
    """What the receiver in Node.js says about each body."""
    lines = []
    for body in bodies:
        headers = signed(body, (secret,))
        lines.append(
            json.dumps(
                {
                    "secret": secret,
                    "body": base64.b64encode(body).decode(),
                    "signature": headers["x-signature"],
                    "standard": headers["webhook-signature"],
                    "id": headers["webhook-id"],
                    "timestamp": headers["webhook-timestamp"],
                }
            )
        )
    ran = subprocess.run(
        [requires("node"), str(TESTS / "verify.mjs")], input="\n".join(lines).encode(), capture_output=True, check=True
    )
    return [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.mark.proves("A51")
@pytest.mark.parametrize("secret", [SECRET, OWN])
def test_node_verifies_every_example_and_writes_it_again_alike(secret: str) -> None:
    assert in_node(REAL_BODIES, secret) == [{"plain": True, "standard": True, "sameWhenWrittenAgain": True}] * 74


def test_node_verifies_what_is_hard_to_write() -> None:
    answers = in_node(HARD_BODIES, SECRET)
    assert all(answer["plain"] and answer["standard"] for answer in answers)
    # JavaScript has no such integers; every other body comes out alike.
    assert [answer["sameWhenWrittenAgain"] for answer in answers].count(False) == 1


@settings(max_examples=10, deadline=None)
@given(st.lists(st.dictionaries(TEXTS, TEXTS | st.integers()), min_size=1, max_size=50))
def test_node_verifies_whatever_is_written(values: list[dict[str, object]]) -> None:
    answers = in_node([payloads.to_json(value) for value in values], SECRET)
    assert len(answers) == len(values)
    assert all(answer["plain"] and answer["standard"] for answer in answers)
