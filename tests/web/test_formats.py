"""Times, numbers, sizes and icons as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from tests.markup import Reader
from webapp.web import formats

NOW = datetime(2026, 11, 12, 10, 30, tzinfo=UTC)


def _in(app: Flask, language: str = "en", zone: str = "Europe%2FBerlin") -> object:
    return app.test_request_context(headers={"Accept-Language": language, "Cookie": f"tz={zone}"})


@time_machine.travel(NOW, tick=False)
def test_a_time_is_relative_with_both_absolute_times_in_the_title(app: Flask) -> None:
    with _in(app):  # type: ignore[attr-defined]
        tag = Reader(formats.time_tag(NOW - timedelta(minutes=2))).root.find("relative-time")
    assert tag.text == "2 minutes ago"
    assert tag.attrs["datetime"] == "2026-11-12T10:28:00.000Z"
    assert tag.attrs["title"].replace("\u202f", " ") == "Nov 12, 2026, 11:28:00 AM (10:28:00 UTC)"


@time_machine.travel(NOW, tick=False)
def test_a_time_speaks_german(app: Flask) -> None:
    with _in(app, "de"):  # type: ignore[attr-defined]
        tag = Reader(formats.time_tag(NOW + timedelta(hours=4))).root.find("relative-time")
    assert tag.text == "in 4 Stunden"
    assert tag.attrs["title"] == "12.11.2026, 15:30:00 (14:30:00 UTC)"


def test_a_time_that_is_not_known_is_a_dash(app: Flask) -> None:
    assert Reader(formats.time_tag(None)).root.text == "–"


@pytest.mark.parametrize(
    ("milliseconds", "shown"), [(None, "–"), (0.4, "0 ms"), (142.4, "142 ms"), (999.9, "1,000 ms"), (2100, "2.1 s")]
)
def test_a_duration_has_a_unit(app: Flask, milliseconds: float | None, shown: str) -> None:
    with _in(app):  # type: ignore[attr-defined]
        assert formats.duration(milliseconds) == shown


@pytest.mark.parametrize(("octets", "shown"), [(0, "0 B"), (1023, "1,023 B"), (1536, "1.5 KB"), (5 * 1024**3, "5 GB")])
def test_a_size_has_a_unit(app: Flask, octets: int, shown: str) -> None:
    with _in(app):  # type: ignore[attr-defined]
        assert formats.size(octets) == shown


@pytest.mark.parametrize(
    ("share", "shown"), [(0, "0%"), (1, "100%"), (0.99996, "99.9%"), (0.00001, "0.1%"), (0.5, "50%")]
)
def test_only_all_reads_100_percent(app: Flask, share: float, shown: str) -> None:
    with _in(app):  # type: ignore[attr-defined]
        assert formats.percent(share) == shown


def test_an_icon_that_does_not_exist_is_an_error(app: Flask) -> None:
    with _in(app), pytest.raises(LookupError):  # type: ignore[attr-defined]
        app.jinja_env.globals["icon"]("no-such-icon")  # type: ignore[operator]


def test_a_code_may_break_after_its_underscores_and_nothing_else_gets_through() -> None:
    assert formats.breakable("TODO_CREATED") == "TODO_<wbr>CREATED"
    assert formats.breakable("<b>_x") == "&lt;b&gt;_<wbr>x"
