"""Connections to vetted addresses and to no other: pinned, checked by name, with one deadline for everything."""

import socket
import ssl
import time
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from webapp.delivery.transport.answers import Answer
from webapp.delivery.transport.failures import (
    CONNECT_REFUSED,
    CONNECT_TIMEOUT,
    LOST,
    PEER_DIFFERS,
    PROXY_REFUSED,
    PROXY_UNREACHABLE,
    TIMED_OUT,
    TLS_FAILED,
    TransportFailure,
    tls_failure,
)
from webapp.delivery.transport.wires import Wire
from webapp.models.delivery import ErrorWord

MAX_BODY_WAIT_S = 2.0
GRACE_S = 1.0  # for the head, and for the body, where this process stood still past the deadline


@dataclass(frozen=True, slots=True)
class Proxy:
    """The operator's outgoing proxy. `authorization` is the value of Proxy-Authorization, or None."""

    host: str
    port: int
    authorization: str | None = None

    @classmethod
    def with_login(cls, host: str, port: int, login: str | None) -> "Proxy":
        """A proxy with `user:password`, if it wants one."""
        value = f"Basic {b64encode(login.encode()).decode()}" if login else None
        return cls(host, port, value)


class Line(NamedTuple):
    """Where a connection goes. It is the key of kept connections: name, vetted address, and the proxy on the way.

    Addresses are text, which is quick to look up.
    """

    scheme: str
    host: str
    port: int
    address: str
    proxy: Proxy | None = None
    proxy_address: str | None = None

    @property
    def peer(self) -> tuple[str, int]:
        """Address and port of the other end of the TCP connection."""
        if self.proxy and self.proxy_address:
            return self.proxy_address, self.proxy.port
        return self.address, self.port

    @property
    def far_end(self) -> str:
        """The last address on the way that is known to us."""
        return self.peer[0] if self.proxy and not self.is_tunnelled else self.address

    @property
    def is_tunnelled(self) -> bool:
        """Whether the proxy only carries bytes, so that the connection still ends at the vetted address."""
        return self.proxy is not None and self.scheme == "https"


def tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 or newer, certificates checked by name; the authorities of `certifi` and of the operator's file.

    Nothing is taken from the environment: `load_default_certs` would read SSL_CERT_FILE.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    if ca_file:
        context.load_verify_locations(ca_file)
    return context


class PinnedConnection:
    """One connection along a line. Raises TransportFailure for all that a network can do."""

    def __init__(self, line: Line, tls: ssl.SSLContext, connect_by: float) -> None:
        self.line = line
        self.connect_s: float | None = None
        self.tls_s: float | None = None
        self.opened_at = time.monotonic()
        self.idle_since = self.opened_at
        self.is_used_again = False
        self.first_byte_s: float | None = None
        self._tls = tls
        self._connect_by = connect_by
        self._wire: Wire | None = None

    def connect(self) -> None:
        """Connect, through the proxy if there is one, and set up TLS, all by the deadline for it. Only once."""
        sock = self._socket_to_peer()
        try:
            self.connect_s = time.monotonic() - self.opened_at
            if self.line.is_tunnelled:
                self._tunnel_through(sock)
            if self.line.scheme == "https":
                sock = self._encrypted(sock)
        except BaseException:
            sock.close()
            raise
        self._wire = Wire(sock)

    @property
    def is_connected(self) -> bool:
        """Whether it is open and nothing has come that nobody asked for."""
        return self._wire is not None and self._wire.is_quiet

    def close(self) -> None:
        """Close it for good."""
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def exchange(self, head: bytes, body: bytes, deadline: float) -> Answer:
        """Send one request and read its answer: the head by `deadline`, the body for at most 2 s after it.

        A process that stood still past the deadline may read on for a moment, but sends nothing more: by then the
        delivery may be another worker's, or not be wanted.
        """
        wire = self._wire
        if wire is None:
            raise RuntimeError("connect first")
        wire.until(deadline)
        wire.first_byte_at = None
        began = time.monotonic()
        answer = Answer(wire)
        try:
            with suppress(ConnectionError):
                wire.send(head + body)  # a receiver may refuse a body before it has it all; its answer may be there
            wire.until(deadline, grace_s=GRACE_S)
            answer.begin()
        except TimeoutError:
            raise TransportFailure(ErrorWord.TIMED_OUT, TIMED_OUT) from None
        except ssl.SSLError:
            raise TransportFailure(ErrorWord.TLS_ERROR, TLS_FAILED) from None
        except OSError:
            raise TransportFailure(ErrorWord.CONNECTION_LOST, LOST) from None
        finally:
            self.first_byte_s = wire.first_byte_at and wire.first_byte_at - began
        wire.until(min(deadline, time.monotonic() + MAX_BODY_WAIT_S), grace_s=GRACE_S)
        answer.read_body()
        return answer

    def _socket_to_peer(self) -> socket.socket:
        host, port = self.line.peer
        # No free file descriptor is our own trouble, not the receiver's: it raises.
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.settimeout(_left(self._connect_by))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect((host, port))
            self._check_peer(sock)
        except TimeoutError:
            sock.close()
            raise self._unreachable(ErrorWord.CONNECT_TIMEOUT, CONNECT_TIMEOUT) from None
        except OSError:
            sock.close()
            raise self._unreachable(ErrorWord.CONNECT_REFUSED, CONNECT_REFUSED) from None
        except BaseException:
            sock.close()
            raise
        return sock

    def _check_peer(self, sock: socket.socket) -> None:
        host, port = self.line.peer
        peer = sock.getpeername()
        if (ip_address(peer[0]), peer[1]) != (ip_address(host), port):
            raise TransportFailure(ErrorWord.ADDRESS_REFUSED, PEER_DIFFERS)
        if sock.getsockname() == peer:  # on loopback a socket can meet itself where nobody listens
            raise ConnectionRefusedError

    def _unreachable(self, word: ErrorWord, sentence: str) -> TransportFailure:
        if self.line.proxy:
            return TransportFailure(ErrorWord.PROXY_ERROR, PROXY_UNREACHABLE)
        return TransportFailure(word, sentence)

    def _encrypted(self, sock: socket.socket) -> ssl.SSLSocket:
        began = time.monotonic()
        try:
            sock.settimeout(_left(self._connect_by))
            encrypted = self._tls.wrap_socket(sock, server_hostname=self.line.host)
        except (OSError, ValueError) as error:  # ValueError: a name that TLS cannot carry
            raise tls_failure(error) from None
        self.tls_s = time.monotonic() - began
        return encrypted

    def _tunnel_through(self, sock: socket.socket) -> None:
        """CONNECT names the vetted address, so that the proxy resolves nothing."""
        address = self.line.address
        goal = f"[{address}]:{self.line.port}" if ":" in address else f"{address}:{self.line.port}"
        lines = [f"CONNECT {goal} HTTP/1.1", f"Host: {goal}"]
        if self.line.proxy and self.line.proxy.authorization:
            lines.append(f"Proxy-Authorization: {self.line.proxy.authorization}")
        wire = Wire(sock)
        wire.until(self._connect_by)
        try:
            wire.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
            answer = Answer(wire)
            answer.begin()
        except (OSError, TransportFailure):
            raise TransportFailure(ErrorWord.PROXY_ERROR, PROXY_UNREACHABLE) from None
        if answer.status != 200:
            raise TransportFailure(ErrorWord.PROXY_ERROR, PROXY_REFUSED)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
