"""Every page and form that is about people, tried by who may not: signed out, of another company, without the role."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from webapp.extensions import db
from webapp.models import AuditEntry, Invitation, Project, Role
from webapp.webhooks import handover
from webapp.workspace import members

BLUEPRINTS = {"companies", "handovers", "members", "project_settings", "users"}
# What members may do to others who are no administrators: look.
OPEN_TO_MEMBERS = {"members.index", "project_settings.edit"}


@pytest.fixture
def ids(cast, make):
    project = make.project_of(cast.admin)
    webhook = make.webhook(by=cast.admin)
    heir = make.user(name="Grace")
    make.member(project, heir, Role.ADMIN)
    handover.offer(webhook, heir.id, by=cast.admin)
    invitation = members.add(project, "x@example.com", "MEMBER", by=cast.admin).invitation
    return {
        "project_id": project.id,
        "company_id": project.company_id,
        "user_id": cast.admin.id,
        "webhook_id": webhook.id,
        "invitation_id": invitation.id,
    }


@pytest.fixture
def routes(app, ids):
    """Endpoint, method and address of each."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] in BLUEPRINTS:
            values = {name: ids[name] for name in rule.arguments}
            address = app.url_map.bind("localhost").build(rule.endpoint, values)
            found += [(rule.endpoint, method, address) for method in sorted(rule.methods - {"HEAD", "OPTIONS"})]
    assert len(found) > 30
    return found


def state():
    db.session.rollback()
    entries = db.session.scalar(sa.select(sa.func.count()).select_from(AuditEntry))
    return entries, db.session.scalar(sa.select(sa.func.count()).select_from(Invitation))


FORM = {"role": "OWNER", "email": "y@example.com", "name": "Mine", "typed_name": "Mine", "value": "1", "confirmed": "1"}


def test_signed_out_people_are_asked_to_sign_in(client, routes):
    before = state()
    for _endpoint, method, address in routes:
        answer = client.open(address, method=method, data=FORM)
        assert (answer.status_code, answer.location.partition("?")[0]) == (303, "/login"), (method, address)
    assert state() == before


def test_strangers_find_nothing(client, cast, routes):
    client.sign_in(cast.stranger)
    before = state()
    for endpoint, method, address in routes:
        if endpoint != "companies.index":
            assert client.open(address, method=method, data=FORM).status_code == 404, (method, address)
    assert state() == before


@pytest.mark.parametrize("role", [Role.MEMBER, Role.CLIENT, Role.COMMENT_ONLY, Role.VIEW_ONLY])
def test_members_without_the_role_change_nothing(client, make, routes, ids, role):
    person = make.user()
    make.member(db.session.get_one(Project, ids["project_id"]), person, role)
    client.sign_in(person)
    before = state()
    for endpoint, method, address in routes:
        answer = client.open(address, method=method, data=FORM)
        if endpoint in OPEN_TO_MEMBERS and method == "GET":
            assert answer.status_code == 200, (method, address)
        elif endpoint.startswith(("members.", "project_settings.")):
            assert answer.status_code in {303, 403}, (method, address)
    assert state() == before
