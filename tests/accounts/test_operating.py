"""What operators may do, and the races of the last one."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import Make
from tests.smtp_server import SmtpServer
from webapp.accounts import links, notices, operating, succession
from webapp.extensions import db
from webapp.models import (
    Attempt,
    Company,
    CompanyMember,
    Conflict,
    Delivery,
    Invalid,
    NotFound,
    Notice,
    OneTimeLink,
    Project,
    ProjectMember,
    Role,
    User,
    Webhook,
    WebhookSnapshot,
    transaction,
)
from webapp.models.base import table_of

BOTH = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def olga(make: Make) -> User:
    return make.user(name="Olga", is_operator=True)


def at_once(app: Flask, act: Callable[[str], object], ids: list[str]) -> list[str]:
    def run(user_id: str) -> str:
        with app.app_context():
            try:
                act(user_id)
            except (Conflict, NotFound):
                return "refused"
            finally:
                db.session.remove()
        return "done"

    with concurrent.futures.ThreadPoolExecutor(len(ids)) as pool:
        return sorted(pool.map(run, ids))


def operators() -> int:
    db.session.rollback()
    query = sa.select(sa.func.count()).select_from(User).where(User.is_operator, User.suspended_at.is_(None))
    return db.session.scalar(query) or 0


@BOTH
@pytest.mark.parametrize("act", ["unmake", "suspend", "delete"])
def test_two_operators_who_end_each_other_at_once_leave_one(app: Flask, make: Make, act: str) -> None:
    first, second = (make.user(is_operator=True).id for _ in range(2))
    others = {first: second, second: first}

    def end(by_id: str) -> None:
        by = db.session.get(User, by_id)
        if by is None:  # deleted before this request began, and signed out by that
            raise NotFound("There is no such person.")
        other = operating.load(others[by_id])
        if act == "unmake":
            operating.set_operator(other, False, by=by)
        elif act == "suspend":
            operating.suspend(other, by=by)
        else:
            operating.delete(other, by=by)

    assert at_once(app, end, [first, second]) == ["done", "refused"]
    assert operators() == 1


def test_who_was_an_operator_a_moment_ago_operates_no_more(make: Make, olga: User) -> None:
    second = make.user(is_operator=True)
    operating.set_operator(second, False, by=olga)
    acts: list[Callable[..., object]] = [operating.suspend, operating.delete, operating.unsuspend]
    for act in (*acts, operating.sign_out, operating.give_link):
        with pytest.raises(NotFound):
            act(olga, by=second)
    with pytest.raises(NotFound):
        operating.add("Eve", "eve@example.com", by=second)
    with pytest.raises(NotFound):
        operating.set_operator(second, True, by=second)


def test_a_person_who_was_added_has_a_password_that_nobody_knows(olga: User) -> None:
    user, token = operating.add(" Grace  Hopper ", "GRACE@example.com", by=olga)
    assert (user.name, user.email, user.is_operator) == ("Grace Hopper", "grace@example.com", False)
    assert user.password_hash.startswith("$argon2id$")
    assert links.holder(token) is user
    with pytest.raises(Invalid) as refused:
        operating.add("", "no address", by=olga)
    assert list(refused.value.fields) == ["name", "email"]


def test_without_mail_nothing_is_owed(olga: User) -> None:
    operating.add("Grace", "grace@example.com", by=olga)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Notice)) == 0


def test_with_mail_the_link_is_sent_too_and_either_is_the_last(make_app: Callable[..., Flask]) -> None:
    with SmtpServer() as server:
        make_app(mail_url=f"smtp://127.0.0.1:{server.port}", base_url="https://hooks.example.com")
        _, token = operating.add("Grace", "grace@example.com", by=Make().user(is_operator=True))
        assert notices.send_due() == 1
        assert "https://hooks.example.com/password-resets/" in str(server.mails[0].message.get_body())
    assert db.session.scalar(sa.select(sa.func.count()).select_from(OneTimeLink)) == 2
    links.choose_password(token, "three unrelated words")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(OneTimeLink)) == 0


@BOTH
def test_with_a_person_go_their_webhooks_and_what_those_sent_and_nothing_else(make: Make, app: Flask) -> None:
    olga, ada, grace = make.user(is_operator=True), make.user(), make.user()
    project = make.project(owner=ada)
    make.member(project, grace, Role.ADMIN)
    event = make.event(project)
    for owner in (ada, grace):
        make.attempt(make.delivery(make.webhook(by=owner), event))
    operating.delete(ada, by=olga)
    for model in (Webhook, Delivery, Attempt, WebhookSnapshot):
        assert db.session.scalar(sa.select(sa.func.count()).select_from(table_of(model))) == 1
    assert db.session.scalar(sa.select(Webhook.created_by_id)) == grace.id
    assert db.session.get_one(ProjectMember, (project.id, grace.id)).role is Role.OWNER


def test_the_highest_role_and_the_longest_membership_inherit(make: Make, olga: User) -> None:
    ada = make.user()
    project = make.project(owner=ada)
    heir = make.user()
    for user, role in ((make.user(), Role.MEMBER), (heir, Role.ADMIN), (make.user(), Role.ADMIN)):
        make.member(project, user, role)
    shared = make.project(owner=ada)
    make.member(shared, make.user(), Role.OWNER)
    left = {each.subject: each.heir for each in succession.belongings(ada).heritage}
    assert left == {project: heir, project.company: None, shared.company: None}


def test_a_company_without_members_stays_while_it_has_projects(make: Make, olga: User) -> None:
    ada, grace = make.user(), make.user()
    project = make.project(owner=ada)
    make.member(project, grace)
    empty = make.company(owner=ada).id
    operating.delete(ada, by=olga)
    assert db.session.get(Company, empty) is None
    assert db.session.get(Company, project.company_id) is not None
    assert db.session.get(Project, project.id) is not None


def test_a_company_passes_on_like_a_project(make: Make, olga: User) -> None:
    ada, grace = make.user(), make.user()
    company_id = make.company(owner=ada).id
    with transaction() as session:
        session.add(CompanyMember(company_id=company_id, user_id=grace.id, role=Role.VIEW_ONLY))
    operating.delete(ada, by=olga)
    assert db.session.get_one(CompanyMember, (company_id, grace.id)).role is Role.OWNER
