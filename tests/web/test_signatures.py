"""A webhook's Signature page: reveal, rotate, end the overlap, remove."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.conftest import Browser, Cast
from tests.factories import PASSWORD, SECRET, Make
from tests.page_checker import check_page, check_part
from webapp.extensions import db
from webapp.models import AuditEntry, Webhook, transaction, utc_now
from webapp.models.base import decrypt, keyring

HTMX = {"HX-Request": "true"}
OLD = "the older secret, long enough"
LIST = "/settings/webhooks"


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


@pytest.fixture
def webhook(make: Make, cast: Cast) -> Webhook:
    return make.webhook(by=cast.admin)


@pytest.fixture
def path(webhook: Webhook) -> str:
    return f"{LIST}/{webhook.id}"


@pytest.fixture
def unsigned(make: Make, cast: Cast) -> Webhook:
    return make.webhook(by=cast.admin, secret=None)


@pytest.fixture
def overlapping(webhook: Webhook) -> Webhook:
    with transaction():
        webhook.previous_secret_ciphertext = keyring().encrypt(OLD.encode()).decode()
        webhook.previous_secret_until = utc_now() + timedelta(hours=5)
    return webhook


def current_secret(webhook: Webhook) -> str:
    db.session.refresh(webhook)
    return decrypt(webhook.secret_ciphertext or "")


def audited() -> list[str]:
    return list(db.session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.seq)))


def test_the_page_hides_the_secret_and_leads_on(signed_in: Browser, path: str) -> None:
    page = check_page(signed_in.get(f"{path}/signature"))
    assert page.title.startswith("Signature - ")
    assert SECRET not in page.html
    current = {link.text for link in page.find_all("a") if link.attrs.get("aria-current") == "page"}
    assert current == {"Signature", "Webhooks"}
    assert page.links["Remove the secret…"] == f"{path}/secret/removal"
    assert "Nothing was sent yet." in page.text
    assert signed_in.get(f"{path}/signature").headers["Cache-Control"] == "no-store"


def test_the_webhook_and_its_form_lead_to_the_page(signed_in: Browser, path: str) -> None:
    assert check_page(signed_in.get(path)).links["Signature"] == f"{path}/signature"
    assert check_page(signed_in.get(f"{path}/settings")).links["Signature and secret"] == f"{path}/signature"


@pytest.mark.proves("W25")
def test_revealing_needs_the_password_and_writes_one_audit_line(signed_in: Browser, path: str, cast: Cast) -> None:
    refused = signed_in.post(f"{path}/reveals", data={"password": "guessed"}, headers=HTMX)
    assert check_part(refused, 422).errors() == ["This is not your password."]
    assert SECRET not in refused.text
    assert audited() == []
    shown = check_part(signed_in.post(f"{path}/reveals", data={"password": PASSWORD}, headers=HTMX))
    assert shown.find("code", id="secret-text").text == SECRET
    (entry,) = db.session.scalars(sa.select(AuditEntry))
    assert (entry.action, entry.user_id, entry.address) == ("webhook.secret_revealed", cast.admin.id, "127.0.0.1")
    assert SECRET not in str(entry.detail)


def test_a_revealed_secret_hides_itself_after_half_a_minute(signed_in: Browser, path: str) -> None:
    shown = check_part(signed_in.post(f"{path}/reveals", data={"password": PASSWORD}, headers=HTMX))
    part = shown.find("div", id="signing-secret")
    assert part.attrs["hx-trigger"] == "load delay:30s"
    hidden = check_part(signed_in.get(part.attrs["hx-get"], headers=HTMX))
    assert hidden.find_all("input", name="password")
    assert SECRET not in hidden.html


def test_revealing_works_without_scripts(signed_in: Browser, path: str) -> None:
    assert check_page(signed_in.post(f"{path}/reveals", data={"password": ""}), 422).errors()
    answer = signed_in.post(f"{path}/reveals", data={"password": PASSWORD})
    assert SECRET in check_page(answer).text
    assert (answer.headers["Refresh"], answer.headers["Cache-Control"]) == (f"30; url={path}/signature", "no-store")
    assert SECRET not in signed_in.get(f"{path}/signature").text


def test_the_password_is_asked_each_time_and_cannot_be_guessed_for_long(signed_in: Browser, path: str) -> None:
    answers = [signed_in.post(f"{path}/reveals", data={"password": "guessed"}).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]
    assert signed_in.post(f"{path}/reveals", data={"password": PASSWORD}).status_code == 429


def test_a_secret_that_no_key_fits_is_not_shown_and_breaks_no_page(
    signed_in: Browser, path: str, webhook: Webhook
) -> None:
    with transaction():
        webhook.secret_ciphertext = webhook.headers_ciphertext = "of another installation"
    check_page(signed_in.get(f"{path}/signature"))
    assert "cannot be read" in check_page(signed_in.get(f"{path}/settings")).text
    page = check_page(signed_in.post(f"{path}/reveals", data={"password": PASSWORD}), 422)
    assert "a key that this installation does not have" in page.errors()[0]


@pytest.mark.proves("W25")
def test_rotating_shows_the_new_secret_once_and_until_when_the_old_one_is_valid(
    signed_in: Browser, path: str, webhook: Webhook
) -> None:
    answer = signed_in.post(f"{path}/rotations", data={"which_secret": "generated", "overlap_hours": "24"})
    assert (answer.status_code, answer.location) == (303, f"{path}/signature")
    new = current_secret(webhook)
    assert new != SECRET
    page = check_page(signed_in.get(answer.location))
    assert page.find("code", id="new-secret").text == new
    assert "Old secret valid until" in page.text
    assert SECRET not in page.html
    assert new not in signed_in.get(answer.location).text
    for place in (LIST, path, f"{path}/settings", "/deliveries"):
        assert new not in signed_in.get(place).text
    assert "Old secret valid until" in check_page(signed_in.get(path)).h1
    assert "Old secret valid until" in check_page(signed_in.get(LIST)).text


def test_rotating_again_says_first_that_it_ends_the_older_secret(
    signed_in: Browser, path: str, overlapping: Webhook
) -> None:
    assert "Rotating again ends it at once." in check_page(signed_in.get(f"{path}/signature")).text
    signed_in.post(f"{path}/rotations", data={"which_secret": "generated", "overlap_hours": "1"})
    db.session.refresh(overlapping)
    assert decrypt(overlapping.previous_secret_ciphertext or "") == SECRET


def test_the_overlap_can_be_ended_now(signed_in: Browser, path: str, overlapping: Webhook) -> None:
    page = check_page(signed_in.get(f"{path}/signature"))
    assert [each.text for each in page.find("form", action=f"{path}/rotations/end").find_all("button")] == ["End now"]
    assert signed_in.post(f"{path}/rotations/end").location == f"{path}/signature"
    db.session.refresh(overlapping)
    assert (overlapping.previous_secret_ciphertext, current_secret(overlapping)) == (None, SECRET)
    assert "valid until" not in check_page(signed_in.get(path)).h1


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"which_secret": "own", "secret": ""}, "Enter a secret, or let one be generated."),
        ({"which_secret": "own", "secret": "tooshort"}, "16 to 64 bytes."),
        ({"which_secret": "own", "secret": SECRET}, "This is the secret already. Enter another one."),
        ({"overlap_hours": "9999"}, "Not a valid choice"),
    ],
)
def test_a_wrong_rotation_comes_back_and_changes_nothing(
    signed_in: Browser, path: str, webhook: Webhook, values: dict[str, str], error: str
) -> None:
    sent = {"which_secret": "generated", "overlap_hours": "24", **values}
    page = check_page(signed_in.post(f"{path}/rotations", data=sent), 422)
    assert any(error in each for each in page.errors())
    assert not any(value in page.html for name, value in values.items() if name == "secret" and value)
    assert current_secret(webhook) == SECRET
    assert audited() == []


def test_an_unsigned_webhook_gets_its_first_secret(signed_in: Browser, unsigned: Webhook) -> None:
    path = f"{LIST}/{unsigned.id}"
    page = check_page(signed_in.get(f"{path}/signature"))
    assert "Unsigned." in page.text
    assert not page.find_all("select", name="overlap_hours")
    own = "a secret of my own"
    answer = signed_in.post(f"{path}/rotations", data={"which_secret": "own", "secret": own})
    assert answer.status_code == 303
    assert own in check_page(signed_in.get(answer.location)).text
    assert current_secret(unsigned) == own
    assert audited() == ["webhook.secret_added"]


def test_removing_asks_first_and_then_requests_are_unsigned(
    signed_in: Browser, path: str, overlapping: Webhook
) -> None:
    assert "Requests will be unsigned." in check_page(signed_in.get(f"{path}/secret/removal")).text
    assert signed_in.post(f"{path}/secret/removal").location == f"{path}/signature"
    db.session.refresh(overlapping)
    assert (overlapping.secret_ciphertext, overlapping.previous_secret_ciphertext) == (None, None)
    assert "Unsigned" in check_page(signed_in.get(path)).h1
    signed_in.post(f"{path}/secret/removal")
    assert audited() == ["webhook.secret_removed"]


def test_the_last_delivery_serves_as_a_worked_example(
    signed_in: Browser, path: str, make: Make, webhook: Webhook
) -> None:
    delivery = make.delivery(webhook, kind="ping", state="succeeded")
    sent = [["webhook-id", delivery.id], ["webhook-timestamp", "1764000000"], ["X-Signature", "ab" * 32]]
    make.attempt(delivery, request_headers=sent)
    text = check_page(signed_in.get(f"{path}/signature")).text
    assert "ab" * 32 in text
    assert f"{delivery.id}.1764000000." in text
    assert '{"event":"WEBHOOK_HEALTH_CHECK"' in text


@pytest.mark.parametrize(
    ("method", "place"),
    [
        ("GET", "signature"),
        ("POST", "reveals"),
        ("GET", "rotations/new"),
        ("POST", "rotations"),
        ("POST", "rotations/end"),
        ("GET", "signature/check"),
        ("POST", "signature/check"),
        ("GET", "secret/removal"),
        ("POST", "secret/removal"),
    ],
)
def test_others_get_404_and_change_nothing(
    client: Browser, cast: Cast, overlapping: Webhook, method: str, place: str
) -> None:
    sent = {"password": PASSWORD, "which_secret": "generated", "overlap_hours": "0"}
    for other in (cast.teammate, cast.stranger):
        client.sign_in(other)
        answer = client.open(f"{LIST}/{overlapping.id}/{place}", method=method, data=sent, headers=HTMX)
        missing = client.open(f"{LIST}/nothing/{place}", method=method, data=sent, headers=HTMX)
        assert (answer.status_code, missing.status_code) == (404, 404)
        assert SECRET not in answer.text
    db.session.refresh(overlapping)
    assert decrypt(overlapping.previous_secret_ciphertext or "") == OLD
    assert current_secret(overlapping) == SECRET
    assert audited() == []


def test_rotating_and_removing_are_dialogs_with_pages_of_their_own(
    signed_in: Browser, path: str, overlapping: Webhook
) -> None:
    page = check_page(signed_in.get(f"{path}/signature"))
    for words, place, dialog in (
        ("Rotate…", "rotations/new", "rotation"),
        ("Remove the secret…", "secret/removal", "removal"),
    ):
        (link,) = [each for each in page.find_all("a") if each.text == words]
        assert (link.attrs["href"], link.attrs["data-dialog"]) == (f"{path}/{place}", f"#{dialog}")
        assert page.find("dialog", id=dialog).find_all("form", method="post")
    alone = check_page(signed_in.get(f"{path}/rotations/new"))
    assert alone.find("form", action=f"{path}/rotations")
    assert "Rotating again ends it at once." in alone.text


def test_the_samples_stand_in_tabs_and_the_language_is_remembered(signed_in: Browser, path: str) -> None:
    page = check_page(signed_in.get(f"{path}/signature"))
    assert "createHmac" in page.find(id="sample-plain").text
    assert page.links["Python"] == f"{path}/signature?language=python#samples"
    page = check_page(signed_in.get(f"{path}/signature?language=python"))
    assert "hashlib" in page.find(id="sample-plain").text
    for place in (f"{path}/signature", "/docs"):
        assert "hashlib" in check_page(signed_in.get(place)).find(id="sample-standard").text
    assert "hashlib" in check_page(signed_in.get("/docs?language=cobol")).find(id="sample-plain").text


def test_another_browser_does_not_see_the_new_secret(signed_in: Browser, app: Flask, path: str, cast: Cast) -> None:
    signed_in.post(f"{path}/rotations", data={"which_secret": "generated", "overlap_hours": "24"})
    other = app.test_client()
    assert isinstance(other, Browser)
    assert "new-secret" not in check_page(other.sign_in(cast.admin).get(f"{path}/signature")).html
