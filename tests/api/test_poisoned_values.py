"""What cannot be kept exactly is refused with a sentence; what was accepted arrives at the receiver byte for byte."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.api.conftest import Program
from tests.conftest import Cast
from tests.delivery.conftest import eventually
from tests.factories import Make
from tests.receiver import Receiver
from webapp.delivery.dispatching import Dispatcher
from webapp.extensions import bell, db
from webapp.models import Base, Delivery, Event, Project

Count = Callable[[type[Base]], int]
KIB = 1024


@pytest.fixture
def app(make_app: Callable[..., Flask], receiver: Receiver) -> Flask:
    return make_app(allow_targets=receiver.target)


@pytest.fixture
def ringing(monkeypatch: pytest.MonkeyPatch, worker: Dispatcher) -> None:
    """The worker hears of each event at once."""
    monkeypatch.setattr(bell, "_ring", worker.wake)


@pytest.fixture
def project(cast: Cast, make: Make, receiver: Receiver) -> Project:
    make.webhook(by=cast.admin, url=receiver.url)
    return make.project_of(cast.admin)


@pytest.fixture
def publish(api: Program, project: Project) -> Callable[[bytes], Any]:
    """Post an event whose `currentValue` is written like that."""

    def post(value: bytes) -> Any:
        head = json.dumps({"event": "TODO_CREATED", "projectId": project.id})[:-1].encode()
        return api.post("/events", data=head + b', "currentValue": ' + value + b"}")

    return post


REFUSED = {
    "10,000 objects in each other": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400, "nested too deeply"),
    "10,000 lists in each other": (b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}", 400, "nested too deeply"),
    "10,000 lists that never close": (b'{"a":' + b"[" * 10_000, 400, ""),
    "one level too many": (b'{"a":' + b"[" * 63 + b"]" * 63 + b"}", 400, "nested too deeply"),
    "half a character": (b'{"a":"\\ud800"}', 400, "half of a character"),
    "the other half": (b'{"a":"\\udc00x"}', 400, "half of a character"),
    "halves the wrong way round": (b'{"a":"\\ude00\\ud83d"}', 400, "half of a character"),
    "half a character as a name": (b'{"\\ud800":1}', 400, "half of a character"),
    "half a character in bytes": (b'{"a":"\xed\xa0\x80"}', 400, ""),
    "NaN": (b'{"a":NaN}', 400, "NaN"),
    "Infinity": (b'{"a":Infinity}', 400, "Infinity"),
    "minus Infinity": (b'{"a":-Infinity}', 400, "-Infinity"),
    "a float out of range": (b'{"a":1e400}', 400, "too large"),
    "a float of many digits out of range": (b'{"a":' + b"9" * 400 + b".0}", 400, "too large"),
    "double names": (b'{"a":1,"a":2}', 400, "twice"),
    "double names deep inside": (b'{"a":[{"b":{"c":1,"c":1}}]}', 400, "twice"),
    "double names, once escaped": (b'{"a":1,"\\u0061":2}', 400, "twice"),
    "a bare NUL": (b'{"a":"\x00"}', 400, ""),
    "a bare line feed in a text": (b'{"a":"\n"}', 400, ""),
    "bytes that are not UTF-8": (b'{"a":"\xff\xfe"}', 400, "UTF-8"),
    "an overlong NUL": (b'{"a":"\xc0\x80"}', 400, "UTF-8"),
    "a leading zero": (b'{"a":01}', 400, ""),
    "a hexadecimal number": (b'{"a":0x10}', 400, ""),
    "a comma too many": (b'{"a":1,}', 400, ""),
    "a comment": (b'{"a":1/**/}', 400, ""),
    "text behind it": (b'{"a":1}} {"b":2', 400, ""),
    "a mebibyte": (b'{"a":"' + b"x" * KIB * KIB + b'"}', 413, "262,144 bytes"),
    "a mebibyte of blanks": (b'{"a":1' + b" " * KIB * KIB + b"}", 413, "262,144 bytes"),
    "an integer of 5,000 digits": (b'{"a":' + b"9" * 5_000 + b"}", 400, "more than 1000 digits"),
}


@pytest.mark.proves("F34")
@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_kept_exactly_is_refused_with_a_sentence(
    publish: Callable[[bytes], Any], count: Count, kind: str
) -> None:
    value, status, said = REFUSED[kind]
    answer = publish(value)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    assert said in answer.json["detail"]
    assert answer.json["detail"].endswith(".")
    assert len(answer.data) < 2 * KIB
    assert count(Event) == 0


ACCEPTED = {
    "63 levels": (b'{"a":' + b"[" * 62 + b"]" * 62 + b"}"),
    "an escaped NUL": b'{"a":"x\\u0000y"}',
    "an escaped NUL as a name": b'{"\\u0000":1}',
    "an escape sequence": b'{"a":"\\u001b[31m\\u0007"}',
    "characters beyond 16 bits, as two halves": b'{"a":"\\ud83d\\ude00"}',
    "separators of lines": b'{"a":"\\u2028\\u2029\\u0085\\u000b"}',
    "a byte order mark": b'{"a":"\\ufeffx"}',
    "text from right to left": '{"a":"\u202eabc\u2066"}'.encode(),
    "no characters": b'{"a":"\\ufffe\\uffff"}',
    "markup": b'{"a":"</script><!--\\u003cb\\u003e&amp;"}',
    "an empty name": b'{"":1}',
    "names with a meaning elsewhere": b'{"__proto__":{"x":1},"constructor":1,"id":null}',
    "large integers": b'{"a":18446744073709551617,"b":-9223372036854775809,"c":9007199254740993}',
    "an integer of 1,000 digits": b'{"a":' + b"7" * 1_000 + b"}",
    "floats": b'{"a":0.1,"b":1e-320,"c":1.7976931348623157e308,"d":5e-324,"e":-0.0,"f":1e22,"g":100.0}',
    "solidus escaped or not": b'{"a":"\\/","b":"/"}',
    "blanks everywhere": b'{ "a" :\t[ 1 ,\r\n2 ] }',
    "200 KiB of text": b'{"a":"' + b"x" * 200 * KIB + b'"}',
    "200 KiB of two-byte characters": ('{"a":"' + "ü" * 100 * KIB + '"}').encode(),
    "1,000 names": json.dumps({f"k{number}": number for number in range(990)}).encode(),
    "words in place of values": b'{"a":true,"b":false,"c":null,"d":"NaN"}',
}


@pytest.mark.proves("F34")
def test_what_was_accepted_arrives_byte_for_byte(
    publish: Callable[[bytes], Any], receiver: Receiver, ringing: None
) -> None:
    for number, (kind, value) in enumerate(ACCEPTED.items(), 1):
        answer = publish(value)
        assert answer.status_code == 202, (kind, answer.text)
        body = receiver.wait_for(number)[-1].body
        db.session.rollback()
        event = db.session.scalars(sa.select(Event).where(Event.id == answer.json["id"])).one()
        assert body.endswith(b',"currentValue":' + event.current_value + b"}"), kind
        assert exact(event.current_value) == exact(value), kind


def exact(text: bytes) -> Any:
    """The JSON value with every digit of its integers; a float by the digits that name it among all doubles."""
    return json.loads(text, parse_float=lambda digits: Decimal(repr(float(digits))), parse_int=Decimal)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers() | st.integers(-(10**300), 10**300) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.dictionaries(
    TEXTS,
    st.recursive(
        st.none() | st.booleans() | NUMBERS | TEXTS,
        lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
        max_leaves=20,
    ),
    max_size=8,
)


def check_bytes(publish: Callable[[bytes], Any], receiver: Receiver, value: dict[str, Any], *, is_ascii: bool) -> None:
    """A52: what the receiver got is what the delivery's digest says, and the value that was published."""
    receiver.clear()
    answer = publish(json.dumps(value, ensure_ascii=is_ascii).encode())
    assert answer.status_code == 202, answer.text
    (request,) = receiver.wait_for(1)
    assert exact(request.body)["currentValue"] == exact(json.dumps(value).encode())
    db.session.rollback()
    event = db.session.scalars(sa.select(Event).where(Event.id == answer.json["id"])).one()
    assert request.body.endswith(b',"currentValue":' + event.current_value + b"}")
    kept = sa.select(Delivery.body_sha256).where(Delivery.id == request.header("webhook-id"))
    digest = eventually(lambda: db.session.scalar(kept))
    assert digest == hashlib.sha256(request.body).hexdigest()


@pytest.mark.proves("A52", "F34")
@settings(max_examples=60, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(VALUES, st.booleans())
def test_generated_values_arrive_with_the_digest_that_is_kept(
    publish: Callable[[bytes], Any], receiver: Receiver, ringing: None, value: dict[str, Any], is_ascii: bool
) -> None:
    check_bytes(publish, receiver, value, is_ascii=is_ascii)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.proves("A52")
@settings(
    max_examples=10_000, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(VALUES, st.booleans())
def test_ten_thousand_generated_values_arrive_with_the_digest_that_is_kept(
    publish: Callable[[bytes], Any], receiver: Receiver, ringing: None, value: dict[str, Any], is_ascii: bool
) -> None:
    check_bytes(publish, receiver, value, is_ascii=is_ascii)
