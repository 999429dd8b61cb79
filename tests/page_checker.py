"""Checks each fetched page for what every page must have, so that no test has to think of it.

`page = check_page(response)` after any `client.get(…)` of a page, `check_part(response)` after a request of htmx that
answers with a part of one. Both fail with the list of all that is wrong, and give the page as a tree:
`page.h1`, `page.title`, `page.text`, `page.find("form", action="/x")`, `page.find_all("a")`, `page.errors()`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from flask import current_app
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import RequestRedirect
from werkzeug.test import TestResponse

from tests.markup import Element, Reader

HX_METHODS = {"hx-get": "GET", "hx-post": "POST", "hx-put": "PUT", "hx-patch": "PATCH", "hx-delete": "DELETE"}
REFERENCES = ("for", "aria-describedby", "aria-labelledby", "aria-controls", "list", "form")
SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


class Page:
    """A parsed page or part of one."""

    def __init__(self, html: str) -> None:
        reader = Reader(html)
        self.html = html
        self.root = reader.root
        self.problems = reader.problems
        self.find = self.root.find
        self.find_all = self.root.find_all

    @property
    def text(self) -> str:
        """All words of the page."""
        return self.root.text

    @property
    def h1(self) -> str:
        """The words of the heading."""
        return self.find("h1").text

    @property
    def title(self) -> str:
        """The words of the title."""
        return self.find("head").find("title").text

    @property
    def links(self) -> dict[str, str]:
        """Each link's words and where it leads."""
        return {link.text: link.attrs.get("href", "") for link in self.find_all("a")}

    def errors(self) -> list[str]:
        """The texts of the errors at the fields of a form that came back."""
        return [element.text for element in self.find_all(class_="field-error")]


def check_page(response: TestResponse, status: int = 200) -> Page:
    """A whole page: also one h1, a title, a language, a skip link."""
    page = check_part(response, status)
    problems = list(_page_problems(page))
    assert not problems, _report(response, problems)
    return page


def check_part(response: TestResponse, status: int = 200) -> Page:
    """What holds for whole pages and parts alike: ids, forms, addresses, no inline script or style."""
    assert response.status_code == status, f"{response.request.path} answered {response.status}: {response.text[:2000]}"
    assert response.mimetype == "text/html", f"{response.request.path} is {response.mimetype}"
    page = Page(response.text)
    problems = [*page.problems, *_id_problems(page)]
    for element in page.root.walk():
        problems += [f"{problem}: {element}" for problem in _element_problems(element, response.request.path)]
    assert not problems, _report(response, problems)
    return page


def _report(response: TestResponse, problems: list[str]) -> str:
    return f"{response.request.method} {response.request.path} is not a good page:\n  " + "\n  ".join(problems)


def _page_problems(page: Page) -> Iterator[str]:
    headings = page.find_all("h1")
    if len(headings) != 1 or not headings[0].text:
        yield f"needs one h1 with words, has {[heading.text for heading in headings]}"
    titles = [title.text for title in page.find("head").find_all("title")]  # drawings have titles of their own
    if len(titles) != 1 or not re.match(r"\S.* - \S", titles[0]):
        yield f"needs one title “Page - Product”, has {titles}"
    if not page.find("html").attrs.get("lang"):
        yield "html has no lang"
    if not page.find_all("a", href="#content"):
        yield "has no skip link"
    ids = {element.attrs.get("id") for element in page.root.walk()}
    for element in page.root.walk():
        for name in REFERENCES:
            yield from (f"{name}={one} names no id: {element}" for one in _names(element, name) if one not in ids)
        target = element.attrs.get("hx-target", "")
        if re.fullmatch(r"#[\w-]+", target) and target[1:] not in ids:
            yield f"hx-target={target} is not in the page: {element}"


def _names(element: Element, name: str) -> list[str]:
    if name == "form" and element.tag == "form":
        return []
    return element.attrs.get(name, "").split()


def _id_problems(page: Page) -> Iterator[str]:
    counts = Counter(element.attrs["id"] for element in page.root.walk() if "id" in element.attrs)
    yield from (f"id “{name}” stands {count} times" for name, count in counts.items() if count > 1 or not name)


def _element_problems(element: Element, path: str) -> Iterator[str]:
    yield from _inline_problems(element)
    yield from _htmx_problems(element, path)
    if element.tag == "form":
        yield from _form_problems(element, path)
    if element.tag == "a" and "href" in element.attrs:
        yield from _address_problems(element.attrs["href"], "GET", path)
    if element.tag == "img" and "alt" not in element.attrs:
        yield "image without alt"
    if element.tag == "button" and not (element.text or element.attrs.get("aria-label")):
        yield "button without words"


def _inline_problems(element: Element) -> Iterator[str]:
    if element.tag == "style" or "style" in element.attrs:
        yield "inline style"
    if element.tag == "script" and "src" not in element.attrs:
        yield "inline script"
    yield from (f"inline {name}" for name in element.attrs if re.match(r"on[a-z]+$|hx-on", name))


def _htmx_problems(element: Element, path: str) -> Iterator[str]:
    for name, method in HX_METHODS.items():
        if name in element.attrs:
            yield from _address_problems(element.attrs[name], method, path)
    for name in ("hx-vals", "hx-headers", "hx-vars"):
        if element.attrs.get(name, "").startswith(("js:", "javascript:")):
            yield f"{name} with js: does not work under the policy"
    if "[" in element.attrs.get("hx-trigger", ""):
        yield "hx-trigger with a [filter] does not work under the policy"


def _form_problems(form: Element, path: str) -> Iterator[str]:
    method = form.attrs.get("method", "").lower()
    if method == "dialog":
        return
    if method not in {"get", "post"}:
        yield "form without method"
    if not form.attrs.get("action"):
        yield "form without action"
    else:
        yield from _address_problems(form.attrs["action"], method.upper(), path)
    if method == "post" and not form.find_all("input", name="csrf_token"):
        yield "form without csrf_token"


def _address_problems(address: str, method: str, path: str) -> Iterator[str]:
    """Addresses of our own must exist; foreign ones may only be https and http."""
    if SCHEME.match(address) or address.startswith("//"):
        if not address.lower().startswith(("https://", "http://", "mailto:")):
            yield f"{address[:40]} is no address to lead to"
        return
    own = urlsplit(address).path or ("" if address.startswith(("#", "?")) else path)
    if not own:
        return
    try:
        current_app.url_map.bind("localhost").match(own, method=method)
    except RequestRedirect:
        return
    except MethodNotAllowed:
        yield f"{own} does not take {method}"
    except HTTPException:
        yield f"{own} leads nowhere"
