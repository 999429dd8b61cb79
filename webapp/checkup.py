"""Everything that an operator can look after, looked at once: `webapp check`. Each finding says what to do."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from webapp import agreement, installation, key_rotation
from webapp.accounts.mailing import Connection, MailFailed
from webapp.agreement import Standing
from webapp.config import PREFIX, Settings, current
from webapp.delivery import condition, surveying
from webapp.delivery.condition import GOOD, Level, Verdict
from webapp.extensions import db
from webapp.models import Event, Worker, database_now, utc_now

CLOCKS_DIFFER_AT_MOST = timedelta(seconds=5)
RECEIVERS_BEAR = timedelta(minutes=5)  # a signature's time may be so far off
SHOWN_FAULTS = 3


@dataclass(frozen=True)
class Found:
    """How one part is, in a sentence."""

    part: str
    level: Level
    sentence: str


def look(app: Flask, answers: Callable[[str], bool]) -> Iterator[Found]:
    """Look at all parts. `answers` says whether something answers at an address of ours."""
    with app.app_context():
        settings = current()
        yield Found("folder", *_folder(settings))
        yield Found("address", *_address(settings, answers))
        yield Found("mail", *_mail(settings))
        is_usable, found = _database(app)
        yield found
        if is_usable:
            yield Found("secrets", *_secrets())
            yield Found("clock", *_clock())
            for finding in condition.judge(surveying.survey()):
                yield Found(finding.part, finding.level, finding.sentence)


def _folder(settings: Settings) -> Verdict:
    folder = settings.instance
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return Level.BAD, f"{folder} cannot be read and written. Give it to the account that runs this."
    open_keys = [path for path in folder.glob("*.key") if _is_open(path)]
    if open_keys:
        return Level.BAD, f"Others can read {open_keys[0]}. Run chmod 600 on it, and webapp rotate-keys --new."
    if _is_open(folder):
        return Level.WATCH, f"Others can look into {folder}. Run chmod 700 on it."
    return GOOD


def _is_open(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO))


def _address(settings: Settings, answers: Callable[[str], bool]) -> Verdict:
    if not settings.base_url:
        return Level.GOOD, f"{PREFIX}BASE_URL is not set; links lead to where `webapp up` listens."
    if not answers(f"{settings.base_url}/healthz"):
        return (
            Level.WATCH,
            f"{settings.base_url} does not answer from here. Check the proxy, the name and {PREFIX}BASE_URL.",
        )
    return GOOD


def _mail(settings: Settings) -> Verdict:
    server = settings.mail_server
    if server is None:
        return Level.GOOD, "No mail is sent; notices stand on the pages."
    try:
        with Connection(server, name="localhost", ca_file=settings.ca_file):
            return GOOD
    except MailFailed as error:
        return Level.WATCH, f"The mail server does not take mails ({error}). Check {PREFIX}MAIL_URL; notices wait."


def _database(app: Flask) -> tuple[bool, Found]:
    try:
        installation.require_database(app)
        faults = _faults()
    except installation.NotReady as error:
        return False, Found("integrity", Level.BAD, str(error))
    except sa.exc.DatabaseError as error:
        return False, Found("integrity", Level.BAD, str(installation.unusable(error)))
    if faults:
        text = "; ".join(faults[:SHOWN_FAULTS])
        return False, Found("integrity", Level.BAD, f"It is damaged ({text}). {installation.RESTORE}")
    return True, Found("integrity", *GOOD)


def _faults() -> list[str]:
    if not current().is_sqlite:
        return []
    with db.engine.connect() as connection:
        checked = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA quick_check(10)")]
        if damages := [line.replace("\n", " ") for line in checked if line != "ok"]:
            return damages  # what is damaged cannot be asked more
        orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(SHOWN_FAULTS)
    return [f"a row of {table} names one of {parent} that is not there" for table, _, parent, _ in orphans]


def _secrets() -> Verdict:
    standing, sentence = agreement.difference()
    if standing is Standing.OTHER_ENCRYPTION_KEYS:
        return Level.BAD, sentence
    unreadable = key_rotation.unreadable()
    if unreadable:
        return Level.BAD, f"No key opens {unreadable} stored secrets. Put back the key that they were encrypted with."
    if standing is Standing.OTHER_SECRET_KEY:
        return Level.WATCH, sentence
    return GOOD


def _clock() -> Verdict:
    apart = abs(database_now() - utc_now())
    if apart > CLOCKS_DIFFER_AT_MOST:
        level = Level.BAD if apart > RECEIVERS_BEAR else Level.WATCH
        return (
            level,
            f"The clocks of this machine and of the database are {apart.total_seconds():.0f} s apart. Run NTP.",
        )
    newest = [db.session.scalar(query) for query in _NEWEST]
    ahead = max((moment - utc_now() for moment in newest if moment is not None), default=timedelta(0))
    if ahead > CLOCKS_DIFFER_AT_MOST:
        return (
            Level.BAD,
            f"Something was written {ahead.total_seconds():.0f} s in the future: the clock went back. Run NTP.",
        )
    return GOOD


_NEWEST = (
    sa.select(Event.created_at).order_by(Event.seq.desc()).limit(1),
    sa.select(sa.func.max(Worker.beat_at)),
)
