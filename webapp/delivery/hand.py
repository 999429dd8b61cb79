"""The hand of a worker: what it has claimed and not recorded or given back. Belongs to the loop, but for `move_on`.

A claim waits in its lane, is with the senders, or has an outcome that is to be recorded. What is unsent is given back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from webapp.delivery.choosing import BORROWED_IN_FLIGHT, Turn
from webapp.delivery.claims import Claim
from webapp.delivery.lanes import Lanes
from webapp.delivery.outcomes import Outcome
from webapp.delivery.paces import QUICK_S

ASIDE = 256  # claims beside the slots: they wait in lanes, or for the record
LONGEST_IN_LANE_S = 3.0  # many times what a quick receiver needs: one that has turned slow keeps no slots from others


class Hand:
    """Counts claims in `turn`, and hands each to `send` as soon as its lane has room. `slots` is how many it holds."""

    def __init__(self, turn: Turn, *, slots: int, send: Callable[[Claim], None]) -> None:
        self._turn = turn
        self._slots = slots
        self._lanes = Lanes(send, most=BORROWED_IN_FLIGHT)
        self._done = 0  # have their outcome, and are not recorded yet
        self.count = 0
        self.unsent: list[Claim] = []  # no longer in hand, and still to be given back
        self.has_released = False  # since somebody set it back: there may be room for what had none

    @property
    def free(self) -> int:
        """Slots that no claim has. Those that wait in lanes or are done stand in nobody's way, so they need none."""
        return self._slots - self.count + self._aside

    @property
    def ahead(self) -> int:
        """How many more may wait in lanes, beside the slots."""
        return ASIDE - self._aside

    @property
    def awaited(self) -> int:
        """How many have no outcome yet."""
        return self.count - self._done

    @property
    def _aside(self) -> int:
        return min(self._lanes.waiting + self._done, ASIDE)

    def hold(self, claims: Sequence[Claim]) -> None:
        """Take these in hand, and send them as soon as may be."""
        for claim in claims:
            self.count += 1
            self._turn.leased[claim.delivery.webhook_id] += 1
            self._turn.is_suspect_in_flight |= claim.is_suspect
            self._lanes.add(claim)

    def move_on(self, claim: Claim, outcome: Outcome) -> None:
        """In the thread that sent it: after a quick success the next of its lane goes at once."""
        if _is_quick_success(outcome):
            self._lanes.leave(claim)

    def note(self, claim: Claim, outcome: Outcome) -> None:
        """This one has an outcome. What waits for a receiver that fails again and again is given back.

        Its webhook may be paused or off soon. So after any but a quick success the next of the lane goes only now.
        """
        self._done += 1
        webhook_id, paces = claim.delivery.webhook_id, self._turn.paces
        paces.note(webhook_id, (outcome.total_ms or 0) / 1000)
        paces.note_outcome(webhook_id, is_success=outcome.is_success)
        if paces.is_failing(webhook_id):
            self._leave_unsent(self._lanes.clear(webhook_id))
        if not _is_quick_success(outcome):
            self._lanes.leave(claim)

    def drop(self, claim: Claim, *, is_unsent: bool) -> None:
        """This one ended without an outcome; what was not sent is given back."""
        self._lanes.leave(claim)
        if is_unsent:
            self.unsent.append(claim)
        self._release([claim])

    def let_go(self, recorded: Sequence[Claim]) -> None:
        """The outcomes of these are recorded: they are no longer in hand."""
        self._done -= len(recorded)
        self._release(recorded)

    def leave_late(self, now: float) -> None:
        """Give back what waits for a receiver that was quick and is no more."""
        self._leave_unsent(late := self._lanes.clear_old(now - LONGEST_IN_LANE_S))
        for webhook_id in {claim.delivery.webhook_id for claim in late}:
            self._turn.paces.note(webhook_id, LONGEST_IN_LANE_S)

    def leave_all(self, take_back: Callable[[], Sequence[Claim]]) -> None:
        """Give back all that waits in lanes, and then what the senders have not begun: they take that back.

        In this order: from then on no lane moves on and hands them something that nobody would send.
        """
        waiting = self._lanes.clear_all()
        self._leave_unsent([*take_back(), *waiting])

    def _leave_unsent(self, claims: Sequence[Claim]) -> None:
        self.unsent += claims
        self._release(claims)

    def _release(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            self.count -= 1
            self._turn.give_up(claim.delivery.webhook_id)
            if claim.is_suspect:
                self._turn.is_suspect_in_flight = False
            self.has_released = True


def _is_quick_success(outcome: Outcome) -> bool:
    return outcome.is_success and (outcome.total_ms or 0) / 1000 <= QUICK_S
