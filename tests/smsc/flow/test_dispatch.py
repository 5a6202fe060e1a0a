"""From the store to the outlets and back."""

from typing import Any

import attrs
import pytest

from routing.actions import Do
from routing.rule import Rule
from routing.when import When
from smsc.flow.waking import ENROUTE_GRACE_MS
from smsc.message import FINAL, AccountId, MessageId, OutletName, State
from smsc.ports import Admitted, Alarm, Failed, Sent, TryLater
from tests.flow.house import FAR_MS, HOME, SIM, START_MS, A, B, FakeOutlet, House, draft_to

THROTTLED = 0x58
DAY_MS = 24 * 3600 * 1000


def sent(outlet: FakeOutlet) -> list[MessageId]:
    """Every message the outlet was handed, in order."""
    return [one.message.id for one in outlet.taken]


def test_an_accepted_message_leaves_only_after_its_commit() -> None:
    house = House()
    answers = house.submit(draft_to())
    assert not house.outlets[A].taken
    house.store.retry()
    assert [type(one) for one in answers] == [Admitted]
    assert sent(house.outlets[A]) == [one.id for one in answers if isinstance(one, Admitted)]


def test_the_outlet_is_never_given_more_than_it_has_room_for() -> None:
    house = House(outlets=[FakeOutlet(A, window=3), FakeOutlet(B), FakeOutlet(SIM)])
    ids = house.admit(*[draft_to()] * 8)
    assert sent(house.outlets[A]) == ids[:3]
    house.accept_all(A)
    assert sent(house.outlets[A]) == ids[:6]
    house.accept_all(A)
    assert sent(house.outlets[A]) == ids


def test_an_outcome_holds_its_place_in_the_window_until_it_is_on_disk() -> None:
    house = House(outlets=[FakeOutlet(A, window=3), FakeOutlet(B), FakeOutlet(SIM)])
    ids = house.admit(*[draft_to()] * 5)
    house.settle(A, *(Sent(id_, "x", part, n) for id_, part, n in house.outlets[A].take_back(2)))
    house.dispatch.pump_all()
    assert sent(house.outlets[A]) == ids[:3]  # a crash now would send these three again, no more
    house.commit()
    assert sent(house.outlets[A]) == ids


def test_nobody_is_overtaken_by_a_message_that_could_leave_at_once() -> None:
    house = House(outlets=[FakeOutlet(A, window=2), FakeOutlet(B), FakeOutlet(SIM)])
    first = house.admit(*[draft_to()] * 3)
    house.outlets[A].window = 10  # and nobody has told so
    second = house.admit(*[draft_to()] * 2)
    assert sent(house.outlets[A]) == first + second
    assert not house.dispatch.backlog.lanes


def test_what_waits_for_another_outlet_is_in_nobodys_way() -> None:
    house = House(outlets=[FakeOutlet(A), FakeOutlet(B), FakeOutlet(SIM, is_up=False)])
    others = house.admit(*[draft_to("4379000001")] * 3)
    ids = house.admit(*[draft_to()] * 2)
    assert sent(house.outlets[A]) == ids
    assert list(house.dispatch.backlog.lanes) == others
    assert len(house.dispatch.backlog.lanes._lanes) == 1  # none was made to pass through


def test_a_message_that_came_back_waits_behind_none_that_come_later() -> None:
    house = House(outlets=[FakeOutlet(A), FakeOutlet(B, is_up=False), FakeOutlet(SIM)])
    (failed,) = house.admit(draft_to())
    house.settle(
        A, *(TryLater(id_, 0x58, part, n) for id_, part, n in house.outlets[A].take_back())
    )
    house.commit()
    (later,) = house.admit(draft_to())
    assert sent(house.outlets[A]) == [failed, later]
    assert house.state(failed) is State.QUEUED


def test_of_those_that_leave_at_once_the_highest_priority_leaves_first() -> None:
    house = House()
    ids = house.admit(*(draft_to(priority_flag=priority) for priority in (0, 3, 1, 2, 3)))
    assert sent(house.outlets[A]) == [ids[1], ids[4], ids[3], ids[2], ids[0]]


def test_the_highest_priority_leaves_first() -> None:
    house = House()
    house.outlets[A].is_up = house.outlets[B].is_up = False
    ids = house.admit(*(draft_to(priority_flag=priority) for priority in (0, 3, 1, 2, 3)))
    house.outlets[A].is_up = True
    house.dispatch.pump_all()
    assert sent(house.outlets[A]) == [ids[1], ids[4], ids[3], ids[2], ids[0]]


def test_sent_then_delivered_is_one_receipt() -> None:
    house = House()
    (id_,) = house.admit(draft_to())
    (upstream_id,) = house.accept_all(A)
    assert house.state(id_) is State.ENROUTE
    assert house.receipt(A, upstream_id) == []
    house.commit()
    progress = house.progress(id_)
    assert (progress.state, progress.outlet, progress.attempt) == (State.DELIVERED, A, 1)
    assert progress.done_ms == START_MS
    assert [(one.message_id, one.state) for one in house.parked()] == [(id_, State.DELIVERED)]


def test_a_refusal_for_good_ends_the_message() -> None:
    house = House()
    (id_,) = house.admit(draft_to())
    house.settle(A, Failed(id_, 0x0B))
    house.commit()
    assert (house.state(id_), house.progress(id_).error) == (State.REJECTED, 0x0B)
    assert [one.state for one in house.parked()] == [State.REJECTED]
    house.advance(DAY_MS)
    assert len(sent(house.outlets[A])) == 1
    assert not house.outlets[B].taken


def test_the_next_outlet_is_tried_at_once_and_without_being_asked() -> None:
    house = House()
    (id_,) = house.admit(draft_to())
    house.settle(A, TryLater(house.outlets[A].take_back()[0][0], 8))
    assert sent(house.outlets[B]) == [id_]
    house.accept_all(B)
    progress = house.progress(id_)
    assert (progress.state, progress.outlet, progress.attempt) == (State.ENROUTE, B, 2)
    assert progress.error == 0


THE_RULE_SEES_ITS_OWN_WORK = [
    (When(senders=("Shop",)), Do(sender="Other"), {}),
    (When(), Do(to_prefix=("4179", "4378")), {}),
    (When(without_tags=("seen",)), Do(tags=("seen",)), {}),
    (When(max_parts=1), Do(footer="." * 100), {"short_message": b"x" * 100}),
    (
        When(alphabets=("ucs2",)),
        Do(transliterate="lossy"),
        {"data_coding": 8, "short_message": "čau".encode("utf-16-be")},
    ),
]


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("outlets", [(A,), (A, B)], ids="-".join)
@pytest.mark.parametrize(("when", "do", "wishes"), THE_RULE_SEES_ITS_OWN_WORK)
def test_a_message_stays_with_the_rule_that_changed_it(
    when: When, do: Do, wishes: dict[str, Any], outlets: tuple[OutletName, ...], restarts: bool
) -> None:
    mine = Rule(to=("4179",), when=when, do=do, outlets=outlets)
    house = House(rules=(mine, Rule(outlets=("sim",))))
    (id_,) = house.admit(draft_to(**wishes))
    house.settle(A, *(TryLater(one, 8, *place) for one, *place in house.outlets[A].take_back()))
    house.commit()
    if restarts:
        house.restart()
    house.advance(20)
    house.commit()
    again = [*sent(house.outlets[A]), *sent(house.outlets[B])][1:]
    assert again
    assert set(again) == {id_}
    assert not house.outlets[SIM].taken


def test_after_the_last_outlet_the_message_waits_and_starts_again_at_the_first() -> None:
    house = House()
    (id_,) = house.admit(draft_to())
    for name in (A, B):
        house.settle(name, TryLater(house.outlets[name].take_back()[0][0], 8))
    progress = house.progress(id_)
    assert (progress.state, progress.error) == (State.QUEUED, 8)
    assert START_MS + 5000 <= progress.due_ms <= START_MS + 6000
    assert house.alarms_at[-1] == progress.due_ms
    house.dispatch.pump_all()
    house.advance(4.9)
    assert len(sent(house.outlets[A])) == 1
    house.advance(1.2)
    assert sent(house.outlets[A]) == [id_, id_]
    assert house.progress(id_).due_ms == 0


def test_an_outlet_that_is_down_is_passed_over_and_served_again_when_it_is_up() -> None:
    house = House()
    house.outlets[A].is_up = False
    (first,) = house.admit(draft_to())
    assert sent(house.outlets[B]) == [first]
    house.settle(B, TryLater(house.outlets[B].take_back()[0][0], 8))
    assert house.progress(first).due_ms, "nobody else is up: it waits"
    house.outlets[A].is_up = True
    house.dispatch.pump_all()
    (second,) = house.admit(draft_to())
    assert sent(house.outlets[A]) == [second]


def test_nothing_leaves_while_every_outlet_of_the_plan_is_down() -> None:
    house = House()
    house.outlets[A].is_up = house.outlets[B].is_up = False
    (id_,) = house.admit(draft_to())
    assert house.dispatch.waiting() == {"a > b": 1}
    house.outlets[B].is_up = True
    house.dispatch.pump_all()
    assert sent(house.outlets[B]) == [id_]
    assert house.dispatch.waiting() == {}


class TestParts:
    def test_one_message_is_one_until_every_part_was_answered(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to("4179000003"))
        house.settle(A, Sent(id_, "x", 1, 3))
        progress = house.progress(id_)
        assert progress.state is State.QUEUED
        assert list(progress.parts) == [State.QUEUED, State.ENROUTE, State.QUEUED]
        house.settle(A, Sent(id_, "y", 0, 3), Sent(id_, "z", 2, 3))
        progress = house.progress(id_)
        assert progress.state is State.ENROUTE
        assert progress.upstream_ids == ("y", "x", "z")
        assert house.dispatch.in_flight == 0

    def test_a_receipt_between_two_parts_is_not_forgotten(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to("4179000003"))
        house.settle(A, Sent(id_, "x", 0, 3))
        house.receipt(A, "x")
        house.settle(A, Sent(id_, "y", 1, 3))
        house.receipt(A, "y")
        house.settle(A, Sent(id_, "z", 2, 3))
        house.receipt(A, "z")
        house.commit()
        assert house.state(id_) is State.DELIVERED
        assert len(house.parked()) == 1

    def test_only_the_part_that_failed_for_now_is_sent_again(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to("4479000002"))
        house.outlets[A].take_back()
        house.settle(A, Sent(id_, "x", 0, 2), TryLater(id_, THROTTLED, 1, 2))
        house.receipt(A, "x")
        house.commit()
        assert house.progress(id_).due_ms, "a receipt of one part does not end the wait"
        house.advance(2)
        assert house.outlets[A].in_hand == [(id_, 1, 2)]
        house.accept_all(A)
        house.receipt(A, f"{id_}.1")
        house.commit()
        assert house.state(id_) is State.DELIVERED

    def test_a_refused_part_decides_when_the_others_have_ended(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to("4179000002"))
        house.settle(A, Sent(id_, "x", 0, 2), Failed(id_, 0x0B, 1, 2))
        assert house.state(id_) is State.ENROUTE
        house.receipt(A, "x")
        house.commit()
        assert (house.state(id_), house.progress(id_).error) == (State.REJECTED, 0x0B)

    def test_the_error_of_a_part_that_ended_in_flight_survives_the_landing(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to("4179000002"))
        house.settle(A, Sent(id_, "x", 0, 2))
        house.receipt(A, "x", state=State.UNDELIVERABLE, error=17)
        house.settle(A, Sent(id_, "y", 1, 2))
        house.receipt(A, "y")
        house.commit()
        assert (house.state(id_), house.progress(id_).error) == (State.UNDELIVERABLE, 17)


class TestRestart:
    def test_what_was_queued_is_queued_again(self) -> None:
        house = House()
        house.outlets[A].is_up = house.outlets[B].is_up = False
        ids = house.admit(*[draft_to()] * 1203)
        house.restart()
        assert house.dispatch.waiting() == {"a > b": len(ids)}

    def test_what_was_in_flight_is_sent_again(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to())
        house.restart()
        assert sent(house.outlets[A]) == [id_, id_]

    def test_what_a_carrier_has_is_left_with_it(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to())
        (upstream_id,) = house.accept_all(A)
        house.restart()
        assert sent(house.outlets[A]) == [id_]
        house.receipt(A, upstream_id)
        house.commit()
        assert house.state(id_) is State.DELIVERED

    def test_a_network_that_forgets_gets_again_what_it_had_not_finished(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to("4379000002"))
        first, _ = house.accept_all(SIM)
        house.receipt(SIM, first)
        house.commit()
        house.restart()
        assert house.outlets[SIM].in_hand == [(id_, 1, 2)], "the delivered part is not repeated"
        house.receipt(SIM, *house.accept_all(SIM))
        house.commit()
        assert house.state(id_) is State.DELIVERED

    def test_a_forgetful_network_gets_parts_of_a_half_sent_message_again(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to("4379000002"))
        house.settle(SIM, Sent(id_, "x", 0, 2))
        house.commit()
        house.restart()
        assert house.outlets[SIM].in_hand == [(id_, 0, 2), (id_, 1, 2)]

    def test_an_outcome_that_was_not_journalled_is_made_again(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to())
        house.outlets[A].take_back()
        house.settle(A, Sent(id_, "x"))
        house.restart(committed=0)
        assert sent(house.outlets[A]) == [id_, id_]

    def test_a_message_waiting_for_its_retry_still_waits(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to("4479000001"))
        house.settle(A, TryLater(house.outlets[A].take_back()[0][0], 8))
        house.restart()
        assert len(sent(house.outlets[A])) == 1
        house.advance(7)
        assert sent(house.outlets[A]) == [id_, id_]

    def test_a_message_of_an_outlet_that_is_no_more_keeps_its_end(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to("4479000001"))
        house.accept_all(A)
        house.outlets[OutletName("a")].is_up = False
        house.restart()
        house.advance((DAY_MS + ENROUTE_GRACE_MS) / 1000 + 1)
        house.advance(ENROUTE_GRACE_MS / 1000 + 1)
        assert house.state(id_) is State.EXPIRED


class TestAlarms:
    def test_a_schedule_is_kept(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to(due_ms=START_MS + 60_000))
        assert house.state(id_) is State.SCHEDULED
        assert house.alarms_at == [START_MS + 60_000]
        house.advance(59)
        assert not house.outlets[A].taken
        house.advance(1)
        assert sent(house.outlets[A]) == [id_]

    def test_a_queued_message_expires_and_its_receipt_says_so(self) -> None:
        house = House()
        house.outlets[A].is_up = False
        (id_,) = house.admit(draft_to("4479000001", expires_ms=START_MS + 10_000))
        house.advance(11)
        house.commit()
        assert house.state(id_) is State.EXPIRED
        assert [one.state for one in house.parked()] == [State.EXPIRED]
        house.outlets[A].is_up = True
        house.dispatch.pump_all()
        house.commit()
        assert not house.outlets[A].taken
        assert len(house.parked()) == 1

    def test_the_claim_finds_an_expired_message_before_its_alarm_does(self) -> None:
        house = House()
        house.outlets[A].is_up = False
        (id_,) = house.admit(draft_to("4479000001", expires_ms=START_MS + 10_000))
        house.now_ms += 10_000
        house.outlets[A].is_up = True
        house.dispatch.pump_all()
        house.commit()
        assert house.state(id_) is State.EXPIRED
        house.advance(1)
        house.commit()
        assert len(house.parked()) == 1

    def test_a_message_in_flight_at_its_end_is_looked_at_again(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to("4479000001", expires_ms=START_MS + 10_000))
        house.advance(10)
        assert house.state(id_) is State.QUEUED
        house.settle(A, TryLater(house.outlets[A].take_back()[0][0], 8))
        house.advance(1)
        assert house.state(id_) is State.EXPIRED
        assert len(sent(house.outlets[A])) == 1

    def test_a_message_that_the_network_took_has_a_grace_for_its_receipt(self) -> None:
        house = House()
        late, never = house.admit(*[draft_to("4479000001", expires_ms=START_MS + 10_000)] * 2)
        house.accept_all(A)
        house.advance(11)
        assert house.state(never) is State.ENROUTE
        house.receipt(A, f"{late}.0")
        house.advance(ENROUTE_GRACE_MS / 1000)
        house.commit()
        assert house.state(late) is State.DELIVERED
        assert house.state(never) is State.EXPIRED
        assert len(house.parked()) == 2

    def test_an_alarm_before_the_accept_is_on_disk_is_not_lost(self) -> None:
        house = House()
        answers = house.submit(draft_to(due_ms=START_MS + 1))
        house.advance(0.1)  # rings while the commit runs
        house.commit()
        (answer,) = answers
        assert isinstance(answer, Admitted)
        assert house.state(answer.id) is State.SCHEDULED
        house.advance(1)
        assert sent(house.outlets[A]) == [answer.id]

    def test_an_alarm_of_a_refused_message_is_forgotten(self) -> None:
        house = House()
        batch = house.store.batch()
        batch.defer(START_MS, MessageId(1024), MessageId(1024))
        house.store.commit_nowait(batch)
        house.commit()
        house.ring()
        house.commit()
        assert house.store.due(FAR_MS, 10) == []

    def test_two_alarms_of_one_message_end_it_once(self) -> None:
        house = House()
        house.outlets[A].is_up = False
        (id_,) = house.admit(draft_to("4479000001", expires_ms=START_MS + 10_000))
        house.now_ms += 11_000
        house.waking.wake([Alarm(START_MS + 9000, id_, id_), Alarm(START_MS + 10_000, id_, id_)])
        house.commit()
        assert len(house.parked()) == 1

    def test_the_retry_of_one_message_leaves_the_alarm_of_those_accepted_with_it(self) -> None:
        house = House(outlets=[FakeOutlet(A, window=1), FakeOutlet(B), FakeOutlet(SIM)])
        ids = house.admit(*[draft_to("4479000001", expires_ms=START_MS + 60_000)] * 3)
        house.outlets[A].is_up = False
        house.settle(A, TryLater(ids[0], THROTTLED))
        house.advance(2)
        assert house.progress(ids[0]).due_ms == 0, "its retry has rung"
        house.advance(60)
        assert {house.state(id_) for id_ in ids} == {State.EXPIRED}

    def test_many_alarms_at_once_are_taken_in_helpings(self) -> None:
        house = House()
        house.outlets[A].is_up = False
        ids: list[MessageId] = []
        for _ in range(3):
            ids += house.admit(*[draft_to("4479000001", expires_ms=START_MS + 1000)] * 600)
        house.now_ms += 1000
        for helping in range(1, 5):
            house.waking.wake(house.store.due(house.now_ms, 500))
            assert sum(house.state(id_) in FINAL for id_ in ids) == helping * 200
        house.restart()
        house.ring()
        house.commit()
        assert all(house.state(id_) in FINAL for id_ in ids)
        assert len(house.store.parked(HOME, MessageId(0), 2000)) == len(ids)
        assert house.store.due(FAR_MS, 1) == []

    def test_a_clock_set_back_between_alarm_and_look_loses_nothing(self) -> None:
        house = House()
        (id_,) = house.admit(draft_to(due_ms=START_MS + 5000))
        house.now_ms += 5000
        due = house.store.due(house.now_ms, 10)
        house.now_ms -= 3000
        house.waking.wake(due)
        assert sent(house.outlets[A]) == [id_]


def test_a_message_that_no_rule_takes_any_more_waits_for_its_end() -> None:
    house = House()
    house.outlets[A].is_up = False
    (id_,) = house.admit(draft_to("4479000001", expires_ms=START_MS + 10_000))
    house.store.crash(house.store.unwritten)
    batch = house.store.batch()
    message = house.store.message(id_)
    assert message is not None
    other = attrs.evolve(
        message, account=AccountId("nobody"), body=message.body.replace(b"44790", b"99990")
    )
    batch.accept_many([other], house.progress(id_))
    house.store.commit_nowait(batch)
    house.commit()
    house.restart()
    assert "message.unrouted" in house.log.names()
    assert not any(outlet.taken for outlet in house.outlets.values())
    house.advance(11)
    assert house.state(id_) is State.EXPIRED


def test_a_stopping_dispatch_hands_out_nothing() -> None:
    house = House()
    house.dispatch.is_stopping = True
    (id_,) = house.admit(draft_to())
    assert not house.outlets[A].taken
    house.restart()
    assert sent(house.outlets[A]) == [id_]


def test_an_outcome_of_a_message_that_is_not_in_flight_is_ignored() -> None:
    house = House()
    (id_,) = house.admit(draft_to())
    house.accept_all(A)
    house.settle(A, Failed(id_, 0x0B), Sent(MessageId(7), "x"))
    house.commit()
    assert house.state(id_) is State.ENROUTE


@pytest.mark.parametrize("status", [THROTTLED, 0x14])
def test_a_throttled_message_comes_again_soon(status: int) -> None:
    house = House()
    (id_,) = house.admit(draft_to("4479000001"))
    house.settle(A, TryLater(house.outlets[A].take_back()[0][0], status))
    assert START_MS + 1000 <= house.progress(id_).due_ms <= START_MS + 1200
