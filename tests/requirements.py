"""Programs that some tests need. Missing ones skip with a reason; WEBAPP_TESTS_REQUIRE=all makes that a failure."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

POSTGRESQL_FOLDERS = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt/postgresql")


def requires(program: str) -> str:
    """The path of a program, or a skip that names it."""
    path = shutil.which(program) or _among_postgresql(program)
    if path is None:
        unavailable(f"{program} is not installed")
    return path


def _among_postgresql(program: str) -> str | None:
    found = sorted(path for folder in POSTGRESQL_FOLDERS for path in Path(folder).glob(f"**/bin/{program}"))
    return str(found[-1]) if found else None


def unavailable(reason: str) -> None:
    """Skip the test, or fail it where everything must run."""
    if os.environ.get("WEBAPP_TESTS_REQUIRE") == "all":
        pytest.fail(reason)
    pytest.skip(reason)
