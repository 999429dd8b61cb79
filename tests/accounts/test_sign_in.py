from __future__ import annotations

import concurrent.futures
import statistics
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from tests.factories import PASSWORD, PASSWORD_HASH
from webapp.accounts import passwords, people, sign_in
from webapp.accounts.sign_in import WrongPassword
from webapp.extensions import db
from webapp.models import EndedSession, FailedSignIn, Invalid, TooMany, transaction, utc_now

HOME = "192.0.2.1"


@pytest.fixture
def ada(make):
    return make.user(email="ada@example.com")


def guess(email="ada@example.com", password="wrong", address=HOME, device=""):
    return sign_in.sign_in(email, password, address=address, device=device)


def test_the_right_password_signs_in_whatever_the_case_of_the_address(ada):
    assert guess(" ADA@example.com", PASSWORD) is ada
    assert ada.last_sign_in_at is not None


def test_who_is_signed_in_confirms_with_the_password_and_guesses_ten_times_at_most(ada):
    with time_machine.travel(utc_now(), tick=False):
        for _ in range(10):
            with pytest.raises(Invalid, match="not your password"):
                sign_in.confirm(ada, "wrong", address=HOME)
        with pytest.raises(TooMany):
            sign_in.confirm(ada, PASSWORD, address=HOME)
        assert guess(password=PASSWORD) is ada  # signing in is counted apart
    with time_machine.travel(utc_now() + timedelta(minutes=16)):
        sign_in.confirm(ada, PASSWORD, address=HOME)
        assert db.session.query(FailedSignIn).count() == 0


@pytest.mark.proves("W45")
def test_a_wrong_password_an_unknown_and_a_suspended_person_get_the_same_answer(ada, make):
    make.user(email="gone@example.com", suspended_at=utc_now())
    sentences = set()
    for email, password in (
        ("ada@example.com", "wrong"),
        ("who@example.com", PASSWORD),
        ("gone@example.com", PASSWORD),
    ):
        with pytest.raises(WrongPassword) as refused:
            guess(email, password)
        sentences.add(str(refused.value))
    assert sentences == {"E-mail or password is not right."}


@pytest.mark.proves("W17")
def test_an_answer_takes_as_long_for_unknown_people_as_for_known_ones(app):
    people.create("grace@example.com", "three unrelated words", name="Grace")
    times: dict[str, list[float]] = {"grace@example.com": [], "nobody@example.com": []}
    for number in range(18):
        for email, taken in times.items():
            begun = time.perf_counter()
            with pytest.raises(WrongPassword):
                guess(email, address=f"192.0.2.{number}", device=str(number))
            taken.append(time.perf_counter() - begun)
    known, unknown = (statistics.median(taken) for taken in times.values())
    assert abs(known - unknown) / known < 0.25  # the hash alone makes more than half of the time: without it 0.5


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.proves("A65", "W17", "W45")
def test_the_median_of_two_hundred_answers_tells_nobody_who_is_known(app):
    people.create("grace@example.com", "three unrelated words", name="Grace")
    times: dict[str, list[float]] = {"grace@example.com": [], "nobody@example.com": []}
    for number in range(200):
        order = list(times) if number % 2 else list(times)[::-1]
        for email in order:
            begun = time.perf_counter()
            with pytest.raises(WrongPassword):
                guess(email, address=f"192.0.2.{number}", device=str(number))
            times[email].append(time.perf_counter() - begun)
    known, unknown = (statistics.median(taken) for taken in times.values())
    assert abs(known - unknown) / known < 0.05


@pytest.mark.proves("W17")
def test_ten_wrong_tries_are_the_most_in_fifteen_minutes(ada):
    with time_machine.travel(utc_now(), tick=False) as clock:
        for _ in range(10):
            with pytest.raises(WrongPassword):
                guess()
        with pytest.raises(TooMany, match="in 15 minutes") as refused:
            guess(password=PASSWORD)
        assert refused.value.retry_after_s == 900
        clock.shift(timedelta(minutes=14, seconds=59))
        with pytest.raises(TooMany, match="in 1 minutes"):
            guess(password=PASSWORD)
        clock.shift(timedelta(seconds=1))
        assert guess(password=PASSWORD) is ada


@pytest.mark.proves("W17")
def test_many_tries_at_once_do_not_get_more_of_them(app, ada):
    def attempt(number: int) -> type[Exception]:
        with app.app_context():
            try:
                guess(address=f"192.0.2.{number}")
            except (WrongPassword, TooMany) as error:
                return type(error)
            finally:
                db.session.remove()
        raise AssertionError

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, range(24)))
    assert answers.count(WrongPassword) == 10
    assert answers.count(TooMany) == 14


@pytest.mark.proves("W17")
def test_an_address_has_a_hundred_tries_over_all_accounts(app):
    with transaction() as session:
        session.add_all(FailedSignIn(email_sha256=f"{number:064}", address=HOME) for number in range(100))
    with pytest.raises(TooMany):
        guess("new@example.com")
    with pytest.raises(WrongPassword):
        guess("new@example.com", address="192.0.2.2")


@pytest.mark.proves("W17")
def test_a_stranger_who_guesses_does_not_lock_the_owner_out_of_their_own_browser(ada):
    for _ in range(10):
        with pytest.raises(WrongPassword):
            guess(address="203.0.113.9")
    with pytest.raises(TooMany):
        guess(password=PASSWORD, address="203.0.113.9")
    assert guess(password=PASSWORD, device="the browser at home") is ada


def test_signing_in_forgets_the_wrong_tries(ada):
    for _ in range(9):
        with pytest.raises(WrongPassword):
            guess()
    guess(password=PASSWORD)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(FailedSignIn)) == 0


@pytest.mark.proves("W18")
def test_a_weak_hash_is_renewed_at_sign_in(ada):
    assert ada.password_hash == PASSWORD_HASH
    guess(password=PASSWORD)
    assert not passwords.is_outdated(ada.password_hash)


@pytest.mark.proves("W10")
def test_a_ticket_names_its_person_until_it_is_fourteen_days_old(ada):
    ticket = sign_in.ticket(ada)
    assert sign_in.holder(ticket) is ada
    with time_machine.travel(utc_now() + timedelta(days=13, hours=23)):
        assert sign_in.holder(ticket) is ada
    with time_machine.travel(utc_now() + timedelta(days=14, seconds=1)):
        assert sign_in.holder(ticket) is None


def test_a_ticket_that_was_signed_out_is_worthless_and_others_are_not(ada):
    here, there = sign_in.ticket(ada), sign_in.ticket(ada)
    sign_in.sign_out(here)
    sign_in.sign_out(here)
    assert sign_in.holder(here) is None
    assert sign_in.holder(there) is ada


def test_signing_out_everywhere_and_suspension_end_every_ticket(ada, make):
    ticket = sign_in.ticket(ada)
    people.sign_out_everywhere(ada)
    assert sign_in.holder(ticket) is None
    ticket = sign_in.ticket(ada)
    with transaction():
        ada.suspended_at = utc_now()
    assert sign_in.holder(ticket) is None


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c.d", "a.b.c.1e9", "....", "a.b.c.99999999999999999999"])
def test_what_is_no_ticket_names_nobody(app, text):
    assert sign_in.holder(text) is None
    sign_in.sign_out(text)


def test_ended_sessions_are_forgotten_when_no_ticket_can_be_as_old(ada):
    sign_in.sign_out(sign_in.ticket(ada))
    with time_machine.travel(utc_now() + timedelta(days=29)):
        sign_in.sign_out(sign_in.ticket(ada))
    assert db.session.scalar(sa.select(sa.func.count()).select_from(EndedSession)) == 1
