"""Which test proves which claim: a mark on the test, a sentence in claims.toml, one command that shows and runs both.

A test says what it proves, by one or several numbers:

    @pytest.mark.proves("W01", "A61")
    def test_every_unsafe_route_refuses_without_a_token() -> None: ...

(also on a class, or as ``pytestmark`` of a module). The sentence of the number stands in ``tests/proofs/claims.toml``;
add both together, as a claim without a test and a mark without a claim turn the run red. ``python -m tests.proofs``
prints the table, ``python -m tests.proofs W01 A61`` runs the tests of these numbers, long ones included.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
CLAIMS = Path(__file__).with_name("claims.toml")
LONG = "soak"


@dataclass(frozen=True)
class Proof:
    """A test that proves something, as pytest names it, and whether it runs on each change or on demand alone."""

    test: str
    is_long: bool


def claims() -> dict[str, str]:
    """Number → what is claimed, in the order of the file."""
    return {
        number: sentence for group in tomllib.loads(CLAIMS.read_text()).values() for number, sentence in group.items()
    }


@cache
def proofs() -> dict[str, list[Proof]]:
    """Number → the tests that say that they prove it."""
    found: dict[str, list[Proof]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for number, proof in _of_file(path):
            found.setdefault(number, []).append(proof)
    return found


def _of_file(path: Path) -> Iterator[tuple[str, Proof]]:
    tree = ast.parse(path.read_text())
    of_module = [mark for node in tree.body for mark in _module_marks(node)]
    yield from _of_body(tree.body, path.relative_to(ROOT).as_posix(), of_module)


def _of_body(body: list[ast.stmt], place: str, outer: list[ast.expr]) -> Iterator[tuple[str, Proof]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _of_body(node.body, f"{place}::{node.name}", [*outer, *node.decorator_list])
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            marks = [*outer, *node.decorator_list]
            is_long = any(_name(mark) == LONG for mark in marks)
            for number in _numbers(marks):
                yield number, Proof(f"{place}::{node.name}", is_long)


def _module_marks(node: ast.stmt) -> list[ast.expr]:
    if not isinstance(node, ast.Assign) or not any(ast.unparse(target) == "pytestmark" for target in node.targets):
        return []
    return node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]


def _numbers(marks: list[ast.expr]) -> Iterator[str]:
    for mark in marks:
        if isinstance(mark, ast.Call) and _name(mark) == "proves":
            yield from (ast.literal_eval(number) for number in mark.args)


def _name(mark: ast.expr) -> str:
    called = mark.func if isinstance(mark, ast.Call) else mark
    return called.attr if isinstance(called, ast.Attribute) else ""
