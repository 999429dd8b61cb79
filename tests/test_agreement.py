"""Machines of one installation agree on their keys, and say so where they do not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from cryptography.fernet import Fernet
from flask import Flask

from tests.factories import Make
from webapp import agreement, create_app
from webapp.agreement import Standing
from webapp.cli import commands
from webapp.config import load
from webapp.extensions import db
from webapp.installation import NotReady
from webapp.models import Agreement
from webapp.upgrading import bring_up_to_date

both_databases = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
ONE, TWO = Fernet.generate_key().decode(), Fernet.generate_key().decode()

MakeApp = Callable[..., Flask]


def machine(make_app: MakeApp, *keys: str, secret_key: str = "s" * 40) -> Flask:
    return make_app(encryption_keys=",".join(keys), secret_key=secret_key)


def told() -> list[Agreement]:
    db.session.rollback()
    return list(db.session.scalars(sa.select(Agreement)))


@both_databases
def test_machines_with_the_same_keys_agree(make_app: MakeApp) -> None:
    agreement.require_keys(machine(make_app, ONE))
    agreement.require_keys(machine(make_app, ONE), serves_pages=True)

    assert agreement.difference() == (Standing.SAME, "")
    assert len(told()) == 1


@both_databases
@pytest.mark.proves("W51")
def test_a_machine_with_encryption_keys_of_its_own_is_kept_from_starting(make_app: MakeApp) -> None:
    agreement.require_keys(machine(make_app, ONE))
    before = told()[0].value
    with pytest.raises(NotReady, match=r"(?s)encryption keys here.*instance/\*\.key.*webapp rotate-keys"):
        agreement.require_keys(machine(make_app, TWO))

    assert told()[0].value == before
    assert agreement.difference()[0] is Standing.OTHER_ENCRYPTION_KEYS


@both_databases
def test_an_older_key_beside_a_newer_one_agrees(make_app: MakeApp) -> None:
    agreement.require_keys(machine(make_app, ONE))
    agreement.require_keys(machine(make_app, TWO, ONE))


@both_databases
def test_rotating_makes_the_newest_key_the_one_to_agree_on(make_app: MakeApp) -> None:
    agreement.require_keys(machine(make_app, ONE))
    machine(make_app, TWO, ONE)
    agreement.renew()

    agreement.require_keys(machine(make_app, TWO))
    with pytest.raises(NotReady, match="encryption keys here"):
        agreement.require_keys(machine(make_app, ONE))


@both_databases
@pytest.mark.proves("W51")
def test_another_secret_key_is_told_where_pages_are_served(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement.require_keys(machine(make_app, ONE, secret_key="a" * 40))
    other = machine(make_app, ONE, secret_key="b" * 40)
    monkeypatch.setattr(logging.getLogger("webapp"), "propagate", True)
    agreement.require_keys(other)
    assert (caplog.messages, agreement.difference()[0]) == ([], Standing.OTHER_SECRET_KEY)

    agreement.require_keys(other, serves_pages=True)
    assert "WEBAPP_SECRET_KEY" in caplog.messages[0]
    db.session.rollback()
    assert agreement.difference()[0] is Standing.SAME


@both_databases
def test_of_two_first_machines_one_is_kept_from_starting(make_app: MakeApp) -> None:
    apps, refused = [machine(make_app, ONE), machine(make_app, TWO)], []
    together = threading.Barrier(len(apps))

    def start(app: Flask) -> None:
        together.wait()
        try:
            agreement.require_keys(app)
        except NotReady as error:
            refused.append(error)

    threads = [threading.Thread(target=start, args=(app,)) for app in apps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(refused) == 1


def test_no_key_can_be_told_from_what_is_kept(make_app: MakeApp) -> None:
    agreement.require_keys(machine(make_app, ONE, secret_key="the-secret-key-of-this-machine"))

    assert "the-secret-key" not in told()[0].value
    assert agreement._digest() not in told()[0].value


def test_an_installation_whose_keys_are_lost_takes_new_ones_when_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    bring_up_to_date(create_app(load()))
    arguments = ["user", "create", "--email", "ada@example.com", "--password", "correct horse battery staple"]
    assert CliRunner().invoke(commands, arguments).exit_code == 0
    (tmp_path / "instance" / "encryption.key").unlink()

    refused = CliRunner().invoke(commands, ["seed"])
    assert isinstance(refused.exception, NotReady)
    rotated = CliRunner().invoke(commands, ["rotate-keys"])
    assert rotated.exit_code == 0
    assert CliRunner().invoke(commands, ["token", "create", "--user", "ada@example.com"]).exit_code == 0


def test_the_check_tells_of_other_keys(make_app: MakeApp, make: Make) -> None:
    from webapp.checkup import _secrets  # noqa: PLC0415

    make.webhook()
    agreement.require_keys(machine(make_app, ONE))
    machine(make_app, TWO)

    assert "encryption keys here" in _secrets()[1]
