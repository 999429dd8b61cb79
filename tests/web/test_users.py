from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.page_checker import check_page
from webapp.accounts import tokens
from webapp.extensions import db
from webapp.models import AuditEntry, DeliveryState, Project, Role, User, Webhook, utc_now
from webapp.workspace import access

PASSWORD = "three unrelated words"


@pytest.fixture
def olga(make, client):
    person = make.user(name="Olga", email="olga@example.com", is_operator=True)
    client.sign_in(person)
    return person


@pytest.fixture
def ada(olga, cast):
    return cast.admin


def test_the_page_shows_everybody(client, olga, cast, make):
    make.webhook(by=cast.admin)
    page = check_page(client.get("/admin/users"))
    row = page.find(id=f"user-{cast.admin.id}")
    assert cast.admin.email in row.text
    assert make.project_of(cast.admin).company.name in row.text
    assert "never" in row.text
    assert "Operator" in page.find(id=f"user-{olga.id}").text
    assert "Users" in page.links


def test_for_all_but_operators_there_is_no_such_page(client, cast, app):
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("users.")]
    assert len(rules) == 10
    for person in (cast.admin, cast.teammate, cast.stranger):
        client.sign_in(person)
        for rule in rules:
            [method] = rule.methods - {"HEAD", "OPTIONS"}
            path = rule.rule.replace("<user_id>", cast.admin.id)
            assert client.open(path, method=method).status_code == 404
    assert cast.admin.is_active
    assert client.get("/projects").text.count("/admin/users") == 0


def test_somebody_new_chooses_a_password_by_a_link_that_is_shown_once(app, client, olga):
    assert check_page(client.get("/admin/users/new"))
    page = check_page(client.post("/admin/users", data={"name": "Grace", "email": "grace@example.com"}), 201)
    link = page.find("input", id="link").attrs["value"]
    assert link not in check_page(client.get("/admin/users")).html
    grace = app.test_client()
    form = check_page(grace.get(link))
    assert "For grace@example.com." in form.text
    assert check_page(grace.post(link, data={"new": "short"}), 422).errors() == ["Use at least 12 characters."]
    assert grace.post(link, data={"new": PASSWORD}).location == "/projects"
    check_page(grace.get("/projects"))
    assert grace.get(link).status_code == 404
    other = app.test_client()
    assert other.post("/login", data={"email": "grace@example.com", "password": PASSWORD}).status_code == 303


def test_a_wrong_person_comes_back_with_their_values(client, olga):
    page = check_page(client.post("/admin/users", data={"name": "", "email": olga.email}), 422)
    assert page.errors() == ["Enter a name."]
    page = check_page(client.post("/admin/users", data={"name": "Eve", "email": olga.email}), 422)
    assert page.errors() == ["Somebody with this address exists already."]
    assert page.find("input", name="name").attrs["value"] == "Eve"


def test_a_link_for_somebody_leaves_the_old_password_until_it_is_used(app, client, ada):
    page = check_page(client.post(f"/admin/users/{ada.id}/links"), 201)
    assert "It works once" in page.text
    browser = app.test_client()
    login = {"email": ada.email, "password": "correct horse battery staple"}
    assert browser.post("/login", data=login).status_code == 303


def test_operators_are_made_and_unmade_but_for_the_last(client, olga, ada):
    client.post(f"/admin/users/{ada.id}/operator", data={"value": "1"})
    assert ada.is_operator
    client.post(f"/admin/users/{ada.id}/operator", data={"value": "0"})
    assert not ada.is_operator
    client.post(f"/admin/users/{olga.id}/operator", data={"value": "0"})
    assert "An installation needs an operator." in check_page(client.get("/admin/users")).text
    assert olga.is_operator


def test_signing_somebody_out_ends_their_sessions(app, client, ada):
    browser = app.test_client().sign_in(ada)
    assert browser.get("/projects").status_code == 200
    assert client.post(f"/admin/users/{ada.id}/sessions").location == "/admin/users"
    assert browser.get("/projects").status_code == 303


def test_who_is_suspended_is_out_and_their_webhooks_get_nothing(app, client, ada, make):
    delivery = make.delivery(make.webhook(by=ada))
    browser = app.test_client().sign_in(ada)
    _, token = tokens.create(ada, "a program")
    page = check_page(client.get(f"/admin/users/{ada.id}/suspension"))
    assert "1 webhook gets no more events. 1 waiting or held delivery is cancelled." in page.text
    client.post(f"/admin/users/{ada.id}/suspension")
    assert (delivery.state, delivery.reason) == (DeliveryState.CANCELLED, "role_lost")
    assert browser.get("/projects").status_code == 303
    bearer = {"Authorization": f"Bearer {token}"}
    assert browser.get("/api/v1/projects", headers=bearer).status_code == 401
    assert "Suspended" in check_page(client.get("/admin/users")).find(id=f"user-{ada.id}").text
    client.post(f"/admin/users/{ada.id}/suspension", data={"value": "0"})
    assert ada.is_active
    assert browser.get("/projects").status_code == 303
    assert browser.get("/api/v1/projects", headers=bearer).status_code == 200


def test_nobody_suspends_or_deletes_themselves(client, olga):
    for noun in ("suspension", "deletion"):
        client.post(f"/admin/users/{olga.id}/{noun}")
        assert "it would shut you out" in check_page(client.get("/admin/users")).text
    assert olga.is_active


def test_deleting_says_what_goes_and_what_passes_on(client, cast, ada, make):
    shared = make.project_of(ada)
    shared_id, lonely = shared.id, make.project(owner=ada, company=shared.company, name="Lonely")
    lonely_id, name = lonely.id, ada.name
    kept = make.record(make.list(shared), created_by_id=ada.id)
    make.delivery(make.webhook(by=ada), make.event(shared, fanned_out_at=utc_now()))
    page = check_page(client.get(f"/admin/users/{ada.id}/deletion"))
    for words in (
        "Deletes 1 webhook with its log. 1 waiting or held delivery is never sent.",
        f"“{shared.name}” gets {cast.teammate.name} as its owner.",
        "“Lonely” has nobody else, and goes along.",
    ):
        assert words in page.text
    client.post(f"/admin/users/{ada.id}/deletion")
    assert f"{name} is deleted." in check_page(client.get("/admin/users")).text
    db.session.expire_all()
    assert db.session.scalar(sa.select(Webhook)) is None
    assert db.session.get(Project, lonely_id) is None
    assert access.role_in(db.session.get(Project, shared_id), cast.teammate) is Role.OWNER
    assert kept.created_by_id is None


def test_each_step_is_audited_once(client, ada):
    client.post(f"/admin/users/{ada.id}/operator", data={"value": "1"})
    client.post(f"/admin/users/{ada.id}/operator", data={"value": "1"})
    client.post(f"/admin/users/{ada.id}/suspension")
    client.post(f"/admin/users/{ada.id}/suspension")
    client.post(f"/admin/users/{ada.id}/suspension", data={"value": "0"})
    client.post(f"/admin/users/{ada.id}/deletion")
    actions = list(db.session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.seq)))
    assert actions == ["user.made_operator", "user.suspended", "user.unsuspended", "user.deleted"]
    assert db.session.get(User, "nobody") is None


@pytest.mark.parametrize("noun", ["links", "operator", "sessions", "suspension", "deletion"])
def test_somebody_who_is_not_there_is_not_found(client, olga, noun):
    assert client.post(f"/admin/users/nobody/{noun}").status_code == 404
