"""The README tells what is there: its settings table is made of the settings, its commands exist."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from webapp.cli import commands
from webapp.config import PREFIX, Settings

README = Path(__file__).parents[1] / "README.md"


def settings_table() -> str:
    """The rows between the two marks in the README."""
    rows = ["| setting | default | meaning |", "| --- | --- | --- |"]
    for name, field in Settings.model_fields.items():
        rows.append(f"| `{PREFIX}{name.upper()}` | {_default(field.default)} | {field.description} |")
    return "\n".join(rows)


def _default(value: Any) -> str:
    if isinstance(value, list):
        return f"`{','.join(_span(part) for part in value)}`" if value else ""
    if isinstance(value, timedelta):
        return f"`{_span(value)}`"
    if isinstance(value, SecretStr) or value is None or value == "":
        return ""
    return f"`{value}`"


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, unit in ((3600, "h"), (60, "m")):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s" if seconds else "0"


def test_the_settings_table_is_that_of_the_settings() -> None:
    found = re.search(r"<!-- settings -->\n(.*?)\n<!-- /settings -->", README.read_text(), re.DOTALL)
    assert found
    assert found.group(1) == settings_table()


def test_every_command_that_it_names_exists() -> None:
    named = set(re.findall(r"webapp (\w[\w-]*)", re.sub(r"```.*?```", "", README.read_text(), flags=re.DOTALL)))
    assert named <= set(commands.commands), named - set(commands.commands)


def test_its_two_commands_do_their_own_set_up() -> None:
    lines = [line for line in README.read_text().splitlines() if line.startswith("python3 -m venv .venv && ")]
    assert [line.split("&& ")[-1] for line in lines] == [".venv/bin/webapp up --demo", ".venv/bin/python -m tests"]
