"""The pages of inboxes: make one, watch what arrives, read one request, say what it answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
import time_machine
from werkzeug.test import TestResponse

from tests.conftest import Browser, Cast
from tests.factories import SECRET, Make
from tests.page_checker import Page, check_page, check_part
from webapp.delivery import signing
from webapp.models import Inbox, utc_now
from webapp.receiver import arrivals, checking, inboxes, pruning
from webapp.receiver.answers import Answer
from webapp.receiver.checking import Choice, Source
from webapp.web.inboxes import inbox_address

HTMX = {"HX-Request": "true"}
BODY = b'{"event":"TODO_CREATED","currentValue":{"title":"Call Ada"}}'
HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</textarea></pre><svg onload=alert(1)>",
    "{{ 7*7 }}{% raw %}",
    "javascript:alert(1)",
    "\u2028\u202eevil",
)


@pytest.fixture
def admin(client: Browser, cast: Cast) -> Browser:
    return client.sign_in(cast.admin)


@pytest.fixture
def inbox(cast: Cast) -> Inbox:
    return inboxes.create("Orders in", by=cast.admin)


def receive(inbox: Inbox, body: bytes = BODY, secrets: tuple[str, ...] = (), **values: Any) -> str:
    """Let a signed request arrive; returns its id."""
    described = {"delivery_id": "dlv_a", "attempt_number": 1, "event_id": None, **values}
    headers = signing.headers(
        event_word="TODO_CREATED",
        body=body,
        timestamp=int(utc_now().timestamp()),
        keys=[signing.Keys.of(secret) for secret in secrets],
        **described,
    )
    arrivals.receive(inbox.token, arrivals.Arrival("POST", "/inbox/x", headers, body, "127.0.0.1"))
    return arrivals.requests(inbox)[0].request.id


def show(client: Browser, inbox: Inbox) -> Page:
    return check_page(client.get(f"/inboxes/{inbox.id}"))


def after(client: Browser, response: TestResponse) -> Page:
    """The page that a form leads to."""
    assert response.status_code == 303, response.text
    return check_page(client.get(response.location))


def news(client: Browser, inbox: Inbox, cursor: int, shown: int = 1) -> TestResponse:
    return client.get(f"/inboxes/{inbox.id}/requests?after={cursor}&shown={shown}", headers=HTMX)


def test_an_inbox_is_made_and_shown_with_its_address(admin: Browser, cast: Cast) -> None:
    assert "No inboxes yet" in check_page(admin.get("/inboxes")).text

    page = after(admin, admin.post("/inboxes", data={"name": "Mine"}))

    (row,) = inboxes.of(cast.admin)
    assert page.h1 == "Mine"
    assert f"http://localhost/inbox/{row.inbox.token}" in page.text
    assert "Waiting for the first request…" in page.text
    assert page.links["Use in a new webhook"].endswith(f"?url=http://localhost/inbox/{row.inbox.token}")


def test_the_address_is_built_from_the_base_url(make_app: Any, make: Make) -> None:
    app = make_app(base_url="https://hooks.example.com")
    inbox = inboxes.create("", by=make.user())

    with app.test_request_context(base_url="http://inside:8000"):
        assert inbox_address(inbox) == f"https://hooks.example.com/inbox/{inbox.token}"


def test_a_wrong_name_comes_back_with_the_form(admin: Browser) -> None:
    response = admin.post("/inboxes", data={"name": "x" * 101})

    assert response.status_code == 422
    page = check_page(response, status=422)
    assert page.errors() == ["Use at most 100 characters."]
    assert page.find("input", name="name").attrs["value"] == "x" * 101


def test_the_list_shows_what_arrived(admin: Browser, cast: Cast, inbox: Inbox) -> None:
    receive(inbox)
    inboxes.create("Of Stella", by=cast.stranger)

    page = check_page(admin.get("/inboxes"))

    assert "Orders in" in page.text
    assert "Of Stella" not in page.text


@pytest.mark.parametrize("path", ["", "/requests", "/REQUEST", "/REQUEST/body", "/delete", "/requests/delete"])
def test_a_stranger_sees_nothing_of_it(client: Browser, cast: Cast, inbox: Inbox, path: str) -> None:
    path = f"/inboxes/{inbox.id}{path.replace('REQUEST', receive(inbox))}"

    assert client.get(path).status_code == 303
    assert client.sign_in(cast.stranger).get(path, headers=HTMX if path.endswith("requests") else {}).status_code == 404


@pytest.mark.parametrize("path", ["answer", "secret", "delete", "requests/delete"])
def test_a_stranger_changes_nothing_of_it(client: Browser, cast: Cast, inbox: Inbox, path: str) -> None:
    receive(inbox)

    response = client.sign_in(cast.stranger).post(f"/inboxes/{inbox.id}/{path}", data={"status": "500"})

    assert response.status_code == 404
    assert len(arrivals.requests(inboxes.load(cast.admin, inbox.id))) == 1
    assert inboxes.load(cast.admin, inbox.id).answer_status == 200


def test_requests_stand_newest_first_with_their_verdict(admin: Browser, cast: Cast, make: Make, inbox: Inbox) -> None:
    make.webhook(by=cast.admin, url=f"http://localhost/inbox/{inbox.token}", secret=SECRET)
    receive(inbox, secrets=(SECRET,))
    receive(inbox, secrets=("a wrong secret, this one",), attempt_number=2)
    receive(inbox, delivery_id="dlv_b")

    rows = [row.text for row in show(admin, inbox).find_all("tr") if row.attrs.get("id", "").startswith("request-")]

    assert ["Not signed" in rows[0], "Wrong" in rows[1], "Right" in rows[2]] == [True] * 3
    assert "again, attempt 2" in rows[1]
    assert "again" not in rows[0] + rows[2]


def test_nothing_new_is_204(admin: Browser, inbox: Inbox) -> None:
    assert news(admin, inbox, cursor=0, shown=0).status_code == 204
    receive(inbox)
    assert news(admin, inbox, cursor=arrivals.requests(inbox)[0].request.seq).status_code == 204


def test_new_requests_come_as_the_same_rows_with_a_new_cursor(admin: Browser, inbox: Inbox) -> None:
    receive(inbox)
    first = arrivals.requests(inbox)[0].request
    second_id = receive(inbox)
    second = arrivals.requests(inbox)[0].request

    with time_machine.travel(utc_now(), tick=False):  # "1 second ago" may not become two in between
        part = check_part(news(admin, inbox, cursor=first.seq))
        whole = show(admin, inbox)

    rows = part.find_all("tr")
    assert [row.attrs["id"] for row in rows] == ["asks", f"request-{second_id}"]
    assert f"after={second.seq}&shown=2" in rows[0].attrs["hx-get"]
    assert whole.find("tr", id=f"request-{second_id}").text == rows[1].text


def test_the_first_request_brings_the_whole_list(admin: Browser, inbox: Inbox) -> None:
    receive(inbox)

    response = news(admin, inbox, cursor=0, shown=0)

    assert response.headers["HX-Retarget"] == "#requests"
    assert response.headers["HX-Reswap"] == "outerHTML"
    assert check_part(response).find("div", id="requests")


def test_a_page_never_grows_beyond_what_is_kept(admin: Browser, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    receive(inbox)
    cursor = arrivals.requests(inbox)[0].request.seq
    receive(inbox)

    response = news(admin, inbox, cursor=cursor, shown=pruning.KEPT_REQUESTS)

    assert response.headers["HX-Retarget"] == "#requests"


@pytest.mark.parametrize(
    "query",
    ["after=x", "after=-1", "after=-99999999999999999999999", "after=99999999999999999999999", "after=0&shown=x", ""],
)
def test_a_strange_cursor_does_no_harm(admin: Browser, inbox: Inbox, query: str) -> None:
    receive(inbox)

    assert admin.get(f"/inboxes/{inbox.id}/requests?{query}", headers=HTMX).status_code in {200, 204}


def test_without_htmx_the_news_are_the_page(admin: Browser, inbox: Inbox) -> None:
    response = admin.get(f"/inboxes/{inbox.id}/requests")

    assert (response.status_code, response.location) == (303, f"/inboxes/{inbox.id}")


def test_a_request_is_shown_with_headers_body_and_signature(
    admin: Browser, cast: Cast, make: Make, inbox: Inbox
) -> None:
    webhook = make.webhook(by=cast.admin, url=f"http://localhost/inbox/{inbox.token}", secret=SECRET)
    delivery = make.delivery(webhook)
    request_id = receive(inbox, secrets=(SECRET,), delivery_id=delivery.id)

    page = check_page(admin.get(f"/inboxes/{inbox.id}/{request_id}"))

    assert page.h1.startswith("POST TODO_CREATED")
    assert signing.signature(BODY, SECRET) in page.text
    assert "compact JSON" in page.text
    assert "Call Ada" in page.text
    names = [cell.text for cell in page.find_all("th", scope="row")]
    assert names == [name for name, _ in arrivals.load(inbox, request_id).headers]
    assert page.links["this delivery"] == f"/settings/webhooks/{webhook.id}/deliveries/{delivery.id}"
    assert "within 5 min" in page.text


def test_the_step_that_failed_is_named(admin: Browser, cast: Cast, inbox: Inbox) -> None:
    inboxes.check_with(inbox.id, Choice(Source.TYPED, secret=SECRET), by=cast.admin)
    headers = [("X-Signature", "sha256=" + signing.signature(BODY, SECRET))]
    arrivals.receive(inbox.token, arrivals.Arrival("POST", "/inbox/x", headers, BODY, "127.0.0.1"))
    request_id = arrivals.requests(inbox)[0].request.id

    page = check_page(admin.get(f"/inboxes/{inbox.id}/{request_id}"))

    assert "There is something like sha256= in front." in page.text


@pytest.mark.parametrize(("body", "words"), [(BODY, "same bytes"), (BODY + b"\n", "other bytes")])
def test_a_repeated_delivery_is_compared_with_the_one_before(
    admin: Browser, inbox: Inbox, body: bytes, words: str
) -> None:
    receive(inbox)
    request_id = receive(inbox, body)

    assert words in check_page(admin.get(f"/inboxes/{inbox.id}/{request_id}")).text


@pytest.mark.parametrize("body", [b"", b"\xff\x00\xfe", b"[" * 5000, b'"half \\ud800"', b"x" * 300_000])
def test_any_body_can_be_looked_at(admin: Browser, inbox: Inbox, body: bytes) -> None:
    request_id = receive(inbox, body)

    check_page(admin.get(f"/inboxes/{inbox.id}/{request_id}"))
    raw = admin.get(f"/inboxes/{inbox.id}/{request_id}/body")

    assert raw.data == body[: arrivals.MAX_BODY_BYTES]


@pytest.mark.proves("W04")
def test_a_downloaded_body_is_never_rendered(admin: Browser, inbox: Inbox) -> None:
    request_id = receive(inbox, b"<script>alert(1)</script>")

    headers = admin.get(f"/inboxes/{inbox.id}/{request_id}/body").headers

    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Content-Disposition"].startswith("attachment")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_arrives_is_shown_as_text(admin: Browser, inbox: Inbox, text: str) -> None:
    headers = [("X-Evil", text), ("X-Webhook-Event", text), ("webhook-id", text), ("X-Webhook-Attempt", text)]
    for body in (text.encode(), json.dumps({"event": text, text: text}).encode()):
        arrival = arrivals.Arrival("POST", f"/inbox/x?{text}", headers, body, "127.0.0.1")
        arrivals.receive(inbox.token, arrival)
        request_id = arrivals.requests(inbox)[0].request.id

        for page in (check_page(admin.get(f"/inboxes/{inbox.id}/{request_id}")), show(admin, inbox)):
            assert not page.find_all("img")
            assert not [script for script in page.find_all("script") if "src" not in script.attrs]
            assert "<script>alert" not in page.html
            assert "onerror=alert(1)>" not in page.html
            assert not [url for url in page.links.values() if url.startswith("javascript")]


def test_what_is_answered_can_be_set_and_reset(admin: Browser, cast: Cast, inbox: Inbox) -> None:
    told = {"status": "503", "delay": "2", "retry_after": "30", "body": "busy"}
    page = after(admin, admin.post(f"/inboxes/{inbox.id}/answer", data=told))

    assert Answer.of(inboxes.load(cast.admin, inbox.id)) == Answer(503, 2000, 30, "busy")
    assert "This inbox misbehaves on purpose: 503" in page.text

    admin.post(f"/inboxes/{inbox.id}/answer", data={"status": "200"})

    assert Answer.of(inboxes.load(cast.admin, inbox.id)) == Answer()
    assert "misbehaves" not in show(admin, inbox).text


def test_an_inbox_can_be_told_to_hang_up(admin: Browser, cast: Cast, inbox: Inbox) -> None:
    page = after(admin, admin.post(f"/inboxes/{inbox.id}/answer", data={"status": "200", "hangs_up": "y"}))
    receive(inbox)

    assert inboxes.load(cast.admin, inbox.id).hangs_up
    assert "This inbox misbehaves on purpose: hangs up" in page.text
    assert page.find("input", name="hangs_up").attrs.get("checked") is not None
    assert "hung up" in show(admin, inbox).text
    (row,) = arrivals.requests(inbox)
    assert "it hung up" in check_page(admin.get(f"/inboxes/{inbox.id}/{row.request.id}")).text

    after(admin, admin.post(f"/inboxes/{inbox.id}/answer", data={"status": "200"}))

    assert not inboxes.load(cast.admin, inbox.id).hangs_up


def test_a_wrong_answer_comes_back_with_what_was_typed(admin: Browser, cast: Cast, inbox: Inbox) -> None:
    told = {"status": "700", "delay": "soon", "retry_after": "", "body": "kept"}
    page = check_page(admin.post(f"/inboxes/{inbox.id}/answer", data=told), status=422)

    assert len(page.errors()) == 1
    assert page.find("textarea", name="body").text.strip() == "kept"
    assert inboxes.load(cast.admin, inbox.id).answer_status == 200

    page = check_page(admin.post(f"/inboxes/{inbox.id}/answer", data={**told, "delay": "61"}), status=422)
    assert len(page.errors()) == 2


def test_a_typed_secret_is_kept_and_never_shown(admin: Browser, cast: Cast, inbox: Inbox) -> None:
    told = {"source": "typed", "secret": SECRET, "webhook_id": ""}
    page = after(admin, admin.post(f"/inboxes/{inbox.id}/secret", data=told))

    assert checking.secrets_of(inboxes.load(cast.admin, inbox.id)).rings == ((SECRET,),)
    assert SECRET not in page.html
    assert "a secret of your own" in page.text


def test_the_secret_of_one_of_my_webhooks_can_be_chosen(admin: Browser, cast: Cast, make: Make, inbox: Inbox) -> None:
    webhook, foreign = make.webhook(by=cast.admin, name="Shop"), make.webhook(by=cast.stranger)
    url = f"/inboxes/{inbox.id}/secret"

    page = after(admin, admin.post(url, data={"source": "webhook", "webhook_id": webhook.id}))
    refused = check_page(admin.post(url, data={"source": "webhook", "webhook_id": foreign.id}), status=422)

    assert "Checks signatures with: Shop" in page.text
    assert refused.errors() == ["Choose one of your webhooks."]
    assert inboxes.load(cast.admin, inbox.id).webhook_id == webhook.id


@pytest.mark.parametrize("data", [{}, {"source": "elsewhere"}, {"source": "typed", "secret": ""}])
def test_a_wrong_choice_of_secret_comes_back(admin: Browser, inbox: Inbox, data: dict[str, str]) -> None:
    check_page(admin.post(f"/inboxes/{inbox.id}/secret", data=data), status=422)


def test_emptying_asks_first(admin: Browser, inbox: Inbox) -> None:
    receive(inbox)
    url = f"/inboxes/{inbox.id}/requests/delete"

    assert check_page(admin.get(url)).h1 == "Empty “Orders in”?"
    assert len(arrivals.requests(inbox)) == 1

    after(admin, admin.post(url))
    assert arrivals.requests(inbox) == []


def test_deleting_asks_first(admin: Browser, cast: Cast, inbox: Inbox) -> None:
    url = f"/inboxes/{inbox.id}/delete"

    assert check_page(admin.get(url)).h1 == "Delete “Orders in”?"
    assert len(inboxes.of(cast.admin)) == 1

    after(admin, admin.post(url))
    assert inboxes.of(cast.admin) == []
