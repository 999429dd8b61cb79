"""Each action that is audited writes exactly one line: who, what, from where, and never a secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from tests.conftest import Browser, Cast
from tests.factories import PASSWORD, SECRET, Make
from webapp.accounts import tokens
from webapp.extensions import db
from webapp.models import AuditEntry, DeliveryState, Role, User, Webhook, utc_now

HOOKS = "/settings/webhooks"
NEW_SECRET = "whsec_" + "QUJD" * 10
HEADER_VALUE = "Bearer 0123456789"
NEW_PASSWORD = "four more unrelated words"
ADDRESS = "127.0.0.1"


@pytest.fixture
def admin(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


@pytest.fixture
def webhook(make: Make, cast: Cast) -> Webhook:
    return make.webhook(by=cast.admin, url="https://93.184.216.34/hooks")


@pytest.fixture
def noted(cast: Cast) -> Callable[[Any], list[AuditEntry]]:
    """The lines that came with what was done, after a look at the address and at what must not be there."""
    seen = set(db.session.scalars(sa.select(AuditEntry.seq)))

    def lines(answer: Any) -> list[AuditEntry]:
        assert answer.status_code < 400, answer.status_code
        entries = [each for each in db.session.scalars(sa.select(AuditEntry)) if each.seq not in seen]
        for entry in entries:
            text = json.dumps(entry.detail)
            assert not [
                each for each in (SECRET, NEW_SECRET, PASSWORD, NEW_PASSWORD, HEADER_VALUE, "pat_") if each in text
            ]
            assert entry.address == ADDRESS
            seen.add(entry.seq)
        return entries

    return lines


def one(entries: list[AuditEntry], action: str, by: User) -> AuditEntry:
    assert [entry.action for entry in entries] == [action]
    assert entries[0].user_id == by.id
    return entries[0]


Noted = Callable[[Any], list[AuditEntry]]
pytestmark = pytest.mark.proves("A69", "W33")


def test_signing_in_and_what_one_signs_in_with(client: Browser, cast: Cast, noted: Noted) -> None:
    ada = cast.admin
    right = {"email": ada.email, "password": PASSWORD}
    assert client.post("/login", data={**right, "password": "wrong"}).status_code == 422
    one(noted(client.post("/login", data=right)), "user.signed_in", ada)
    given = {"old": PASSWORD, "new": NEW_PASSWORD}
    one(noted(client.post("/settings/profile/password", data=given)), "user.password_changed", ada)
    given = {"email": "ada@example.net", "password": NEW_PASSWORD}
    changed = one(noted(client.post("/settings/profile/address", data=given)), "user.email_changed", ada)
    assert changed.detail["email"][1] == "ada@example.net"
    one(noted(client.post("/settings/profile/sessions")), "user.signed_out_everywhere", ada)


def test_tokens(admin: Browser, cast: Cast, noted: Noted) -> None:
    made = one(
        noted(admin.post("/settings/api", data={"name": "Shop", "expires_in_days": ""})), "token.created", cast.admin
    )
    (token,) = tokens.of(cast.admin)
    assert (made.subject, made.detail) == (f"token:{token.id}", {"name": "Shop", "days": None})
    one(noted(admin.post(f"/settings/api/{token.id}/revocation")), "token.revoked", cast.admin)
    assert noted(admin.post(f"/settings/api/{token.id}/revocation")) == []


def test_members(admin: Browser, cast: Cast, make: Make, noted: Noted) -> None:
    project, newcomer = make.project_of(cast.admin), make.user()
    make.member(make.project(owner=cast.admin), newcomer)  # they know each other
    place = f"/projects/{project.id}/members"
    given = {"email": newcomer.email, "role": "MEMBER"}
    one(noted(admin.post(place, data=given)), "member.added", cast.admin)
    changed = one(
        noted(admin.post(f"{place}/{newcomer.id}", data={"role": "CLIENT"})), "member.role_changed", cast.admin
    )
    assert changed.detail["role"] == ["MEMBER", "CLIENT"]
    one(noted(admin.post(f"{place}/{newcomer.id}/removal")), "member.removed", cast.admin)
    given = {"email": "grace@example.com", "role": "MEMBER"}
    one(noted(admin.post(place, data=given)), "member.invited", cast.admin)


def test_webhooks(admin: Browser, cast: Cast, make: Make, noted: Noted) -> None:
    values = {"name": "Orders", "url": "https://93.184.216.34/hooks", "payload_format": "full", "enabled": "1"}
    one(noted(admin.post(HOOKS, data={**values, "secret": "generate"})), "webhook.created", cast.admin)
    webhook = db.session.scalars(sa.select(Webhook)).one()
    place = f"{HOOKS}/{webhook.id}"
    changes = {**values, "name": "Invoices", "header_name": ["X-Key"], "header_value": [HEADER_VALUE]}
    edited = one(noted(admin.post(place, data=changes)), "webhook.edited", cast.admin)
    assert edited.detail["name"] == ["Orders", "Invoices"]
    one(noted(admin.post(f"{place}/activation", data={"enabled": "0"})), "webhook.disabled", cast.admin)
    one(
        noted(admin.post(f"{place}/delete", data={"confirmed": "1", "name": "Invoices"})), "webhook.deleted", cast.admin
    )


def test_secrets(admin: Browser, cast: Cast, webhook: Webhook, noted: Noted) -> None:
    place = f"{HOOKS}/{webhook.id}"
    given = {"which_secret": "own", "secret": NEW_SECRET, "overlap_hours": "24"}
    one(noted(admin.post(f"{place}/rotations", data=given)), "webhook.secret_rotated", cast.admin)
    one(noted(admin.post(f"{place}/reveals", data={"password": PASSWORD})), "webhook.secret_revealed", cast.admin)
    one(noted(admin.post(f"{place}/rotations/end")), "webhook.secret_overlap_ended", cast.admin)
    one(noted(admin.post(f"{place}/secret/removal", data={"confirmed": "1"})), "webhook.secret_removed", cast.admin)


def test_sending_again_and_replays(admin: Browser, cast: Cast, make: Make, webhook: Webhook, noted: Noted) -> None:
    event = make.event(make.project_of(cast.admin), fanned_out_at=utc_now())
    delivery = make.delivery(webhook, event, state=DeliveryState.FAILED)
    place = f"{HOOKS}/{webhook.id}"
    sent = one(noted(admin.post(f"{place}/deliveries/{delivery.id}/redeliveries")), "webhook.redelivered", cast.admin)
    assert sent.detail == {"delivery": delivery.id}
    given = {"since": "2020-01-01T00:00", "status": "failed", "confirmed": "1"}
    one(noted(admin.post(f"{place}/replays", data=given)), "webhook.replayed", cast.admin)


def test_whoever_may_not_leaves_no_line(client: Browser, cast: Cast, make: Make, webhook: Webhook) -> None:
    client.sign_in(cast.stranger)
    project = make.project_of(cast.admin)
    make.member(project, make.user(), Role.MEMBER)
    for path in (
        f"{HOOKS}/{webhook.id}",
        f"{HOOKS}/{webhook.id}/delete",
        f"{HOOKS}/{webhook.id}/reveals",
        f"{HOOKS}/{webhook.id}/rotations",
        f"{HOOKS}/{webhook.id}/replays",
        f"/projects/{project.id}/members",
    ):
        assert client.post(path, data={"password": PASSWORD}).status_code == 404
    assert not list(db.session.scalars(sa.select(AuditEntry)))
