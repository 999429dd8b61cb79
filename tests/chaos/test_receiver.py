"""The receiver of the chaos suite writes down what arrives, as the reconciler needs it."""

from __future__ import annotations

import hashlib
import http.client
import time
from concurrent.futures import ThreadPoolExecutor

from tests.chaos.receiver import ReceiverProcess


def send(receiver: ReceiverProcess, path: str, *deliveries: str, attempt: int = 1) -> list[int]:
    """Send deliveries over one connection; the statuses of the answers."""
    connection = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=10)
    statuses = []
    for delivery in deliveries:
        headers = {"webhook-id": delivery, "X-Webhook-Attempt": str(attempt), "X-Webhook-Event-Id": "evt_1"}
        connection.request("POST", path, body=b"{}", headers=headers)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()
    return statuses


def test_each_request_is_written_down_with_its_answer(arrivals: ReceiverProcess) -> None:
    before = time.time()
    assert send(arrivals, "/a", "dlv_1", "dlv_2") == [200, 200]
    first, second = arrivals.arrivals()
    assert (first.path, first.delivery_id, first.attempt, first.event_id) == ("/a", "dlv_1", 1, "evt_1")
    assert first.sha256 == hashlib.sha256(b"{}").hexdigest()
    assert first.connection == second.connection
    assert before <= first.at <= (first.answered_at or 0) <= second.at <= time.time()
    assert arrivals.per_delivery() == {"dlv_1": 1, "dlv_2": 1}


def test_it_answers_as_told_by_path_and_attempt(arrivals: ReceiverProcess) -> None:
    arrivals.answers("/flaky", statuses=(500, 503, 200), delay=0.05)
    answers = [send(arrivals, "/flaky", "dlv_1", attempt=attempt)[0] for attempt in (1, 2, 3, 4)]
    assert answers == [500, 503, 200, 200]
    assert send(arrivals, "/other", "dlv_2") == [200]
    slow = arrivals.arrivals()[0]
    assert slow.answered_at is not None
    assert slow.answered_at - slow.at >= 0.05


def test_stopped_and_started_again_it_goes_on_in_the_same_file(arrivals: ReceiverProcess) -> None:
    arrivals.answers("/flaky", statuses=(500,))
    send(arrivals, "/flaky", "dlv_1")
    arrivals.stop()
    arrivals.start()
    assert send(arrivals, "/flaky", "dlv_2") == [500]
    assert [arrival.delivery_id for arrival in arrivals.arrivals()] == ["dlv_1", "dlv_2"]
    assert [arrival.number for arrival in arrivals.arrivals()] == [1, 2]


def test_many_senders_at_once_are_all_written_down(arrivals: ReceiverProcess) -> None:
    with ThreadPoolExecutor(8) as senders:
        for number in range(8):
            senders.submit(send, arrivals, "/", *(f"dlv_{number}_{count}" for count in range(100)))
    assert arrivals.count() == 800
    assert set(arrivals.per_delivery().values()) == {1}
