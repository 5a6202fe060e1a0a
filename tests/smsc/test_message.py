"""The state machine of a message."""

import pytest

from smsc.message import FINAL, LIVE, TRANSITIONS, State


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(State)
    assert set(State) == LIVE | FINAL
    assert not LIVE & FINAL


@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_final_state_is_never_left(state: State) -> None:
    assert TRANSITIONS[state] == frozenset()


@pytest.mark.parametrize("state", sorted(LIVE))
def test_every_live_state_can_end(state: State) -> None:
    assert {State.EXPIRED, State.DELETED, State.REJECTED} <= TRANSITIONS[state]


def test_a_scheduled_message_is_queued_before_it_travels() -> None:
    assert State.QUEUED in TRANSITIONS[State.SCHEDULED]
    assert not {State.ENROUTE, State.DELIVERED} & TRANSITIONS[State.SCHEDULED]


def test_a_message_may_be_tried_again_and_scheduled_again_only_while_it_waits() -> None:
    assert State.QUEUED in TRANSITIONS[State.ENROUTE]
    again = {state for state, after in TRANSITIONS.items() if State.SCHEDULED in after}
    assert again == {State.QUEUED}


def test_a_receipt_may_overtake_the_answer() -> None:
    """A queued message can end by a receipt that came before its submit_sm_resp."""
    assert State.DELIVERED in TRANSITIONS[State.QUEUED]


def test_every_state_can_be_reached() -> None:
    reached = {State.SCHEDULED}
    for _ in State:
        reached |= {after for state in reached for after in TRANSITIONS[state]}
    assert reached == set(State)
