"""Transaction mode: one answer for each message, at its end or when the time is up."""

from typing import Any

import pytest

from pdu.status import Status
from pdu.tlvs import Tag, Tlvs, parse_tlvs
from smsc.message import MessageId, State
from smsc.operations.transactions import Transactions
from smsc.ports import Failed, TryLater
from tests.flow.house import A, FakeOutlet, House, draft_to

FAILURE = int(Status.ESME_RDELIVERYFAILURE)
TIMEOUT_S = 10.0


def reason(code: int) -> tuple[int, bytes]:
    return int(Tag.DELIVERY_FAILURE_REASON), bytes((code,))


def error(code: int) -> tuple[int, bytes]:
    return int(Tag.NETWORK_ERROR_CODE), b"\7" + code.to_bytes(2, "big")


class Waiter:
    """Somebody who waits for messages of a house."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.transactions = Transactions(house.finals, house.commands.drop, TIMEOUT_S)
        self.answers: list[tuple[int, Tlvs]] = []

    def wait(self, id_: MessageId, owner: object = None) -> None:
        self.transactions.wait(
            id_,
            owner,
            lambda status, tlvs: self.answers.append((status, parse_tlvs(tlvs, 0))),
            self.house.now,
        )


def started(**wishes: Any) -> tuple[Waiter, MessageId]:
    house = House()
    waiter = Waiter(house)
    (id_,) = house.admit(draft_to(esm_class=2, **wishes))
    waiter.wait(id_)
    return waiter, id_


def test_delivered_is_good_and_told_once_it_is_on_disk() -> None:
    waiter, id_ = started()
    waiter.house.accept_all(A)
    assert waiter.answers == []
    waiter.house.receipt(A, f"{id_}.0")
    assert waiter.answers == []
    assert waiter.house.on_disk()[id_].state is State.ENROUTE
    waiter.house.commit()
    assert waiter.answers == [(0, ())]
    assert len(waiter.transactions) == 0
    waiter.house.now += 100
    waiter.transactions.tick(waiter.house.now)
    assert len(waiter.answers) == 1


@pytest.mark.parametrize(
    ("status", "tlvs"),
    [
        (0x0B, (reason(1), error(0x0B))),
        (0x400, (reason(2), error(0x400))),
    ],
)
def test_a_refusal_of_the_network_has_its_reason(status: int, tlvs: Tlvs) -> None:
    waiter, id_ = started()
    waiter.house.settle(A, Failed(id_, status))
    waiter.house.commit()
    assert waiter.answers == [(FAILURE, tlvs)]


def test_one_attempt_that_failed_for_now_is_a_temporary_failure() -> None:
    waiter, id_ = started()
    waiter.house.settle(A, TryLater(id_, 0x58))
    waiter.house.commit()
    assert waiter.answers == [(FAILURE, (reason(3), error(0x58)))]


def test_a_handset_that_was_not_reached_sets_the_flag_that_was_asked_for() -> None:
    waiter, id_ = started(tlvs=((int(Tag.SET_DPF), b"\1"),))
    waiter.house.accept_all(A)
    waiter.house.receipt(A, f"{id_}.0", state=State.UNDELIVERABLE, error=1)
    waiter.house.commit()
    flag = (int(Tag.DPF_RESULT), b"\1")
    assert waiter.answers == [(FAILURE, (reason(3), error(1), flag))]


def test_an_end_before_the_wait_is_told_all_the_same() -> None:
    house = House()
    waiter = Waiter(house)
    (id_,) = house.admit(draft_to(esm_class=2))
    house.settle(A, Failed(id_, 0x400))
    house.commit()
    waiter.wait(id_)
    house.commit()
    assert [status for status, _ in waiter.answers] == [FAILURE]


def test_when_the_time_is_up_what_waits_is_cancelled() -> None:
    house = House(outlets=[FakeOutlet(A, is_up=False)])
    waiter = Waiter(house)
    (first,) = house.admit(draft_to("4479000001", esm_class=2))
    waiter.wait(first)
    house.now += 5
    (second,) = house.admit(draft_to("4479000001", esm_class=2))
    waiter.wait(second)
    waiter.transactions.tick(house.now)
    assert waiter.answers == []
    house.now += 5
    waiter.transactions.tick(house.now)
    house.commit()
    assert waiter.answers == [(FAILURE, (reason(3),))]
    assert (house.state(first), house.state(second)) == (State.DELETED, State.QUEUED)


def test_when_the_time_is_up_what_a_network_has_goes_on() -> None:
    waiter, id_ = started()
    waiter.house.accept_all(A)
    waiter.transactions.tick(waiter.house.now + TIMEOUT_S)
    assert waiter.answers == [(FAILURE, (reason(3),))]
    waiter.house.receipt(A, f"{id_}.0")
    waiter.house.commit()
    assert waiter.house.state(id_) is State.DELIVERED
    assert len(waiter.answers) == 1


def test_who_wants_to_go_is_answered_and_who_is_gone_is_not() -> None:
    house = House()
    waiter = Waiter(house)
    mine, theirs, gone = house.admit(*[draft_to(esm_class=2)] * 3)
    me, they, ghost = object(), object(), object()
    for id_, owner in ((mine, me), (theirs, they), (gone, ghost)):
        waiter.wait(id_, owner)
    waiter.transactions.hurry(me)
    waiter.transactions.forget(ghost)
    assert waiter.answers == [(FAILURE, (reason(3),))]
    assert len(waiter.transactions) == len(house.finals) == 1
    house.settle(A, Failed(theirs, 0x400), Failed(gone, 0x400))
    house.commit()
    assert len(waiter.answers) == 2
