"""The steady clock: what a wall clock that is set does to it (nothing), and to what rests on it."""

import time
from collections.abc import Callable

import pytest

from pdu.codec import encode_body
from pdu.message_pdus import SubmitSm
from smsc.clock import SLEW, STEP_MS, SteadyClock, counted_ms, wall_ms
from smsc.message import AccountId, Draft, MessageId, State
from smsc.ports import Admission, Admitted
from smsc.store.ids import IdAllocator
from tests.fakes.house import ACCOUNT, RunningGateway

NOON_MS = 1_790_000_000_000
DAY_MS = 86_400_000


class Clocks:
    """A wall clock that can be set, and one that only counts."""

    def __init__(self) -> None:
        self.wall = NOON_MS
        self.counted = 7_000
        self.steps: list[int] = []
        self.steady = SteadyClock(lambda: self.wall, lambda: self.counted, self.steps.append)

    def pass_ms(self, elapsed_ms: int, drift_ms: int = 0) -> int:
        self.counted += elapsed_ms
        self.wall += elapsed_ms + drift_ms
        return self.steady.now_ms()


def test_it_starts_at_the_wall_clock_and_counts_with_it() -> None:
    clocks = Clocks()
    assert clocks.steady.now_ms() == NOON_MS
    assert clocks.pass_ms(1) == NOON_MS + 1
    assert clocks.pass_ms(999) == NOON_MS + 1000
    assert clocks.pass_ms(DAY_MS) == NOON_MS + 1000 + DAY_MS
    assert clocks.steps == []


@pytest.mark.parametrize("step_ms", [DAY_MS, -DAY_MS])
def test_a_step_of_a_day_moves_it_by_half_a_percent_of_real_time_at_most(step_ms: int) -> None:
    clocks = Clocks()
    clocks.pass_ms(500, drift_ms=step_ms)
    last = clocks.steady.now_ms()
    for second in range(1, 3601):
        now = clocks.pass_ms(1000)
        assert abs(now - last - 1000) <= 5, f"second {second}"
        last = now
    assert abs(last - (NOON_MS + 500 + 3_600_000)) <= 3_600_000 * SLEW
    assert len(clocks.steps) == 1, "told once"
    assert abs(clocks.steps[0]) == pytest.approx(DAY_MS, abs=1000)


@pytest.mark.parametrize("drift_ms", [2000, -2000])
def test_a_drift_of_seconds_is_made_up_and_not_called_a_step(drift_ms: int) -> None:
    clocks = Clocks()
    clocks.pass_ms(0, drift_ms=drift_ms)
    for _ in range(500):
        clocks.pass_ms(1000)
    assert clocks.steady.now_ms() == clocks.wall
    assert clocks.steps == []


def test_a_second_step_after_agreement_is_told_again() -> None:
    clocks = Clocks()
    clocks.pass_ms(1000, drift_ms=DAY_MS)
    clocks.pass_ms(1000, drift_ms=-DAY_MS)
    clocks.pass_ms(1000, drift_ms=-2 * STEP_MS)
    assert [round(step / 1000) for step in clocks.steps] == [86_400, -120]


def test_it_never_goes_back_however_the_wall_clock_dances() -> None:
    clocks = Clocks()
    last = clocks.steady.now_ms()
    for turn in range(4000):
        now = clocks.pass_ms(turn % 1700 if turn < 2000 else 1, drift_ms=(-1) ** turn * turn * 1000)
        assert now >= last
        last = now


def test_ids_stay_unique_when_a_restart_takes_a_wall_clock_that_was_set_back() -> None:
    ids = IdAllocator(1, 0)
    given = list(ids.take(10, NOON_MS + DAY_MS))
    after_restart = IdAllocator(1, MessageId(given[-1]))
    more = list(after_restart.take(10, NOON_MS))
    assert not set(given) & set(more)
    assert min(more) > max(given)


def test_the_system_clocks_are_what_they_are_called() -> None:
    assert abs(SteadyClock().now_ms() - wall_ms()) < 1000
    assert counted_ms() <= counted_ms()


NOBODY_THERE = """
[outlets.gone]
kind = "smpp"
host = "127.0.0.1"
port = 9
system_id = "gw"
password = "gw"
[[routes]]
name = "default"
outlets = ["gone"]
"""


def test_in_a_gateway_a_step_expires_nothing_and_real_time_does(
    start_gateway: Callable[..., RunningGateway], monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks = Clocks()
    monkeypatch.setattr(time, "time_ns", lambda: clocks.wall * 1_000_000)
    monkeypatch.setattr(time, "clock_gettime_ns", lambda _which: clocks.counted * 1_000_000)
    house = start_gateway(ACCOUNT + NOBODY_THERE)
    body = encode_body(SubmitSm(destination_addr="41791234567", short_message=b"hello"))
    draft = Draft(AccountId("demo"), "smpp", body)

    def submit() -> MessageId:
        answers: list[Admission] = []
        house.call(lambda: house.gateway.intake.submit_many_nowait([draft], answers.extend))
        house.wait_until(lambda: bool(answers), "submitted")
        assert isinstance(answers[0], Admitted)
        return answers[0].id

    def state(id_: MessageId) -> State | None:
        def ask() -> State | None:
            progress = house.gateway.store.progress(id_)
            return progress.state if progress else None

        return house.call(ask)

    def look() -> None:
        """Make the alarms look at the clock."""
        house.call(lambda: house.gateway.alarms.moved(0))
        house.wait_until(lambda: not house.gateway.alarms._moved.is_set(), "looked")

    def pass_ms(elapsed_ms: int, drift_ms: int = 0) -> None:
        """Let time pass, and the alarms look at the clock twice: it follows at the second look."""
        for part in (elapsed_ms, 2000):
            clocks.counted += part
            clocks.wall += part + drift_ms
            drift_ms = 0
            look()

    ids = [submit()]
    for step_ms in (DAY_MS + 60_000, -2 * DAY_MS):
        pass_ms(2000, drift_ms=step_ms)
        ids.append(submit())
        assert {state(id_) for id_ in ids} == {State.QUEUED}
    assert len(set(ids)) == 3
    assert ids == sorted(ids)
    assert "clock.stepped" in house.log.events
    clocks.counted += DAY_MS + DAY_MS // 100
    look()
    house.wait_until(
        lambda: all(
            progress is not None and progress.state is State.EXPIRED
            for progress in house.gateway.store.progresses(ids)
        ),
        "expired by real time",
    )
