"""Setting up webhooks."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from tests.conftest import Cast
from tests.factories import Make
from webapp.extensions import db
from webapp.models import (
    AuditEntry,
    Delivery,
    DeliveryState,
    Forbidden,
    Invalid,
    NotFound,
    PayloadFormat,
    Redelivery,
    Role,
    User,
    Webhook,
    WebhookSnapshot,
    WebhookStatus,
    utc_now,
)
from webapp.models.base import decrypt
from webapp.webhooks import access, editing
from webapp.webhooks.editing import NONE, WebhookValues

URL = "https://public.example/hooks"


def values(**changes: object) -> WebhookValues:
    return WebhookValues(**{"name": "Orders", "url": URL, **changes})  # type: ignore[arg-type]


def snapshot_of(webhook: Webhook) -> dict[str, object]:
    snapshot = db.session.get_one(WebhookSnapshot, webhook.snapshot_seq)
    return json.loads(snapshot.body)


def audited(webhook: Webhook) -> list[str]:
    query = sa.select(AuditEntry.action).where(AuditEntry.subject == f"webhook:{webhook.id}").order_by(AuditEntry.seq)
    return list(db.session.scalars(query))


def errors_of(by: User, **changes: object) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        editing.create(values(**changes), by=by)
    assert db.session.scalars(sa.select(Webhook)).all() == []
    return {field: error.sentence for field, error in caught.value.fields.items()}


def test_a_new_webhook_is_enabled_healthy_and_signed_with_a_generated_secret(cast: Cast) -> None:
    created = editing.create(values(), by=cast.admin)
    webhook = created.webhook
    assert (webhook.enabled, webhook.status, webhook.events, webhook.project_ids) == (
        True,
        WebhookStatus.HEALTHY,
        [],
        [],
    )
    assert webhook.payload_format is PayloadFormat.FULL
    assert created.secret is not None
    assert created.secret.startswith("whsec_")
    assert webhook.health.failures_in_a_row == 0
    assert created.warnings == []


def test_the_secret_is_encrypted_at_rest_and_in_no_snapshot(cast: Cast) -> None:
    created = editing.create(values(), by=cast.admin)
    assert created.webhook.secret_ciphertext is not None
    assert created.secret is not None
    assert created.secret not in created.webhook.secret_ciphertext
    assert decrypt(created.webhook.secret_ciphertext) == created.secret
    assert snapshot_of(created.webhook)["secret"] == ""
    entry = db.session.scalars(sa.select(AuditEntry)).one()
    assert created.secret not in json.dumps(entry.detail)


def test_an_own_secret_is_kept_and_none_makes_it_unsigned(cast: Cast) -> None:
    own = editing.create(values(secret="my own secret text"), by=cast.admin)
    unsigned = editing.create(values(name="Unsigned", secret=NONE), by=cast.admin)
    assert decrypt(own.webhook.secret_ciphertext or "") == own.secret == "my own secret text"
    assert unsigned.secret is None
    assert not unsigned.webhook.is_signed


def test_a_new_webhook_gets_a_snapshot_and_one_audit_line(cast: Cast) -> None:
    webhook = editing.create(values(), by=cast.admin).webhook
    assert snapshot_of(webhook)["name"] == "Orders"
    assert snapshot_of(webhook)["enabled"] is True
    assert audited(webhook) == ["webhook.created"]


def test_a_webhook_can_be_made_switched_off(cast: Cast) -> None:
    webhook = editing.create(values(enabled=False), by=cast.admin).webhook
    assert not webhook.enabled
    assert (webhook.disabled_because, webhook.status) == ("owner", WebhookStatus.HEALTHY)


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"name": "  "}, "name", "Enter a name."),
        ({"name": "x" * 101}, "name", "Use at most 100 characters."),
        ({"url": ""}, "url", "Enter the address that the requests go to."),
        ({"url": "ftp://public.example/"}, "url", "The URL must begin with https://."),
        ({"url": "http://public.example/"}, "url", "The URL is not encrypted. Use https:// instead of http://."),
        ({"events": ["TODO_CREATED", "TODO_EXPLODED"]}, "events", "There is no event type TODO_EXPLODED."),
        ({"project_ids": ["nobodys"]}, "project_ids", "You administer no project with the id nobodys."),
        ({"secret": ""}, "secret", "Enter a secret, or choose None."),
        ({"secret": "short"}, "secret", "16"),
        ({"payload_format": "xml"}, "payload_format", "The payload format is either full or compact."),
    ],
)
def test_a_value_that_breaks_a_rule_is_refused_at_its_field_and_nothing_is_stored(
    cast: Cast, changes: dict[str, object], field: str, sentence: str
) -> None:
    errors = errors_of(cast.admin, **changes)
    assert list(errors) == [field]
    assert sentence in errors[field]


def test_every_wrong_field_is_told_at_once(cast: Cast) -> None:
    errors = errors_of(cast.admin, name="", url="nonsense", events=["NO"], project_ids=["no"])
    assert set(errors) == {"name", "url", "events", "project_ids"}


@pytest.mark.parametrize(
    "url",
    ["https://10.0.0.1/", "https://169.254.169.254/", "https://inside.example/", "https://metadata.example/"],
)
def test_private_addresses_are_refused_with_the_same_words_by_number_and_by_name(cast: Cast, url: str) -> None:
    assert errors_of(cast.admin, url=url) == {
        "url": "This is a private or reserved address. Use a public one, or ask the operator to open it."
    }


def test_a_name_that_cannot_be_resolved_is_saved_with_a_warning(cast: Cast) -> None:
    created = editing.create(values(url="https://nowhere.example/hooks"), by=cast.admin)
    assert [warning.field for warning in created.warnings] == ["url"]
    assert "nowhere.example" in created.warnings[0].sentence


def test_the_same_name_twice_is_saved_with_a_warning(cast: Cast) -> None:
    editing.create(values(), by=cast.admin)
    again = editing.create(values(), by=cast.admin)
    assert [(warning.field, warning.sentence) for warning in again.warnings] == [
        ("name", "You have another webhook with this name.")
    ]


def test_only_an_administrator_of_some_project_may_make_one(cast: Cast, make: Make) -> None:
    with pytest.raises(Forbidden, match="project administrators"):
        editing.create(values(), by=cast.teammate)
    make.project(owner=cast.teammate)
    assert editing.create(values(), by=cast.teammate).webhook.created_by_id == cast.teammate.id


def test_a_member_may_make_one_when_the_setting_says_so(make_app: object, name_server: str) -> None:
    make_app(dns_servers=[name_server], webhook_role="member")  # type: ignore[operator]
    make = Make()
    person, project = make.user(), make.project()
    make.member(project, person, Role.MEMBER)
    webhook = editing.create(values(project_ids=[project.id]), by=person).webhook
    assert webhook.project_ids == [project.id]


def test_another_persons_project_is_refused(cast: Cast, make: Make) -> None:
    foreign = make.project_of(cast.stranger)
    assert list(errors_of(cast.admin, project_ids=[foreign.id])) == ["project_ids"]


def test_doubled_events_and_projects_count_once(cast: Cast, make: Make) -> None:
    project = make.project_of(cast.admin)
    webhook = editing.create(
        values(events=["TODO_CREATED", "TODO_CREATED"], project_ids=[project.id, project.id]), by=cast.admin
    ).webhook
    assert (webhook.events, webhook.project_ids) == (["TODO_CREATED"], [project.id])


def test_an_edit_changes_what_is_given_and_writes_a_new_snapshot(cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin)
    before, updated_at = webhook.snapshot_seq, webhook.updated_at
    editing.edit(webhook, {"name": "Invoices", "events": ["TODO_CREATED"]}, by=cast.admin)
    assert (webhook.name, webhook.events, webhook.url) == ("Invoices", ["TODO_CREATED"], "https://example.com/hooks")
    assert webhook.snapshot_seq != before
    assert webhook.updated_at > updated_at
    assert snapshot_of(webhook)["metadata"] == {"events": ["TODO_CREATED"], "projectIds": []}
    entry = db.session.scalars(sa.select(AuditEntry)).one()
    assert entry.detail == {"name": ["Orders", "Invoices"], "events": [[], ["TODO_CREATED"]]}


def test_an_edit_that_changes_nothing_leaves_no_trace(cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin)
    before, updated_at = webhook.snapshot_seq, webhook.updated_at
    editing.edit(webhook, {"name": "Orders", "enabled": True}, by=cast.admin)
    assert (webhook.snapshot_seq, webhook.updated_at) == (before, updated_at)
    assert audited(webhook) == []


def test_switching_off_while_editing_holds_what_waits(cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin)
    delivery = make.delivery(webhook)
    editing.edit(webhook, {"name": "Later", "enabled": False}, by=cast.admin)
    assert (webhook.name, webhook.enabled) == ("Later", False)
    assert delivery.state is DeliveryState.HELD
    assert audited(webhook) == ["webhook.edited", "webhook.disabled"]
    assert snapshot_of(webhook)["enabled"] is False


def test_another_persons_webhook_cannot_be_edited_or_deleted(cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin)
    with pytest.raises(NotFound):
        editing.edit(webhook, {"name": "Mine"}, by=cast.stranger)
    with pytest.raises(NotFound):
        editing.delete(webhook, by=cast.teammate)
    assert (webhook.name, webhook.deleted_at) == ("Orders", None)


def test_deleting_cancels_what_is_not_settled_and_ends_waiting_redeliveries(cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin)
    waiting, held = make.delivery(webhook), make.delivery(webhook, state=DeliveryState.HELD)
    done = make.delivery(webhook, state=DeliveryState.SUCCEEDED)
    foreign = make.delivery()
    redelivery = add_redelivery(done)
    editing.delete(webhook, by=cast.admin)
    for delivery in (waiting, held):
        assert (delivery.state, delivery.reason) == (DeliveryState.CANCELLED, "webhook_deleted")
        assert (delivery.next_attempt_at, delivery.settled_at is not None) == (None, True)
    assert done.state is DeliveryState.SUCCEEDED
    assert foreign.state is DeliveryState.PENDING
    assert redelivery.finished_at is not None
    assert webhook.deleted_at is not None
    assert audited(webhook) == ["webhook.deleted"]


def test_a_deleted_webhook_is_not_there_any_more(cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin)
    editing.delete(webhook, by=cast.admin)
    assert access.of(cast.admin) == []
    with pytest.raises(NotFound):
        access.load(cast.admin, webhook.id)
    with pytest.raises(NotFound):
        editing.edit(webhook, {"name": "Back"}, by=cast.admin)


def test_a_webhook_is_loaded_by_its_maker_alone(cast: Cast, make: Make) -> None:
    webhook = make.webhook(by=cast.admin)
    assert access.load(cast.admin, webhook.id) is webhook
    for other in (cast.teammate, cast.stranger):
        with pytest.raises(NotFound):
            access.load(other, webhook.id)
    assert access.of(cast.stranger) == []


def add_redelivery(delivery: Delivery) -> Redelivery:
    from webapp.models import transaction  # noqa: PLC0415

    with transaction() as session:
        redelivery = Redelivery(delivery_seq=delivery.seq, requested_at=utc_now())
        session.add(redelivery)
    return redelivery


@pytest.mark.proves("W54")
def test_a_person_has_a_bounded_number_of_webhooks(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(editing, "MAX_WEBHOOKS", 2)
    first = editing.create(WebhookValues(name="One", url=URL), by=cast.admin).webhook
    editing.create(WebhookValues(name="Two", url=URL), by=cast.admin)
    with pytest.raises(Invalid, match="You have 2 webhooks already"):
        editing.create(WebhookValues(name="Three", url=URL), by=cast.admin)
    assert editing.create(WebhookValues(name="Theirs", url=URL), by=cast.stranger).webhook.id
    editing.delete(first, by=cast.admin)
    assert editing.create(WebhookValues(name="Three", url=URL), by=cast.admin).webhook.id
