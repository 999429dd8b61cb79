"""Headers of a webhook's own: what they may be, how they are kept, and where they arrive."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.conftest import Cast
from tests.factories import Make
from tests.receiver import Receiver, wait_until
from webapp.delivery.dispatching import Dispatcher
from webapp.extensions import db
from webapp.models import Attempt, AuditEntry, Invalid, User, Webhook, transaction
from webapp.models.base import decrypt
from webapp.webhooks import editing, headers, pings
from webapp.webhooks.editing import WebhookValues

URL = "https://public.example/hooks"
KEY = "the key of the receiver"

RIGHT = [
    ("X-Api-Key", KEY),
    ("Authorization", "Bearer abc.def"),
    ("x-1", "!"),
    ("A" * 64, "~" * 4096),
    ("X-Tab", "a\tb  c"),
    ("X-Signed-By", "nobody"),
    ("Webhooks", "one"),
    ("Cookies", "none"),
    ("-", "-"),
]
WRONG_NAMES = [
    ("", "Enter a name."),
    *((name, "This header is set by us.") for name in (
        "Host", "hOST", "Content-Type", "content-length", "Content-Anything", "Accept-Encoding", "Transfer-Encoding",
        "Connection", "Keep-Alive", "Upgrade", "TE", "te", "Trailer", "Expect", "Proxy-Authorization", "Proxy-Any",
        "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "Cookie", "webhook-id", "Webhook-Signature", "webhook-x",
        "X-Webhook-Event", "X-Webhook-Mine", "X-Signature", "x-signature-previous", "X-Signature2", "User-Agent",
    )),
    *((name, "Letters, digits and hyphens only, at most 64.") for name in (
        "A" * 65, "X Key", " X-Key", "X-Key ", "X-Key:", "X_Key", "X-Kéy", "X-Key\r\nEvil", "X-Key\n", "X-Key\r",
        "X-\0", "X-\x7f", "\tX", "X-Кey", "Host:", "Host\n", "X.Key", "X-Key\u2028",
    )),
]  # fmt: skip
WRONG_VALUES = [
    *((value, "Only visible ASCII characters, with blanks or tabs between them. No line feeds.") for value in (
        " a", "a ", "\ta", "a\t", " ", "a\r\nEvil: 1", "a\nb", "a\rb", "a\n", "folded\r\n line", "nul\0", "del\x7f",
        "bell\x07", "ümlaut", "emoji 😀", "\u00a0", "vertical\x0btab", "next\x85line", "a\u2028b",
    )),
    ("a" * 4097, "At most 4096 bytes."),
    ("", "Enter a value."),
    (None, "Enter a value."),
]  # fmt: skip


def errors_of(rows: list[tuple[str, str | None]]) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        headers.checked(rows)
    return {field: error.sentence for field, error in caught.value.fields.items()}


def stored(webhook: Webhook) -> list[tuple[str, str]]:
    db.session.refresh(webhook)
    ciphertext = webhook.headers_ciphertext
    return [(name, value) for name, value in json.loads(decrypt(ciphertext))] if ciphertext else []


@pytest.fixture
def webhook(cast: Cast) -> Webhook:
    rows = [("X-Api-Key", KEY), ("X-Team", "blue")]
    return editing.create(WebhookValues(name="Orders", url=URL, headers=rows), by=cast.admin).webhook


@pytest.mark.proves("A64", "W28")
def test_what_a_header_may_be() -> None:
    assert headers.checked(RIGHT) == RIGHT
    twenty = [(f"X-{number}", "v") for number in range(20)]
    assert headers.checked(twenty) == twenty


@pytest.mark.proves("A64", "W28")
@pytest.mark.parametrize(("name", "sentence"), WRONG_NAMES)
def test_what_a_name_may_not_be(name: str, sentence: str) -> None:
    assert errors_of([("X-Right", "v"), (name, "v")]) == {"headers.1.name": sentence}


@pytest.mark.proves("A64", "W28")
@pytest.mark.parametrize(("value", "sentence"), WRONG_VALUES)
def test_what_a_value_may_not_be(value: str | None, sentence: str) -> None:
    assert errors_of([("X-Right", "v"), ("X-Wrong", value)]) == {"headers.1.value": sentence}


@pytest.mark.proves("A64", "W28")
def test_more_than_twenty_and_the_same_name_twice_are_refused() -> None:
    assert errors_of([(f"X-{number}", "v") for number in range(21)]) == {"headers": "At most 20 headers."}
    assert errors_of([("X-Key", "a"), ("x-kEY", "b")]) == {"headers.1.name": "This name stands here twice."}


def test_all_wrong_places_are_told_at_once() -> None:
    assert list(errors_of([("Host", ""), ("X", "v"), ("", " v")])) == [
        "headers.0.name", "headers.0.value", "headers.2.name", "headers.2.value",
    ]  # fmt: skip


@pytest.mark.proves("W29")
def test_they_are_encrypted_and_audited_by_name_alone(webhook: Webhook) -> None:
    assert stored(webhook) == [("X-Api-Key", KEY), ("X-Team", "blue")]
    assert headers.names(webhook) == ["X-Api-Key", "X-Team"]
    assert KEY not in (webhook.headers_ciphertext or "")
    (entry,) = db.session.scalars(sa.select(AuditEntry))
    assert entry.detail["headers"] == ["X-Api-Key", "X-Team"]
    assert KEY not in json.dumps(entry.detail)


def test_wrong_headers_are_told_with_the_other_wrong_fields(cast: Cast) -> None:
    with pytest.raises(Invalid) as caught:
        editing.create(WebhookValues(name="", url=URL, headers=[("Host", "a"), ("X-A", None)]), by=cast.admin)
    assert list(caught.value.fields) == ["name", "headers.0.name", "headers.1.value"]


def test_each_row_is_kept_replaced_renamed_or_removed(webhook: Webhook, cast: Cast) -> None:
    editing.edit(webhook, {"headers": [("X-New", "1"), ("x-api-key", None)]}, by=cast.admin)
    assert stored(webhook) == [("X-New", "1"), ("x-api-key", KEY)]
    editing.edit(webhook, {"headers": [("x-api-key", "replaced")]}, by=cast.admin)
    assert stored(webhook) == [("x-api-key", "replaced")]
    with pytest.raises(Invalid) as caught:
        editing.edit(webhook, {"headers": [("X-Renamed", None)]}, by=cast.admin)
    assert list(caught.value.fields) == ["headers.0.value"]
    editing.edit(webhook, {"headers": []}, by=cast.admin)
    assert webhook.headers_ciphertext is None


def test_other_changes_leave_them_alone(webhook: Webhook, cast: Cast) -> None:
    before = webhook.headers_ciphertext
    saved = editing.edit(webhook, {"name": "New", "url": URL + "/v2?x=1"}, by=cast.admin)
    assert (saved.warnings, webhook.headers_ciphertext) == ([], before)
    editing.edit(webhook, {"headers": [("X-Api-Key", None), ("X-Team", None)]}, by=cast.admin)
    assert webhook.headers_ciphertext == before


def test_a_change_of_values_alone_is_audited_without_them(webhook: Webhook, cast: Cast) -> None:
    editing.edit(webhook, {"headers": [("X-Api-Key", "another"), ("X-Team", None)]}, by=cast.admin)
    entry = db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.seq.desc())).first()
    assert entry is not None
    assert (entry.action, entry.detail) == ("webhook.edited", {"headers": [["X-Api-Key", "X-Team"]] * 2})


@pytest.mark.proves("W27")
@pytest.mark.parametrize(
    "url", ["https://93.184.216.34/hooks", "https://public.example:8443/hooks", "https://other.example/hooks"]
)
def test_stored_values_do_not_follow_the_url_to_another_host(
    app: Flask, webhook: Webhook, cast: Cast, url: str
) -> None:
    saved = editing.edit(webhook, {"url": url}, by=cast.admin)
    assert (webhook.url, webhook.headers_ciphertext) == (url, None)
    told = [advice.sentence for advice in saved.warnings if advice.field == "headers"]
    assert len(told) == 1
    assert "these headers were removed: X-Api-Key, X-Team." in told[0]


def test_what_is_typed_for_the_new_host_is_kept(webhook: Webhook, cast: Cast) -> None:
    rows = [("X-Api-Key", None), ("X-Team", "red")]
    saved = editing.edit(webhook, {"url": "https://93.184.216.34/", "headers": rows}, by=cast.admin)
    assert stored(webhook) == [("X-Team", "red")]
    assert [advice.values for advice in saved.warnings] == [{"names": "X-Api-Key"}]


def test_headers_that_no_key_fits_break_no_page_and_can_be_replaced(webhook: Webhook, cast: Cast) -> None:
    with transaction():
        webhook.headers_ciphertext = "of another installation"
    assert headers.names(webhook) is None
    editing.edit(webhook, {"name": "New"}, by=cast.admin)
    with pytest.raises(Invalid):
        editing.edit(webhook, {"headers": [("X-Api-Key", None)]}, by=cast.admin)
    editing.edit(webhook, {"headers": [("X-Api-Key", "again")]}, by=cast.admin)
    assert stored(webhook) == [("X-Api-Key", "again")]


class TestAtAReceiver:
    @pytest.fixture
    def receiver(self) -> Iterator[Receiver]:
        with Receiver() as receiver:
            yield receiver

    @pytest.fixture
    def other(self) -> Iterator[Receiver]:
        with Receiver("127.0.0.2") as receiver:
            yield receiver

    @pytest.fixture
    def app(self, make_app: Callable[..., Flask], receiver: Receiver, other: Receiver) -> Flask:
        return make_app(allow_targets=[receiver.target, other.target])

    @pytest.fixture
    def worker(self, app: Flask) -> Iterator[Dispatcher]:
        running = Dispatcher(app, threads=2)
        running.start()
        yield running
        running.stop()

    @pytest.fixture
    def webhook(self, make: Make, cast: Cast, receiver: Receiver) -> Webhook:
        webhook = make.webhook(by=cast.admin, url=receiver.url)
        editing.edit(webhook, {"headers": RIGHT[:3]}, by=cast.admin)
        return webhook

    @pytest.mark.proves("A64", "W28")
    def test_exactly_the_expected_lines_arrive(
        self, webhook: Webhook, cast: Cast, worker: Dispatcher, receiver: Receiver
    ) -> None:
        ping(webhook, cast.admin, worker)
        (request,) = receiver.wait_for(1)
        lines = request.raw_head.decode().split("\r\n")
        first, *rest = lines[:-2]
        assert first == "POST / HTTP/1.1"
        assert rest[1:4] == [f"{name}: {value}" for name, value in RIGHT[:3]]
        assert [line.partition(":")[0] for line in rest] == [
            "Host", "X-Api-Key", "Authorization", "x-1", "Content-Type", "User-Agent", "X-Webhook-Event",
            "X-Webhook-Attempt", "webhook-id", "webhook-timestamp", "webhook-signature", "X-Signature",
            "Accept-Encoding", "Content-Length",
        ]  # fmt: skip

    @pytest.mark.proves("W29")
    def test_the_log_keeps_their_names_and_no_value(
        self, webhook: Webhook, cast: Cast, worker: Dispatcher, receiver: Receiver
    ) -> None:
        ping(webhook, cast.admin, worker)
        receiver.wait_for(1)
        wait_until(lambda: sent_headers() is not None)
        kept = dict(sent_headers() or [])
        assert [kept[name] for name, _ in RIGHT[:3]] == ["(set)"] * 3
        assert kept["Content-Type"] == "application/json"
        assert KEY not in json.dumps(kept)

    @pytest.mark.proves("W27")
    def test_at_a_new_host_the_old_values_do_not_arrive(
        self, webhook: Webhook, cast: Cast, worker: Dispatcher, other: Receiver
    ) -> None:
        editing.edit(webhook, {"url": other.url}, by=cast.admin)
        ping(webhook, cast.admin, worker)
        (request,) = other.wait_for(1)
        assert KEY.encode() not in request.raw_head + request.body
        assert not any(request.header(name) for name, _ in RIGHT[:3])


def ping(webhook: Webhook, by: User, worker: Dispatcher) -> None:
    pings.ping(webhook, by=by)
    worker.wake()


def sent_headers() -> list[list[str]] | None:
    db.session.rollback()
    return db.session.scalar(sa.select(Attempt.request_headers).limit(1))
