"""Installations of real processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.installation import Installation


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Callable[..., Installation]]:
    """Make an installation: `install(lease_seconds="2")`. Its processes end with the test."""
    made: list[Installation] = []

    def make(**settings: str) -> Installation:
        folder = tmp_path / f"installation{len(made)}"
        folder.mkdir()
        made.append(Installation(folder, **settings))
        return made[-1]

    yield make
    for installation in made:
        installation.close()
