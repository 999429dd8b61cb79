"""Which secrets an inbox checks with, and what it says of a signature."""

from datetime import timedelta

import pytest

from tests.conftest import Cast
from tests.factories import SECRET, Make
from webapp.delivery import signing
from webapp.models import Inbox, InboxRequest, utc_now
from webapp.models.base import keyring
from webapp.receiver import arrivals, checking, inboxes
from webapp.receiver.arrivals import Arrival
from webapp.receiver.checking import Choice, Source

OTHER = "another secret that is long"
BODY = b'{"event":"TODO_CREATED"}'


@pytest.fixture
def inbox(cast: Cast) -> Inbox:
    return inboxes.create("", by=cast.admin)


def receive(inbox: Inbox, *secrets: str, body: bytes = BODY, received: bytes | None = None, age_s: int = 0) -> str:
    """The verdict on a request that was signed with these secrets, newest first."""
    headers = signing.headers(
        delivery_id="dlv_a",
        event_word="TODO_CREATED",
        event_id=None,
        attempt_number=1,
        body=body,
        timestamp=int(utc_now().timestamp()) - age_s,
        keys=[signing.Keys.of(secret) for secret in secrets],
    )
    arrival = Arrival("POST", "/inbox/x", headers, body if received is None else received, "127.0.0.1")
    arrivals.receive(inbox.token, arrival)
    return newest(inbox).verdict


def newest(inbox: Inbox) -> InboxRequest:
    return arrivals.requests(inbox)[0].request


def at(inbox: Inbox) -> str:
    return f"http://127.0.0.1:5000/inbox/{inbox.token}"


def test_the_webhook_that_points_here_is_found_by_itself(inbox: Inbox, cast: Cast, make: Make) -> None:
    assert receive(inbox, SECRET) == "no_secret"

    make.webhook(by=cast.admin, url=at(inbox), secret=SECRET)

    assert receive(inbox, SECRET) == "right"
    assert receive(inbox, OTHER) == "wrong"
    assert receive(inbox) == "not_signed"


def test_each_of_several_webhooks_that_point_here_is_right(inbox: Inbox, cast: Cast, make: Make) -> None:
    make.webhook(by=cast.admin, url=at(inbox), secret=SECRET)
    make.webhook(by=cast.admin, url=at(inbox) + "?source=b", secret=OTHER)
    make.webhook(by=cast.admin, url=at(inbox), secret=None)

    assert [receive(inbox, SECRET), receive(inbox, OTHER), receive(inbox, "a third secret, unknown")] == [
        "right",
        "right",
        "wrong",
    ]


def test_the_secret_of_somebody_elses_webhook_is_never_used(inbox: Inbox, cast: Cast, make: Make) -> None:
    make.webhook(by=cast.stranger, url=at(inbox), secret=SECRET)
    make.webhook(by=cast.admin, url=at(inbox), secret=SECRET, deleted_at=utc_now())

    assert receive(inbox, SECRET) == "no_secret"


def test_a_chosen_webhook_is_checked_with_wherever_it_points(inbox: Inbox, cast: Cast, make: Make) -> None:
    make.webhook(by=cast.admin, url=at(inbox), secret=SECRET)
    chosen = make.webhook(by=cast.admin, secret=OTHER)

    inboxes.check_with(inbox.id, Choice(Source.WEBHOOK, webhook_id=chosen.id), by=cast.admin)

    assert receive(inbox, OTHER) == "right"
    assert receive(inbox, SECRET) == "wrong"


def test_a_typed_secret_is_checked_with(inbox: Inbox, cast: Cast, make: Make) -> None:
    make.webhook(by=cast.admin, url=at(inbox), secret=SECRET)

    inboxes.check_with(inbox.id, Choice(Source.TYPED, secret=OTHER), by=cast.admin)

    assert receive(inbox, OTHER) == "right"
    assert receive(inbox, SECRET) == "wrong"


def test_with_none_nothing_is_checked(inbox: Inbox, cast: Cast, make: Make) -> None:
    make.webhook(by=cast.admin, url=at(inbox), secret=SECRET)

    inboxes.check_with(inbox.id, Choice(Source.NONE), by=cast.admin)

    assert receive(inbox, SECRET) == "no_secret"
    assert receive(inbox) == "not_signed"


def test_the_old_secret_counts_while_a_rotation_lasts(inbox: Inbox, cast: Cast, make: Make) -> None:
    old = keyring().encrypt(OTHER.encode()).decode()
    until = utc_now() + timedelta(hours=1)
    make.webhook(
        by=cast.admin, url=at(inbox), secret=SECRET, previous_secret_ciphertext=old, previous_secret_until=until
    )
    ended = inboxes.create("", by=cast.admin)
    make.webhook(
        by=cast.admin,
        url=at(ended),
        secret=SECRET,
        previous_secret_ciphertext=old,
        previous_secret_until=utc_now() - timedelta(seconds=1),
    )

    assert receive(inbox, SECRET, OTHER) == "right"
    assert receive(inbox, OTHER) == "right_with_old_secret"
    assert receive(ended, OTHER) == "wrong"


def test_a_secret_that_no_key_opens_is_left_out(inbox: Inbox, cast: Cast, make: Make) -> None:
    make.webhook(by=cast.admin, url=at(inbox), secret=None, secret_ciphertext="gAAAA")

    assert receive(inbox, SECRET) == "no_secret"


@pytest.mark.parametrize(("age_s", "verdict"), [(299, "right"), (302, "wrong"), (-298, "right"), (-302, "wrong")])
def test_the_timestamp_may_be_five_minutes_off(inbox: Inbox, cast: Cast, make: Make, age_s: int, verdict: str) -> None:
    make.webhook(by=cast.admin, url=at(inbox), secret=SECRET)

    assert receive(inbox, SECRET, age_s=age_s) == verdict


def test_the_step_that_failed_is_named_for_each_scheme(inbox: Inbox, cast: Cast, make: Make) -> None:
    make.webhook(by=cast.admin, url=at(inbox), secret=SECRET)
    receive(inbox, SECRET, received=b'{"event": "TODO_CREATED"}')
    request = newest(inbox)

    check = checking.explain(request, checking.secrets_of(inbox))

    assert check.plain.step is signing.Step.REFORMATTED
    assert check.standard.step is signing.Step.REFORMATTED
    assert check.plain.computed != check.plain.received


def test_a_request_is_judged_at_the_time_it_came(inbox: Inbox, cast: Cast, make: Make) -> None:
    make.webhook(by=cast.admin, url=at(inbox), secret=SECRET)
    receive(inbox, SECRET, age_s=12)
    request = newest(inbox)

    check = checking.explain(request, checking.secrets_of(inbox))

    assert check.age_s in {12, 13}
    assert check.verdict is signing.Verdict.RIGHT
