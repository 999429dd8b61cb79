"""The page checker finds what it says it finds."""

from __future__ import annotations

import pytest
from flask import Flask, request

from tests.conftest import Browser
from tests.factories import Make
from tests.page_checker import check_page, check_part

GOOD = """<!doctype html><html lang="en"><head><title>Page - Product</title></head>
<body><a href="#content">Skip</a><main id="content"><h1>Page</h1>{}</main></body></html>"""
FAULTS = {
    "<h1>Second</h1>": "needs one h1",
    '<i id="content"></i>': "stands 2 times",
    '<form method="post" action="/page"></form>': "without csrf_token",
    '<form method="get"></form>': "without action",
    '<form action="/page"></form>': "without method",
    '<form method="get" action="/nowhere"></form>': "leads nowhere",
    '<form method="dialog" action="/"><button></button></form>': "button without words",
    '<a href="/nowhere">x</a>': "leads nowhere",
    '<a href="javascript:alert(1)">x</a>': "no address to lead to",
    '<i hx-delete="/page"></i>': "does not take DELETE",
    '<i hx-trigger="click[ctrlKey]"></i>': "does not work under the policy",
    '<i hx-target="#nowhere"></i>': "is not in the page",
    '<i style="color: red"></i>': "inline style",
    "<script>1</script>": "inline script",
    '<i onclick="1"></i>': "inline onclick",
    '<label for="nowhere">x</label>': "names no id",
    "<div><b></div>": "not closed before",
    "</b>": "closes nothing",
    '<img src="/x">': "image without alt",
}


@pytest.fixture(autouse=True)
def _page(app: Flask, make: Make) -> None:
    make.user()  # else every page leads to the first-run page
    app.add_url_rule("/page", "page", lambda: GOOD.format(request.values.get("part", "")), methods=["GET", "POST"])


def test_a_good_page_passes_and_can_be_read(client: Browser) -> None:
    form = '<form method="post" action="/page"><input name="csrf_token"></form><a href="/page?x">Here</a>'
    page = check_page(client.get("/page", query_string={"part": form}))
    assert (page.h1, page.title, page.links["Here"]) == ("Page", "Page - Product", "/page?x")
    assert page.find("form", action="/page").attrs["method"] == "post"


@pytest.mark.parametrize(("part", "problem"), FAULTS.items())
def test_a_fault_is_named(client: Browser, part: str, problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        check_page(client.get("/page", query_string={"part": part}))


def test_another_status_is_a_fault(client: Browser) -> None:
    with pytest.raises(AssertionError, match="answered 200"):
        check_part(client.get("/page"), 422)
