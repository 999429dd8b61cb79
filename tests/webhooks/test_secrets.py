"""Secrets: rotation with an overlap, removal, revealing; what a real receiver then finds in the requests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from tests.conftest import Cast
from tests.factories import SECRET, Make
from tests.receiver import Received, Receiver
from webapp.delivery.dispatching import Dispatcher
from webapp.extensions import db
from webapp.models import AuditEntry, Conflict, Invalid, NotFound, User, Webhook, transaction, utc_now
from webapp.models.base import decrypt
from webapp.webhooks import pings, secrets
from webapp.webhooks.rules import NONE

OWN = "a secret of my own"


@pytest.fixture
def webhook(make: Make, cast: Cast) -> Webhook:
    return make.webhook(by=cast.admin)


def entries() -> list[AuditEntry]:
    return list(db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.seq)))


def previous(webhook: Webhook) -> str | None:
    ciphertext = webhook.previous_secret_ciphertext
    return decrypt(ciphertext) if ciphertext else None


def test_a_rotation_makes_a_new_secret_and_keeps_the_old_one_for_a_day(webhook: Webhook, cast: Cast) -> None:
    before, snapshot = utc_now(), webhook.snapshot_seq
    new = secrets.rotate(webhook, by=cast.admin)
    assert new.startswith("whsec_")
    assert decrypt(webhook.secret_ciphertext or "") == new != SECRET
    assert previous(webhook) == SECRET
    assert webhook.previous_secret_until is not None
    assert timedelta(0) <= webhook.previous_secret_until - before - timedelta(hours=24) < timedelta(minutes=1)
    assert webhook.snapshot_seq == snapshot
    (entry,) = entries()
    assert (entry.action, entry.user_id) == ("webhook.secret_rotated", cast.admin.id)
    assert not any(secret in json.dumps(entry.detail) for secret in (new, SECRET))


def test_an_own_secret_takes_the_place_of_the_old_one_at_once(webhook: Webhook, cast: Cast) -> None:
    assert secrets.rotate(webhook, by=cast.admin, secret=OWN, overlap_hours=0) == OWN
    assert decrypt(webhook.secret_ciphertext or "") == OWN
    assert (webhook.previous_secret_ciphertext, webhook.previous_secret_until) == (None, None)


def test_rotating_again_ends_the_older_secret(webhook: Webhook, cast: Cast) -> None:
    second = secrets.rotate(webhook, by=cast.admin, overlap_hours=168)
    secrets.rotate(webhook, by=cast.admin, overlap_hours=1)
    assert previous(webhook) == second
    assert webhook.previous_secret_until is not None
    assert webhook.previous_secret_until < utc_now() + timedelta(hours=2)
    secrets.rotate(webhook, by=cast.admin, overlap_hours=0)
    assert previous(webhook) is None


def test_an_unsigned_webhook_gets_its_first_secret(make: Make, cast: Cast) -> None:
    webhook = make.webhook(by=cast.admin, secret=None)
    new = secrets.rotate(webhook, by=cast.admin)
    assert (decrypt(webhook.secret_ciphertext or ""), previous(webhook)) == (new, None)
    assert [entry.action for entry in entries()] == ["webhook.secret_added"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"secret": "short"}, "secret"),
        ({"secret": ""}, "secret"),
        ({"secret": NONE}, "secret"),
        ({"secret": SECRET}, "secret"),
        ({"secret": "a line\nfeed in the middle"}, "secret"),
        ({"overlap_hours": -1}, "overlap_hours"),
        ({"overlap_hours": 169}, "overlap_hours"),
        ({"overlap_hours": 10**30}, "overlap_hours"),
    ],
)
def test_a_wrong_rotation_changes_nothing(webhook: Webhook, cast: Cast, values: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        secrets.rotate(webhook, by=cast.admin, **values)  # type: ignore[arg-type]
    assert list(caught.value.fields) == [field]
    assert (decrypt(webhook.secret_ciphertext or ""), previous(webhook), entries()) == (SECRET, None, [])


def test_a_secret_that_cannot_be_read_is_mended_by_a_rotation(webhook: Webhook, cast: Cast) -> None:
    with transaction():
        webhook.secret_ciphertext = "of another installation"
    with pytest.raises(Conflict, match="a key that this installation does not have"):
        secrets.reveal(webhook, by=cast.admin)
    new = secrets.rotate(webhook, by=cast.admin)
    assert (secrets.reveal(webhook, by=cast.admin), previous(webhook)) == (new, None)


def test_the_overlap_ends_when_asked(webhook: Webhook, cast: Cast) -> None:
    secrets.rotate(webhook, by=cast.admin)
    for _ in range(2):
        secrets.end_overlap(webhook, by=cast.admin)
        assert previous(webhook) is None
    assert [entry.action for entry in entries()] == ["webhook.secret_rotated", "webhook.secret_overlap_ended"]


def test_removing_takes_both_secrets(webhook: Webhook, cast: Cast) -> None:
    secrets.rotate(webhook, by=cast.admin)
    for _ in range(2):
        secrets.remove(webhook, by=cast.admin)
        assert (webhook.is_signed, previous(webhook)) == (False, None)
    assert [entry.action for entry in entries()] == ["webhook.secret_rotated", "webhook.secret_removed"]


def test_revealing_writes_one_audit_line_each_time(webhook: Webhook, cast: Cast) -> None:
    assert secrets.reveal(webhook, by=cast.admin) == secrets.reveal(webhook, by=cast.admin) == SECRET
    assert [(entry.action, entry.detail) for entry in entries()] == [("webhook.secret_revealed", {})] * 2


def test_nothing_can_be_revealed_of_an_unsigned_webhook(make: Make, cast: Cast) -> None:
    with pytest.raises(Conflict):
        secrets.reveal(make.webhook(by=cast.admin, secret=None), by=cast.admin)


@pytest.mark.parametrize("act", [secrets.rotate, secrets.end_overlap, secrets.remove, secrets.reveal])
def test_others_cannot_touch_a_secret(act: Callable[..., object], webhook: Webhook, cast: Cast) -> None:
    for other in (cast.teammate, cast.stranger):
        with pytest.raises(NotFound):
            act(webhook, by=other)
    assert (decrypt(webhook.secret_ciphertext or ""), entries()) == (SECRET, [])


def test_a_new_secret_can_be_shown_for_ten_minutes(webhook: Webhook) -> None:
    assert secrets.of_new(webhook) == SECRET
    with time_machine.travel(utc_now() + timedelta(minutes=11)):
        assert secrets.of_new(webhook) is None


def test_old_secrets_whose_time_is_over_are_wiped(make: Make, cast: Cast, webhook: Webhook) -> None:
    expired = make.webhook(by=cast.admin, name="Expired")
    for each in (webhook, expired):
        secrets.rotate(each, by=cast.admin)
    expire(expired)
    assert secrets.wipe_expired() == 1
    assert (previous(expired), expired.previous_secret_until) == (None, None)
    assert previous(webhook) == SECRET
    assert secrets.wipe_expired() == 0


def expire(webhook: Webhook) -> None:
    with transaction():
        webhook.previous_secret_until = utc_now() - timedelta(seconds=1)


class TestAtAReceiver:
    @pytest.fixture
    def receiver(self) -> Iterator[Receiver]:
        with Receiver() as receiver:
            yield receiver

    @pytest.fixture
    def app(self, make_app: Callable[..., Flask], receiver: Receiver) -> Flask:
        return make_app(allow_targets=receiver.target, retry_schedule="0,100ms,100ms")

    @pytest.fixture
    def worker(self, app: Flask) -> Iterator[Dispatcher]:
        running = Dispatcher(app, threads=2)
        yield running
        running.stop()

    @pytest.fixture
    def webhook(self, make: Make, cast: Cast, receiver: Receiver) -> Webhook:
        return make.webhook(by=cast.admin, url=receiver.url)

    @pytest.fixture
    def arrived(self, worker: Dispatcher, webhook: Webhook, cast: Cast, receiver: Receiver) -> Callable[[], Received]:
        worker.start()

        def ping() -> Received:
            return pinged(webhook, cast.admin, worker, receiver)

        return ping

    @pytest.mark.proves("F40")
    def test_both_signatures_verify_during_the_overlap_and_only_the_new_one_afterwards(
        self, arrived: Callable[[], Received], webhook: Webhook, cast: Cast
    ) -> None:
        new = secrets.rotate(webhook, by=cast.admin)
        during = arrived()
        assert during.header("X-Signature") == plain(during, new)
        assert during.header("X-Signature-Previous") == plain(during, SECRET)
        assert (verifies(during, new), verifies(during, SECRET)) == (True, True)
        secrets.end_overlap(webhook, by=cast.admin)
        afterwards = arrived()
        assert afterwards.header("X-Signature") == plain(afterwards, new)
        assert afterwards.header("X-Signature-Previous") is None
        assert (verifies(afterwards, new), verifies(afterwards, SECRET)) == (True, False)

    def test_an_overlap_that_ran_out_is_over_though_nobody_wiped_it(
        self, arrived: Callable[[], Received], webhook: Webhook, cast: Cast
    ) -> None:
        new = secrets.rotate(webhook, by=cast.admin, overlap_hours=1)
        expire(webhook)
        request = arrived()
        assert request.header("X-Signature-Previous") is None
        assert (verifies(request, new), verifies(request, SECRET)) == (True, False)

    def test_rotating_again_ends_the_older_secret_on_the_wire(
        self, arrived: Callable[[], Received], webhook: Webhook, cast: Cast
    ) -> None:
        second = secrets.rotate(webhook, by=cast.admin)
        third = secrets.rotate(webhook, by=cast.admin)
        request = arrived()
        assert [verifies(request, secret) for secret in (third, second, SECRET)] == [True, True, False]

    @pytest.mark.proves("F40")
    def test_a_retry_is_signed_with_the_secrets_of_its_own_time(
        self, worker: Dispatcher, make: Make, webhook: Webhook, cast: Cast, receiver: Receiver
    ) -> None:
        receiver.answers(500, 200)
        make.delivery(webhook, make.event(make.project_of(cast.admin), fanned_out_at=utc_now()))
        worker.start()
        (first,) = receiver.wait_for(1)
        new = secrets.rotate(webhook, by=cast.admin)
        retry = receiver.wait_for(2)[1]
        assert (first.body, first.header("webhook-id")) == (retry.body, retry.header("webhook-id"))
        assert (verifies(first, SECRET), verifies(first, new)) == (True, False)
        assert (verifies(retry, SECRET), verifies(retry, new)) == (True, True)

    def test_without_a_secret_there_is_no_signature(
        self, arrived: Callable[[], Received], webhook: Webhook, cast: Cast
    ) -> None:
        secrets.remove(webhook, by=cast.admin)
        request = arrived()
        names = {name.lower() for name, _ in request.headers}
        assert not names & {"x-signature", "x-signature-previous", "webhook-signature"}
        assert {"webhook-id", "webhook-timestamp"} <= names

    @pytest.mark.proves("W26")
    def test_no_secret_is_in_the_request(self, arrived: Callable[[], Received], webhook: Webhook, cast: Cast) -> None:
        new = secrets.rotate(webhook, by=cast.admin)
        request = arrived()
        wire = request.raw_head + request.body
        for secret in (new, SECRET):
            raw = secret.encode()
            for form in (raw, raw.hex().encode(), base64.b64encode(raw), quote(secret).encode(), raw[6:]):
                assert form not in wire


def pinged(webhook: Webhook, by: User, worker: Dispatcher, receiver: Receiver) -> Received:
    count = len(receiver.requests)
    pings.ping(webhook, by=by)
    worker.wake()
    return receiver.wait_for(count + 1)[-1]


def plain(request: Received, secret: str) -> str:
    return hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()


def verifies(request: Received, secret: str) -> bool:
    """An independent verifier of Standard Webhooks says so."""
    try:
        Verifier(secret).verify(request.body, {name.lower(): value for name, value in request.headers})
    except WebhookVerificationError:
        return False
    return True
