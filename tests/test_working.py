"""The process that sends: it holds what it needs for that and for its tasks, and nothing that serves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from tests.factories import Make
from webapp import create_worker
from webapp.accounts.letters import Recipient, letter
from webapp.config import PREFIX
from webapp.models import Notice, NoticeTemplate, transaction

OF_PAGES = {"webapp.web", "webapp.api", "webapp.seeds", "webapp.serving", "webapp.request_extensions", "webapp.server"}
WITH_PAGES = {"flask_limiter", "flask_login", "flask_smorest", "flask_wtf", "gunicorn", "marshmallow", "wtforms"}
WITH_OTHER_COMMANDS = {"webapp.upgrading", "webapp.benchmark", "alembic", "flask_migrate", "mako"}
LOADED = """
import sys
from webapp import cli, config, create_worker
cli.commands.get_command(None, "worker")
create_worker(config.load())
print(*sys.modules)
"""


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Python, in a process of its own with an installation of its own."""
    environment = {"PATH": "", f"{PREFIX}INSTANCE": str(folder / "instance")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=Path(__file__).parents[1], env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_a_worker_loads_nothing_that_serves(tmp_path: Path) -> None:
    told = run("-c", LOADED, folder=tmp_path)

    assert told.returncode == 0, told.stderr
    loaded = set(told.stdout.split())
    assert "webapp.delivery.dispatching" in loaded
    assert loaded & (OF_PAGES | WITH_PAGES | WITH_OTHER_COMMANDS) == set()


def test_a_worker_refuses_to_start_without_a_database(tmp_path: Path) -> None:
    refused = run("-m", "webapp", "worker", folder=tmp_path)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Run `webapp db upgrade`" in refused.stderr


@pytest.mark.parametrize("locale", ["en", "de"])
@pytest.mark.parametrize("template", NoticeTemplate)
def test_a_worker_writes_each_mail_as_any_process_does(
    make_app: Callable[..., Flask], template: NoticeTemplate, locale: str
) -> None:
    app = make_app(base_url="https://hooks.example.com")
    values = {"webhookId": "cabc", "name": "Orders", "held": 3, "disabledAt": "2026-11-28T09:30:00+00:00"}
    with transaction() as session:
        session.add(notice := Notice(user_id=Make().user().id, template=template, values=values))
    to = Recipient("ada@example.com", "Ada", locale, "Asia/Tokyo")
    written = letter(notice, to, token="t0ken").as_string()

    with create_worker(app.extensions["settings"]).app_context():
        assert letter(notice, to, token="t0ken").as_string() == written
