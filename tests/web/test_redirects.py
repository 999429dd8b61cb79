"""Only paths of this installation are followed."""

from __future__ import annotations

import pytest
from flask import Flask

from webapp.web import redirects

OUTSIDE = [
    None,
    "",
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/\n/evil.example",
    " /settings",
    "settings",
    "/a b",
    "/\x7f",
]


@pytest.mark.proves("W38")
@pytest.mark.parametrize("target", OUTSIDE)
def test_whatever_is_no_path_of_ours_is_replaced(target: str | None) -> None:
    assert redirects.local_path(target, "/home") == "/home"


@pytest.mark.parametrize("target", ["/", "/settings/webhooks?status=new#top", "/records/ä", "/a//b"])
def test_a_path_of_ours_is_kept(target: str) -> None:
    assert redirects.local_path(target) == target


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("GET", {}, "/x?y=1"),
        ("GET", {"HX-Current-URL": "http://localhost/page?z=2"}, "/page?z=2"),
        ("POST", {"Referer": "http://localhost/form"}, "/form"),
        ("POST", {}, "/"),
    ],
)
def test_here_is_the_page_that_the_person_sees(app: Flask, method: str, headers: dict[str, str], expected: str) -> None:
    with app.test_request_context("/x?y=1", method=method, headers=headers):
        assert redirects.here() == expected
