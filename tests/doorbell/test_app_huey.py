"""huey inside Flask, bound to the queue that a URL names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import Flask, current_app

from webapp.doorbell import AppHuey, QueueUrlError, make_huey


def test_tasks_declared_before_the_queue_is_known_run_in_the_newest_application(
    tmp_path: Path, seen: list[Any]
) -> None:
    huey = AppHuey("blue-webhooks")
    note = huey.task()(lambda: seen.append(current_app.name))
    with pytest.raises(RuntimeError, match="init_app"):
        note()
    for name in ("first", "second"):
        app = Flask(name)
        huey.init_app(app, f"sqlite:///{tmp_path / name}.db")
        assert app.extensions["huey"] is huey
        note()
        huey.execute(huey.dequeue())
        assert huey.dequeue() is None
    assert seen == ["first", "second"]
    huey.storage.close()
    huey.init_app(Flask("third"), "memory://")
    note()
    assert huey.pending_count() == 1


def test_making_and_binding_opens_nothing(tmp_path: Path) -> None:
    make_huey(f"sqlite:///{tmp_path}/queue.db", app=Flask("x"))
    make_huey("redis://127.0.0.1:1/0")
    make_huey("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong", ["", "queue.db", "sqlite://", "sqlite:///", "sqlite:///:memory:", "amqp://x", "redis://127.0.0.1:x/0"]
)
def test_a_wrong_url_is_refused_and_changes_nothing(wrong: str) -> None:
    huey = make_huey("memory://")
    before = huey.storage
    with pytest.raises(QueueUrlError):
        huey.bind(wrong)
    assert huey.storage is before


@pytest.mark.parametrize(
    ("url", "package", "extra"), [("redis://x", "redis", "redis"), ("postgresql://x", "psycopg", "postgres")]
)
def test_a_missing_extra_is_named(url: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == package else pytest.fail(name))
    with pytest.raises(QueueUrlError, match=rf"pip install 'blue-webhooks\[{extra}\]'"):
        make_huey(url)
