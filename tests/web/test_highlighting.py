"""JSON and code in colour: faithful to the letter, always escaped, bounded."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.markup import Reader
from webapp.web import highlighting

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(values)
def test_laying_out_changes_nothing_but_blanks(value: object) -> None:
    compact = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    laid_out = highlighting.indented(compact)
    assert json.loads(laid_out) == value
    assert laid_out == json.dumps(value, ensure_ascii=False, indent=2)


@pytest.mark.parametrize("body", [b'{"n":1.50}', b'{"a":1,"a":2}', '{"ä":"\\u00e4 ü"}'.encode()])
def test_numbers_keys_and_strings_stay_as_they_came(body: bytes) -> None:
    shown = _text(highlighting.highlight_json(body))
    assert "".join(shown.split()) == "".join(body.decode().split())


HOSTILE = [
    b'{"x":"<script>alert(1)</script>"}',
    b"<svg onload=alert(1)>",
    b'{"</pre><img src=x onerror=alert(1)>":1}',
    b"\xff\xfe<b>",
]


@pytest.mark.parametrize("body", HOSTILE)
def test_foreign_text_stays_text(body: bytes) -> None:
    html = highlighting.highlight_json(body)
    assert {element.tag for element in Reader(html).root.walk()} <= {"pre", "span"}


def test_what_is_not_json_is_shown_as_it_is() -> None:
    assert highlighting.highlight_json(b"a & b\n  c") == "<pre>a &amp; b\n  c</pre>"


def test_a_large_body_is_shown_without_colour() -> None:
    body = b'["' + b"x" * highlighting.MAX_HIGHLIGHTED_BYTES + b'"]'
    assert "<span" not in highlighting.highlight_json(body)


def test_deep_nesting_does_not_grow_the_page() -> None:
    body = "[" * 900 + "1," * 20_000 + "1" + "]" * 900
    assert len(highlighting.indented(body)) < 60 * len(body)
    assert not highlighting.is_json("[" * 1_000_000)


def _text(html: str) -> str:
    return "".join(Reader(html).root._texts())
