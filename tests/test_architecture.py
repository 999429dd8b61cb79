"""The house keeps its shape: arrows, sizes, and words that are not used. Ways out of a process: test_exits.py."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.__main__ import CHECKS

ROOT = Path(__file__).parents[1]
MAX_LINES, MAX_TEST_LINES = 400, 600
TOP_LEVEL = {"pyproject.toml", "README.md", "webapp", "templates", "static", "tests", "instance"}
NEVER = re.compile(r"\b(?:pickle\.loads?|yaml\.load|render_template_string|eval|exec)\(")
FORBIDDEN_NAMES = re.compile(r"(?:utils?|helpers?|common|managers?|services?|misc)\.py$")


def sources(folder: str, pattern: str = "*.py") -> Iterator[Path]:
    return (path for path in sorted((ROOT / folder).rglob(pattern)) if "vendor" not in path.parts)


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_imports_go_one_way_down() -> None:
    linted = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize(("folder", "most"), [("webapp", MAX_LINES), ("tests", MAX_TEST_LINES)])
def test_no_file_is_a_god(folder: str, most: int) -> None:
    long = {name(path): len(path.read_text().splitlines()) for path in sources(folder) if "versions" not in path.parts}
    assert {path: lines for path, lines in long.items() if lines > most} == {}


def test_nothing_else_lies_at_the_top_level() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this is no checkout")
    tops = {path.split("/")[0] for path in listed.stdout.split()}
    assert {top for top in tops if not top.startswith(".")} <= TOP_LEVEL


def test_no_module_is_a_drawer_for_everything() -> None:
    assert [name(path) for path in sources("webapp") if FORBIDDEN_NAMES.search(path.name)] == []


@pytest.mark.proves("W40")
def test_nothing_is_unpickled_evaluated_or_rendered_from_text() -> None:
    assert [name(path) for path in sources("webapp") if NEVER.search(path.read_text())] == []


@pytest.mark.proves("W22", "A55")
def test_secrets_are_never_compared_with_equals() -> None:
    """A comparison that stops at the first difference tells how much was right."""
    secret = re.compile(r"(?:secret|signature|digest|hmac|password|secret_sha256)$", re.IGNORECASE)
    found = []
    for path in sources("webapp"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Compare) or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
                continue
            sides = [node.left, *node.comparators]
            named = [getattr(side, "attr", getattr(side, "id", "")) for side in sides]
            is_harmless = any(
                isinstance(side, ast.Attribute) and ast.unparse(side.value)[:1].isupper() for side in sides
            )
            is_harmless |= all(ast.unparse(node.left) in ast.unparse(side) for side in sides)  # compared with itself
            is_harmless |= any(".c." in ast.unparse(side) for side in sides)
            is_harmless |= any(isinstance(side, ast.Constant) and not isinstance(side.value, str) for side in sides)
            if any(secret.search(one) for one in named) and not is_harmless:
                found.append(f"{name(path)}:{node.lineno} {ast.unparse(node)}")
    assert found == []


def test_templates_hold_no_inline_style_or_script() -> None:
    inline = re.compile(
        r"\s(?:style|on[a-z]+|hx-on[:\w-]*)\s*=|<style|<script(?![^>]*\bsrc=)|\|\s*safe\b", re.IGNORECASE
    )
    found = {name(path): inline.findall(path.read_text()) for path in sources("templates", "*.html")}
    assert {path: hits for path, hits in found.items() if hits} == {}


@pytest.mark.proves("W39")
def test_no_statement_is_built_from_values() -> None:
    """Bound parameters only: no f-string, no %, no format inside text()."""
    built = re.compile(r"\btext\(\s*f[\"']|\btext\([^)]*[\"']\s*%|\btext\([^)]*\.format\(")
    assert [name(path) for path in sources("webapp") if built.search(path.read_text())] == []


@pytest.mark.proves("W48")
def test_every_dependency_has_a_lower_bound_and_those_that_send_are_new_enough() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    bounds = {re.split(r"[^a-z0-9-]", each)[0]: re.findall(r">=([\d.]+)", each) for each in project["dependencies"]}
    assert [name for name, bound in bounds.items() if len(bound) != 1] == []
    least = {name: tuple(int(part) for part in bound[0].split(".")) for name, bound in bounds.items()}
    assert least["urllib3"] >= (2, 7)
    assert least["requests"] >= (2, 33)


@pytest.mark.proves("W49")
def test_the_checks_of_security_and_types_are_part_of_every_run() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert "S" in tools["ruff"]["lint"]["select"]
    assert not [rule for rule in tools["ruff"]["lint"]["ignore"] if rule.startswith("S")]
    assert tools["mypy"]["strict"] is True
    assert {("ruff", "check"), ("mypy",)} <= {check[:2] for check in CHECKS}
