"""A DNS server on loopback, over UDP and TCP, that lies as it is told and counts what it was asked.

with DnsServer() as dns:
    dns.says("hook.example.com", "A", ["203.0.114.5"], ["127.0.0.1"])  # the second list from the second query on
    dns.leads("alias.example.com", "metadata.google.internal")
"""

import itertools
import socket
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

MAX_UDP_BYTES = 512
MAX_CHAIN = 40


class DnsServer:
    """Answers from `with` to its end. Unknown names do not exist; nothing of an answer may be kept (TTL 0)."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._tcp, self._udp = _both(host)
        self.port: int = self._udp.getsockname()[1]
        self.address = f"{host}:{self.port}"
        self.queries: list[tuple[str, str, str]] = []  # name, type, "udp" or "tcp"
        self._records: dict[tuple[str, str], list[list[str]]] = {}
        self._aliases: dict[str, str] = {}
        self._rcodes: dict[tuple[str, str], dns.rcode.Rcode] = {}
        self._silent: set[str] = set()
        self._stalling: set[str] = set()
        self._flooding: set[str] = set()
        self._babbling: set[str] = set()
        self._is_stalling = False  # the last question was for a name whose answer over TCP never ends
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=serve, daemon=True) for serve in (self._serve_udp, self._serve_tcp)]

    def says(self, name: str, kind: str, *answers: Iterable[str]) -> None:
        """Give these addresses for a name: one list for each query, the last for ever."""
        self._records[name, kind] = [list(answer) for answer in answers]

    def leads(self, name: str, to: str) -> None:
        """Make a name an alias of another."""
        self._aliases[name] = to

    def leads_on(self, name: str, length: int, to: str) -> None:
        """Make a chain of so many aliases, from a name to another."""
        links = [name, *(f"link{number}.{name}" for number in range(1, length)), to]
        for link, following in itertools.pairwise(links):
            self.leads(link, following)

    def fails(self, name: str, *kinds: str) -> None:
        """Answer questions for a name (only of these types, if any are given) with SERVFAIL."""
        for kind in kinds or ("A", "AAAA"):
            self._rcodes[name, kind] = dns.rcode.SERVFAIL

    def ignores(self, name: str) -> None:
        """Never answer questions for a name."""
        self._silent.add(name)

    def stalls(self, name: str) -> None:
        """Say that the answer is too long for UDP, and begin one over TCP that never ends."""
        self._stalling.add(name)

    def floods(self, name: str) -> None:
        """Answer with a thousand answers to other questions."""
        self._flooding.add(name)

    def babbles(self, name: str) -> None:
        """Answer with bytes that are no answer."""
        self._babbling.add(name)

    def asked(self, name: str) -> list[str]:
        """The types that were asked for, in order."""
        return [kind for asked, kind, _ in self.queries if asked == name]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._udp.getsockname())
        with suppress(OSError):
            self._tcp.shutdown(socket.SHUT_RDWR)
        self._tcp.close()
        for thread in self._threads:
            thread.join(5)
        self._udp.close()

    def _serve_udp(self) -> None:
        while not self._stopped.is_set():
            packet, client = self._udp.recvfrom(4096)
            for answer in self._answers(packet, "udp"):
                self._udp.sendto(answer, client)

    def _serve_tcp(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._tcp.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as reader, suppress(OSError, struct.error):
                (size,) = struct.unpack("!H", reader.read(2))
                for answer in self._answers(reader.read(size), "tcp"):
                    connection.sendall(struct.pack("!H", len(answer)) + answer[: len(answer) - self._is_stalling])
                    if self._is_stalling:
                        reader.read(1)  # until the other end gives up

    def _answers(self, packet: bytes, transport: str) -> Iterator[bytes]:
        """What goes back for one packet: mostly one answer."""
        try:
            query = dns.message.from_wire(packet)
        except dns.exception.DNSException:
            return
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.queries.append((name, kind, transport))
        self._is_stalling = name in self._stalling
        if name in self._silent:
            return
        if name in self._babbling:
            yield from (b"\xff" * 40, packet[:2] + b"\x81\x80" + b"\xc0\x0c" * 20)
            return
        response = dns.message.make_response(query)
        if name in self._flooding:
            for number in range(1_000):
                response.id = (query.id + 1 + number) % 65_536
                yield response.to_wire()
            return
        self._fill(response, name, kind)
        wire = response.to_wire()
        if transport == "udp" and (len(wire) > MAX_UDP_BYTES or self._is_stalling):
            response.answer.clear()
            response.flags |= dns.flags.TC
            wire = response.to_wire()
        yield wire

    def _fill(self, response: dns.message.Message, name: str, kind: str) -> None:
        if (name, kind) in self._rcodes:
            response.set_rcode(self._rcodes[name, kind])
            return
        seen = 0
        while name in self._aliases and seen < MAX_CHAIN:
            response.answer.append(dns.rrset.from_text(f"{name}.", 0, "IN", "CNAME", f"{self._aliases[name]}."))
            name, seen = self._aliases[name], seen + 1
        answers = self._records.get((name, kind))
        if answers and (answer := answers.pop(0) if len(answers) > 1 else answers[0]):
            response.answer.append(dns.rrset.from_text(f"{name}.", 0, "IN", kind, *answer))
        elif not seen and not any(known == name for known, _ in self._records):
            response.set_rcode(dns.rcode.NXDOMAIN)


def _both(host: str) -> tuple[socket.socket, socket.socket]:
    """A TCP and a UDP socket on the same free port."""
    while True:
        tcp = socket.create_server((host, 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            tcp.close()
            udp.close()
        else:
            return tcp, udp
