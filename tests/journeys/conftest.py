"""The system's Chromium, and the installations that people meet."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.chaos.installation import KILL, Installation, children
from tests.journeys.person import Person
from tests.requirements import requires

ACTION_LIMIT_MS = 15_000
NO_RETRY_SOON = "0,1h,1h"  # so that nothing but a person's click sends a failed delivery again
GIVES_UP_SOON = "0,100ms"  # so that a delivery fails for good while somebody looks
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)

expect.set_options(timeout=ACTION_LIMIT_MS)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """The distribution's Chromium; no browser is ever downloaded."""
    return {"executable_path": requires("chromium"), "args": list(CHROMIUM_ARGUMENTS)}


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Installation]:
    """An installation that nobody has used yet."""
    yield from _running(tmp_path / "empty", retry_schedule=NO_RETRY_SOON)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The demo company, shared by all who only look."""
    yield from _running(tmp_path_factory.mktemp("journeys") / "demo", "--demo")


def _running(folder: Path, *arguments: str, **settings: str) -> Iterator[Installation]:
    folder.mkdir()
    installation = Installation(folder, **settings)
    try:
        process = installation.up(*arguments)
        yield installation
        _end_at_once(process)
    finally:
        installation.close()


def _end_at_once(process: subprocess.Popen[bytes]) -> None:
    """Nothing is in flight that somebody waits for, so the seconds of a clean stop are saved."""
    offspring = children(process.pid)
    process.terminate()
    for pid in offspring:
        os.kill(pid, KILL)
    process.wait(timeout=10)


@pytest.fixture
def new_window(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Open a browser window with cookies of its own: `new_window(color_scheme="dark")`."""
    opened: list[BrowserContext] = []

    def open_window(**options: Any) -> BrowserContext:
        window = browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1280, "height": 900}, **options})
        window.set_default_timeout(ACTION_LIMIT_MS)
        opened.append(window)
        return window

    yield open_window
    for window in opened:
        window.close()


@pytest.fixture
def newcomer(empty: Installation, new_window: Callable[..., BrowserContext]) -> Person:
    """Somebody before an empty installation."""
    return Person(empty, new_window())


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Installation]:
    """An installation that nobody has used yet, which gives a delivery up after two attempts, a moment apart."""
    yield from _running(tmp_path / "impatient", retry_schedule=GIVES_UP_SOON)


@pytest.fixture
def beginner(impatient: Installation, new_window: Callable[..., BrowserContext]) -> Person:
    """Somebody before an installation where deliveries fail for good while one looks."""
    return Person(impatient, new_window())
