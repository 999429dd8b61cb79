"""What people do with inboxes."""

import pytest
import sqlalchemy as sa

from tests.conftest import Cast
from tests.factories import SECRET, Make
from webapp.extensions import db
from webapp.models import Inbox, Invalid, NotFound
from webapp.receiver import arrivals, checking, inboxes
from webapp.receiver.answers import Answer
from webapp.receiver.arrivals import Arrival
from webapp.receiver.checking import Choice, Source

SIMPLE = Arrival(method="POST", path="/inbox/x", headers=(), body=b"{}", address="127.0.0.1")


def test_a_new_inbox_has_an_address_of_128_random_bits(cast: Cast) -> None:
    tokens = {inboxes.create("", by=cast.admin).token for _ in range(3)}

    assert len(tokens) == 3
    assert {len(token) for token in tokens} == {22}  # 16 bytes in base64 without padding


def test_inboxes_without_a_name_are_numbered(cast: Cast) -> None:
    names = [inboxes.create(name, by=cast.admin).name for name in ("", "  Orders\tin ", "")]

    assert names == ["Inbox 1", "Orders in", "Inbox 3"]


@pytest.mark.parametrize("name", ["x" * 101, "a\x00b"])
def test_a_wrong_name_is_refused_at_its_field(cast: Cast, name: str) -> None:
    with pytest.raises(Invalid) as error:
        inboxes.create(name, by=cast.admin)

    assert error.value.field == "name"
    assert inboxes.of(cast.admin) == []


def test_a_person_has_a_bounded_number_of_inboxes(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inboxes, "MAX_INBOXES", 1)
    inboxes.create("", by=cast.admin)

    with pytest.raises(Invalid, match="1 inboxes already"):
        inboxes.create("", by=cast.admin)
    assert inboxes.create("", by=cast.stranger).name == "Inbox 1"


def test_the_list_tells_how_much_arrived_and_when(cast: Cast) -> None:
    quiet = inboxes.create("quiet", by=cast.admin)
    busy = inboxes.create("busy", by=cast.admin)
    inboxes.create("foreign", by=cast.stranger)
    for _ in range(2):
        arrivals.receive(busy.token, SIMPLE)

    listed = {each.inbox.id: each for each in inboxes.of(cast.admin)}

    assert listed.keys() == {quiet.id, busy.id}
    assert (listed[quiet.id].requests, listed[quiet.id].last_at) == (0, None)
    assert listed[busy.id].requests == 2
    assert listed[busy.id].last_at == arrivals.requests(busy)[0].request.received_at


def test_nobody_reaches_the_inbox_of_somebody_else(cast: Cast) -> None:
    inbox = inboxes.create("", by=cast.admin)

    for reach in (
        lambda: inboxes.load(cast.stranger, inbox.id),
        lambda: inboxes.answer_with(inbox.id, Answer(status=500), by=cast.stranger),
        lambda: inboxes.check_with(inbox.id, Choice(Source.NONE), by=cast.stranger),
        lambda: inboxes.clear(inbox.id, by=cast.stranger),
        lambda: inboxes.delete(inbox.id, by=cast.stranger),
        lambda: inboxes.load(cast.admin, "missing"),
    ):
        with pytest.raises(NotFound):
            reach()
    assert inboxes.load(cast.admin, inbox.id).answer_status == 200


def test_an_inbox_answers_as_it_was_told(cast: Cast) -> None:
    inbox = inboxes.create("", by=cast.admin)
    told = Answer(status=503, delay_ms=2000, retry_after_s=30, body="busy")

    inboxes.answer_with(inbox.id, told, by=cast.admin)

    assert arrivals.receive(inbox.token, SIMPLE) == told
    assert arrivals.requests(inbox)[0].request.answered_status == 503


def test_every_wrong_part_of_an_answer_is_named(cast: Cast) -> None:
    inbox = inboxes.create("", by=cast.admin)
    wrong = Answer(status=199, delay_ms=60_001, retry_after_s=-1, body="x" * 16_385)

    with pytest.raises(Invalid) as error:
        inboxes.answer_with(inbox.id, wrong, by=cast.admin)

    assert error.value.fields.keys() == {"status", "delay", "retry_after", "body"}
    assert Answer.of(inboxes.load(cast.admin, inbox.id)) == Answer()


@pytest.mark.parametrize(
    ("choice", "source"),
    [
        (Choice(Source.FOUND), Source.FOUND),
        (Choice(Source.TYPED, secret="my own secret 12"), Source.TYPED),
        (Choice(Source.NONE), Source.NONE),
    ],
)
def test_the_secret_to_check_with_can_be_chosen(cast: Cast, choice: Choice, source: Source) -> None:
    inbox = inboxes.create("", by=cast.admin)

    inboxes.check_with(inbox.id, Choice(Source.TYPED, secret="another one before"), by=cast.admin)
    inboxes.check_with(inbox.id, choice, by=cast.admin)

    assert checking.source_of(inboxes.load(cast.admin, inbox.id)) is source


def test_a_typed_secret_is_kept_when_the_field_comes_back_empty(cast: Cast) -> None:
    inbox = inboxes.create("", by=cast.admin)
    inboxes.check_with(inbox.id, Choice(Source.TYPED, secret=SECRET), by=cast.admin)

    inboxes.check_with(inbox.id, Choice(Source.TYPED), by=cast.admin)

    assert checking.secrets_of(inboxes.load(cast.admin, inbox.id)).rings == ((SECRET,),)


def test_a_typed_secret_is_encrypted_at_rest(cast: Cast) -> None:
    inbox = inboxes.create("", by=cast.admin)

    inboxes.check_with(inbox.id, Choice(Source.TYPED, secret=SECRET), by=cast.admin)

    stored = db.session.scalar(sa.text("SELECT own_secret FROM inbox"))
    assert stored
    assert SECRET not in stored


@pytest.mark.parametrize("secret", ["", "x" * 257])
def test_a_secret_that_is_missing_or_too_long_is_refused(cast: Cast, secret: str) -> None:
    inbox = inboxes.create("", by=cast.admin)

    with pytest.raises(Invalid) as error:
        inboxes.check_with(inbox.id, Choice(Source.TYPED, secret=secret), by=cast.admin)

    assert error.value.field == "secret"


def test_only_own_webhooks_can_lend_their_secret(cast: Cast, make: Make) -> None:
    inbox = inboxes.create("", by=cast.admin)
    foreign = make.webhook(by=cast.stranger)

    with pytest.raises(Invalid) as error:
        inboxes.check_with(inbox.id, Choice(Source.WEBHOOK, webhook_id=foreign.id), by=cast.admin)

    assert error.value.field == "webhook_id"


def test_emptying_forgets_the_requests_of_this_inbox_only(cast: Cast) -> None:
    emptied, kept = inboxes.create("", by=cast.admin), inboxes.create("", by=cast.admin)
    for inbox in (emptied, kept):
        arrivals.receive(inbox.token, SIMPLE)

    assert inboxes.clear(emptied.id, by=cast.admin) == 1

    assert arrivals.requests(emptied) == []
    assert len(arrivals.requests(kept)) == 1


def test_a_deleted_inbox_is_gone_with_its_requests(cast: Cast) -> None:
    inbox = inboxes.create("", by=cast.admin)
    token = inbox.token
    arrivals.receive(token, SIMPLE)

    inboxes.delete(inbox.id, by=cast.admin)

    assert arrivals.receive(token, SIMPLE) is None
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Inbox)) == 0
    assert db.session.scalar(sa.text("SELECT count(*) FROM inbox_request")) == 0
