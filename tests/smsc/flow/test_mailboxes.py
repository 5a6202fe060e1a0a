"""Parked deliveries, and receivers that come, take, refuse and go."""

from collections.abc import Sequence

import pytest

from smsc.flow import mailboxes as room
from smsc.message import AccountId, Delivery, Mailbox, MessageId, State
from smsc.ports import Again, Done, Dropped
from tests.flow.house import HOME, START_MS, A, FakeReceiver, House, draft_to

DAY_S = 24 * 3600


def park(
    house: House,
    n: int = 1,
    mailbox: Mailbox = HOME,
    keep_s: float = DAY_S,
    session: object | None = None,
) -> list[int]:
    """Park `n` deliveries and commit; their ids."""
    ids = house.store.ids.take(n, house.now_ms)
    deliveries = [
        Delivery(
            MessageId(id_),
            mailbox,
            AccountId("demo"),
            "mo",
            house.now_ms,
            house.now_ms + int(keep_s * 1000),
            b"",
            state=State.UNKNOWN,
            session=session,
        )
        for id_ in ids
    ]
    batch = house.store.batch()
    for delivery in deliveries:
        batch.park(delivery)
    house.store.commit_nowait(batch, lambda _: house.mailboxes.arrived(deliveries))
    house.commit()
    return list(ids)


def got(receiver: FakeReceiver) -> list[int]:
    """Every id the receiver was offered, in order."""
    return [one.id for one in receiver.got]


def attach(house: House, window: int = 5, mailbox: Mailbox = HOME) -> FakeReceiver:
    """A receiver that is there from now on."""
    receiver = FakeReceiver(window)
    house.mailboxes.attach(mailbox, receiver)
    return receiver


def test_what_was_parked_while_nobody_was_bound_is_offered_at_the_bind() -> None:
    house = House()
    ids = park(house, 3)
    assert house.unattended == [HOME]
    assert got(attach(house)) == ids


def test_what_comes_later_is_offered_at_once_and_oldest_first() -> None:
    house = House()
    receiver = attach(house)
    ids = park(house, 2) + park(house, 2)
    assert got(receiver) == ids
    assert house.unattended == []


def test_no_more_than_the_window_and_the_next_ones_after_the_answer() -> None:
    house = House()
    receiver = attach(house, window=2)
    ids = park(house, 5)
    assert got(receiver) == ids[:2]
    house.answer(receiver, n=1)
    assert got(receiver) == ids[:3]
    house.answer(receiver)
    house.answer(receiver)
    house.commit()
    assert got(receiver) == ids
    assert house.store.counts()["parked"] == 0
    assert (house.mailboxes.in_hand, house.mailboxes.delivered_count) == (0, 5)


def test_it_is_forgotten_only_after_the_answer_is_on_disk() -> None:
    house = House()
    receiver = attach(house)
    (id_,) = park(house)
    house.answer(receiver)
    house.restart(committed=0)
    assert got(attach(house)) == [id_]
    house.restart()
    assert [one.id for one in house.parked()] == [id_], "offered is not taken"


def test_receivers_take_turns() -> None:
    house = House()
    receivers = [attach(house, window=1) for _ in range(3)]
    ids = park(house, 4)
    assert sorted(id_ for one in receivers for id_ in got(one)) == ids[:3]
    house.answer(receivers[1])
    assert got(receivers[1])[-1] == ids[3]


def test_what_a_lost_receiver_had_in_hand_goes_to_another_in_order() -> None:
    house = House()
    first, second = attach(house, window=3), attach(house, window=0)
    ids = park(house, 4)
    assert got(first) == ids[:3]
    second.window = 10
    house.mailboxes.detach(HOME, first)
    assert got(second) == ids
    house.mailboxes.detach(HOME, first)
    assert house.mailboxes.in_hand == 4


def test_when_the_last_one_goes_everything_is_offered_to_the_next() -> None:
    house = House()
    first = attach(house)
    ids = park(house, 2)
    house.mailboxes.delivered(HOME, [Again(MessageId(ids[0]), 60.0)])
    house.mailboxes.detach(HOME, first)
    assert got(attach(house)) == ids


def test_an_answer_after_the_receiver_has_gone_is_nobodys() -> None:
    house = House()
    first = attach(house)
    (id_,) = park(house)
    house.mailboxes.detach(HOME, first)
    house.mailboxes.delivered(HOME, [Done(MessageId(id_))])
    house.commit()
    assert len(house.parked()) == 1


class TestOutcomes:
    def test_again_waits_its_time_and_counts(self) -> None:
        house = House()
        receiver = attach(house)
        (id_,) = park(house)
        house.mailboxes.delivered(HOME, [Again(MessageId(id_), 5.0)])
        receiver.in_hand.clear()
        house.advance(4.9)
        assert got(receiver) == [id_]
        house.advance(0.2)
        assert got(receiver) == [id_, id_]
        assert receiver.got[-1].attempt == 1
        house.commit()
        assert len(house.parked()) == 1

    def test_people_can_hurry_what_waits(self) -> None:
        house = House()
        receiver = attach(house)
        first, second = park(house, 2)
        waits = [Again(MessageId(first), 60.0), Again(MessageId(second), 30.0)]
        house.mailboxes.delivered(HOME, waits)
        receiver.in_hand.clear()
        house.mailboxes.hurry(Mailbox("nobody"))
        house.mailboxes.hurry(HOME)
        assert got(receiver) == [first, second, second, first]
        house.advance(61.0)
        assert len(got(receiver)) == 4

    def test_one_that_waits_does_not_hold_the_others(self) -> None:
        house = House()
        receiver = attach(house)
        first, second = park(house, 2)
        house.mailboxes.delivered(HOME, [Again(MessageId(first), 60.0), Done(MessageId(second))])
        receiver.in_hand.clear()
        (third,) = park(house)
        assert got(receiver) == [first, second, third]

    def test_too_many_that_wait_stop_the_offers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(room, "_LATER_LIMIT", 2)
        house = House()
        receiver = attach(house, window=2)
        ids = park(house, 4)
        house.mailboxes.delivered(HOME, [Again(MessageId(id_), 5.0) for id_ in ids[:2]])
        receiver.in_hand.clear()
        house.advance(1)
        assert got(receiver) == ids[:2]
        house.advance(5)
        assert set(got(receiver)[2:]) == set(ids[2:]), "its turn comes before the repeated ones"
        house.answer(receiver)
        assert got(receiver)[4:] == ids[:2]

    def test_dropped_is_gone_and_logged(self) -> None:
        house = House()
        attach(house)
        (id_,) = park(house)
        house.mailboxes.delivered(HOME, [Dropped(MessageId(id_), "refused")])
        house.commit()
        assert house.parked() == []
        assert "delivery.dropped" in house.log.names()


class TestMemory:
    def test_a_slow_receiver_leaves_the_rest_on_disk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(room, "_READY_LIMIT", 4)
        house = House()
        receiver = attach(house, window=1)
        ids = []
        for _ in range(10):
            ids += park(house, 3)
            assert len(house.mailboxes._boxes[HOME].ready) <= 4
            house.answer(receiver)  # there is room in memory again, and more on disk
        for _ in ids:
            house.answer(receiver)
        house.commit()
        assert got(receiver) == ids, "each once, in order"
        assert house.parked() == []

    def test_a_delivery_is_offered_once_and_only_when_it_is_on_disk(self) -> None:
        house = House()
        first = park(house)
        (id_,) = house.store.ids.take(1, house.now_ms)
        delivery = house.parked()[0]
        delivery.id = MessageId(id_)
        batch = house.store.batch()
        batch.park(delivery)
        house.store.commit_nowait(batch, lambda _: house.mailboxes.arrived([delivery]))
        receiver = attach(house)
        assert got(receiver) == first, "a crash could still take the second one back"
        house.commit()
        assert got(receiver) == [*first, id_]

    def test_room_that_nobody_told_of_is_found_by_the_sweeper(self) -> None:
        house = House()
        receiver = attach(house, window=0)
        ids = park(house, 2)
        receiver.window = 5
        house.advance(1)
        assert got(receiver) == ids


class TestTooLate:
    def test_it_is_not_offered_any_more(self) -> None:
        house = House()
        park(house, 2, keep_s=10)
        house.now_ms += 11_000
        (fresh,) = park(house)
        assert got(attach(house)) == [fresh]
        house.commit()
        assert [one.id for one in house.parked()] == [fresh]
        assert house.log.names().count("delivery.expired") == 2

    def test_nor_kept_for_those_who_never_come(self) -> None:
        house = House()
        park(house, 2, keep_s=10)
        park(house, 1, Mailbox("other"), keep_s=10)
        (fresh,) = park(house)
        house.now_ms += 11_000
        house.mailboxes.forget_old()
        house.commit()
        assert [one.id for one in house.parked()] == [fresh]
        assert house.parked(Mailbox("other")) == []


def test_a_stop_offers_nothing_more_and_still_takes_answers() -> None:
    house = House()
    receiver = attach(house, window=1)
    ids = park(house, 2)
    house.mailboxes.is_stopping = True
    house.answer(receiver)
    house.commit()
    assert got(receiver) == ids[:1]
    assert house.mailboxes.in_hand == 0
    assert [one.id for one in house.parked()] == ids[1:]


def test_mailboxes_do_not_mix() -> None:
    house = House()
    mine, theirs = attach(house), attach(house, mailbox=Mailbox("other"))
    (first,) = park(house)
    (second,) = park(house, mailbox=Mailbox("other"))
    assert (got(mine), got(theirs)) == ([first], [second])
    assert house.now_ms == START_MS


class TestTheSubmittingSession:
    def test_it_comes_first(self) -> None:
        house = House()
        receivers = [attach(house) for _ in range(3)]
        ids = park(house, 4, session=receivers[1])
        assert [got(one) for one in receivers] == [[], ids, []]

    def test_without_room_there_the_others_take_it(self) -> None:
        house = House()
        receivers = [attach(house, window=2) for _ in range(3)]
        ids = park(house, 5, session=receivers[1])
        assert got(receivers[1]) == ids[:2]
        assert sorted(got(receivers[0]) + got(receivers[2])) == ids[2:]

    def test_a_session_that_is_gone_is_anyone(self) -> None:
        house = House()
        first, second = attach(house), attach(house)
        house.mailboxes.detach(HOME, first)
        assert park(house, 2, session=first) == got(second)

    def test_a_receipt_goes_where_its_message_came_from(self) -> None:
        house = House()
        receivers = [attach(house) for _ in range(3)]
        drafts = [draft_to() for _ in range(4)]
        for draft in drafts[:3]:
            draft.session = receivers[2]
        drafts[3].session = receivers[0]
        ids = house.admit(*drafts)
        for upstream_id in house.accept_all(A):
            house.receipt(A, upstream_id)
            house.commit()
        told = [[one.message_id for one in receiver.got] for receiver in receivers]
        assert told == [ids[3:], [], ids[:3]]


def test_the_rest_is_shared_out_evenly() -> None:
    house = House()
    park(house, 60)
    receivers = [attach(house, window=0) for _ in range(3)]
    for one in receivers:
        one.window = 30
    house.mailboxes.tick()
    assert [len(one.got) for one in receivers] == [20, 20, 20]
    assert len({id_ for one in receivers for id_ in got(one)}) == 60


def test_a_receiver_that_answers_at_once_is_not_overfilled() -> None:
    house = House()

    class Quick(FakeReceiver):
        def deliver(self, batch: Sequence[Delivery]) -> None:
            super().deliver(batch)
            house.answer(self)

    quick, slow = Quick(0), FakeReceiver(0)
    ids = park(house, 40)
    for one in (quick, slow):
        house.mailboxes.attach(HOME, one)
    quick.window, slow.window = 2, 3
    house.mailboxes.tick()
    assert len(slow.in_hand) <= 3
    assert sorted(got(quick) + got(slow)) == ids
