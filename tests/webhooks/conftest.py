"""A name server on loopback that knows a few names, and an application that asks it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import dns.message
import dns.rcode
import dns.rrset
import pytest
from flask import Flask

from tests.conftest import Make

NAMES = {"public.example.": "93.184.216.34", "inside.example.": "10.1.2.3", "metadata.example.": "169.254.169.254"}


@pytest.fixture
def name_server() -> Iterator[str]:
    """`address:port` of a DNS server that answers NAMES and says of all others that they do not exist."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    thread = threading.Thread(target=_serve, args=(server,), daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.getsockname()[1]}"
    port = server.getsockname()[1]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
        waker.sendto(b"", ("127.0.0.1", port))
    thread.join(timeout=5)
    server.close()


def _serve(server: socket.socket) -> None:
    while True:
        wire, sender = server.recvfrom(4096)
        if not wire:
            return
        query = dns.message.from_wire(wire)
        question = query.question[0]
        answer = dns.message.make_response(query)
        known = NAMES.get(question.name.to_text())
        if known is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif dns.rdatatype.to_text(question.rdtype) == "A":
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", known))
        server.sendto(answer.to_wire(), sender)


@pytest.fixture
def app(make_app: Callable[..., Flask], name_server: str) -> Flask:
    """The application on an empty database; names are looked up at the test's own server."""
    return make_app(dns_servers=[name_server])


__all__ = ["Make"]
