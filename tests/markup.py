"""A small reader of HTML for tests: a tree of elements, and what is wrong with the nesting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
CLOSES_ITSELF = frozenset(["li", "dt", "dd", "p", "tr", "td", "th", "thead", "tbody", "option"])


@dataclass(eq=False)
class Element:
    """One element: its tag, attributes and children (elements and texts)."""

    tag: str
    attrs: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)
    line: int = 0

    def __str__(self) -> str:
        shown = " ".join(f'{name}="{value[:60]}"' for name, value in list(self.attrs.items())[:4])
        return f"<{self.tag} {shown}> (line {self.line})"

    def walk(self) -> Iterator[Element]:
        """All elements below this one, in the order of the page."""
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child.walk()

    def find_all(self, *tags: str, **attrs: str) -> list[Element]:
        """Elements of these tags (all when none) with these attributes; data_x means data-x, `class_` holds a class."""
        return [element for element in self.walk() if _fits(element, tags, attrs)]

    def find(self, *tags: str, **attrs: str) -> Element:
        """The first such element; fails the test when there is none."""
        found = self.find_all(*tags, **attrs)
        assert found, f"no {' or '.join(tags) or 'element'} {attrs or ''} in the page"
        return found[0]

    @property
    def text(self) -> str:
        """The words inside, blanks made single."""
        return " ".join(" ".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag not in {"script", "style", "template"}:
                yield from child._texts()


def _fits(element: Element, tags: tuple[str, ...], attrs: dict[str, str]) -> bool:
    if tags and element.tag not in tags:
        return False
    for name, value in attrs.items():
        if name == "class_":
            if value not in element.attrs.get("class", "").split():
                return False
        elif element.attrs.get(name.rstrip("_").replace("_", "-")) != value:
            return False
    return True


class Reader(HTMLParser):
    """Reads a page into `root` and collects `problems` of nesting."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("#document")
        self.problems: list[str] = []
        self._open = [self.root]
        self.feed(html.replace("<wbr>", ""))  # where a word may break is no end of it
        self.close()
        self.problems += [f"never closed: {e}" for e in self._open[1:] if e.tag not in CLOSES_ITSELF]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, line=self.getpos()[0])
        if len(attrs) != len(element.attrs):
            self.problems.append(f"an attribute stands twice: {element}")
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self._open) - 1, 0, -1):
            if self._open[depth].tag == tag:
                self.problems += [
                    f"not closed before </{tag}>: {e}" for e in self._open[depth + 1 :] if e.tag not in CLOSES_ITSELF
                ]
                del self._open[depth:]
                return
        self.problems.append(f"</{tag}> in line {self.getpos()[0]} closes nothing")

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)
