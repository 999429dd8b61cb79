"""Keys: every secret gets the newest one while everything goes on, and none is lost."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken
from flask import Flask

from tests.factories import SECRET, Make
from webapp import config, create_app, key_rotation
from webapp.config import SettingsError
from webapp.extensions import db
from webapp.key_ring import KeyRing, add_key
from webapp.key_rotation import Rotated
from webapp.models import Inbox, UnreadableSecret, Webhook, transaction
from webapp.models.base import decrypt, keyring

both_databases = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


def encrypted(text: str) -> str:
    return keyring().encrypt(text.encode()).decode()


def newest(app: Flask) -> Fernet:
    ring: KeyRing = app.extensions["keyring"]
    return ring.newest


def stored() -> list[str]:
    """Every ciphertext as it lies in the database."""
    db.session.rollback()
    found = []
    for column in key_rotation.ciphertext_columns():
        query = sa.select(sa.type_coerce(column, sa.Text)).where(column.is_not(None))
        found += db.session.scalars(query).all()
    return found


def key_file(app: Flask) -> Path:
    path = app.extensions["settings"].key_file
    assert isinstance(path, Path)
    return path


def test_every_column_with_ciphertexts_is_known() -> None:
    known = {f"{column.table.name}.{column.name}" for column in key_rotation.ciphertext_columns()}

    assert known >= {"webhook.secret", "webhook.previous_secret", "webhook.headers", "inbox.own_secret"}


@pytest.mark.proves("W24")
@both_databases
def test_every_secret_is_encrypted_anew_and_stays_the_same(app: Flask, make: Make) -> None:
    webhook = make.webhook(previous_secret_ciphertext=encrypted("old"), headers_ciphertext=encrypted("[]"))
    make.webhook(secret=None)
    with transaction() as session:
        inbox = Inbox(user_id=webhook.created_by_id, name="In", token="t", own_secret="mine")
        session.add(inbox)
    before = stored()
    time_of = Fernet(key_file(app).read_text().split()[0]).extract_timestamp
    times = sorted(time_of(text.encode()) for text in before)

    assert key_rotation.rotate() == Rotated(kept=4)
    add_key(app.extensions["settings"])
    assert key_rotation.rotate() == Rotated(renewed=4)
    assert key_rotation.rotate() == Rotated(kept=4)

    assert not set(before) & set(stored())
    assert sorted(newest(app).extract_timestamp(text.encode()) for text in stored()) == times
    assert sorted(decrypt(text) for text in stored()) == sorted([SECRET, "old", "[]", "mine"])
    assert inbox.own_secret == "mine"


@both_databases
def test_more_rows_than_a_batch_are_all_found(app: Flask, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rotation, "BATCH", 2)
    person = make.user()
    for _ in range(5):
        make.webhook(by=person)
    add_key(app.extensions["settings"])

    assert key_rotation.rotate() == Rotated(renewed=5)


def test_what_no_key_opens_is_counted_and_left(app: Flask, make: Make) -> None:
    foreign = Fernet(Fernet.generate_key()).encrypt(b"x").decode()
    first = make.webhook(secret_ciphertext=foreign)
    second = make.webhook(secret_ciphertext="no ciphertext at all")
    make.webhook()
    add_key(app.extensions["settings"])

    assert key_rotation.rotate() == Rotated(renewed=1, unreadable=2)
    db.session.rollback()
    assert (first.secret_ciphertext, second.secret_ciphertext) == (foreign, "no ciphertext at all")


def test_a_secret_that_is_changed_meanwhile_wins(app: Flask, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    webhook = make.webhook()
    add_key(app.extensions["settings"])
    write = key_rotation._write

    def changed_before(*arguments: object) -> None:
        with transaction():
            webhook.secret_ciphertext = encrypted("changed")
        monkeypatch.undo()
        write(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(key_rotation, "_write", changed_before)
    key_rotation.rotate()

    db.session.rollback()
    assert decrypt(webhook.secret_ciphertext or "") == "changed"


def test_a_process_that_runs_knows_a_new_key_at_once(app: Flask, database: str, make: Make) -> None:
    webhook = make.webhook()
    other = create_app(config.load(database_url=database))

    add_key(app.extensions["settings"])
    key_rotation.rotate()

    with other.app_context():
        row = db.session.get(Webhook, webhook.id)
        assert row is not None
        assert decrypt(row.secret_ciphertext or "") == SECRET
        theirs = encrypted("theirs")
        db.engine.dispose()
    newest(app).decrypt(theirs.encode())


def test_a_fresh_key_stands_before_the_others_for_the_owner_alone(app: Flask) -> None:
    (first,) = key_file(app).read_text().split()

    add_key(app.extensions["settings"])
    add_key(app.extensions["settings"])

    third, second, last = key_file(app).read_text().split()
    assert (last, len({first, second, third})) == (first, 3)
    assert stat.S_IMODE(key_file(app).stat().st_mode) == 0o600
    assert [path.name for path in key_file(app).parent.glob("encryption.key*")] == ["encryption.key"]


def test_fresh_keys_made_at_once_all_stay(app: Flask) -> None:
    settings = app.extensions["settings"]
    threads = [threading.Thread(target=add_key, args=(settings,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(key_file(app).read_text().split())) == 9


def test_keys_from_the_environment_are_not_ours_to_change(make_app: Callable[..., Flask]) -> None:
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    app = make_app(encryption_keys=keys[1:])
    webhook = Make().webhook()
    with pytest.raises(SettingsError, match="without --new"):
        add_key(app.extensions["settings"])

    make_app(encryption_keys=keys)

    assert key_rotation.rotate() == Rotated(renewed=1)
    db.session.rollback()
    assert Fernet(keys[0]).decrypt((webhook.secret_ciphertext or "").encode()).decode() == SECRET


def test_a_file_that_is_spoilt_meanwhile_changes_nothing(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    text = encrypted("mine")
    key_file(app).write_text("no key\n")

    assert decrypt(text) == "mine"
    assert decrypt(encrypted("more")) == "more"
    assert len(caplog.records) == 1
    key_file(app).unlink()
    assert decrypt(text) == "mine"
    with pytest.raises(UnreadableSecret):
        decrypt(Fernet(Fernet.generate_key()).encrypt(b"x").decode())


def test_a_file_that_holds_no_keys_is_refused_at_start(app: Flask) -> None:
    key_file(app).write_text("no key\n")

    with pytest.raises(SettingsError, match=r"encryption\.key"):
        create_app(config.load())


def test_a_lost_key_is_an_unreadable_secret(app: Flask, make: Make) -> None:
    webhook = make.webhook()
    key_file(app).write_text(Fernet.generate_key().decode())

    with pytest.raises(UnreadableSecret):
        decrypt(webhook.secret_ciphertext or "")
    with pytest.raises(InvalidToken):
        newest(app).decrypt((webhook.secret_ciphertext or "").encode())
