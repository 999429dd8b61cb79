"""Names to addresses, within a deadline: the hosts file first, then DNS. What comes back is not yet vetted.

Each name is asked for once per attempt, one query for A and one for AAAA, as an absolute name. Nothing is cached: an
answer that was fine a minute ago proves nothing now (DNS rebinding).
"""

import errno
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Literal

import dns.exception
import dns.message
import dns.nameserver
import dns.resolver

from webapp.models.delivery import ErrorWord

RESOLVE_LIMIT_S = 5.0
MAX_ADDRESSES = 32
MAX_ALIASES = 8
DNS_PORT = 53
NO_DESCRIPTORS = frozenset([errno.EMFILE, errno.ENFILE])
HOSTS_FILE = Path("/etc/hosts")
SYSTEM_SERVERS_FILE = Path("/etc/resolv.conf")
LOOPBACK = (IPv4Address("127.0.0.1"), IPv6Address("::1"))

NOT_FOUND = "There is no such name, or it has no address. Check the spelling and the DNS entry."
ALIASES = "The name's aliases (CNAME) form a loop or a chain of more than 8."
NO_ANSWER = "The name server gave no usable answer in time."
NO_SERVER = "No name server is known. Set WEBAPP_DNS_SERVERS."
TOO_MANY = "This name has more than 32 addresses. Use a name with fewer."

_NAME_SERVER = re.compile(
    r"([0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*)|\[([^\]]+)\](?::([0-9]+))?|([^:]*)(?::([0-9]+))?"
)

Address = IPv4Address | IPv6Address


class ResolveError(Exception):
    """A name did not lead to usable addresses; `word` is the outcome, the text the reason in plain English."""

    def __init__(self, word: ErrorWord, sentence: str) -> None:
        super().__init__(sentence)
        self.word = word
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a name leads to: the addresses, IPv4 first, and the canonical names at the end of its aliases."""

    addresses: tuple[Address, ...]
    canonical_names: tuple[str, ...] = ()


class Resolver:
    """Asks the given DNS servers (`address` or `address:port`), else the system's. Safe for many threads."""

    def __init__(self, servers: Sequence[str] | None = None, hosts_file: Path = HOSTS_FILE) -> None:
        self._servers = [_name_server(text) for text in servers] if servers else None
        self._hosts = _Hosts(hosts_file)
        self._system: dns.resolver.Resolver | None = None
        self._system_version: int | None = None

    def resolve(self, host: str, deadline: float) -> Resolution:
        """The addresses of a name, by `deadline` (of the monotonic clock) or within 5 s; raises ResolveError."""
        if addresses := self._hosts.addresses(host):
            return _bounded(Resolution(addresses))
        if host == "localhost" or host.endswith(".localhost"):
            return Resolution(LOOPBACK)  # never asked for outside: RFC 6761, section 6.3
        end = min(deadline, time.monotonic() + RESOLVE_LIMIT_S)
        return _bounded(_look_up(self._resolver(), host, end))

    def _resolver(self) -> dns.resolver.Resolver:
        if self._servers is not None:
            return _stub_resolver(self._servers)
        version = _version(SYSTEM_SERVERS_FILE)
        if self._system is None or version != self._system_version:  # a laptop changes its network
            try:
                self._system = dns.resolver.Resolver()
            except dns.resolver.NoResolverConfiguration:
                raise ResolveError(ErrorWord.DNS_TIMEOUT, NO_SERVER) from None
            self._system_version = version
        return self._system


def _stub_resolver(servers: Sequence[dns.nameserver.Nameserver]) -> dns.resolver.Resolver:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = list(servers)
    return resolver


def _look_up(resolver: dns.resolver.Resolver, host: str, end: float) -> Resolution:
    """One query for each family. The second may fail when the first gave addresses: only vetted ones are used."""
    ipv4 = _ask(resolver, host, "A", end)
    try:
        ipv6 = _ask(resolver, host, "AAAA", end)
    except ResolveError:
        if not ipv4.addresses:
            raise
        return ipv4
    if not ipv4.addresses + ipv6.addresses:
        raise ResolveError(ErrorWord.DNS_NOT_FOUND, NOT_FOUND)
    return Resolution(ipv4.addresses + ipv6.addresses, ipv4.canonical_names + ipv6.canonical_names)


def _ask(resolver: dns.resolver.Resolver, host: str, kind: Literal["A", "AAAA"], end: float) -> Resolution:
    left = end - time.monotonic()
    if left <= 0:
        raise ResolveError(ErrorWord.DNS_TIMEOUT, NO_ANSWER)
    try:
        answer = resolver.resolve(f"{host}.", kind, lifetime=left, search=False, raise_on_no_answer=False)
    except dns.resolver.NXDOMAIN:
        raise ResolveError(ErrorWord.DNS_NOT_FOUND, NOT_FOUND) from None
    except dns.resolver.NoNameservers as error:
        for cause in _causes(error):
            _raise_own_trouble(cause)
        raise _failure(error) from None
    except (dns.exception.DNSException, OSError):
        raise ResolveError(ErrorWord.DNS_TIMEOUT, NO_ANSWER) from None
    if len(answer.chaining_result.cnames) > MAX_ALIASES:
        raise ResolveError(ErrorWord.DNS_NOT_FOUND, ALIASES)
    addresses = tuple(ip_address(record.address) for record in answer.rrset or ())
    return Resolution(addresses, (answer.canonical_name.to_text(omit_final_dot=True),))


def _raise_own_trouble(error: object) -> None:
    """A process that has no file descriptor left must not say that a name is at fault: then the error is raised."""
    if isinstance(error, OSError) and error.errno in NO_DESCRIPTORS:
        raise error


def _failure(error: dns.resolver.NoNameservers) -> ResolveError:
    """Every server failed: it is the name's fault only when its aliases never end."""
    if any(isinstance(cause, dns.message.ChainTooLong) for cause in _causes(error)):
        return ResolveError(ErrorWord.DNS_NOT_FOUND, ALIASES)
    return ResolveError(ErrorWord.DNS_TIMEOUT, NO_ANSWER)


def _causes(error: dns.resolver.NoNameservers) -> list[object]:
    return [entry[3] for entry in error.kwargs.get("errors", ())]


def _bounded(resolution: Resolution) -> Resolution:
    if len(resolution.addresses) > MAX_ADDRESSES:
        raise ResolveError(ErrorWord.ADDRESS_REFUSED, TOO_MANY)
    return resolution


def _name_server(text: str) -> dns.nameserver.Nameserver:
    """`1.1.1.1`, `1.1.1.1:5353`, `::1` or `[::1]:5353`; raises ValueError that names the wrong entry."""
    match = _NAME_SERVER.fullmatch(text.strip())
    try:
        host, port = (match[1] or match[2] or match[4], match[3] or match[5]) if match else ("", None)
        return dns.nameserver.Do53Nameserver(str(ip_address(host)), int(port or DNS_PORT))
    except ValueError:
        raise ValueError(f"DNS_SERVERS: {text!r} is not an address or address:port.") from None


class _Hosts:
    """The hosts file, read again when it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version: int | None = None
        self._table: dict[str, tuple[Address, ...]] = {}

    def addresses(self, host: str) -> tuple[Address, ...]:
        version = _version(self._path)
        if version != self._version:
            self._table = _read_hosts(self._path)
            self._version = version
        return self._table.get(host, ())


def _version(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None


def _read_hosts(path: Path) -> dict[str, tuple[Address, ...]]:
    """Each name with all its addresses, IPv4 first; lines that cannot be read are left out."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        _raise_own_trouble(error)
        return {}
    table: dict[str, list[Address]] = {}
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        try:
            address = ip_address(words[0]) if words else None
        except ValueError:
            continue
        for name in words[1:] if address else ():
            table.setdefault(name.lower().rstrip("."), []).append(address)  # type: ignore[arg-type]
    return {name: tuple(sorted(set(found), key=_family_first)) for name, found in table.items()}


def _family_first(address: Address) -> tuple[int, int]:
    return address.version, int(address)
