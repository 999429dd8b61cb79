"""Through the operator's proxy: the target is still vetted here, and the proxy's failures have a word of their own."""

import socket
import ssl
import threading
from contextlib import suppress
from datetime import timedelta

import pytest
import trustme

from tests.receiver import Answer, Receiver
from webapp.delivery.addresses import Policy, PolicyError
from webapp.delivery.resolving import Resolver
from webapp.delivery.sending import Outgoing, Sender
from webapp.models.delivery import ErrorWord

NAME = "hook.example.com"


class Tunnel:
    """A proxy that carries bytes: it remembers the head of each CONNECT and can refuse."""

    def __init__(self, refusal=b""):
        self.heads = []
        self._refusal = refusal
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self):
        self._threads[0].start()
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self):
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(client,), daemon=True))
                self._threads[-1].start()

    def _serve(self, client):
        with client:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(4096)
            self.heads.append(head.decode())
            if self._refusal:
                client.sendall(self._refusal)
                return
            host, _, port = head.split()[1].decode().rpartition(":")
            with socket.create_connection((host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 Connected\r\nVia: x\r\n\r\n")
                back = threading.Thread(target=copy, args=(server, client), daemon=True)
                back.start()
                copy(client, server)
                back.join(5)


def copy(source, sink):
    with suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture
def make_sender(tmp_path):
    (tmp_path / "hosts").write_text(f"127.0.0.2 {NAME}\n10.0.0.1 inside.example.com\n127.0.0.1 smokescreen\n")
    made = []

    def make(proxy, **options):
        policy = Policy.from_values(allow_http=True, allow_cidrs=["127.0.0.2/32"])
        resolver = Resolver(["127.0.0.1:9"], tmp_path / "hosts")
        made.append(Sender(policy, timeout=timedelta(seconds=2), resolver=resolver, proxy=proxy, **options))
        return made[-1]

    yield make
    for sender in made:
        sender.close()


def test_https_is_tunnelled_to_the_vetted_address_with_the_certificate_checked_by_name(make_sender, tmp_path):
    """E248"""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME).configure_cert(context)
    with Receiver("127.0.0.2", tls=context) as receiver, Tunnel() as tunnel:
        sender = make_sender(f"http://me:secret@smokescreen:{tunnel.port}", ca_file=tmp_path / "ca.pem")
        outcomes = [sender.send(Outgoing(f"https://{NAME}:{receiver.port}/a", (), b"{}")) for _ in range(2)]
        refused = sender.send(Outgoing("https://inside.example.com/", (), b"{}"))
        sender.close()

    assert [outcome.is_success for outcome in outcomes] == [True, True]
    assert len(tunnel.heads) == 1
    assert tunnel.heads[0].startswith(f"CONNECT 127.0.0.2:{receiver.port} HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n" in tunnel.heads[0]
    assert receiver.requests[0].header("Host") == f"{NAME}:{receiver.port}"
    assert receiver.requests[0].header("Proxy-Authorization") is None
    assert outcomes[0].peer == "127.0.0.2"
    assert refused.error is ErrorWord.ADDRESS_REFUSED


def test_plain_http_is_handed_to_the_proxy_with_the_whole_url(make_sender):
    with Receiver() as proxy:
        proxy.answers(Answer(202))
        outcome = make_sender(f"http://a:b@127.0.0.1:{proxy.port}/").send(
            Outgoing(f"http://{NAME}:8080/a?b", (), b"{}")
        )

    assert outcome.status == 202
    assert proxy.requests[0].path == f"http://{NAME}:8080/a?b"
    assert proxy.requests[0].header("Host") == f"{NAME}:8080"
    assert proxy.requests[0].header("Proxy-Authorization") == "Basic YTpi"
    assert "Proxy-Authorization" not in dict(outcome.request_headers)


@pytest.mark.parametrize("refusal", [b"HTTP/1.1 403 Forbidden\r\n\r\n", b"SSH-2.0\r\n", b"HTTP/1.1 200"])
def test_a_proxy_that_refuses_is_a_proxy_error(make_sender, refusal):
    with Tunnel(refusal) as tunnel:
        outcome = make_sender(f"http://127.0.0.1:{tunnel.port}").send(Outgoing(f"https://{NAME}/", (), b"{}"))

    assert (outcome.error, outcome.status) == (ErrorWord.PROXY_ERROR, None)


def test_a_proxy_that_wants_a_login_for_plain_http_is_a_proxy_error(make_sender):
    with Receiver() as proxy:
        proxy.answers(Answer(407))
        outcome = make_sender(f"http://127.0.0.1:{proxy.port}").send(Outgoing(f"http://{NAME}/", (), b"{}"))

    assert (outcome.error, outcome.status) == (ErrorWord.PROXY_ERROR, 407)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_is_a_proxy_error(make_sender, scheme):
    with Receiver() as gone:
        port = gone.port
    for host in ("127.0.0.1", "nobody.example.com"):
        sender = make_sender(f"http://{host}:{port}")
        outcome = sender.send(Outgoing(f"{scheme}://{NAME}/", (), b"{}"), timeout=timedelta(seconds=0.5))

        assert outcome.error is ErrorWord.PROXY_ERROR


@pytest.mark.parametrize("text", ["smokescreen:4750", "https://smokescreen:4750", "http://smokescreen", "http://a b:1"])
def test_a_proxy_that_cannot_be_read_refuses_the_start(make_sender, text):
    with pytest.raises(PolicyError, match="OUTBOUND_PROXY"):
        make_sender(text)
