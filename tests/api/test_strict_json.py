"""Reading JSON without loss: what cannot be kept exactly is refused, in words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.api.strict_json import MAX_NAMES, NotStrict, loads
from webapp.delivery import payloads

REFUSED = {
    b"": "The body is empty. Send a JSON object.",
    b" \n": "The body is empty. Send a JSON object.",
    b'{"a": 1,\n "b" 2}': "The body is not JSON: Expecting ':' delimiter at line 2, column 6.",
    b'{"a": 1} x': "The body is not JSON: Extra data at line 1, column 10.",
    b"{'a': 1}": "The body is not JSON: Expecting property name enclosed in double quotes at line 1, column 2.",
    b'"a\tb"': "The body is not JSON: Invalid control character at line 1, column 3.",
    b'{"a": "\xff"}': "The body is not UTF-8: byte 8 does not fit. Send JSON in UTF-8.",
    b'{"a": NaN}': "JSON has no number NaN. Send null, or a text.",
    b'{"a": -Infinity}': "JSON has no number -Infinity. Send null, or a text.",
    b'{"a": 1e400}': "The number 1e400 is too large to be kept. Send it as a text.",
    b'{"a": 1e-400}': "The number 1e-400 would lose digits: JSON readers keep about 16. Send it as a text.",
    b'{"a": 0.12345678901234567890}': (
        "The number 0.12345678901234567890 would lose digits: JSON readers keep about 16. Send it as a text."
    ),
    b'{"a": 9007199254740993.0}': (
        "The number 9007199254740993.0 would lose digits: JSON readers keep about 16. Send it as a text."
    ),
    b'{"a": 1e-99999999999999999999}': (
        "The number 1e-99999999999999999999 would lose digits: JSON readers keep about 16. Send it as a text."
    ),
    b'{"a": ' + b"9" * 1001 + b"}": f"The number {'9' * 40}… has more than 1000 digits. Send it as a text.",
    b'{"a": 1, "b": {"c": 2, "c": 3}}': "An object has the name “c” twice. Send each name once.",
    b'{"a": "\\ud83d"}': "A text holds \\ud83d, which is only half of a character. Send both halves, or none.",
    b'{"\\udc00": 1}': "A text holds \\udc00, which is only half of a character. Send both halves, or none.",
    b"[" * 65 + b"]" * 65: "The values are nested too deeply: 64 levels are the most.",
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000: "The values are nested too deeply: 64 levels are the most.",
    b"[" * 1_000_000: "The values are nested too deeply: 64 levels are the most.",
}


@pytest.mark.parametrize(("data", "sentence"), REFUSED.items(), ids=range(len(REFUSED)))
def test_what_cannot_be_kept_is_refused_in_words(data: bytes, sentence: str) -> None:
    with pytest.raises(NotStrict) as refusal:
        loads(data)
    assert str(refusal.value) == sentence


def test_an_object_with_too_many_names_is_refused() -> None:
    many = json.dumps({f"n{number}": 1 for number in range(MAX_NAMES + 1)}).encode()
    with pytest.raises(NotStrict, match="An object has 1001 names; 1000 are the most"):
        loads(many)


KEPT = {
    b"[1.0, 1, -0.0, 1e3]": b"[1,1,0,1000]",
    b"12345678901234567890123456789": b"12345678901234567890123456789",
    b"[0.1, 1.10, 1e-7, 1.5E+300]": b"[0.1,1.1,1e-7,1.5e+300]",
    b"[0.10000000000000001, 0.30000000000000004]": b"[0.1,0.30000000000000004]",
    b"0.1000000000000000055511151231257827021181583404541015625": b"0.1",
    b'"\\u0000\\ud83d\\ude00\xc3\xa4\\/"': '"\\u0000😀ä/"'.encode(),
    b"[" * 64 + b"]" * 64: b"[" * 64 + b"]" * 64,
    b'{"b": 1, "a": null}': b'{"b":1,"a":null}',
}


@pytest.mark.parametrize(("data", "written"), KEPT.items(), ids=range(len(KEPT)))
def test_what_is_kept_is_written_as_the_same_value(data: bytes, written: bytes) -> None:
    assert payloads.to_json(loads(data)) == written


NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(TEXTS, below, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_all_that_python_writes_is_kept(value: object) -> None:
    assert loads(json.dumps(value).encode()) == value


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\u0123456789eE.-+ntfalsruD', max_size=60).map(str.encode))
def test_any_bytes_are_a_value_or_a_sentence(data: bytes) -> None:
    try:
        value = loads(data)
    except NotStrict:
        return
    payloads.to_json(value)
