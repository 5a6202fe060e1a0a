"""What the configuration says of an outlet, seen at the whole flow."""

from collections.abc import Sequence

import pytest

from smsc.config_flow import OutletFlowConfig, RetryConfig
from smsc.flow.waking import WAKE
from smsc.message import AccountId, Message, MessageId, OutletName, State
from smsc.ports import Alarm, Failed, Outgoing, Sent, TryLater
from smsc.store.batch import MESSAGE
from smsc.store.keys import id_key
from smsc.store.records import encode_message
from tests.flow.house import SIM, START_MS, A, B, FakeOutlet, House, draft_to

ONLY_A = "4479000001"
DAY_S = 24 * 3600


def house(
    *, per_destination: int = 0, window: int = 10, outlet: FakeOutlet | None = None, **retry: object
) -> House:
    """A house with settings for outlet a."""
    config = OutletFlowConfig(per_destination=per_destination, retry=RetryConfig(**retry))  # type: ignore[arg-type]
    outlets = [
        outlet or FakeOutlet(A, window=window),
        FakeOutlet(B),
        FakeOutlet(SIM, remembers=False),
    ]
    return House(outlets=outlets, settings={A: config})


def sent(home: House, name: OutletName = A) -> list[MessageId]:
    """Every message the outlet was handed, in order."""
    return [one.message.id for one in home.outlets[name].taken]


def fail(home: House, status: int) -> None:
    """The network says so of all that outlet a has in hand."""
    home.settle(A, *(TryLater(id_, status, p, n) for id_, p, n in home.outlets[A].take_back()))
    home.commit()


class TestRetry:
    def test_after_the_last_attempt_it_is_set_aside_and_the_client_told(self) -> None:
        home = house(max_attempts=3, schedule_s=(10.0,), jitter=0.0)
        (id_,) = home.admit(draft_to(ONLY_A))
        for attempt in (1, 2, 3):
            assert len(sent(home)) == attempt
            fail(home, 0x45)
            home.advance(10)
        progress = home.progress(id_)
        assert (progress.state, progress.error, progress.attempt) == (State.UNDELIVERABLE, 0x45, 3)
        assert [one.state for one in home.parked()] == [State.UNDELIVERABLE]
        (letter,) = home.dispatch.dead_letters.newest()
        assert (letter.id, letter.outlet, letter.attempts, letter.error) == (id_, "a", 3, 0x45)
        assert "3 attempts" in letter.why
        home.advance(DAY_S)
        assert len(sent(home)) == 3

    def test_throttling_never_sets_aside(self) -> None:
        home = house(max_attempts=2)
        (id_,) = home.admit(draft_to(ONLY_A))
        for _ in range(5):
            fail(home, 0x58)
            home.advance(2)
        assert home.state(id_) is State.QUEUED
        assert len(sent(home)) == 6

    def test_the_validity_ends_it(self) -> None:
        home = house(schedule_s=(10.0,))
        (id_,) = home.admit(draft_to(ONLY_A, expires_ms=START_MS + 25_000))
        for _ in range(4):
            fail(home, 0x45)
            home.advance(12)
        assert (home.state(id_), home.progress(id_).error) == (State.EXPIRED, 0x45)
        assert len(sent(home)) == 3

    def test_a_status_may_mean_the_end_here(self) -> None:
        home = house(classes={0x45: "permanent"})
        (id_,) = home.admit(draft_to(ONLY_A))
        fail(home, 0x45)
        assert (home.state(id_), home.progress(id_).error) == (State.REJECTED, 0x45)

    def test_a_status_may_be_worth_another_try_here(self) -> None:
        home = house(classes={0x0B: "retryable"}, schedule_s=(7.0,), jitter=0.0)
        (id_,) = home.admit(draft_to(ONLY_A))
        home.outlets[A].take_back()
        home.settle(A, Failed(id_, 0x0B))
        assert home.progress(id_).due_ms == START_MS + 7000

    def test_the_other_outlet_keeps_its_own_policy(self) -> None:
        home = house(classes={0x45: "permanent"})
        (id_,) = home.admit(draft_to("4979000001"))
        home.outlets[B].take_back()
        home.settle(B, TryLater(id_, 0x45))
        assert home.state(id_) is State.QUEUED


class TestPerDestination:
    def test_one_dead_number_does_not_hold_the_others(self) -> None:
        home = house(per_destination=2, window=5)
        dead = home.admit(*[draft_to(ONLY_A)] * 100)
        live = home.admit(*(draft_to(f"44792{n:04}1") for n in range(3)))
        assert sent(home) == dead[:2] + live
        assert home.dispatch.held_back() == {A: 98}
        for id_, part, n in home.outlets[A].take_back()[2:]:
            home.settle(A, Sent(id_, str(id_), part, n))
        more = home.admit(*(draft_to(f"44791{n:04}1") for n in range(3)))
        assert sent(home) == dead[:2] + live + more

    def test_the_next_one_goes_when_one_was_answered(self) -> None:
        home = house(per_destination=2)
        ids = home.admit(*[draft_to(ONLY_A)] * 5)
        for n in (2, 4, 5):
            assert sorted(sent(home)) == ids[:n]
            home.accept_all(A)
        assert home.dispatch.held_back() == {}
        assert home.dispatch.in_flight == 0

    def test_a_place_passes_on_when_its_heir_has_ended(self) -> None:
        home = house(per_destination=1)
        ids = home.admit(
            draft_to(ONLY_A), draft_to(ONLY_A, expires_ms=START_MS + 1000), draft_to(ONLY_A)
        )
        home.advance(2)
        assert home.state(ids[1]) is State.EXPIRED
        home.accept_all(A)
        assert sent(home) == [ids[0], ids[2]]

    def test_a_fail_over_takes_what_was_held_back_with_it(self) -> None:
        home = house(per_destination=1)
        ids = home.admit(*[draft_to("4179000001")] * 4)
        home.outlets[A].is_up = False
        fail(home, 8)
        for _ in range(4):
            home.accept_all(B)
        home.outlets[A].is_up = True
        assert sorted(sent(home, B)) == ids
        assert home.dispatch.held_back() == {}
        (last,) = home.admit(draft_to("4179000001"))
        assert sent(home)[-1] == last, "the place is free again"

    def test_a_long_queue_for_it_does_not_stop_the_loop(self) -> None:
        home = house(per_destination=1, window=500)
        home.outlets[A].is_up = False
        dead = home.admit(*[draft_to(ONLY_A)] * 6000)
        (live,) = home.admit(draft_to("4479000091"))
        home.outlets[A].is_up = True
        home.dispatch.pump(A)
        assert sent(home) == dead[:1]
        assert home.dispatch.held_back()[A] < 4000, "the rest is for the next turn"
        home.advance(0)
        home.advance(0)
        assert sent(home) == [dead[0], live]

    def test_a_held_message_can_be_cancelled(self) -> None:
        home = house(per_destination=1)
        ids = home.admit(*[draft_to(ONLY_A)] * 3)
        counts: list[int] = []
        home.commands.cancel_all(AccountId("demo"), "Shop", ONLY_A, "", counts.append)
        home.commit()
        assert counts == [2]
        home.accept_all(A)
        assert sent(home) == ids[:1]


class Choking(FakeOutlet):
    """Raises for texts that begin so; takes nothing of that batch."""

    def send(self, batch: Sequence[Outgoing]) -> None:
        if any(b"poison" in one.message.body for one in batch):
            raise ZeroDivisionError
        super().send(batch)


class TestPoison:
    def poisoned(self) -> tuple[House, MessageId]:
        home = house(outlet=Choking(A))
        home.outlets[A].is_up = False
        ids = home.admit(
            *[draft_to(ONLY_A)] * 3, draft_to(ONLY_A, short_message=b"poison"), draft_to(ONLY_A)
        )
        home.outlets[A].is_up = True
        home.dispatch.pump_all()
        assert sent(home) == ids[:3] + ids[4:], "the queue flows"
        return home, ids[3]

    def test_it_comes_again_later_and_is_then_set_aside(self) -> None:
        home, id_ = self.poisoned()
        assert (home.state(id_), home.dispatch.in_flight) == (State.QUEUED, 4)
        for _ in range(2):
            home.accept_all(A)
            home.admit(draft_to(ONLY_A))
            home.advance(60)
        home.commit()
        progress = home.progress(id_)
        assert (progress.state, progress.error, progress.attempt) == (State.REJECTED, 8, 3)
        (letter,) = home.dispatch.dead_letters.newest()
        assert (letter.id, letter.why) == (id_, "it crashed the outlet: ZeroDivisionError()")
        assert [one.message_id for one in home.parked()] == [id_]
        assert "message.set_aside" in home.log.names()

    def test_another_outlet_may_bear_it(self) -> None:
        home = house(outlet=Choking(A))
        (id_,) = home.admit(draft_to(short_message=b"poison"))
        assert sent(home, B) == [id_]
        home.accept_all(B)
        assert home.state(id_) is State.ENROUTE
        assert home.dispatch.dead_letters.count == 0

    def test_places_are_given_back(self) -> None:
        home = house(outlet=Choking(A), per_destination=1)
        ids = home.admit(draft_to(ONLY_A, short_message=b"poison"), draft_to(ONLY_A))
        assert sent(home) == ids[1:]

    @pytest.mark.parametrize("is_scheduled", [False, True])
    def test_a_body_that_does_not_parse_is_set_aside_at_start(self, is_scheduled: bool) -> None:
        home = house()
        home.outlets[A].is_up = False
        due_ms = START_MS + 5000 if is_scheduled else 0
        bad, good = home.admit(draft_to(ONLY_A, due_ms=due_ms), draft_to(ONLY_A))
        message = home.store.message(bad)
        assert isinstance(message, Message)
        message.body = b"\xff" * 9
        home.store.tables[MESSAGE].put(id_key(bad), encode_message(message))
        home.outlets[A].is_up = True
        home.restart()
        home.advance(6)
        home.commit()
        assert sent(home) == [good]
        assert home.state(bad) is State.REJECTED
        assert [one.id for one in home.dispatch.dead_letters.newest()] == [bad]
        assert home.parked() == [], "nobody can be told where it was to go"


class TestQueues:
    def test_priority_and_shares_from_intake_to_outlet(self) -> None:
        home = house(window=6)
        home.outlets[A].is_up = False
        flood = home.admit(*[draft_to(ONLY_A)] * 50)
        other = home.admit(*[draft_to(ONLY_A, account=AccountId("other"))] * 50)
        urgent = home.admit(*[draft_to(ONLY_A, priority_flag=3)] * 2)
        home.outlets[A].is_up = True
        home.dispatch.pump_all()
        first = sent(home)
        assert first[:2] == urgent
        assert sorted(first[2:]) == sorted(flood[:2] + other[:2])

    def test_shares_are_the_same_after_a_restart(self) -> None:
        home = house(window=6)
        home.outlets[A].is_up = False
        flood = home.admit(*[draft_to(ONLY_A)] * 50)
        other = home.admit(*[draft_to(ONLY_A, account=AccountId("other"))] * 50)
        home.restart()
        home.outlets[A].is_up = True
        home.dispatch.pump_all()
        assert sorted(sent(home)) == sorted(flood[:3] + other[:3])

    def test_5000_due_in_one_second_leave_in_it_in_short_steps(self) -> None:
        home = house(window=10_000)
        second_ms = START_MS + 60_000
        ids: list[MessageId] = []
        for n in range(50):  # some of a read share an alarm, some have their own
            dues = [second_ms + (n % 2) * (one % 1000) for one in range(100)]
            ids += home.admit(*(draft_to(ONLY_A, due_ms=due_ms) for due_ms in dues))
        home.now_ms = home.latest_ms = second_ms - 1
        home.ring()
        assert sent(home) == []
        home.now_ms = home.latest_ms = second_ms + 999
        steps: list[int] = []
        while alarms := home.store.due(home.now_ms, 500):
            before = len(sent(home))
            home.waking.wake(alarms)
            steps.append(len(sent(home)) - before)
        assert sorted(sent(home)) == ids
        assert max(steps) <= WAKE

    def test_a_schedule_is_not_sent_early_by_another_alarm(self) -> None:
        home = house()
        (id_,) = home.admit(draft_to(ONLY_A, due_ms=START_MS + 9000))
        home.waking.wake([Alarm(START_MS, id_, id_)])
        assert sent(home) == []
