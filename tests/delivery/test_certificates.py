"""TLS: the certificate is checked by name against the known authorities, and nothing can switch that off."""

import datetime
import socket
import ssl
import threading
import warnings
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
import trustme

from tests.receiver import SILENCE, Raw, Receiver, endless
from webapp.delivery.addresses import Policy
from webapp.delivery.resolving import Resolver
from webapp.delivery.sending import Outgoing, Sender
from webapp.models.delivery import ErrorWord

NAME = "hook.example.com"
LAST_YEAR = datetime.datetime.now(datetime.UTC) - timedelta(days=365)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def hosts(tmp_path):
    path = tmp_path / "hosts"
    path.write_text(f"127.0.0.2 {NAME} other.example.com\n")
    return path


@pytest.fixture
def ca_file(authority, tmp_path):
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


@pytest.fixture
def make_sender(hosts):
    made = []

    def make(ca_file=None, timeout=2.0):
        policy = Policy.from_values(allow_http=False, allow_cidrs=["127.0.0.2/32"])
        made.append(Sender(policy, timeout=timedelta(seconds=timeout), resolver=Resolver(None, hosts), ca_file=ca_file))
        return made[-1]

    yield make
    for sender in made:
        sender.close()


def server_context(issuer, *names, **options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert(*names, **options).configure_cert(context)
    return context


@contextmanager
def listening(context):
    with Receiver("127.0.0.2", tls=context) as receiver:
        yield receiver


def send(sender, receiver, host=NAME):
    return sender.send(Outgoing(f"https://{host}:{receiver.port}/", (), b"{}"))


def test_a_good_certificate_is_accepted_and_the_name_is_sent(authority, make_sender, ca_file):
    names = []
    context = server_context(authority, NAME)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    with listening(context) as receiver:
        sender = make_sender(ca_file)
        first, second = (send(sender, receiver) for _ in range(2))

    assert first.is_success
    assert second.is_success
    assert (first.peer, first.tls_ms > 0, second.tls_ms) == ("127.0.0.2", True, None)
    assert names == [NAME]
    assert receiver.connections == 1


def test_bytes_that_nobody_asked_for_end_a_connection(authority, make_sender, ca_file):
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + b"HTTP/1.1 500 X\r\n" * 2_000
    with listening(server_context(authority, NAME)) as receiver:
        receiver.answers(Raw([answer], then="next"))
        sender = make_sender(ca_file)
        statuses = [send(sender, receiver).status for _ in range(3)]

    assert statuses == [200, 200, 200]
    assert receiver.connections == 3


def test_an_address_as_host_is_checked_against_the_certificate(authority, make_sender, ca_file):
    with listening(server_context(authority, "127.0.0.2")) as receiver:
        assert send(make_sender(ca_file), receiver, "127.0.0.2").is_success
    with listening(server_context(authority, NAME)) as receiver:
        assert send(make_sender(ca_file), receiver, "127.0.0.2").error is ErrorWord.TLS_ERROR


@pytest.mark.proves("F52")
def test_a_certificate_for_another_name_is_refused(authority, make_sender, ca_file):
    """H240: the check uses the name, not the pinned address."""
    for name in ("other.example.com", "127.0.0.2", "*.com"):
        with listening(server_context(authority, name)) as receiver:
            outcome = send(make_sender(ca_file), receiver)

        assert (outcome.error, outcome.status) == (ErrorWord.TLS_ERROR, None)
        assert outcome.sentence == "The certificate belongs to another name."
        assert receiver.requests == []


@pytest.mark.proves("F52")
def test_an_expired_certificate_is_refused(authority, make_sender, ca_file):
    """H241"""
    with listening(
        server_context(authority, NAME, not_before=LAST_YEAR, not_after=LAST_YEAR + timedelta(1))
    ) as receiver:
        outcome = send(make_sender(ca_file), receiver)

    assert (outcome.error, outcome.sentence) == (ErrorWord.TLS_ERROR, "The certificate has expired.")


@pytest.mark.proves("F52")
def test_an_unknown_authority_is_refused_whatever_the_environment_says(authority, make_sender, ca_file, monkeypatch):
    """H241, E247"""
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(ca_file))
    monkeypatch.setenv("SSL_CERT_DIR", str(ca_file.parent))
    with listening(server_context(authority, NAME)) as receiver:
        outcome = send(make_sender(), receiver)

    assert outcome.error is ErrorWord.TLS_ERROR
    assert "unknown authority" in outcome.sentence
    assert receiver.requests == []


@pytest.mark.proves("F52")
def test_a_self_signed_certificate_is_refused(make_sender, tmp_path):
    """H241"""
    own = trustme.CA()
    own.private_key_pem.write_to_path(tmp_path / "key.pem")
    own.cert_pem.write_to_path(tmp_path / "cert.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with listening(context) as receiver:
        outcome = send(make_sender(), receiver)

    assert (outcome.error, outcome.sentence) == (ErrorWord.TLS_ERROR, "The certificate is self-signed.")


def test_old_protocols_are_refused(make_sender):
    """H241: what a server of TLS 1.0 answers to our greeting."""
    alert = bytes([21, 3, 1, 0, 2, 2, 70])  # fatal: protocol version
    with answering(alert) as port:
        outcome = make_sender().send(Outgoing(f"https://{NAME}:{port}/", (), b""))

    assert outcome.error is ErrorWord.TLS_ERROR
    assert outcome.sentence == "The receiver offers no TLS 1.2 or newer."


@pytest.mark.proves("F52")
def test_a_server_that_speaks_only_old_protocols_is_refused(authority, make_sender, ca_file):
    """H241, F52: a real one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = server_context(authority, NAME)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with listening(context) as receiver:
        outcome = send(make_sender(ca_file), receiver)

    assert outcome.error is ErrorWord.TLS_ERROR
    assert outcome.sentence == "The receiver offers no TLS 1.2 or newer."
    assert receiver.requests == []


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH\r\n", b""])
def test_a_receiver_without_tls_is_a_tls_error(make_sender, greeting):
    with answering(greeting) as port:
        outcome = make_sender().send(Outgoing(f"https://{NAME}:{port}/", (), b""))

    assert outcome.error is ErrorWord.TLS_ERROR


@pytest.mark.proves("F52")
def test_a_stalled_handshake_ends_within_the_limit(make_sender):
    with Receiver("127.0.0.2") as receiver:
        receiver.answers(SILENCE)
        outcome = send(make_sender(timeout=0.4), receiver)

    assert outcome.error is ErrorWord.TLS_ERROR
    assert 300 < outcome.total_ms < 900


@pytest.mark.proves("F52")
def test_a_dripping_handshake_ends_within_the_limit(authority, make_sender, ca_file):
    """F52: the limit counts for the whole of it, not for each read."""
    with listening(server_context(authority, NAME)) as receiver, dripping(receiver, pause=0.02) as port:
        outcome = make_sender(ca_file, timeout=0.5).send(Outgoing(f"https://{NAME}:{port}/", (), b""))

    assert outcome.error is ErrorWord.TLS_ERROR
    assert 400 < outcome.total_ms < 1_000
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (SILENCE, "timed_out"),
        (Raw([b"HTTP/1.1 200 OK\r\nX: "], then="silence"), "timed_out"),
        (Raw(lambda: [b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 90], pause=0.02), "timed_out"),
        (Raw(endless(b"HTTP/1.1 100 Continue\r\n\r\n")), "response_too_large"),
        (Raw([b"SSH-2.0-OpenSSH\r\n"], then="silence"), "invalid_response"),
        (Raw([b"HTTP/1.1 20"]), "connection_lost"),
        (Raw([b"HTTP/1.1 20"], then="reset"), "connection_lost"),
        (Raw(), "connection_lost"),
    ],
)
def test_behind_tls_a_hostile_answer_has_the_same_ending(authority, make_sender, ca_file, reply, word):
    with listening(server_context(authority, NAME)) as receiver:
        receiver.answers(reply)
        sender = make_sender(ca_file, timeout=0.6)
        outcome = send(sender, receiver)
        receiver.answers(200)
        following = send(sender, receiver)

    assert (outcome.error, outcome.status) == (word, None)
    assert outcome.total_ms < 1_100
    assert following.is_success


def test_a_receiver_that_wants_our_certificate_is_a_tls_error(authority, make_sender, ca_file):
    context = server_context(authority, NAME)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    with listening(context) as receiver:
        outcome = send(make_sender(ca_file), receiver)

    assert outcome.error in {ErrorWord.TLS_ERROR, ErrorWord.CONNECTION_LOST}
    assert not outcome.is_success


@contextmanager
def dripping(receiver, pause):
    """A port before a receiver that hands on what it answers, byte by byte."""
    stopped = threading.Event()

    def hand_on(client, server):
        with suppress(OSError):
            while not stopped.is_set() and (data := server.recv(4096)):
                for place in range(len(data)):
                    client.sendall(data[place : place + 1])
                    if stopped.wait(pause):
                        return

    def serve(listener):
        client, _ = listener.accept()
        with client, socket.create_connection((receiver.host, receiver.port)) as server, suppress(OSError):
            back = threading.Thread(target=hand_on, args=(client, server))
            back.start()
            while data := client.recv(4096):
                server.sendall(data)
            stopped.set()
            server.shutdown(socket.SHUT_RDWR)
            back.join(5)

    with socket.create_server(("127.0.0.2", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield listener.getsockname()[1]
        stopped.set()
        thread.join(5)


@contextmanager
def answering(greeting):
    """A port that reads the greeting of TLS and answers with these bytes."""

    def serve(listener):
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(4096)
            connection.sendall(greeting)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(4096)

    with socket.create_server(("127.0.0.2", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)
