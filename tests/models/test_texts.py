"""Texts that people type: what becomes of them before they are kept."""

from __future__ import annotations

import pytest

from webapp.models import Invalid
from webapp.models.texts import as_html, paragraphs


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Looks good", "<p>Looks good</p>"),
        ("one\ntwo", "<p>one<br>two</p>"),
        ("one\n\n \n\ntwo\n  three", "<p>one</p><p>two<br>  three</p>"),
        ('<b>1 < 2 & "3"</b>', '<p>&lt;b&gt;1 &lt; 2 &amp; "3"&lt;/b&gt;</p>'),
        ("&amp;", "<p>&amp;amp;</p>"),
    ],
)
def test_plain_text_becomes_html_in_which_nothing_typed_is_markup(text: str, html: str) -> None:
    assert as_html(text) == html


@pytest.mark.parametrize("text", [None, "", " \r\n\t "])
def test_paragraphs_may_be_empty_unless_there_is_a_sentence_for_that(text: str | None) -> None:
    assert paragraphs("text", text, longest=5) == ""
    with pytest.raises(Invalid, match="Write something") as refused:
        paragraphs("text", text, longest=5, empty="Write something first.")
    assert list(refused.value.fields) == ["text"]
