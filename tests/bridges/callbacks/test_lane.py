"""How much a callback host gets: less with each failure, a pause, one probe, and all of it again."""

import random

import pytest

from bridges.callbacks.lane import MAX_PAUSE_S, PAUSE_AFTER, REQUESTS, Lane
from bridges.callbacks.retry import Answered, Unanswered
from bridges.callbacks.style import CallbackResponse

OK = Answered(CallbackResponse(200))
DOWN = Unanswered("ConnectError")


def a_lane() -> Lane:
    return Lane(random.Random(1))


def test_a_host_that_does_well_has_all_of_it() -> None:
    lane = a_lane()
    assert not lane.note(OK, 0.0)
    assert lane.room(0.0) == REQUESTS
    lane.in_flight = 3
    assert lane.room(0.0) == REQUESTS - 3


def test_each_failure_halves_and_the_third_brings_a_pause() -> None:
    lane = a_lane()
    rooms, turned = [], []
    for _ in range(PAUSE_AFTER):
        turned.append(lane.note(DOWN, 100.0))
        rooms.append(lane.room(100.0))
    assert rooms == [4, 2, 0]
    assert turned == [False, False, True]
    assert lane.room(lane.paused_until) == 1


def test_pauses_grow_to_a_limit() -> None:
    lane = a_lane()
    pauses, now = [], 0.0
    for _ in range(20):
        lane.note(DOWN, now)
        if lane.paused_until > now:
            pauses.append(lane.paused_until - now)
            now = lane.paused_until
    assert 0.5 <= pauses[0] <= 1.0
    assert MAX_PAUSE_S / 2 <= pauses[-1] <= MAX_PAUSE_S


@pytest.mark.parametrize(
    "answer",
    [
        Answered(CallbackResponse(429)),
        Answered(CallbackResponse(502)),
        Answered(CallbackResponse(504)),
        Answered(CallbackResponse(503), 7.0),
    ],
)
def test_a_host_may_ask_for_a_pause(answer: Answered) -> None:
    lane = a_lane()
    assert lane.note(answer, 100.0)
    assert lane.room(100.0) == 0
    assert lane.paused_until >= 100.0 + answer.retry_after_s


def test_answers_to_requests_of_before_do_not_shorten_the_pause() -> None:
    lane = a_lane()
    lane.note(Answered(CallbackResponse(429), 60.0), 100.0)
    lane.note(Answered(CallbackResponse(429)), 101.0)
    assert lane.paused_until == 160.0


def test_a_success_opens_it_again_step_by_step() -> None:
    lane = a_lane()
    for _ in range(5):
        lane.note(DOWN, 0.0)
    assert lane.note(OK, 500.0)
    assert [lane.room(500.0), lane.note(OK, 500.0), lane.room(500.0)] == [2, False, 3]
    for _ in range(20):
        lane.note(OK, 500.0)
    assert lane.room(500.0) == REQUESTS


def test_a_refusal_of_one_request_is_no_trouble() -> None:
    lane = a_lane()
    for status in (400, 404, 410):
        lane.note(Answered(CallbackResponse(status)), 0.0)
    assert lane.room(0.0) == REQUESTS


def test_people_may_open_it_at_once() -> None:
    lane = a_lane()
    for _ in range(9):
        lane.note(DOWN, 0.0)
    lane.forgive()
    assert lane.room(0.0) == REQUESTS
