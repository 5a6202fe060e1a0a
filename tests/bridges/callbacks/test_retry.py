"""What each answer means for a delivery, and when the next attempt comes."""

import pytest

from bridges.callbacks.retry import (
    MAX_AGE_MS,
    MIN_ATTEMPTS,
    REFUSALS,
    Answered,
    Unanswered,
    is_trouble,
    judge,
)
from bridges.callbacks.style import CallbackResponse
from smsc.message import Delivery, MessageId
from smsc.ports import Again, DeliveryOutcome, Done, SetAside
from tests.fakes.delivery import NOW_MS, a_delivery

HOUR_MS = 3_600_000


def said(
    delivery: Delivery,
    answer: int | str,
    now_ms: int = NOW_MS,
    draw: float = 0.0,
    wish_s: float = 0,
) -> DeliveryOutcome:
    told = (
        Answered(CallbackResponse(answer), wish_s)
        if isinstance(answer, int)
        else Unanswered(answer)
    )
    return judge(delivery, told, now_ms, draw)


def delay_s(outcome: DeliveryOutcome) -> float:
    assert isinstance(outcome, Again)
    return outcome.delay_s


@pytest.mark.parametrize("status", [200, 204, 299])
def test_2xx_is_done(status: int) -> None:
    assert said(a_delivery(), status) == Done(MessageId(1))


@pytest.mark.parametrize("answer", [302, 400, 401, 404, 408, 425, 500, 503, "ReadError"])
def test_the_first_failure_is_tried_again(answer: int | str) -> None:
    assert delay_s(said(a_delivery(), answer)) == 2.5


@pytest.mark.parametrize("status", [429, 502, 504])
def test_a_host_with_too_much_to_do_is_left_alone_longer(status: int) -> None:
    assert delay_s(said(a_delivery(), status)) == 10.0


def test_a_gone_endpoint_gets_no_second_attempt() -> None:
    outcome = said(a_delivery(), 410)
    assert isinstance(outcome, SetAside)
    assert "410" in outcome.why


def test_what_cannot_be_called_gets_no_second_attempt() -> None:
    outcome = judge(a_delivery(), Unanswered("private", is_final=True), NOW_MS, 0.0)
    assert outcome == SetAside(MessageId(1), "private")


@pytest.mark.parametrize("status", [301, 400, 404])
def test_a_refusal_repeated_is_meant_for_good(status: int) -> None:
    outcome = said(a_delivery(attempt=REFUSALS - 1), status)
    assert isinstance(outcome, SetAside)
    assert str(status) in outcome.why
    assert isinstance(said(a_delivery(attempt=REFUSALS - 2), status), Again)


@pytest.mark.parametrize("answer", [408, 425, 429, 500, 503, "ConnectError"])
def test_trouble_is_tried_again_however_often(answer: int | str) -> None:
    assert isinstance(said(a_delivery(attempt=1000), answer), Again)


@pytest.mark.parametrize(
    ("attempt", "draw", "expected_s"),
    [(0, 0.0, 2.5), (0, 1.0, 5.0), (1, 1.0, 10.0), (4, 1.0, 80.0), (20, 1.0, 3600.0)],
)
def test_the_wait_grows_and_spreads(attempt: int, draw: float, expected_s: float) -> None:
    assert delay_s(said(a_delivery(attempt=attempt), 500, draw=draw)) == expected_s


@pytest.mark.parametrize(("wish_s", "expected_s"), [(60.0, 60.0), (1e9, 3600.0), (0.0, 2.5)])
def test_the_host_may_ask_for_a_longer_wait_but_not_for_ever(
    wish_s: float, expected_s: float
) -> None:
    assert delay_s(said(a_delivery(), 503, wish_s=wish_s)) == expected_s


@pytest.mark.parametrize(("expires_ms", "until_ms"), [(0, MAX_AGE_MS), (NOW_MS + HOUR_MS, HOUR_MS)])
def test_the_last_attempt_is_made_when_the_time_is_over(expires_ms: int, until_ms: int) -> None:
    delivery = a_delivery(attempt=20, expires_ms=expires_ms)
    assert delay_s(said(delivery, 500, NOW_MS + until_ms - 7000, 0.5)) == 7.0
    assert isinstance(said(delivery, 500, NOW_MS + until_ms, 0.5), SetAside)
    assert isinstance(said(delivery, 200, NOW_MS + until_ms, 0.5), Done)


def test_what_is_asked_back_when_its_time_is_over_gets_a_few_attempts() -> None:
    late_ms = NOW_MS + 2 * MAX_AGE_MS
    outcomes = [said(a_delivery(attempt=n), 500, late_ms) for n in range(MIN_ATTEMPTS)]
    assert [type(one) for one in outcomes] == [Again] * (MIN_ATTEMPTS - 1) + [SetAside]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answered(CallbackResponse(200)), False),
        (Answered(CallbackResponse(404)), False),
        (Answered(CallbackResponse(410)), False),
        (Answered(CallbackResponse(429)), True),
        (Answered(CallbackResponse(500)), True),
        (Unanswered("ConnectError"), True),
        (Unanswered("private", is_final=True), False),
        (Unanswered("BodyError", is_ours=True), False),
    ],
)
def test_only_trouble_of_the_host_is_held_against_it(
    answer: Answered | Unanswered, expected: bool
) -> None:
    assert is_trouble(answer) == expected
