"""The page of one delivery, and the same in the drawer of a log."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.page_checker import check_page, check_part
from webapp.extensions import db
from webapp.models import Delivery, DeliveryState, ErrorWord, Redelivery, Webhook, transaction, utc_now
from webapp.web.outcomes import ERRORS, STATUSES, explain

HTMX = {"HX-Request": "true"}


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


@pytest.fixture
def webhook(make: Make, cast: Cast) -> Webhook:
    return make.webhook(by=cast.admin)


def page_of(delivery: Delivery) -> str:
    return f"/settings/webhooks/{delivery.webhook_id}/deliveries/{delivery.id}"


def target(name: str) -> dict[str, str]:
    return {**HTMX, "HX-Target": name}


def test_a_failed_attempt_says_what_happened_and_what_to_do(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, attempts_counted=1)
    make.attempt(
        delivery,
        status=None,
        error=ErrorWord.CONNECT_REFUSED,
        sentence="Nothing listens at 93.184.216.34:443.",
        request_headers=[["X-Signature", "abc123"], ["X-Key", "(set)"]],
        worker="host:7:1",
    )
    page = check_page(signed_in.get(page_of(delivery)))
    for words in (
        "Nobody listens at that port. Start the receiver",
        "Nothing listens at 93.184.216.34:443.",
        "abc123",
        "set, not shown",
        "worker host:7:1",
        "There was no response.",
        "Next attempt",
        "YOUR-X-KEY",
        delivery.id,
        "TODO_CREATED",
        "Call Ada",
    ):
        assert words in page.text
    assert page.find_all("button", **{"data-copy": "abc123"})


def test_what_a_receiver_answers_is_shown_as_text(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook)
    make.attempt(
        delivery,
        status=503,
        phrase="Oh no",
        peer="93.184.216.34:443",
        response_headers=[["Server", "<b>evil</b>"]],
        response_body=b"<script>alert(1)</script>",
        retry_after_s=30.0,
        is_cut=True,
        connect_ms=3.0,
    )
    page = check_page(signed_in.get(page_of(delivery)))
    for words in (
        "503 Oh no",
        "Error at the receiver.",
        "<b>evil</b>",
        "<script>alert(1)</script>",
        "cut at 64 KB",
        "93.184.216.34:443",
        "Retry-After: wait 30 seconds",
        "The receiver asked to wait",
        "Connect 3 ms",
    ):
        assert words in page.text
    assert not page.find_all("b")


def test_one_attempt_is_shown_the_newest_unless_another_is_chosen(
    signed_in: Browser, make: Make, webhook: Webhook
) -> None:
    delivery = make.delivery(webhook)
    make.attempt(delivery, status=500, response_body=b"first")
    make.attempt(delivery, status=502, response_body=b"second")
    page = check_page(signed_in.get(page_of(delivery)))
    assert "second" in page.text
    assert "first" not in page.find("section", id="delivery-attempts").text
    older = page.find("a", id="attempt-tab-1").attrs["href"]
    assert "first" in check_page(signed_in.get(older)).find("section", id="delivery-attempts").text
    part = check_part(signed_in.get(older, headers=target("delivery-attempts")))
    assert "first" in part.find("section", id="delivery-attempts").text
    assert not part.find_all("section", id="delivery-summary")
    assert signed_in.get(f"{page_of(delivery)}?attempt=3").status_code == 404


def test_an_attempt_by_hand_names_who_asked(signed_in: Browser, make: Make, cast: Cast, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state="failed")
    with transaction() as session:
        wish = Redelivery(delivery_seq=delivery.seq, requested_by_id=cast.admin.id)
        session.add(wish)
        session.flush()
    assert "Ada Admin asked to send it again" in check_page(signed_in.get(page_of(delivery))).text
    with transaction():
        wish.finished_at = utc_now()
    make.attempt(delivery, redelivery_seq=wish.seq)
    text = check_page(signed_in.get(page_of(delivery))).text
    assert "by hand, by Ada Admin" in text
    assert "By hand, by Ada Admin" in text, "a name keeps its capitals"


def test_the_summary_says_why_the_last_attempt_failed_until_one_succeeds(
    signed_in: Browser, make: Make, webhook: Webhook
) -> None:
    delivery = make.delivery(webhook, state="failed")
    make.attempt(delivery, status=None, error=ErrorWord.CONNECT_REFUSED)
    make.attempt(delivery, status=500)
    why = "Error at the receiver. Look into its log."
    older = f"{page_of(delivery)}?attempt=1"
    assert why in check_page(signed_in.get(older)).find("section", id="delivery-summary").text
    delivered = make.delivery(webhook, state="succeeded")
    make.attempt(delivered, status=500)
    assert why not in check_page(signed_in.get(page_of(delivered))).find("section", id="delivery-summary").text


def test_the_time_line_counts_from_the_event(signed_in: Browser, make: Make, cast: Cast, webhook: Webhook) -> None:
    began = utc_now() - timedelta(hours=1)
    event = make.event(make.project_of(cast.admin), created_at=began, fanned_out_at=began)
    delivery = make.delivery(webhook, event, created_at=began + timedelta(milliseconds=12))
    make.attempt(delivery, status=500, started_at=began + timedelta(seconds=5))
    make.attempt(delivery, status=500, started_at=began + timedelta(minutes=5))
    text = check_page(signed_in.get(page_of(delivery))).find("section", id="delivery-time-line").text
    assert [each for each in ("+12 ms", "+5 sec", "+5 min") if each not in text] == []


def test_one_that_waits_for_its_paused_webhook_names_the_next_probe_instead_of_its_own_time(
    signed_in: Browser, make: Make, cast: Cast, webhook: Webhook
) -> None:
    probe_at = utc_now() + timedelta(minutes=14)
    with transaction():
        webhook.health.paused_at, webhook.health.probe_at = utc_now(), probe_at
    delivery = make.delivery(webhook, make.event(make.project_of(cast.admin), fanned_out_at=utc_now()))
    page = check_page(signed_in.get(page_of(delivery)))
    line = page.find("section", id="delivery-time-line")
    assert "Waits while the webhook is paused. Next probe of the webhook in 1" in line.text
    assert "Next attempt" not in line.text
    assert [each.attrs["datetime"] for each in line.find_all("time") if "data-countdown" in each.attrs] == [
        probe_at.isoformat()
    ]
    ping = make.delivery(webhook, kind="ping")
    assert "paused" not in check_page(signed_in.get(page_of(ping))).find("section", id="delivery-time-line").text


def test_a_stuck_one_lists_its_claims(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook, state="stuck", settled_at=utc_now())
    for number in range(5):
        make.attempt(delivery, status=None, finished_at=None, worker=f"host:{number}")
    page = check_page(signed_in.get(page_of(delivery)))
    assert "A worker took this five times" in page.text
    claims = page.find(class_="alert-danger").find_all("li")
    assert [claim.text.split()[-1] for claim in claims] == [f"host:{number}" for number in range(5)]


def test_an_update_shows_what_changed(signed_in: Browser, make: Make, cast: Cast, webhook: Webhook) -> None:
    event = make.event(
        make.project_of(cast.admin),
        type="TODO_NAME_CHANGED",
        previous_value=b'{"title":"Old <i>","updatedAt":"1"}',
        current_value=json.dumps({"title": "New " * 100, "updatedAt": "2"}).encode(),
        fanned_out_at=utc_now(),
    )
    page = check_page(signed_in.get(page_of(make.delivery(webhook, event))))
    rows = [row.text for row in page.find("section", id="changes").find_all("tr")]
    assert "Title title Old <i> New New" in rows[1]
    assert rows[2] == "updatedAt 1 2"
    assert not page.find("section", id="changes").find_all("i")


def test_it_is_linked_with_its_record_while_that_is_there(
    signed_in: Browser, make: Make, cast: Cast, webhook: Webhook
) -> None:
    project = make.project_of(cast.admin)
    record = make.record(make.list(project), title="Call Grace")
    there, gone = (
        make.event(project, record_id=record_id, user_id=cast.teammate.id, fanned_out_at=utc_now())
        for record_id in (record.id, "gone")
    )
    page = check_page(signed_in.get(page_of(make.delivery(webhook, there))))
    assert page.links["Call Grace"] == f"/records/{record.id}"
    assert "Tim Teammate" in page.text
    assert "gone not on a board of yours" in check_page(signed_in.get(page_of(make.delivery(webhook, gone)))).text


def test_the_drawer_holds_the_same_delivery(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook)
    make.attempt(delivery, status=500)
    with time_machine.travel(utc_now(), tick=False):
        answer = signed_in.get(page_of(delivery), headers=target("delivery-drawer"))
        page = check_page(signed_in.get(page_of(delivery)))
    drawer = check_part(answer)
    assert {"HX-Request", "HX-Target"} <= set(answer.vary)
    assert drawer.find("h2", id="delivery-drawer-title").text == page.h1
    assert drawer.find("div", id="delivery").text == page.find("div", id="delivery").text


def test_it_asks_on_while_it_can_change_and_gets_what_changed(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook)
    page = check_page(signed_in.get(page_of(delivery)))
    assert page.find("div", id="delivery-news").attrs["hx-get"] == page_of(delivery)
    seen = page.find("input", id="delivery-seen").attrs["value"]
    address = f"{page_of(delivery)}?seen={seen}"
    assert signed_in.get(address, headers=target("delivery")).status_code == 204
    make.attempt(delivery)
    with transaction():
        delivery.state, delivery.next_attempt_at, delivery.settled_at = DeliveryState.SUCCEEDED, None, utc_now()
    part = check_part(signed_in.get(address, headers=target("delivery")))
    assert "Delivered" in part.text
    assert not part.find_all("div", id="delivery-news")


def test_retry_and_cancel_answer_with_the_delivery(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook)
    part = check_part(signed_in.post(f"{page_of(delivery)}/redeliveries", headers=target("delivery")))
    assert "somebody asked for that already" in part.text
    assert db.session.scalars(sa.select(Redelivery)).one().delivery_seq == delivery.seq
    again = check_part(signed_in.post(f"{page_of(delivery)}/redeliveries", headers=target("delivery")), 422)
    assert again.find(role="alert").text
    part = check_part(signed_in.post(f"{page_of(delivery)}/cancellation", headers=target("delivery")))
    assert "Its owner cancelled it." in part.text
    failed = make.delivery(webhook, state="failed")
    check_part(signed_in.post(f"{page_of(failed)}/cancellation", headers=target("delivery")), 422)


def test_an_attempt_without_an_outcome_reads_unknown(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    delivery = make.delivery(webhook)
    make.attempt(delivery, status=None, finished_at=None)
    page = check_page(signed_in.get(f"/settings/webhooks/{webhook.id}/deliveries/{delivery.id}"))
    assert "Unknown" in page.text
    assert "The receiver may have got this request." in page.text


@pytest.mark.proves("W04")
def test_the_payload_and_the_answer_come_raw_as_harmless_files(
    signed_in: Browser, make: Make, webhook: Webhook
) -> None:
    delivery = make.delivery(webhook)
    make.attempt(delivery, response_body=b"<svg onload=alert(1)>")
    page = f"/settings/webhooks/{webhook.id}/deliveries/{delivery.id}"
    payload, answer = signed_in.get(f"{page}/payload"), signed_in.get(f"{page}/attempts/1/answer")
    assert json.loads(payload.data)["event"] == "TODO_CREATED"
    assert answer.data == b"<svg onload=alert(1)>"
    for response in (payload, answer):
        assert response.content_type == "text/plain; charset=utf-8"
        assert response.headers["Content-Disposition"].startswith("attachment")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"].startswith("sandbox")
    assert signed_in.get(f"{page}/attempts/2/answer").status_code == 404


def test_every_error_word_has_a_sentence_and_a_remedy(app: object) -> None:
    assert set(ERRORS) == set(ErrorWord)
    for explained in [*ERRORS.values(), *STATUSES.values()]:
        assert str(explained.sentence)
        assert str(explained.remedy)


@pytest.mark.parametrize("status", [200, 204, 301, 404, 418, 500, 599, 999])
def test_every_status_has_a_sentence(app: object, status: int) -> None:
    with app.test_request_context():  # type: ignore[attr-defined]
        assert str(explain(status, None).sentence)


def test_a_held_one_says_since_when_and_a_cancelled_one_why(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    held = make.delivery(webhook, state="held", held_at=utc_now(), reason="webhook_disabled")
    cancelled = make.delivery(webhook, state="cancelled", settled_at=utc_now(), reason="webhook_deleted")
    page = f"/settings/webhooks/{webhook.id}/deliveries"
    assert "Held since then" in check_page(signed_in.get(f"{page}/{held.id}")).text
    assert "The webhook was deleted." in check_page(signed_in.get(f"{page}/{cancelled.id}")).text
