"""The one grammar for URLs. What it lets through has one meaning for every parser."""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

import idna

from webapp.delivery.addresses.ranges import Address
from webapp.delivery.addresses.refusals import AddressRefused, Refusal

MAX_URL_BYTES = 2_048
MAX_NAME_LENGTH = 253
MAX_LABEL_LENGTH = 63
DEFAULT_PORTS = {"https": 443, "http": 80}

_URL = re.compile(r"([^:/?#@\[\]]+)://([^/?#]*)([/?][^#]*)?")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::(.*))?", re.DOTALL)
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0[xob][0-9a-f_]*")
_JOINERS = "\u200c\u200d"  # not printable, yet part of some names; IDNA judges where they may stand


@dataclass(frozen=True, slots=True)
class Target:
    """One parsed URL: lower-case ASCII host (IPv6 without brackets), path with its query as written."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The one spelling that is stored, shown and used."""
        return f"{self.scheme}://{self.host_header}{self.path}"

    @property
    def host_header(self) -> str:
        """Host and port as they stand in a URL and in the Host header: no default port, IPv6 in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def host_shown(self) -> str:
        """The host as people write it: `xn--` labels decoded."""
        return ".".join(idna.ulabel(label) if label.startswith("xn--") else label for label in self.host.split("."))

    @property
    def address(self) -> Address | None:
        """The address, when the host is one."""
        return literal(self.host)

    @property
    def is_encrypted(self) -> bool:
        """Whether it is https."""
        return self.scheme == "https"


def split(url: str) -> Target:
    """The target that a text names, judged as text only; raises AddressRefused."""
    text = url.strip(" ")
    if any(_is_hidden(char) for char in text):
        raise AddressRefused(Refusal.CHARACTERS)
    if len(text.encode()) > MAX_URL_BYTES:
        raise AddressRefused(Refusal.TOO_LONG)
    if "#" in text:
        raise AddressRefused(Refusal.FRAGMENT)
    match = _URL.fullmatch(text)
    if match is None:
        raise AddressRefused(Refusal.FORM)
    scheme, authority, path = match[1].lower(), match[2], match[3] or "/"
    if scheme not in DEFAULT_PORTS:
        raise AddressRefused(Refusal.SCHEME)
    host, port = split_authority(authority)
    target = Target(scheme, host, port or DEFAULT_PORTS[scheme], _escaped("/" * (path[0] == "?") + path))
    if len(target.url) > MAX_URL_BYTES:
        raise AddressRefused(Refusal.TOO_LONG)
    return target


def _is_hidden(char: str) -> bool:
    return char in " \\" or not (char.isprintable() or char in _JOINERS)


def _escaped(path: str) -> str:
    """ASCII as written; other characters the way every client sends them, as escaped UTF-8."""
    return "".join(c if c.isascii() else "".join(f"%{byte:02X}" for byte in c.encode()) for c in path)


def split_authority(authority: str) -> tuple[str, int | None]:
    """Host and port, None where no port is written; raises AddressRefused."""
    if "@" in authority:
        raise AddressRefused(Refusal.CREDENTIALS)
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise AddressRefused(Refusal.FORM if not authority else Refusal.HOST)
    host, port = match.groups()
    if port is None:
        return _host(host), None
    if not _PORT.fullmatch(port) or int(port) > 65_535:
        raise AddressRefused(Refusal.PORT)
    return _host(host), int(port)


def _host(text: str) -> str:
    """The one spelling of a host: a canonical address or a lower-case ASCII name."""
    if text.startswith("["):
        address = literal(text[1:-1])
        if not isinstance(address, IPv6Address):
            raise AddressRefused(Refusal.HOST)
        return str(address)
    if isinstance(literal(text), IPv4Address):
        return text
    labels = [_label(label) for label in _lowered(text).removesuffix(".").split(".")]
    name = ".".join(labels)
    if len(name) > MAX_NAME_LENGTH or _NUMBER.fullmatch(labels[-1]):
        raise AddressRefused(Refusal.HOST)
    return name


@lru_cache(maxsize=4_096)
def literal(text: str) -> Address | None:
    """The address that the text is, if it is one and names no zone."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return None if "%" in text else address


def _lowered(text: str) -> str:
    """A name in lower case; refused when its normal form (UTS 46) is anything else than that."""
    if text.isascii():
        return text.lower()
    if any(not char.isascii() and char.lower().isascii() for char in text):
        raise AddressRefused(Refusal.HOST)  # a sign such as Kelvin's that turns into a letter
    lowered = "".join(char.lower() for char in text)
    try:
        mapped = idna.uts46_remap(text, std3_rules=False, transitional=False)
    except idna.IDNAError:
        raise AddressRefused(Refusal.HOST) from None
    if mapped != lowered:
        raise AddressRefused(Refusal.HOST)
    return lowered


def _label(label: str) -> str:
    """One label as it is looked up, `xn--` where it is not ASCII; both ways of IDNA 2008 must agree."""
    try:
        ascii_label = label if label.isascii() else idna.alabel(label).decode("ascii")
        if ascii_label.startswith("xn--"):
            idna.ulabel(ascii_label)
    except idna.IDNAError:
        raise AddressRefused(Refusal.HOST) from None
    if len(ascii_label) > MAX_LABEL_LENGTH or not _LABEL.fullmatch(ascii_label):
        raise AddressRefused(Refusal.HOST)
    return ascii_label
