"""What arrives is kept as it came, listed newest first, and forgotten in time."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from tests.conftest import Cast
from tests.factories import Make
from webapp.extensions import db
from webapp.models import Inbox, InboxRequest, NotFound, transaction, utc_now
from webapp.receiver import arrivals, inboxes, pruning
from webapp.receiver.arrivals import Arrival


@pytest.fixture
def inbox(cast: Cast) -> Inbox:
    return inboxes.create("", by=cast.admin)


def arrival(body: bytes = b"{}", *headers: tuple[str, str], path: str = "/inbox/x") -> Arrival:
    return Arrival(method="POST", path=path, headers=headers, body=body, address="127.0.0.1")


def arrived(inbox: Inbox) -> list[InboxRequest]:
    return [row.request for row in arrivals.requests(inbox)]


def test_a_request_is_kept_as_it_came(inbox: Inbox) -> None:
    headers = (("Host", "a"), ("X-Twice", "1"), ("Accept", "ä"), ("x-twice", "2"))
    arrivals.receive(inbox.token, arrival(b"\xff\x00raw", *headers, path="/inbox/x?a=1&a=2"))

    kept = arrivals.load(inbox, arrived(inbox)[0].id)

    assert kept.body == b"\xff\x00raw"
    assert not kept.is_cut
    assert [tuple(pair) for pair in kept.headers] == list(headers)
    assert (kept.method, kept.path, kept.address) == ("POST", "/inbox/x?a=1&a=2", "127.0.0.1")


def test_a_token_that_no_inbox_has_receives_nothing(inbox: Inbox) -> None:
    assert arrivals.receive(inbox.token.swapcase(), arrival()) is None
    assert arrived(inbox) == []


def test_a_long_body_is_cut_and_marked(inbox: Inbox) -> None:
    whole = b"x" * arrivals.MAX_BODY_BYTES
    arrivals.receive(inbox.token, arrival(whole))
    arrivals.receive(inbox.token, arrival(whole + b"y", ("X-Signature", "0" * 64)))

    cut, complete = arrivals.requests(inbox)

    assert (complete.size, complete.request.is_cut) == (arrivals.MAX_BODY_BYTES, False)
    assert (cut.size, cut.request.is_cut, cut.request.verdict) == (arrivals.MAX_BODY_BYTES, True, "not_checked")


def test_many_and_long_headers_are_cut(inbox: Inbox) -> None:
    arrivals.receive(inbox.token, arrival(b"", *[("X-Many", "1")] * 150))
    arrivals.receive(inbox.token, arrival(b"", ("X-First", "1"), *[("X-Long", "y" * 8000)] * 20))

    long, many = arrived(inbox)

    assert len(many.headers) == arrivals.MAX_HEADERS
    assert sum(len(name) + len(value) for name, value in long.headers) <= arrivals.MAX_HEADER_BYTES
    assert long.headers[0] == ["X-First", "1"]


@pytest.mark.parametrize(
    ("headers", "body", "event_type"),
    [
        ([("X-Webhook-Event", "RECORD_CREATED")], b'{"event":"TODO_CREATED"}', "RECORD_CREATED"),
        ([], b'{"event":"TODO_CREATED"}', "TODO_CREATED"),
        ([], b'{"event":["TODO_CREATED"]}', None),
        ([], b"[1]", None),
        ([], b"event=1", None),
        ([], b"\xff", None),
        ([], b"[" * 100_000, None),
        ([], b'{"event":"a\\u0000b"}', None),
        ([], b'{"event":"\\ud800"}', None),
        ([("X-Webhook-Event", "x" * 65)], b"", None),
    ],
)
def test_the_event_type_is_read_from_the_header_or_the_body(
    inbox: Inbox, headers: list[tuple[str, str]], body: bytes, event_type: str | None
) -> None:
    arrivals.receive(inbox.token, arrival(body, *headers))

    assert arrived(inbox)[0].event_type == event_type


def test_the_list_is_newest_first_and_goes_on_after_a_cursor(inbox: Inbox, cast: Cast) -> None:
    other = inboxes.create("", by=cast.admin)
    for body in (b"1", b"22", b"333"):
        arrivals.receive(inbox.token, arrival(body))
        arrivals.receive(other.token, arrival(body))

    rows = arrivals.requests(inbox)

    assert [row.size for row in rows] == [3, 2, 1]
    assert [row.size for row in arrivals.requests(inbox, after=rows[-1].request.seq)] == [3, 2]
    assert arrivals.requests(inbox, after=rows[0].request.seq) == []


def test_the_same_webhook_id_again_is_marked_with_its_attempt(inbox: Inbox) -> None:
    for delivery_id, attempt in (("dlv_a", "1"), ("dlv_b", "1"), ("dlv_a", "2"), ("dlv_a", "²")):
        arrivals.receive(inbox.token, arrival(b"", ("Webhook-Id", delivery_id), ("X-Webhook-Attempt", attempt)))
    arrivals.receive(inbox.token, arrival())

    rows = arrivals.requests(inbox)

    assert [row.again for row in rows] == [False, True, True, False, False]
    assert [row.attempt for row in rows] == ["", "", "2", "1", "1"]


def test_a_request_is_compared_with_the_one_before_of_the_same_webhook_id(inbox: Inbox) -> None:
    for body in (b"first", b"second", b"third"):
        arrivals.receive(inbox.token, arrival(body, ("webhook-id", "dlv_a")))
    arrivals.receive(inbox.token, arrival(b"no id"))

    no_id, third, _, first = arrived(inbox)

    previous = arrivals.previous_of_same_delivery(third)
    assert previous is not None
    assert previous.body == b"second"
    assert arrivals.previous_of_same_delivery(first) is None
    assert arrivals.previous_of_same_delivery(no_id) is None


def test_a_request_leads_to_the_delivery_that_sent_it_only_for_its_owner(inbox: Inbox, cast: Cast, make: Make) -> None:
    own, foreign = make.delivery(make.webhook(by=cast.admin)), make.delivery(make.webhook(by=cast.stranger))
    for delivery_id in (own.id, foreign.id, "dlv_of_elsewhere"):
        arrivals.receive(inbox.token, arrival(b"", ("webhook-id", delivery_id)))

    elsewhere, from_foreign, from_own = arrived(inbox)

    found = arrivals.delivery_of(from_own, cast.admin)
    assert found is not None
    assert found.id == own.id
    assert arrivals.delivery_of(from_foreign, cast.admin) is None
    assert arrivals.delivery_of(elsewhere, cast.admin) is None


def test_an_inbox_keeps_the_newest_requests(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "KEPT_REQUESTS", 3)

    for body in (b"1", b"22", b"333", b"4444", b"55555"):
        arrivals.receive(inbox.token, arrival(body))

    assert [row.size for row in arrivals.requests(inbox)] == [5, 4, 3]


def test_requests_go_after_seven_days(inbox: Inbox) -> None:
    now = utc_now()
    with time_machine.travel(now - timedelta(days=7, seconds=1), tick=False):
        arrivals.receive(inbox.token, arrival(b"old"))
        old = arrived(inbox)[0]
    with time_machine.travel(now - timedelta(days=6), tick=False):
        arrivals.receive(inbox.token, arrival(b"younger"))

    assert [row.size for row in arrivals.requests(inbox)] == [7]
    with pytest.raises(NotFound):
        arrivals.load(inbox, old.id)

    arrivals.receive(inbox.token, arrival(b"new"))
    assert db.session.scalar(sa.select(sa.func.count(InboxRequest.seq))) == 2


def test_a_foreign_request_cannot_be_read_through_an_own_inbox(inbox: Inbox, cast: Cast) -> None:
    other = inboxes.create("", by=cast.stranger)
    arrivals.receive(other.token, arrival())

    with pytest.raises(NotFound):
        arrivals.load(inbox, arrived(other)[0].id)


def test_an_inbox_that_is_deleted_meanwhile_receives_nothing(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = arrivals.checking.verdict

    def judge_while_somebody_deletes(request: InboxRequest, secrets: arrivals.checking.Secrets) -> str:
        verdict = judge(request, secrets)
        with transaction() as session:
            session.delete(session.get_one(Inbox, inbox.id))
        return verdict

    monkeypatch.setattr(arrivals.checking, "verdict", judge_while_somebody_deletes)

    assert arrivals.receive(inbox.token, arrival()) is None
