from __future__ import annotations

import concurrent.futures
import dataclasses

import pytest
import sqlalchemy as sa

from webapp.accounts import passwords, people
from webapp.extensions import db
from webapp.models import Company, Invalid, NotFound, Project, User

PASSWORD = "three unrelated words"
FIRST = people.FirstRun(name="Ada", email="ada@example.com", password=PASSWORD, company="Acme", project="Orders")


def test_a_new_person_can_be_found_by_their_address_in_any_case(app):
    person = people.create(" Ada@Example.COM ", PASSWORD, name="  Ada   Lovelace ")
    assert (person.email, person.name, person.is_operator) == ("ada@example.com", "Ada Lovelace", False)
    assert passwords.is_right(PASSWORD, person.password_hash)


def test_all_wrong_fields_are_named_at_once(app):
    with pytest.raises(Invalid) as refused:
        people.create("no address", "short", name=" ")
    assert list(refused.value.fields) == ["name", "email", "password"]
    assert people.is_empty()


@pytest.mark.parametrize("email", ["a@b@c.de", "a b@c.de", "a@", "@b.de", "a@b.de, c@d.de", "<a@b.de>", "a\n@b.de"])
def test_what_is_no_address_is_refused(app, email):
    with pytest.raises(Invalid) as refused:
        people.create(email, PASSWORD, name="Ada")
    assert list(refused.value.fields) == ["email"]


def test_one_address_belongs_to_one_person(app):
    people.create("ada@example.com", PASSWORD, name="Ada")
    with pytest.raises(Invalid, match="exists already"):
        people.create("ADA@example.com", PASSWORD, name="Another Ada")


def test_the_first_run_names_all_wrong_fields_and_makes_nothing(app):
    with pytest.raises(Invalid) as refused:
        people.set_up(dataclasses.replace(FIRST, email="x", company=" ", project="p" * 101, time_zone="Mars/Base"))
    assert set(refused.value.fields) == {"email", "company", "project", "time_zone"}
    assert people.is_empty()


def test_of_two_first_runs_at_once_one_wins(app):
    def set_up(number: int) -> str:
        with app.app_context():
            try:
                person, _ = people.set_up(dataclasses.replace(FIRST, email=f"person{number}@example.com"))
            except NotFound:
                return ""
            else:
                return person.email
            finally:
                db.session.remove()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        made = [email for email in pool.map(set_up, range(4)) if email]
    assert made == list(db.session.scalars(sa.select(User.email)))
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Project)) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Company)) == 1


def test_the_profile_keeps_what_fits_and_names_what_does_not(make):
    person = make.user()
    people.edit(person, name="Grace", locale="de", time_zone="Europe/Berlin", theme="dark")
    assert (person.name, person.locale, person.time_zone, person.theme) == ("Grace", "de", "Europe/Berlin", "dark")
    with pytest.raises(Invalid) as refused:
        people.edit(person, name="", locale="tlh", time_zone="Nowhere", theme="pink")
    assert set(refused.value.fields) == {"name", "locale", "time_zone", "theme"}
    assert person.name == "Grace"
