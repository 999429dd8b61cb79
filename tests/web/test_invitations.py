from __future__ import annotations

import concurrent.futures
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from tests.factories import Make
from tests.page_checker import check_page
from tests.smtp_server import SmtpServer
from webapp.accounts import notices, people
from webapp.extensions import db
from webapp.models import AuditEntry, Invitation, OneTimeLink, ProjectMember, Role, User, utc_now
from webapp.workspace import access, invitations, members

GRACE = "grace@example.com"
PASSWORD = "three unrelated words"


@pytest.fixture
def team(make):
    owner = make.user(name="Olga")
    return owner, make.project(owner=owner, name="Orders")


@pytest.fixture
def token(team):
    owner, project = team
    return members.add(project, GRACE, "CLIENT", by=owner).token


def sign_up(client, token, **values):
    return client.post(f"/invitations/{token}", data={"name": "Grace", "password": PASSWORD, **values})


def test_somebody_new_signs_up_with_the_address_that_was_invited(client, team, token):
    page = check_page(client.get(f"/invitations/{token}"))
    assert page.h1 == "You are invited to “Orders”"
    assert f"Olga invites {GRACE}, as Client." in page.text
    answer = sign_up(client, token, email="eve@example.com")
    assert answer.location == f"/projects/{team[1].id}"
    check_page(client.get(answer.location))
    grace = db.session.scalar(sa.select(User).where(User.email == GRACE))
    assert access.role_in(team[1], grace) is Role.CLIENT
    assert db.session.scalar(sa.select(OneTimeLink)) is None
    assert check_page(client.get(f"/invitations/{token}"), 404)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"name": " "}, "Enter your name."),
        ({"password": "short"}, "Use at least 12 characters."),
        (
            {"password": "password1234"},
            "This password is guessed easily. Three or four unrelated words make a good one.",
        ),
        ({"password": GRACE}, "This password is guessed easily. Three or four unrelated words make a good one."),
    ],
)
def test_what_is_wrong_comes_back_and_the_invitation_stays(client, token, values, error):
    page = check_page(sign_up(client, token, **values), 422)
    assert page.errors() == [error]
    assert sign_up(client, token).status_code == 303


def test_who_has_an_account_signs_in_and_joins(client, team, token):
    grace = people.create(GRACE, PASSWORD, name="Grace")
    page = check_page(client.get(f"/invitations/{token}"))
    wanted = page.links["Sign in and join"]
    client.post("/login", data={"email": GRACE, "password": PASSWORD})
    assert client.get(wanted).location == f"/invitations/{token}"
    action = f"/invitations/{token}/acceptance"
    assert check_page(client.get(f"/invitations/{token}")).find("form", action=action)
    assert client.post(action).location == f"/projects/{team[1].id}"
    assert access.role_in(team[1], grace) is Role.CLIENT


def test_an_address_that_has_an_account_gets_no_second_one(client, team, token):
    grace = people.create(GRACE, PASSWORD, name="Grace")
    page = check_page(sign_up(client, token, password="another good long one"), 422)
    assert "sign in and open this link again" in page.text
    assert access.role_in(team[1], grace) is None
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Invitation)) == 1


@pytest.mark.proves("W19")
def test_an_invitation_is_for_its_address_alone(client, make, team, token):
    eve = make.user(email="eve@example.com")
    client.sign_in(eve)
    assert "You are signed in as eve@example.com." in check_page(client.get(f"/invitations/{token}")).text
    client.post(f"/invitations/{token}/acceptance")
    assert "for another address" in check_page(client.get(f"/invitations/{token}")).text
    assert access.role_in(team[1], eve) is None
    assert invitations.of(team[1]) != []


def test_signed_out_people_accept_after_signing_in(client, token):
    answer = client.post(f"/invitations/{token}/acceptance")
    assert answer.location == f"/login?next=/invitations/{token}"


def test_who_became_a_member_meanwhile_keeps_the_role(client, make, team, token):
    grace = make.user(email=GRACE)
    make.member(team[1], grace, Role.ADMIN)
    client.sign_in(grace)
    client.post(f"/invitations/{token}/acceptance")
    assert access.role_in(team[1], grace) is Role.ADMIN
    assert invitations.of(team[1]) == []


def test_a_link_that_was_withdrawn_is_too_old_or_never_was_one_says_the_same(client, team, token):
    owner, project = team
    withdrawn = members.add(project, "x@example.com", "CLIENT", by=owner).token
    [row] = [each for each in invitations.of(project) if each.email == "x@example.com"]
    invitations.revoke(project, row.id, by=owner)
    answers = {check_page(client.get(f"/invitations/{each}"), 404).text for each in (withdrawn, "x" * 43, "\u00e9")}
    with time_machine.travel(utc_now() + timedelta(days=7, seconds=1)):
        answers.add(check_page(client.get(f"/invitations/{token}"), 404).text)
        assert sign_up(client, token).status_code == 404
    assert len(answers) == 1


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_of_two_who_use_it_at_once_one_gets_in(app, make):
    owner = make.user()
    project = make.project(owner=owner)
    token = members.add(project, GRACE, "MEMBER", by=owner).token

    def try_it(name: str) -> int:
        return sign_up(app.test_client(), token, name=name).status_code

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(try_it, ["Grace", "Eve"]))
    assert answers[0] == 303
    assert answers[1] in {404, 422}
    db.session.rollback()
    joined = sa.select(sa.func.count()).where(ProjectMember.project_id == project.id)
    assert db.session.scalar(joined) == 2
    entries = sa.select(sa.func.count()).where(AuditEntry.action == "member.joined")
    assert db.session.scalar(entries) == 1


def test_with_mail_the_invitation_arrives_with_a_link_of_its_own(make_app):
    with SmtpServer() as server:
        app = make_app(mail_url=f"smtp://127.0.0.1:{server.port}", base_url="https://hooks.example.com")
        make = Make()
        owner = make.user(name="Olga")
        project = make.project(owner=owner, name="Orders")
        shown = members.add(project, GRACE, "MEMBER", by=owner).token
        assert db.session.scalar(sa.select(sa.func.count()).select_from(OneTimeLink)) == 1
        assert notices.send_due() == 1
        (mail,) = server.mails
    assert mail.recipient == GRACE
    text = str(mail.message.get_body().get_content())
    assert mail.message["Subject"] == "You are invited to “Orders”"
    assert "Olga invites you" in text
    [mailed] = re.findall(r"https://hooks\.example\.com/invitations/(\S+)", text)
    assert mailed != shown
    client = app.test_client()
    https = {"base_url": "https://hooks.example.com"}
    check_page(client.get(f"/invitations/{shown}", **https))
    form = {"name": "Grace", "password": PASSWORD}
    headers = {"Referer": "https://hooks.example.com/"}
    assert client.post(f"/invitations/{mailed}", data=form, headers=headers, **https).status_code == 303
    assert client.get(f"/invitations/{shown}", **https).status_code == 404


def test_no_mail_goes_out_for_an_invitation_that_was_withdrawn(make_app):
    with SmtpServer() as server:
        make_app(mail_url=f"smtp://127.0.0.1:{server.port}", base_url="https://hooks.example.com")
        make = Make()
        owner = make.user()
        project = make.project(owner=owner)
        invitation = members.add(project, GRACE, "MEMBER", by=owner).invitation
        invitations.revoke(project, invitation.id, by=owner)
        assert notices.send_due() == 0
        assert server.mails == []


def test_opening_links_is_limited_in_rate(client, token, minute_begins):
    answers = [client.get(f"/invitations/{number:043}") for number in range(61)]
    assert {answer.status_code for answer in answers[:60]} == {404}
    wait_s = int(answers[60].headers["Retry-After"])
    assert 1 <= wait_s <= 61
    assert f"Try again in {wait_s} s." in check_page(answers[60], 429).text
