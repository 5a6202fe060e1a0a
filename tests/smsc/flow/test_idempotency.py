"""Idempotency keys: in the commit of their messages, replayed after it, gone after a refusal."""

from collections.abc import Sequence
from typing import Any

import pytest

from pdu.status import Vendor
from smsc.flow.idempotency import IdempotencyKeys
from smsc.message import AccountId, Draft
from smsc.ports import Admission, Admitted, Answer, Refused
from tests.flow.house import DEMO, House, draft_to

OTHER = AccountId("other")
DAY_MS = 24 * 3600 * 1000
NO_ROUTE = "99"


class Door:
    """A client that posts with keys, over a house whose store can crash."""

    def __init__(self, limit: int = 1000) -> None:
        self.house = House()
        self.limit = limit
        self.open()

    def open(self) -> None:
        """What `Rooms` does at start."""
        self.keys = IdempotencyKeys(self.house.store, DAY_MS, self.limit)
        self.keys.restore(self.house.store.remembered())

    def begin(self, key: str, request: bytes = b"r", account: AccountId = DEMO) -> Any:
        def answer_of(answers: Sequence[Admission]) -> Answer:
            ids = [str(one.id) for one in answers if isinstance(one, Admitted)]
            return Answer(202, "text/plain", ",".join(ids).encode(), (("Location", ids[0]),))

        return self.keys.begin(account, key, request, answer_of, self.house.now_ms)

    def submit(self, claim: Any, *drafts: Draft) -> list[Admission]:
        answers: list[Admission] = []
        self.house.intake.submit_many_nowait(drafts or (draft_to(),), answers.extend, claim)
        return answers

    def post(self, key: str, *drafts: Draft, **facts: Any) -> Any:
        """One request from its begin to its end; what the client is answered."""
        begun = self.begin(key, **facts)
        if isinstance(begun, Answer | Refused):
            return begun
        answers = self.submit(begun, *drafts)
        self.house.commit()
        begun.release()
        return answers

    def stored(self) -> int:
        return int(self.house.store.counts()["message"])


def test_the_same_request_gets_the_same_answer_and_sends_nothing() -> None:
    door = Door()
    first, second = door.post("k", draft_to(), draft_to())
    expected = f"{first.id},{second.id}".encode()
    for _ in range(2):
        answer = door.post("k")
        assert answer == Answer(202, "text/plain", expected, (("Location", str(first.id)),))
    assert (door.stored(), door.keys.replayed) == (2, 2)


def test_another_request_under_the_key_is_refused_and_another_account_has_its_own_keys() -> None:
    door = Door()
    door.post("k")
    assert door.post("k", request=b"other").status == Vendor.SMSC_INVALID
    assert isinstance(door.post("k", account=OTHER)[0], Admitted)
    assert door.stored() == 2


def test_while_the_first_one_is_under_way_a_second_one_conflicts() -> None:
    door = Door()
    claim = door.begin("k")
    assert door.begin("k").status == Vendor.SMSC_EXISTS
    assert door.begin("k", b"other").status == Vendor.SMSC_INVALID
    answers = door.submit(claim)
    claim.release()  # the client hung up: its messages are on the way to the disk all the same
    assert door.begin("k").status == Vendor.SMSC_EXISTS
    door.house.commit()
    assert len(answers) == 1
    assert isinstance(door.begin("k"), Answer)


def test_a_request_of_which_nothing_was_stored_leaves_no_key() -> None:
    door = Door()
    (refused,) = door.post("k", draft_to(NO_ROUTE))
    assert isinstance(refused, Refused)
    assert len(door.keys) == 0
    assert isinstance(door.post("k")[0], Admitted)


@pytest.mark.parametrize("is_committed", [True, False])
def test_a_crash_between_commit_and_answer_loses_neither_key_nor_message(
    is_committed: bool,
) -> None:
    door = Door()
    door.submit(door.begin("k"))
    door.house.restart(None if is_committed else 0)
    door.open()
    assert door.stored() == len(door.keys) == int(is_committed)
    again = door.post("k")
    assert isinstance(again, Answer) is is_committed
    assert door.stored() == 1


def test_keys_end_after_their_time_and_leave_nothing_behind() -> None:
    door = Door()
    door.post("k")
    door.house.now_ms += DAY_MS - 1
    assert isinstance(door.post("k"), Answer)
    door.house.now_ms += 1
    door.keys.forget_old(door.house.now_ms)
    door.house.commit()
    counts = door.house.store.counts()
    assert (counts["idempotency"], counts["answer"], len(door.keys)) == (0, 0, 0)
    assert isinstance(door.post("k")[0], Admitted)


def test_too_many_keys_push_out_the_oldest() -> None:
    door = Door(limit=3)
    for number in range(5):
        door.post(f"k{number}")
    counts = door.house.store.counts()
    assert (len(door.keys), counts["answer"], counts["idempotency"]) == (3, 3, 3)
    assert isinstance(door.post("k4"), Answer)
    assert isinstance(door.post("k0")[0], Admitted)


def test_a_full_store_keeps_no_key() -> None:
    door = Door()
    claim = door.begin("k")
    answers = door.submit(claim)
    door.house.store.why_full = "no room"
    door.house.commit()
    claim.release()
    assert isinstance(answers[0], Refused)
    assert len(door.keys) == 0
    door.house.store.why_full = None
    assert isinstance(door.post("k")[0], Admitted)
