"""The form of a webhook: what its buttons fill in, secret, projects, examples, what follows; and the Settings tab."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.conftest import Browser, Cast
from tests.factories import SECRET, Make
from tests.page_checker import check_page, check_part
from webapp.delivery.event_types import example
from webapp.extensions import db
from webapp.models import Delivery, DeliveryKind, Inbox, PayloadFormat, User, Webhook, transaction, utc_now
from webapp.models.base import decrypt
from webapp.receiver import inboxes
from webapp.web import audit_words
from webapp.webhooks import activation, audit, editing, secrets

HTMX = {"HX-Request": "true"}
URL = "https://93.184.216.34/hooks"  # by number, so that no name is looked up
LIST = "/settings/webhooks"


@pytest.fixture
def signed_in(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


@pytest.fixture
def webhook(make: Make, cast: Cast) -> Webhook:
    return make.webhook(by=cast.admin, url=URL)


def form(**values: object) -> dict[str, object]:
    return {
        "name": "Orders",
        "url": URL,
        "which_secret": "generated",
        "enabled": "y",
        "which_events": "all",
        "which_projects": "all",
        "payload_format": "full",
        **values,
    }


def only_webhook() -> Webhook:
    return db.session.scalars(sa.select(Webhook)).one()


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_the_secret_that_the_form_shows_is_the_one_that_signs(signed_in: Browser) -> None:
    shown = check_page(signed_in.get(f"{LIST}/new")).find("input", name="generated").attrs["value"]
    assert shown.startswith("whsec_")
    answer = signed_in.post(LIST, data=form(generated=shown))
    assert decrypt(only_webhook().secret_ciphertext or "") == shown
    assert shown in check_page(signed_in.get(answer.location)).find(id="secret").text
    assert shown not in signed_in.get(f"{LIST}/new").text


@pytest.mark.parametrize(
    ("typed", "spelled"),
    [
        ("https://münchen.invalid/h", "https://xn--mnchen-3ya.invalid/h"),
        ("HTTPS://EXAMPLE.invalid:443/h", "https://example.invalid/h"),
        (f" {URL} ", ""),
    ],
)
def test_the_check_of_a_url_tells_how_it_is_spelled_when_that_differs(
    signed_in: Browser, typed: str, spelled: str
) -> None:
    part = check_part(signed_in.post(f"{LIST}/url-checks", data={"url": typed}, headers=HTMX))
    assert (f"It is saved as {spelled}." in part.text) if spelled else ("saved as" not in part.text)


def test_another_secret_is_generated_and_the_rest_is_kept(signed_in: Browser) -> None:
    page = check_page(signed_in.post(LIST, data=form(name="Kept", generated=SECRET, new_secret="1"), headers=HTMX))
    other = page.find("input", name="generated").attrs["value"]
    assert other.startswith("whsec_")
    assert other != SECRET
    assert page.find("input", name="name").attrs["value"] == "Kept"
    assert db.session.scalars(sa.select(Webhook)).all() == []


def test_a_form_that_comes_back_keeps_its_secret(signed_in: Browser) -> None:
    page = check_page(signed_in.post(LIST, data=form(name="", generated=SECRET)), 422)
    assert page.find("input", name="generated").attrs["value"] == SECRET


def test_an_inbox_is_made_and_filled_in(signed_in: Browser, cast: Cast) -> None:
    page = check_page(signed_in.post(LIST, data=form(name="Orders", url="", use_inbox="1"), headers=HTMX))
    inbox = db.session.scalars(sa.select(Inbox)).one()
    assert (inbox.user_id, inbox.name) == (cast.admin.id, "Orders")
    url = page.find("input", name="url").attrs["value"]
    assert url == f"http://localhost/inbox/{inbox.token}"


def test_an_edited_webhook_can_be_pointed_at_an_inbox(signed_in: Browser, webhook: Webhook) -> None:
    page = check_page(signed_in.post(f"{LIST}/{webhook.id}", data=form(use_inbox="1")))
    assert "/inbox/" in page.find("input", name="url").attrs["value"]
    assert webhook.url == URL


def test_too_many_inboxes_are_told_at_the_url(signed_in: Browser, cast: Cast) -> None:
    for _ in range(inboxes.MAX_INBOXES):
        inboxes.create("", by=cast.admin)
    page = check_page(signed_in.post(LIST, data=form(use_inbox="1")))
    assert page.errors() == ["You have 50 inboxes already. Delete one first."]
    assert page.find("input", name="url").attrs["value"] == URL


def test_a_ping_goes_out_after_creating_if_it_was_asked_for(signed_in: Browser) -> None:
    signed_in.post(LIST, data=form())
    assert db.session.scalars(sa.select(Delivery)).all() == []
    answer = signed_in.post(LIST, data=form(name="Second", ping="y"))
    delivery = db.session.scalars(sa.select(Delivery)).one()
    assert delivery.kind is DeliveryKind.PING
    page = check_page(signed_in.get(answer.location))
    result = page.find(id="ping-result").attrs["hx-get"]
    assert "Sending…" in check_part(signed_in.get(result, headers=HTMX)).text
    assert page.links["I stored it"] == f"{LIST}/{delivery.webhook_id}"


def test_an_unsigned_webhook_can_be_pinged_after_creating_too(signed_in: Browser) -> None:
    answer = signed_in.post(LIST, data=form(which_secret="none", ping="y"))
    page = check_page(signed_in.get(answer.location))
    assert page.find_all(id="secret") == []
    assert "Its requests are unsigned." in page.text
    assert page.find_all(id="ping-result")


def test_the_same_name_twice_is_a_warning_only(signed_in: Browser, webhook: Webhook) -> None:
    answer = signed_in.post(LIST, data=form(which_secret="none", name=webhook.name))
    assert "You have another webhook with this name." in check_page(signed_in.get(answer.location)).text


@pytest.mark.parametrize("code", ["TODO_MOVED", "TAG_CREATED"])
def test_both_formats_are_shown_beside_each_other_for_the_type_that_is_chosen(signed_in: Browser, code: str) -> None:
    page = check_page(signed_in.post(LIST, data=form(show_example="1", example_event=code, name="Kept")))
    for payload_format in PayloadFormat:
        shown = page.find(id=f"example-{payload_format}").find("pre").text
        assert squeezed(shown) == squeezed(example(code, payload_format).decode())
    assert page.find("input", name="name").attrs["value"] == "Kept"


def test_the_examples_of_a_webhook_that_is_set_up_show_itself(
    signed_in: Browser, make: Make, cast: Cast, webhook: Webhook
) -> None:
    page = check_page(signed_in.get(f"{LIST}/{webhook.id}/settings"))
    assert f'"id":"{webhook.id}"' in squeezed(page.find(id="example-full").find("pre").text)
    project = make.project_of(cast.admin)
    assert f'"project":{{"id":"{project.id}"}}' in squeezed(page.find(id="example-compact").find("pre").text)


def test_the_example_is_that_of_the_type_one_comes_with(signed_in: Browser) -> None:
    page = check_page(signed_in.get(f"{LIST}/new?event=COMMENT_CREATED"))
    assert "COMMENT_CREATED" in page.find(id="example-full").text
    check_page(signed_in.post(LIST, data=form(show_example="1", example_event="NO_SUCH")))


def test_only_a_webhook_that_is_set_up_already_warns_of_the_other_format(signed_in: Browser, webhook: Webhook) -> None:
    assert "must understand the new form" not in check_page(signed_in.get(f"{LIST}/new")).text
    page = check_page(signed_in.get(f"{LIST}/{webhook.id}/settings"))
    assert "must understand the new form" in page.find(id="format-warning").text
    shows = {
        each.attrs["value"]: each.attrs.get("data-shows") for each in page.find_all("input", name="payload_format")
    }
    assert shows == {"full": None, "compact": "#format-warning"}


def test_projects_are_searched_by_company_and_archived_ones_lie_under_a_fold(
    signed_in: Browser, make: Make, cast: Cast
) -> None:
    own = make.project_of(cast.admin)
    archived = make.project(owner=cast.admin, name="Long ago", archived=True)
    page = check_page(signed_in.get(f"{LIST}/new"))
    groups = page.find(id="project-groups")
    assert [box.attrs["value"] for box in groups.find("fieldset").find_all("input", name="project_ids")] == [own.id]
    fold = groups.find("details")
    assert "open" not in fold.attrs
    assert f"Long ago ({archived.company.name})" in fold.text
    assert page.find("input", id="project-search").attrs["data-search"] == "#project-groups"
    chosen = form(which_projects="chosen", project_ids=[archived.id], name="")
    assert "open" in check_page(signed_in.post(LIST, data=chosen), 422).find(id="project-groups").find("details").attrs


def test_deleting_asks_for_the_name_and_tells_what_it_means(signed_in: Browser, make: Make, webhook: Webhook) -> None:
    make.delivery(webhook)
    make.delivery(webhook, state="held")
    for place in ("settings", "delete"):
        page = check_page(signed_in.get(f"{LIST}/{webhook.id}/{place}"))
        assert "2 deliveries that wait or are held will be cancelled." in page.text
        assert "each delivery for 30 days" in page.text
    for typed in ("", "orders", "Order"):
        page = check_page(signed_in.post(f"{LIST}/{webhook.id}/delete", data={"name": typed}), 422)
        assert page.errors() == ["This is not its name. Type it as it stands above."]
        assert page.find("input", name="name").attrs["value"] == typed
    assert webhook.deleted_at is None
    assert signed_in.post(f"{LIST}/{webhook.id}/delete", data={"name": " Orders "}).status_code == 303
    assert webhook.deleted_at is not None


def test_the_name_is_compared_as_people_see_it(signed_in: Browser, make: Make, cast: Cast) -> None:
    webhook = make.webhook(by=cast.admin, name="Two  blanks")
    assert signed_in.post(f"{LIST}/{webhook.id}/delete", data={"name": "Two blanks"}).status_code == 303


def test_the_danger_zone_offers_what_can_be_done_now(signed_in: Browser, make: Make, cast: Cast) -> None:
    for enabled in (True, False):
        webhook = make.webhook(by=cast.admin, enabled=enabled)
        page = check_page(signed_in.get(f"{LIST}/{webhook.id}/settings"))
        zone = page.find(class_="danger-zone")
        assert bool(zone.find_all("form", action=f"{LIST}/{webhook.id}/activation")) is enabled
        (link,) = [each for each in zone.find_all("a") if each.text == "Delete…"]
        assert (link.attrs["href"], link.attrs["data-dialog"]) == (f"{LIST}/{webhook.id}/delete", "#deletion")


def audit_of(page_of: Browser, webhook: Webhook) -> list[str]:
    page = check_page(page_of.get(f"{LIST}/{webhook.id}/settings"))
    table = page.find("section", **{"aria-labelledby": "audit-heading"})
    return [" | ".join(cell.text for cell in row.find_all("td")[1:]) for row in table.find_all("tr")[1:]]


def test_the_audit_list_tells_who_changed_what(signed_in: Browser, cast: Cast) -> None:
    signed_in.post(LIST, data=form(generated=SECRET))
    webhook = only_webhook()
    changes = form(name="Invoices", which_events="chosen", events=["TODO_MOVED", "TODO_CREATED"])
    changes |= {"header_name": ["X-Key"], "header_value": ["hush hush"]}
    signed_in.post(f"{LIST}/{webhook.id}", data=changes)
    secrets.rotate(webhook, by=cast.admin)
    activation.disable(webhook, by=cast.admin)
    assert audit_of(signed_in, webhook) == [
        "Ada Admin | Disabled the webhook",
        "Ada Admin | Rotated the secret Secret: changed",
        "Ada Admin | Changed the settings Name: Orders → Invoices Events: All → 2 Headers: changed",
        "Ada Admin | Created the webhook",
    ]
    assert "hush hush" not in signed_in.get(f"{LIST}/{webhook.id}/settings").text
    assert SECRET not in signed_in.get(f"{LIST}/{webhook.id}/settings").text


def test_the_audit_list_stays_when_the_account_of_who_did_it_is_gone(
    signed_in: Browser, make: Make, cast: Cast, webhook: Webhook
) -> None:
    gone: User = make.user()
    with transaction() as session:
        audit.note("edited", webhook, gone, name=["Orders", "Other"])
        session.delete(gone)
    assert audit_of(signed_in, webhook) == ["Nobody who is known any more | Changed the settings Name: Orders → Other"]


def test_the_audit_list_is_of_this_webhook_alone_and_newest_first(
    signed_in: Browser, make: Make, cast: Cast, webhook: Webhook
) -> None:
    editing.edit(make.webhook(by=cast.admin, url=URL), {"name": "Not mine"}, by=cast.admin)
    for number in range(60):
        editing.edit(webhook, {"name": f"Name {number}"}, by=cast.admin)
    listed = audit_of(signed_in, webhook)
    assert len(listed) == 50
    assert "These are the newest 50." in check_page(signed_in.get(f"{LIST}/{webhook.id}/settings")).text
    assert "Name 58 → Name 59" in listed[0]


def test_everything_that_is_noted_about_a_webhook_has_words() -> None:
    sources = (Path(audit.__file__).parent).glob("*.py")
    noted = {word for each in sources for word in re.findall(r'audit\.note\(\s*"(\w+)"', each.read_text())}
    assert len(noted) > 15
    assert noted | {"secret_added"} <= audit_words.ACTIONS.keys()


def test_an_old_secret_is_never_in_the_form(signed_in: Browser, webhook: Webhook) -> None:
    with transaction():
        webhook.previous_secret_ciphertext, webhook.previous_secret_until = webhook.secret_ciphertext, utc_now()
        webhook.previous_secret_until += timedelta(hours=1)
    page = check_page(signed_in.get(f"{LIST}/{webhook.id}/settings"))
    assert SECRET not in page.html
    assert not page.find_all("input", name="generated")
