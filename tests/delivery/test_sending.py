"""The one door: what goes over the wire, what comes back, and that nothing else is ever contacted."""

import json
import random
import socket
import threading
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from tests.dns_server import DnsServer
from tests.receiver import HANG_UP, RESET, Answer, Raw, Receiver, wait_until
from webapp.delivery import sending
from webapp.delivery.addresses import Policy, PolicyError, Refusal
from webapp.delivery.resolving import Resolver
from webapp.delivery.sending import MAX_CONNECT_TRIES, Outgoing, Sender
from webapp.delivery.transport import (
    GuardedAdapter,
    Line,
    Route,
    Trace,
    VettedRequest,
    pools,
    tls_context,
)
from webapp.models.delivery import ErrorWord

CASES = json.loads((Path(__file__).parents[1] / "cases" / "ssrf.json").read_text(encoding="utf-8"))
NAME = "hook.example.com"
TYPE = ("Content-Type", "application/json")


@pytest.fixture
def dns():
    with DnsServer() as server:
        yield server


@pytest.fixture
def receiver():
    with Receiver() as server:
        yield server


@pytest.fixture
def make_sender(dns, tmp_path):
    """Make a sender: `make_sender(allow_targets=[…])`. Names come from the lying DNS server and an own hosts file."""
    made = []
    (tmp_path / "hosts").write_text("")

    def make(*, allow_http=False, allow_targets=(), allow_cidrs=(), base_url=None, timeout=2.0, **options):
        policy = Policy.from_values(allow_http, allow_targets, allow_cidrs, base_url)
        options.setdefault("resolver", Resolver([dns.address], tmp_path / "hosts"))
        made.append(Sender(policy, timeout=timedelta(seconds=timeout), **options))
        return made[-1]

    yield make
    for sender in made:
        sender.close()


@pytest.fixture
def sender(make_sender, receiver):
    return make_sender(allow_targets=[receiver.target])


def post(url, *headers, body=b"{}"):
    return Outgoing(url, (TYPE, *headers), body)


class TestAGoodExchange:
    def test_the_receiver_sees_exactly_the_expected_lines(self, sender, receiver):
        url = f"{receiver.url}Hook/%7Ea/../b?x=%2F&y=[1]"

        outcome = sender.send(post(url, ("X-One", "a  b\tc"), ("x-two", ""), body='{"ü":1}'.encode()))

        lines = [
            "POST /Hook/%7Ea/../b?x=%2F&y=[1] HTTP/1.1",
            f"Host: {receiver.target}",
            "Content-Type: application/json",
            "X-One: a  b\tc",
            "x-two: ",
            f"User-Agent: {sending.USER_AGENT}",
            "Accept-Encoding: identity",
            "Content-Length: 8",
        ]
        assert receiver.requests[0].raw_head.decode() == "\r\n".join(lines) + "\r\n\r\n"
        assert receiver.requests[0].body == b'{"\xc3\xbc":1}'
        assert [f"{name}: {value}" for name, value in outcome.request_headers] == lines[1:]

    def test_the_outcome_tells_what_was_seen(self, sender, receiver):
        receiver.answers(Answer(201, headers=(("X-A", "1"), ("x-a", "2"), ("X-B", "\x00ÿ")), body=b"made", delay=0.05))

        outcome = sender.send(post(receiver.url))

        assert outcome.is_success
        assert (outcome.status, outcome.error, outcome.reason) == (201, None, "Answer")
        assert (outcome.body, outcome.is_cut) == (b"made", False)
        assert outcome.headers == (("Content-Length", "4"), ("X-A", "1"), ("x-a", "2"), ("X-B", "␀ÿ"))
        assert outcome.peer == "127.0.0.1"
        assert (outcome.dns_ms, outcome.tls_ms) == (None, None)
        assert 0 < outcome.connect_ms < 50 <= outcome.first_byte_ms <= outcome.total_ms < 1000

    def test_the_first_sender_of_a_user_agent_wins(self, sender, receiver):
        sender.send(post(receiver.url, ("User-Agent", "Mine/1")))

        assert [value for name, value in receiver.requests[0].headers if name == "User-Agent"] == ["Mine/1"]

    def test_a_large_body_arrives_whole(self, sender, receiver):
        body = bytes(range(256)) * 4096

        assert sender.send(post(receiver.url, body=body)).is_success
        assert receiver.requests[0].body == body

    @pytest.mark.parametrize("status", [199, 226, 304, 400, 401, 404, 407, 410, 429, 500, 599])
    def test_a_status_is_a_success_only_from_200_to_299(self, sender, receiver, status):
        """H236, H237: a 401 or 407 is a plain failure, and nothing is sent in answer to it."""
        receiver.answers(Answer(200), Answer(status, headers=(("WWW-Authenticate", "Basic"), ("Set-Cookie", "a=b"))))
        if status == 199:
            receiver.answers(Raw([b"HTTP/1.1 199 X\r\n\r\nHTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"], then="next"))
        sender.send(post(receiver.url))

        outcome = sender.send(post(receiver.url))

        assert outcome.status == (503 if status == 199 else status)
        assert outcome.error is None
        assert outcome.is_success is (status == 226)
        assert {name.lower() for name, _ in receiver.requests[-1].headers}.isdisjoint({"authorization", "cookie"})

    def test_a_wait_that_the_receiver_asks_for_is_read(self, sender, receiver):
        receiver.answers(Answer(429, headers=(("Retry-After", "120"),)))

        assert sender.send(post(receiver.url)).retry_after == timedelta(minutes=2)


class TestKeptConnections:
    def test_one_connection_serves_many_requests(self, sender, receiver):
        outcomes = [sender.send(post(receiver.url)) for _ in range(20)]

        assert receiver.connections == 1
        assert outcomes[0].connect_ms is not None
        assert outcomes[1].connect_ms is None
        assert all(outcome.is_success for outcome in outcomes)

    def test_many_threads_share_the_sender(self, sender, receiver):
        threads = [
            threading.Thread(target=lambda: [sender.send(post(receiver.url)) for _ in range(20)]) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(receiver.requests) == 160
        assert receiver.connections <= 8

    def test_a_connection_that_the_receiver_closed_is_not_used_again(self, sender, receiver):
        receiver.answers(Raw([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"], then="close"))
        for _ in range(3):
            assert sender.send(post(receiver.url)).is_success
            wait_until(lambda: receiver.open_connections == 0)

    def test_a_receiver_that_drops_kept_connections_gets_fresh_ones(self, sender, receiver):
        receiver.answers(Raw([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"], then="close"))

        outcomes = [sender.send(post(receiver.url)) for _ in range(50)]

        assert [outcome.error for outcome in outcomes if not outcome.is_success] in ([], ["connection_lost"])

    @pytest.mark.parametrize(
        "answer",
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
            b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
        ],
    )
    def test_a_connection_with_a_doubt_is_not_used_again(self, sender, receiver, answer):
        """H239 among them: switching protocols is a failure, and the connection is closed."""
        receiver.answers(Raw([answer], then="next"))

        outcomes = [sender.send(post(receiver.url)) for _ in range(3)]

        assert receiver.connections == 3
        assert {outcome.status for outcome in outcomes} <= {200, 204, 101}
        assert all(outcome.is_success is (outcome.status != 101) for outcome in outcomes)

    def test_an_old_connection_is_closed(self, sender, receiver, monkeypatch):
        sender.send(post(receiver.url))
        monkeypatch.setattr(pools, "MAX_AGE_S", 0.0)
        sender.close_idle()

        sender.send(post(receiver.url))

        assert receiver.connections == 2

    def test_no_cookie_comes_back(self, sender, receiver):
        """H238"""
        receiver.answers(Answer(200, headers=(("Set-Cookie", "a=b; Path=/"),)))
        for _ in range(2):
            sender.send(post(receiver.url))

        assert receiver.requests[1].header("Cookie") is None

    def test_a_connection_does_not_outlive_the_rules_that_allowed_it(self, make_sender, receiver):
        """H242"""
        open_sender = make_sender(allow_http=True, allow_cidrs=["127.0.0.1/32"])
        assert open_sender.send(post(receiver.url)).is_success

        assert make_sender(allow_http=True).send(post(receiver.url)).error is ErrorWord.ADDRESS_REFUSED
        assert len(receiver.requests) == 1


class TestAnswersThatAreNotObeyed:
    @pytest.mark.proves("F51")
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("location", ["http://{}/", "file:///etc/passwd", None])
    def test_redirects_are_never_followed(self, sender, receiver, status, location):
        """H229, H230, H231, H232"""
        with Receiver() as canary:
            headers = (("Location", location.format(canary.target)),) if location else ()
            receiver.answers(Answer(status, headers=headers))

            outcome = sender.send(post(receiver.url))

        assert (outcome.status, outcome.error) == (status, ErrorWord.REDIRECT_REFUSED)
        assert not outcome.is_success
        assert canary.connections == 0
        assert len(receiver.requests) == 1

    @pytest.mark.parametrize("status", [300, 304, 305, 306])
    def test_other_statuses_of_that_class_are_plain_failures(self, sender, receiver, status):
        receiver.answers(Answer(status, body=b""))

        outcome = sender.send(post(receiver.url))

        assert (outcome.status, outcome.error, outcome.is_success) == (status, None, False)

    @pytest.mark.proves("F51")
    def test_a_redirect_with_an_endless_body_ends(self, make_sender, receiver):
        """H233"""
        receiver.answers(Raw(lambda: [b"HTTP/1.1 302 X\r\nLocation: /\r\n\r\n", *[b"x"] * 10_000], pause=0.05))

        outcome = make_sender(allow_targets=[receiver.target], timeout=0.4).send(post(receiver.url))

        assert (outcome.status, outcome.error, outcome.is_cut) == (302, ErrorWord.REDIRECT_REFUSED, True)
        assert outcome.total_ms < 900

    @pytest.mark.parametrize("name", ["Refresh", "Alt-Svc", "Upgrade", "Link"])
    def test_hints_in_headers_are_not_interpreted(self, sender, receiver, name):
        """H234, H235"""
        with Receiver() as canary:
            value = {"Refresh": f"0; url={canary.url}", "Alt-Svc": f'h2="{canary.target}"'}.get(name, canary.url)
            receiver.answers(Answer(200, headers=((name, value),)))

            assert sender.send(post(receiver.url)).is_success
            assert sender.send(post(receiver.url)).is_success
        assert canary.connections == 0


class TestStoredValuesThatCannotBeUsed:
    @pytest.mark.parametrize("url", ["", "nix", "ftp://example.com/", "https://a b/", "https://2130706433/"])
    def test_an_unusable_url_is_a_config_error(self, make_sender, url):
        outcome = make_sender().send(post(url))

        assert outcome.error is ErrorWord.CONFIG_ERROR
        assert outcome.sentence
        assert outcome.status is None

    @pytest.mark.parametrize(
        "header",
        [
            *[(name, "x") for name in ("Host", "content-length", "Transfer-Encoding", "Connection", "Cookie")],
            *[
                (name, "x")
                for name in ("Proxy-Authorization", "TE", "Expect", "Upgrade", "Accept-Encoding", "content-TYPE")
            ],
            *[(name, "x") for name in ("X-A\r\nEvil", "X A", "X:A", "", "X-Ü", "X-A\n", "X" * 65, " X", "X_A")],
            *[("X-A", value) for value in ("a\r\nEvil: 1", "a\nb", "a\x00", "a\x7f", "ü", " a", "a ", "\t", "a\r\n b")],
            ("X-A", "x" * 9000),
        ],
    )
    def test_a_header_that_would_break_the_request_is_a_config_error(self, sender, receiver, header):
        """H243"""
        outcome = sender.send(post(receiver.url, header))

        assert outcome.error is ErrorWord.CONFIG_ERROR
        assert receiver.connections == 0


class TestTheSurroundings:
    def test_the_environment_plays_no_part(self, make_sender, receiver, tmp_path, monkeypatch):
        """E244, E245, E246"""
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        monkeypatch.setenv("NO_PROXY", "")
        with Receiver() as canary:
            for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, canary.url)
            outcome = make_sender(allow_targets=[receiver.target]).send(post(receiver.url))

        assert outcome.is_success
        assert canary.connections == 0
        assert receiver.requests[0].header("Authorization") is None

    @pytest.mark.parametrize("status", [202, 429, 500])
    def test_a_wait_that_is_asked_for_is_kept_whatever_the_status(self, make_sender, receiver, status):
        receiver.answers(Answer(status, headers=(("Retry-After", "1"), ("retry-after", "120"))))

        outcome = make_sender(allow_targets=[receiver.target]).send(post(receiver.url))

        assert (outcome.status, outcome.retry_after) == (status, timedelta(minutes=2))

    def test_the_request_and_the_answer_are_those_of_the_library(self, receiver):
        address = Line("http", receiver.host, receiver.port, receiver.host)
        route = Route("/a", (address,), time.monotonic() + 5, Trace())
        request = VettedRequest(f"{receiver.url}a", {"Host": receiver.target, "Content-Length": "2"}, b"{}", route)
        receiver.answers(Answer(500, headers=(("X-One", "1"),), body=b"sorry"))
        adapter = GuardedAdapter(tls_context())

        response = adapter.send(request)

        adapter.close()
        assert (request.copy().method, request.copy().body, receiver.requests[0].path) == ("POST", b"{}", "/a")
        assert (response.ok, response.text, response.headers["x-one"]) == (False, "sorry", "1")
        with pytest.raises(requests.HTTPError, match="500 Server Error"):
            response.raise_for_status()

    def test_the_adapter_sends_nothing_that_was_not_vetted(self, receiver):
        adapter = GuardedAdapter(tls_context())
        with pytest.raises(TypeError):
            adapter.send(requests.Request("POST", receiver.url).prepare())
        assert receiver.connections == 0

    def test_the_sender_is_made_from_the_settings(self, receiver, dns):
        settings = SimpleNamespace(
            allow_http=False,
            allow_targets=[receiver.target],
            allow_cidrs=[],
            base_url="",
            request_timeout=timedelta(seconds=1),
            outbound_proxy="",
            ca_file=None,
            dns_servers=[dns.address],
        )
        sender = Sender.from_settings(settings)

        assert sender.send(post(receiver.url)).is_success
        assert sender.send(post("https://nobody.example.com/")).error is ErrorWord.DNS_NOT_FOUND
        assert dns.asked("nobody.example.com") == ["A"]
        sender.close()

    def test_a_range_that_opens_everything_refuses_the_start(self, make_sender):
        """E251"""
        with pytest.raises(PolicyError):
            make_sender(allow_cidrs=["0.0.0.0/0"])


class TestConnecting:
    def test_nobody_listening_is_refused(self, make_sender):
        with Receiver() as gone:
            target = gone.target

        outcome = make_sender(allow_targets=[target]).send(post(f"http://{target}/"))

        assert outcome.error is ErrorWord.CONNECT_REFUSED
        assert outcome.peer == "127.0.0.1"

    def test_a_full_queue_of_connections_is_a_timeout(self, make_sender):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            address = listener.getsockname()
            waiting = [socket.socket() for _ in range(4)]
            for client in waiting:
                client.setblocking(False)
                client.connect_ex(address)
            target = f"127.0.0.1:{address[1]}"
            outcome = make_sender(allow_targets=[target], timeout=0.3).send(post(f"http://{target}/"))
            for client in waiting:
                client.close()

        assert outcome.error is ErrorWord.CONNECT_TIMEOUT
        assert 250 < outcome.total_ms < 800

    def test_the_next_address_is_tried_when_nobody_listens_at_the_first(self, make_sender, dns, receiver):
        dns.says(NAME, "A", ["127.0.0.3", "127.0.0.1"])
        sender = make_sender(allow_http=True, allow_cidrs=["127.0.0.0/8"])

        outcome = sender.send(post(f"http://{NAME}:{receiver.port}/"))

        assert outcome.is_success
        assert outcome.peer == "127.0.0.1"
        assert outcome.dns_ms is not None

    @pytest.mark.parametrize("reply", [RESET, HANG_UP])
    def test_a_closed_connection_is_lost_and_not_repeated(self, sender, receiver, reply):
        receiver.answers(200, reply)
        assert sender.send(post(receiver.url)).is_success

        assert sender.send(post(receiver.url)).error is ErrorWord.CONNECTION_LOST
        assert len(receiver.requests) == 2

    def test_a_receiver_that_refuses_a_large_body_early_is_heard(self, make_sender):
        def refuse(listener):
            connection, _ = listener.accept()
            with connection:
                connection.recv(100)
                connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):
                    pass

        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=refuse, args=(listener,))
            thread.start()
            target = f"127.0.0.1:{listener.getsockname()[1]}"
            outcome = make_sender(allow_targets=[target]).send(post(f"http://{target}/", body=b"x" * 4_000_000))
            thread.join()

        assert outcome.status == 413

    def test_a_receiver_that_does_not_read_is_timed_out(self, make_sender):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            target = f"127.0.0.1:{listener.getsockname()[1]}"
            sender = make_sender(allow_targets=[target], timeout=0.3)
            outcome = sender.send(post(f"http://{target}/", body=b"x" * 30_000_000))

        assert outcome.error is ErrorWord.TIMED_OUT
        assert outcome.total_ms < 900

    def test_a_limit_of_its_own_counts_for_one_request(self, sender, receiver):
        receiver.answers(Answer(200, delay=5))
        began = time.monotonic()

        outcome = sender.send(post(receiver.url), timeout=timedelta(seconds=0.2))

        assert outcome.error is ErrorWord.TIMED_OUT
        assert time.monotonic() - began < 0.7


class TestNamesThatLie:
    """The cases of kind `dns`, with real packets, and canaries that must not be contacted."""

    @pytest.fixture
    def open_receiver(self):
        """At a port that the canaries can have, too: below those that the system gives to others meanwhile."""
        while True:
            port = random.randrange(20_000, 30_000)
            try:
                with Receiver("127.0.0.1", port), Receiver("::1", port):
                    pass
                server = Receiver("127.0.0.2", port)
            except OSError:
                continue
            break
        with server:
            yield server

    @pytest.fixture
    def open_sender(self, make_sender):
        return make_sender(allow_http=True, allow_cidrs=["127.0.0.2/32"])

    def url(self, receiver):
        return f"http://{NAME}:{receiver.port}/"

    def test_a_public_name_is_reached_at_its_address(self, dns, open_receiver, open_sender):
        """D210"""
        dns.says(NAME, "A", ["127.0.0.2"])

        outcome = open_sender.send(post(self.url(open_receiver)))

        assert outcome.is_success
        assert outcome.peer == "127.0.0.2"
        assert open_receiver.requests[0].header("Host") == f"{NAME}:{open_receiver.port}"

    @pytest.mark.parametrize(
        ("kind", "addresses"),
        [
            ("A", ["10.0.0.5"]),  # D211
            ("A", ["127.0.0.2", "10.0.0.5"]),  # D212
            ("A", ["127.0.0.2", "127.0.0.1"]),
            ("AAAA", ["fd00::1"]),  # D213
            ("AAAA", ["::1"]),
            ("AAAA", ["::ffff:127.0.0.1"]),  # D214
            ("AAAA", ["64:ff9b::a9fe:a9fe"]),  # D215
            ("A", ["0.0.0.0"]),  # D225
            ("A", ["169.254.169.254"]),
        ],
    )
    def test_one_refused_address_refuses_the_name(self, dns, open_receiver, open_sender, kind, addresses):
        dns.says(NAME, "A", ["127.0.0.2"])
        dns.says(NAME, kind, addresses)
        with Receiver("127.0.0.1", open_receiver.port) as canary, Receiver("::1", open_receiver.port) as sixth:
            outcome = open_sender.send(post(self.url(open_receiver)))

        assert outcome.error is ErrorWord.ADDRESS_REFUSED
        assert outcome.sentence == Refusal.CLOSED_ADDRESS.sentence
        assert (canary.connections, sixth.connections, open_receiver.connections) == (0, 0, 0)
        assert outcome.peer is None

    def test_an_alias_to_a_closed_name_is_refused(self, dns, open_receiver, open_sender):
        """D216"""
        dns.leads(NAME, "metadata.google.internal")
        dns.says("metadata.google.internal", "A", ["127.0.0.2"])

        assert open_sender.send(post(self.url(open_receiver))).error is ErrorWord.ADDRESS_REFUSED
        assert open_receiver.connections == 0

    def test_an_alias_that_turns_closed_is_refused_though_the_address_stays(self, dns, open_receiver, open_sender):
        dns.says(NAME, "A", ["127.0.0.2"])
        assert open_sender.send(post(self.url(open_receiver))).is_success

        dns.leads(NAME, "db.internal")
        dns.says("db.internal", "A", ["127.0.0.2"])

        assert open_sender.send(post(self.url(open_receiver))).error is ErrorWord.ADDRESS_REFUSED
        assert len(open_receiver.requests) == 1

    def test_of_more_addresses_than_are_tried_each_is_vetted(self, dns, open_receiver, make_sender):
        silent = [f"127.0.0.{number}" for number in range(16, 16 + 2 * MAX_CONNECT_TRIES)]
        sender = make_sender(allow_http=True, allow_cidrs=["127.0.0.16/28"])
        dns.says(NAME, "A", silent, [*silent, "127.0.0.2"])

        outcomes = [sender.send(post(self.url(open_receiver))) for _ in range(2)]

        assert [outcome.error for outcome in outcomes] == [ErrorWord.CONNECT_REFUSED, ErrorWord.ADDRESS_REFUSED]
        assert open_receiver.connections == 0

    def test_the_connection_goes_to_the_address_that_was_vetted(self, dns, open_receiver, open_sender):
        """D219: rebinding within an attempt. One question for each family, and the canary hears nothing."""
        dns.says(NAME, "A", ["127.0.0.2"], ["127.0.0.1"])
        with Receiver("127.0.0.1", open_receiver.port) as canary:
            assert open_sender.send(post(self.url(open_receiver))).peer == "127.0.0.2"

        assert dns.asked(NAME) == ["A", "AAAA"]
        assert canary.connections == 0

    def test_every_attempt_is_vetted_anew(self, dns, open_receiver, open_sender):
        """D220, D221: public at first, private later. The open connection is not used either."""
        dns.says(NAME, "A", ["127.0.0.2"], ["127.0.0.2"], ["127.0.0.2"], ["169.254.169.254"])

        outcomes = [open_sender.send(post(self.url(open_receiver))) for _ in range(4)]

        assert [outcome.is_success for outcome in outcomes] == [True, True, True, False]
        assert outcomes[3].error is ErrorWord.ADDRESS_REFUSED
        assert len(open_receiver.requests) == 3

    @pytest.mark.parametrize("url", ["https://localhost/", "https://db/", "https://10.0.0.1/", "https://a.internal/"])
    def test_closed_targets_are_refused_without_a_question(self, dns, make_sender, url):
        assert make_sender().send(post(url)).error is ErrorWord.ADDRESS_REFUSED
        assert dns.queries == []

    @pytest.mark.proves("W54")
    def test_the_own_public_name_is_refused_except_for_the_inbox(self, dns, make_sender, open_receiver):
        """D226"""
        base_url = f"http://{NAME}:{open_receiver.port}"
        dns.says(NAME, "A", ["127.0.0.2"])
        sender = make_sender(base_url=base_url)

        assert sender.send(post(f"{base_url}/api/v1/events")).error is ErrorWord.ADDRESS_REFUSED
        assert sender.send(post(f"{base_url}/inbox/abc")).is_success
        assert [request.path for request in open_receiver.requests] == ["/inbox/abc"]

    def test_the_hosts_file_is_vetted_like_dns(self, dns, tmp_path, open_receiver, open_sender):
        """D228"""
        (tmp_path / "hosts").write_text(f"10.1.1.1 {NAME}\n")
        assert open_sender.send(post(self.url(open_receiver))).error is ErrorWord.ADDRESS_REFUSED

        (tmp_path / "hosts").write_text(f"127.0.0.2   {NAME}\n")
        assert open_sender.send(post(self.url(open_receiver))).is_success
        assert dns.queries == []

    def test_a_listed_target_opens_only_itself(self, dns, make_sender, receiver):
        """E249, E250"""
        dns.says("localhost", "A", ["10.0.0.1"])
        sender = make_sender(allow_targets=[f"localhost:{receiver.port}"])
        with Receiver() as canary:
            assert sender.send(post(f"http://localhost:{receiver.port}/")).is_success
            assert sender.send(post(f"http://localhost:{canary.port}/")).error is ErrorWord.ADDRESS_REFUSED
            assert sender.send(post(receiver.url)).error is ErrorWord.ADDRESS_REFUSED
        assert canary.connections == 0


@pytest.mark.proves("A40")
def test_every_live_case_has_a_test():
    text = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))

    assert [case["id"] for case in CASES if case["kind"] != "url" and case["id"] not in text] == []
