"""What comes after an attempt that failed for now."""

import random

import pytest

from pdu.status import Status
from smsc.flow.lanes import Plan
from smsc.flow.retry import SCHEDULE_S, THROTTLED_S, delay_s, next_plan
from smsc.message import OutletName
from tests.flow.house import A, B

C = OutletName("c")


@pytest.mark.parametrize("attempt", range(1, 12))
def test_delays_grow_and_then_repeat(attempt: int) -> None:
    base_s = SCHEDULE_S[min(attempt, len(SCHEDULE_S)) - 1]
    drawn = {delay_s(Status.ESME_RSYSERR, attempt, random.Random(seed)) for seed in range(20)}
    assert len(drawn) > 10, "messages that failed together come again apart"
    assert all(base_s <= one <= base_s * 1.2 for one in drawn)


@pytest.mark.parametrize("status", [Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL])
def test_a_throttled_message_comes_again_soon_however_often(status: int) -> None:
    assert THROTTLED_S <= delay_s(status, 9, random.Random(1)) <= 1.2 * THROTTLED_S


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
