"""What comes after an attempt that failed for now."""

import random

import pytest

from pdu.status import Status
from smsc.config_flow import RetryConfig
from smsc.flow.lanes import Plan
from smsc.flow.retry import RetryPolicy, next_plan
from smsc.message import MessageId, OutletName
from smsc.ports import Failed, Outcome, Sent, TryLater
from tests.flow.house import A, B

C = OutletName("c")


DEFAULT = RetryPolicy(RetryConfig())
SCHEDULE_S = (5.0, 15.0, 60.0, 300.0, 900.0, 1800.0)
ID = MessageId(7)


def drawn(policy: RetryPolicy, status: int, attempt: int, rounds: int | None = None) -> set[float]:
    """Delays of twenty messages; they all come again."""
    found = {policy.delay_s(status, attempt, random.Random(seed), rounds) for seed in range(20)}
    assert None not in found
    return {one for one in found if one is not None}


@pytest.mark.parametrize("attempt", range(1, 12))
def test_delays_grow_and_then_repeat(attempt: int) -> None:
    base_s = SCHEDULE_S[min(attempt, len(SCHEDULE_S)) - 1]
    delays_s = drawn(DEFAULT, Status.ESME_RSYSERR, attempt)
    assert len(delays_s) > 10, "messages that failed together come again apart"
    assert all(base_s <= one <= base_s * 1.2 for one in delays_s)


def test_rounds_through_a_plan_not_attempts_set_the_delay() -> None:
    assert all(15 <= one <= 18 for one in drawn(DEFAULT, Status.ESME_RSYSERR, 6, rounds=2))


@pytest.mark.parametrize("status", [Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL])
def test_a_throttled_message_comes_again_soon_however_often(status: int) -> None:
    policy = RetryPolicy(RetryConfig(max_attempts=3))
    assert all(1 <= one <= 1.2 for one in drawn(policy, status, 9))


def test_an_outlet_has_its_own_schedule() -> None:
    policy = RetryPolicy(RetryConfig(schedule_s=(1, 2), throttled_s=7, jitter=0))
    assert [drawn(policy, 8, attempt) for attempt in (1, 2, 3)] == [{1}, {2}, {2}]
    assert drawn(policy, Status.ESME_RTHROTTLED, 1) == {7}


def test_the_last_attempt() -> None:
    policy = RetryPolicy(RetryConfig(max_attempts=3))
    given = [policy.delay_s(8, attempt, random.Random(1)) for attempt in (2, 3, 4)]
    assert [one is None for one in given] == [False, True, True]


class TestClasses:
    POLICY = RetryPolicy(
        RetryConfig(
            classes={
                Status.ESME_RSUBMITFAIL: "permanent",
                Status.ESME_RINVDSTADR: "retryable",
                0x412: "throttled",
                Status.ESME_RTHROTTLED: "retryable",
            }
        )
    )

    @pytest.mark.parametrize(
        ("outcome", "meant"),
        [
            (TryLater(ID, 0x45, 1, 3), Failed(ID, 0x45, 1, 3)),
            (Failed(ID, 0x0B, 1, 3), TryLater(ID, 0x0B, 1, 3)),
            (Failed(ID, 0x412), TryLater(ID, 0x412)),
            (TryLater(ID, 8), TryLater(ID, 8)),
            (Failed(ID, 0x0A), Failed(ID, 0x0A)),
            (Sent(ID, "x"), Sent(ID, "x")),
        ],
    )
    def test_the_configuration_has_the_last_word(self, outcome: Outcome, meant: Outcome) -> None:
        assert self.POLICY.judge([outcome]) == [meant]

    def test_what_the_network_did_not_say_has_no_class(self) -> None:
        cut = TryLater(ID, Status.ESME_RSUBMITFAIL, is_answer=False)
        assert self.POLICY.judge([cut]) == [cut]

    def test_what_throttles(self) -> None:
        assert all(1 <= one <= 1.2 for one in drawn(self.POLICY, 0x412, 4))
        assert all(one >= 300 for one in drawn(self.POLICY, Status.ESME_RTHROTTLED, 4))

    def test_without_classes_nothing_is_touched(self) -> None:
        outcomes = [Failed(ID, 0x45)]
        assert DEFAULT.judge(outcomes) is outcomes


@pytest.mark.parametrize(
    ("plan", "tried", "attempt", "up", "expected"),
    [
        ((A, B), A, 1, {A, B}, (B, A)),
        ((A, B), B, 2, {A, B}, None),  # all were tried
        ((A, B), B, 1, {A, B}, (A, B)),  # the first was down then
        ((A, B), A, 1, {A}, None),  # nobody else is there
        ((A, B), A, 3, {A, B}, (B, A)),  # the second round
        ((A, B, C), A, 1, {C}, (B, C, A)),
        ((A, B, C), B, 2, {A, B, C}, (C, A, B)),
        ((A,), A, 1, {A}, None),
        ((), A, 1, {A}, None),  # no rule takes it any more
        ((B, C), A, 1, {B}, (B, C)),  # the rules have changed
    ],
)
def test_the_next_outlet_or_a_wait(
    plan: Plan, tried: OutletName, attempt: int, up: set[OutletName], expected: Plan | None
) -> None:
    assert next_plan(plan, tried, attempt, up.__contains__) == expected
