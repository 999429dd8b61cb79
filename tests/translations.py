"""`python -m tests.translations`: collect all texts, bring the German ones up to date, say which lack, and compile.

Run it after changing a text: it adds new ones to `messages.po` with an empty translation, drops those that are gone,
and exits 1 while any lacks. `.babel.cfg` says where texts come from. In templates and `webapp/web/` they are marked
with `_()`, `ngettext()` or `_l()`. Below that a whole sentence needs no mark: `extract_sentences` finds it, be it in a
named error, a dictionary or a constant; single words there are marked with `N_()`. Where texts are shown they go
through gettext, those of named errors by `webapp.web.errors.said`.
"""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from babel.messages import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir, extract_python
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
MAPPING = ROOT / ".babel.cfg"
GERMAN = ROOT / "webapp" / "translations" / "de" / "LC_MESSAGES" / "messages.po"
SOURCES = ("templates", "webapp")
KEYWORDS = {**DEFAULT_KEYWORDS, "_l": None, "lazy_gettext": None, "lazy_text": None, "lazy_ngettext": (1, 2)}
LINE_WIDTH = 120
# A capital or a value at the beginning, a blank within, an end. What quotes code in `backticks` is for programmers.
SENTENCE = re.compile(r"(?:[A-Z]|%\()[^`]*\s[^`]*[.?!]")
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%(?!\()")


def extract_sentences(
    file: BinaryIO, keywords: Mapping[str, Any], comment_tags: Sequence[str], options: Any
) -> Iterator[tuple[Any, ...]]:
    """Babel's extraction method for Python, and besides every whole sentence that no call has marked."""
    source = file.read()
    yield from extract_python(io.BytesIO(source), keywords, comment_tags, options)
    tree = ast.parse(source)
    left_out = {id(node) for node in _left_out(tree, keywords)}
    for node in ast.walk(tree):
        if id(node) not in left_out and isinstance(node, ast.Constant) and _is_sentence(node.value):
            yield node.lineno, "gettext", node.value, []


def extract_descriptions(
    file: BinaryIO, _keywords: Mapping[str, Any], _comment_tags: Sequence[str], options: Any
) -> Iterator[tuple[Any, ...]]:
    """Babel's extraction method for settings: the help of each, which the system page shows."""
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.keyword) and node.arg == "description" and isinstance(node.value, ast.Constant):
            yield node.value.lineno, "gettext", node.value.value, []


def fresh() -> Catalog:
    """All texts as they are in the code now, without translations."""
    with MAPPING.open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file, str(MAPPING))
    catalog = Catalog(locale="de")
    found = extract_from_dir(str(ROOT), methods, options, KEYWORDS, directory_filter=_is_source)
    for name, line, text, comments, context in found:
        catalog.add(text, None, [(name, line)], auto_comments=comments, context=context)
    return catalog


def kept() -> Catalog:
    """The German texts as they are kept."""
    with GERMAN.open("rb") as file:
        return read_po(file, locale="de")


def updated() -> Catalog:
    """The German texts with the new ones, which are empty, and without those that are gone."""
    catalog = kept()
    catalog.msgid_bugs_address = ""
    catalog.update(fresh(), no_fuzzy_matching=True, update_creation_date=False)
    return catalog


def lacking(catalog: Catalog) -> list[Message]:
    """The texts that have no translation, or one that is in doubt."""
    return [message for message in catalog if message.id and (message.fuzzy or not all(_strings(message)))]


def placeholders(text: str) -> list[str]:
    """The values and percent signs of a text, in the order of the alphabet."""
    return sorted(match[0] for match in PLACEHOLDER.finditer(text))


def compiled(catalog: Catalog) -> bytes:
    """The texts as the programs read them."""
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def main() -> int:
    """Update and compile; 1 while a translation lacks."""
    catalog = updated()
    with GERMAN.open("wb") as file:
        write_po(file, catalog, width=LINE_WIDTH, sort_by_file=True, ignore_obsolete=True, include_lineno=False)
    GERMAN.with_suffix(".mo").write_bytes(compiled(catalog))
    left = lacking(catalog)
    for message in left:
        print(f"no translation: {message.id!r} ({', '.join(sorted({name for name, _ in message.locations}))})")
    print(f"{len(catalog)} texts, {len(left)} without a translation")
    return 1 if left else 0


def _strings(message: Message) -> tuple[str, ...]:
    string = message.string or ""
    return (string,) if isinstance(string, str) else tuple(string)


def _is_sentence(value: object) -> bool:
    return isinstance(value, str) and SENTENCE.fullmatch(value) is not None


def _left_out(tree: ast.AST, keywords: Mapping[str, Any]) -> Iterator[ast.AST]:
    """What is inside of marked calls and of f-strings, and the texts that stand alone: docstrings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Call) and _name(node.func) in keywords):
            yield from ast.walk(node)
        elif isinstance(node, ast.Expr):
            yield node.value


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _is_source(folder: str) -> bool:
    return Path(folder).relative_to(ROOT).parts[0] in SOURCES


if __name__ == "__main__":
    sys.exit(main())
