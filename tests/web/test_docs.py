"""The guide is public and tells what is really sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Browser
from tests.factories import Make
from tests.page_checker import check_page
from webapp.folders import folder
from webapp.web import code_samples, docs

SAMPLES = folder("templates") / "docs" / "samples"


@pytest.fixture(autouse=True)
def _somebody(make: Make) -> None:
    """There is a person, so that the first-run page is behind us."""
    make.user()


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_the_guide_is_public_and_whole(client: Browser) -> None:
    page = check_page(client.get("/docs"))

    assert page.h1 == "How to receive webhooks"
    for name in docs.MEANINGS:
        assert name in page.text
    assert '"event":"RECORD_CREATED"' in squeezed(page.text)
    assert '"event":"WEBHOOK_HEALTH_CHECK"' in squeezed(page.text)


@pytest.mark.parametrize("language", code_samples.LANGUAGES)
def test_each_language_has_a_tab_with_both_samples(client: Browser, language: code_samples.Language) -> None:
    page = check_page(client.get(f"/docs?language={language.code}"))

    for file in (language.plain, language.standard):
        assert squeezed((SAMPLES / file).read_text(encoding="utf-8")) in squeezed(page.find(id="samples").text)
    (current,) = [each for each in page.find(id="samples").find_all("a") if "aria-current" in each.attrs]
    assert current.text == str(language.label)


def test_every_header_that_is_sent_has_its_meaning(app: Any) -> None:
    assert {header.name for header in docs._headers()} == docs.MEANINGS.keys()


def test_the_schedule_is_the_one_of_the_settings(make_app: Callable[..., Any]) -> None:
    app = make_app(retry_schedule="0,5s,5m,2h", request_timeout="7s", retention_days=12)

    page = check_page(app.test_client().get("/docs"))

    rows = [row.text.split() for row in page.find("tbody", id="schedule").find_all("tr")]
    assert [" ".join(row) for row in rows] == [
        "1 0 s 0 s Mon 09:00:00",
        "2 5 s 5 s Mon 09:00:05",
        "3 5 min 5 min 5 s Mon 09:05:05",
        "4 2 h 2 h 5 min Mon 11:05:05",
    ]
    assert "4 times in all" in page.text
    assert "After 5 failures in a row the webhook is paused" in page.text
    assert "After 20 failed attempts and 5 days without a success" in page.text
    assert "within 7 s" in page.text
    assert "12 days" in page.text


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(0), "0 s"),
        (timedelta(milliseconds=1500), "1.5 s"),
        (timedelta(hours=75, minutes=35, seconds=5), "75 h 35 min"),
        (timedelta(hours=24), "24 h"),
    ],
)
def test_spans_are_told_by_their_two_largest_units(span: timedelta, words: str) -> None:
    assert docs.words(span) == words
