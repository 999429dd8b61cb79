from __future__ import annotations

import pytest

from webapp.accounts import passwords
from webapp.models import Invalid
from webapp.models.texts import one_line


@pytest.mark.proves("W18")
@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "Gurke-Mond-Traktor",
        "длинный пароль из слов",
        "8391057264413",
        "x" * 3 + "tractor" + "y" * 3,
    ],
)
def test_long_passwords_are_taken_whatever_they_are_made_of(password):
    assert passwords.accept(password) == password


@pytest.mark.proves("W18")
@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "P@ssw0rd1234!",
        "1234567890123",
        "123456781234",
        "aaaaaaaaaaaa",
        "hunter2!hunter2!",
        "qwertyuiopas",
        "Webhooks2024!",
        "ada@example.com",
    ],
)
def test_passwords_that_are_guessed_first_are_refused(password):
    with pytest.raises(Invalid, match="guessed easily") as refused:
        passwords.accept(password, email="ada@example.com", field="new")
    assert list(refused.value.fields) == ["new"]


@pytest.mark.proves("W18")
def test_short_and_endless_passwords_are_refused_with_the_limit():
    with pytest.raises(Invalid, match="at least 12"):
        passwords.accept("short horse")
    with pytest.raises(Invalid, match="at most 1000"):
        passwords.accept("horse battery " * 100)


@pytest.mark.proves("W18")
def test_a_hash_is_argon2id_and_verifies_only_its_own_password():
    stored = passwords.hash_of("correct horse battery staple")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.is_right("correct horse battery staple", stored)
    assert not passwords.is_right("correct horse battery stable", stored)
    assert not passwords.is_outdated(stored)


def test_nobody_has_no_password():
    assert not passwords.is_right("nobody has this password", None)
    assert not passwords.is_right("nobody has this password", "")
    assert not passwords.is_right("anything at all", "no hash")


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\ud800b"])
def test_control_characters_and_half_characters_have_no_place_in_a_line(text):
    with pytest.raises(Invalid, match="control characters"):
        one_line("title", text, longest=100)
