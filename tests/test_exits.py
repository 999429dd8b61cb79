"""One module sends what people ask for, and every other way out of a process is known, with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.exits import exits

ROOT = Path(__file__).parents[1]

# Where a way out may be, and to what. Nobody but a developer decides where any of these leads, but the first two.
DOORS = {
    "webapp/delivery/transport/": "requests socket .connect",  # to vetted addresses only
    "webapp/delivery/resolving.py": "dns",  # asks name servers of the operator
    "webapp/accounts/mailing.py": "smtplib",  # to the operator's mail server
    "webapp/models/postgresql.py": "psycopg",  # the database
    "webapp/doorbell/": "redis socket .sendto",  # the queue, and sockets that are files
    "webapp/supervisor.py": "subprocess",  # this program itself, once more
    "webapp/cli/": "socket urllib.request .urlopen http.client",  # does this installation answer? and its bench
    "webapp/cli/__init__.py": "importlib.import_module",  # its own modules, whose names stand there
    "webapp/benchmark/": "http.client requests urllib3 socket subprocess redis .urlopen",  # own processes, on loopback
    "webapp/patience.py": "socket.socket",  # only named: connections that came in
    "webapp/receiver/listening.py": "socket.socket",  # the same
    "webapp/web/receiving.py": "socket.socket",  # the same
}


def sources() -> list[Path]:
    return sorted((ROOT / "webapp").rglob("*.py"))


def is_allowed(found: str, door: str) -> bool:
    return any(found == word or found.startswith(f"{word}.") for word in DOORS[door].split())


@pytest.mark.proves("A45", "W41")
def test_no_module_has_a_way_out_that_is_not_known() -> None:
    unknown = []
    for path in sources():
        name = path.relative_to(ROOT).as_posix()
        doors = [door for door in DOORS if name.startswith(door)]
        unknown += [f"{name}: {way}" for way in exits(path.read_text()) if not any(is_allowed(way, d) for d in doors)]
    assert unknown == []


def test_every_known_way_out_is_still_there() -> None:
    used = {
        (door, word)
        for path in sources()
        for door in DOORS
        if path.relative_to(ROOT).as_posix().startswith(door)
        for way in exits(path.read_text())
        for word in DOORS[door].split()
        if way == word or way.startswith(f"{word}.")
    }
    assert {(door, word) for door, words in DOORS.items() for word in words.split()} - used == set()


@pytest.mark.proves("A45")
@pytest.mark.parametrize(
    ("code", "way"),
    [
        ("import requests", "requests"),
        ("def f():\n    from requests import post", "requests"),
        ("import requests.sessions as r", "requests.sessions"),
        ("from urllib import request", "urllib.request"),
        ("import urllib.request as u", "urllib.request"),
        ("from http.client import HTTPSConnection", "http.client"),
        ("import http.client", "http.client"),
        ("import httpx", "httpx"),
        ("import urllib3.util", "urllib3.util"),
        ("from smtplib import SMTP", "smtplib"),
        ("import socket\nsocket.create_connection(a)", "socket.create_connection"),
        ("import socket as s\ns.create_connection(a)", "socket.create_connection"),
        ("from socket import create_connection as c\nc(a)", "socket.create_connection"),
        ("from socket import socket\nsocket().connect(a)", "socket.socket"),
        ("import socket\ndef f(sock):\n    sock.connect(a)", ".connect"),
        ("import socket\nopener = socket.socket", "socket.socket"),
        ("def f(x):\n    x.connect_ex(a)", ".connect_ex"),
        ("import asyncio\nasyncio.open_connection(a)", "asyncio.open_connection"),
        ("async def f(loop):\n    await loop.create_connection(a)", ".create_connection"),
        ("import subprocess\nsubprocess.run(['curl', u])", "subprocess.run"),
        ("from subprocess import Popen as P\nP(['curl', u])", "subprocess.Popen"),
        ("import os\nos.system(c)", "os.system"),
        ("import os\nos.execvp(c, a)", "os.execvp"),
        ("import socket\nsocket.getaddrinfo(h, 1)", "socket.getaddrinfo"),
        ("import dns.resolver", "dns.resolver"),
        ("import importlib\nimportlib.import_module('req' + 'uests')", "importlib.import_module"),
        ("__import__('requests')", "__import__"),
        ("import redis", "redis"),
    ],
)
def test_a_way_out_is_found(code: str, way: str) -> None:
    assert way in exits(code)


@pytest.mark.parametrize(
    "code",
    [
        "from http import HTTPStatus",
        "from urllib.parse import urlsplit",
        "import importlib.util\nimportlib.util.find_spec('redis')",
        "with db.engine.connect() as connection: pass",
        "import sqlite3\nsqlite3.connect(path)",
        "import socket\nname = socket.gethostname()",
        "from webapp.delivery.transport import requests_of",
        "'import requests'",
    ],
)
def test_what_leads_nowhere_is_not_found(code: str) -> None:
    assert exits(code) == set()
