"""The README tells what is there: its settings table is made of the settings, its commands exist."""

from __future__ import annotations

import re
import shutil
import subprocess
from configparser import ConfigParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from tests.proofs import proofs
from webapp.cli import COMMANDS
from webapp.cli.roles import STOP_MARGIN_S
from webapp.config import PREFIX, Settings
from webapp.server import GRACEFUL_TIMEOUT_S

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
    assert named <= set(COMMANDS), named - set(COMMANDS)


def test_its_two_commands_do_their_own_set_up() -> None:
    lines = [line for line in README.read_text().splitlines() if line.startswith("python3 -m venv .venv && ")]
    assert [line.split("&& ")[-1] for line in lines] == [".venv/bin/webapp up --demo", ".venv/bin/python -m tests"]


def test_the_unit_file_is_one_that_systemd_takes_and_gives_time_to_stop(tmp_path: Path) -> None:
    text = re.search(r"```ini\n(.*?)```", README.read_text(), re.DOTALL)
    assert text
    unit = ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text[1])

    assert unit["Service"]["ExecStart"].split()[1] in COMMANDS
    assert int(unit["Service"]["TimeoutStopSec"]) > Settings().request_timeout.total_seconds() + STOP_MARGIN_S
    assert int(unit["Service"]["TimeoutStopSec"]) > GRACEFUL_TIMEOUT_S
    if verify := shutil.which("systemd-analyze"):
        runnable = text[1].replace("/opt/webhooks/bin/webapp", shutil.which("true") or "").replace("=webhooks", "=root")
        path = tmp_path / "webhooks-worker@.service"
        path.write_text(runnable)
        checked = subprocess.run([verify, "verify", path], capture_output=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, b"")


def test_every_number_in_its_table_of_proofs_is_proven() -> None:
    section = README.read_text().partition("### Proofs")[2].partition("\n## ")[0]
    named = set(re.findall(r"\b[AFW]\d\d\b", section))

    assert named
    assert named <= set(proofs())
