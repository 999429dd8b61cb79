"""The German texts: none lacks, each fits its English one, and a German browser sees no English."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from gettext import GNUTranslations

import pytest
from babel.messages import Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract

from tests import translations
from tests.conftest import Browser, Cast
from tests.factories import Make
from tests.markup import Element
from tests.page_checker import Page, check_page, check_part
from webapp.models import Delivery, DeliveryState, ErrorWord, Inbox, Webhook, transaction, utc_now
from webapp.web.person import LOCALES

GERMAN = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}
URL = "https://93.184.216.34/hooks"
LIST = "/settings/webhooks"
SHOWN = ("aria-label", "title", "placeholder", "data-")  # what begins so is shown or said, by the browser or a script
CODES = {"data-select"}  # but these are for the script alone
SOURCE = b'''
"""A docstring of its own. It is no text."""
PLAIN = "Whole sentences count."
WORDS = {"one": "In a dictionary, too.", "two": "words alone do not"}
CODE = "Run `webapp worker` first."
SUM = f"With {PLAIN} it is none."


def refuse() -> None:
    raise Invalid("name", "At most %(most)s characters.", most=3)


def show() -> str:
    """A docstring."""
    return gettext("Marked ones come once.")
'''


def pairs(message: Message) -> Iterator[tuple[str, str]]:
    """Each English text of an entry with its German one."""
    if isinstance(message.id, str):
        yield message.id, str(message.string)
    else:
        yield from zip(message.id, message.string, strict=True)


def english() -> list[re.Pattern[str]]:
    """The English texts whose German ones read differently, as patterns of whole words of a page."""
    found = {text for message in translations.kept() for text, german in pairs(message) if text and text != german}
    return [re.compile(re.sub(r"%\\\(\w+\\\)s", ".+", re.escape(text)).replace("%%", "%")) for text in found]


def texts(element: Element) -> Iterator[str]:
    """What a page shows and reads out, piece by piece; not what stands in code."""
    for child in element.children:
        if isinstance(child, str):
            yield " ".join(child.split())
        elif child.tag not in {"script", "style", "pre", "code"} and "mono" not in child.attrs.get("class", "").split():
            yield from (value for name, value in child.attrs.items() if name.startswith(SHOWN) and name not in CODES)
            yield from texts(child)


@pytest.fixture
def german(client: Browser, cast: Cast) -> Browser:
    """The administrator, with a browser that asks for German."""
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = GERMAN["Accept-Language"]
    return client.sign_in(cast.admin)


@pytest.fixture
def webhook(make: Make, cast: Cast) -> Webhook:
    return make.webhook(by=cast.admin, url=URL, name="Acme 1")


@pytest.fixture
def delivery(make: Make, webhook: Webhook) -> Delivery:
    """One that failed, with an attempt whose stored sentence holds a percent sign."""
    delivery = make.delivery(webhook, state=DeliveryState.FAILED, last_error=ErrorWord.ADDRESS_REFUSED)
    sentence = "The URL contains a blank, a backslash or a hidden character. Write a blank as %20."
    make.attempt(delivery, status=None, error=ErrorWord.ADDRESS_REFUSED, sentence=sentence)
    return delivery


@pytest.fixture
def pages(make: Make, cast: Cast, webhook: Webhook, delivery: Delivery) -> list[str]:
    """The addresses of pages with something on each."""
    held = make.webhook(by=cast.admin, url=URL, name="Acme 2", secret=None, enabled=False, disabled_because="owner")
    make.delivery(held, state=DeliveryState.HELD, held_at=utc_now())
    record = make.record(make.list(make.project_of(cast.admin), title="Acme 3"), title="Acme 4")
    with transaction() as session:
        inbox = Inbox(user_id=cast.admin.id, name="Acme 5", token="x" * 32)
        session.add(inbox)
    return [
        *("/projects", "/projects/new", f"/projects/{record.list.project_id}"),
        *(f"/projects/{record.list.project_id}/settings", f"/records/{record.id}", f"/lists/{record.list_id}"),
        *("/deliveries", "/deliveries?state=stuck", "/event-types", "/event-types/TODO_CREATED", "/docs"),
        *("/settings/profile", "/settings/api", "/inboxes", f"/inboxes/{inbox.id}", LIST, f"{LIST}/new"),
        *(f"{LIST}/{webhook.id}{path}" for path in ("", "/settings", "/signature", "/delete", "/replays/new")),
        *(f"{LIST}/{held.id}{path}" for path in ("", "/held", "/held/discard", "/signature")),
        f"{LIST}/{webhook.id}/deliveries/{delivery.id}",
    ]


def test_every_text_has_a_german_one() -> None:
    lacking = [message.id for message in translations.lacking(translations.updated())]
    assert not lacking, "run `python -m tests.translations` and translate what it names"


def test_the_compiled_texts_are_those_that_are_kept() -> None:
    def read(content: bytes) -> dict[object, str]:
        catalog = vars(GNUTranslations(io.BytesIO(content)))["_catalog"]
        return {key: text for key, text in catalog.items() if key}

    kept = read(translations.compiled(translations.kept()))
    assert read(translations.GERMAN.with_suffix(".mo").read_bytes()) == kept, "run `python -m tests.translations`"


def test_each_german_text_names_the_values_of_its_english_one() -> None:
    differing = [
        (text, german)
        for message in translations.kept()
        for text, german in pairs(message)
        if text and translations.placeholders(text) != translations.placeholders(german)
    ]
    assert not differing


def test_german_quotes_stand_round_what_is_quoted() -> None:
    odd = [
        german for message in translations.kept() for _, german in pairs(message) if re.search('”|"\\w|“\\w', german)
    ]
    assert not odd


def test_whole_sentences_are_found_and_nothing_else() -> None:
    found = extract(translations.extract_sentences, io.BytesIO(SOURCE), DEFAULT_KEYWORDS)
    assert sorted(text for _, text, _, _ in found) == [
        "At most %(most)s characters.",
        "In a dictionary, too.",
        "Marked ones come once.",
        "Whole sentences count.",
    ]


def test_the_help_of_each_setting_is_found() -> None:
    source = io.BytesIO(b'port: int = Field(9000, description="where it listens")')
    found = extract(translations.extract_descriptions, source, DEFAULT_KEYWORDS)
    assert [text for _, text, _, _ in found] == ["where it listens"]


def test_a_german_browser_sees_no_english(german: Browser, pages: list[str]) -> None:
    known, left = english(), []
    for path in pages:
        page = check_page(german.get(path))
        assert page.find("html").attrs["lang"] == "de"
        shown = {text for text in texts(page.root) if text}
        left += [(path, text) for text in shown if any(pattern.fullmatch(text) for pattern in known)]
    assert not left


@pytest.mark.parametrize(("path", "words"), [("/setup", "Willkommen"), ("/login", "Angemeldet bleiben")])
def test_a_german_visitor_is_welcomed_in_german(client: Browser, make: Make, path: str, words: str) -> None:
    if path == "/login":
        make.user()
    assert words in check_page(client.get(path, headers=GERMAN)).text


def test_errors_of_an_action_stand_at_their_fields_in_german(german: Browser) -> None:
    form = {
        "name": "",
        "url": "https://10.0.0.1/",
        "which_events": "chosen",
        "which_projects": "all",
        "payload_format": "full",
    }
    page = check_page(german.post(LIST, data={**form, "which_secret": "chosen", "secret": "short"}), 422)
    said = " ".join(page.errors())
    for words in (
        "Geben Sie einen Namen ein.",
        "Das ist eine private oder reservierte Adresse.",
        "Wählen Sie mindestens ein Ereignis.",
        "16 bis 64 Byte.",
    ):
        assert words in said


def test_a_refused_address_is_explained_in_german_while_typing(german: Browser) -> None:
    answer = german.post(f"{LIST}/url-checks", data={"url": "https://user:pw@example.com/"})
    assert "Die URL enthält einen Benutzernamen" in check_part(answer).text


def test_a_state_that_forbids_it_is_explained_in_german(german: Browser, make: Make, webhook: Webhook) -> None:
    with transaction():
        webhook.enabled = False
    delivery = make.delivery(webhook, state=DeliveryState.FAILED)
    page = check_page(german.get(f"{LIST}/{webhook.id}/deliveries/{delivery.id}"))
    assert "Aktivieren Sie ihn zuerst" in page.html


def test_a_stored_sentence_is_shown_in_german_with_its_percent_sign(german: Browser, delivery: Delivery) -> None:
    page = check_page(german.get(f"{LIST}/{delivery.webhook_id}/deliveries/{delivery.id}"))
    assert "Schreiben Sie ein Leerzeichen als %20." in page.text


def test_event_types_have_german_labels_and_can_be_searched_by_them(german: Browser) -> None:
    page = check_page(german.get("/event-types?q=umbenannt"))
    assert "Datensatz umbenannt" in page.links
    assert "Datensatz erstellt" not in page.links


def test_the_persons_choice_counts_more_than_the_browser(
    make: Make, client: Browser, see: Callable[[str], Page]
) -> None:
    client.sign_in(make.user(locale="de"))
    assert see("en").h1 == "Ereignistypen"
    client.sign_in(make.user(locale="en"))
    assert see("de").h1 == "Event types"


@pytest.fixture
def see(client: Browser) -> Callable[[str], Page]:
    """The page of event types, as a browser of this language gets it."""

    def fetched(language: str) -> Page:
        assert language in LOCALES
        return check_page(client.get("/event-types", headers={"Accept-Language": language}))

    return fetched
