"""What the states of parts make of a message."""

import pytest

from smsc.flow.parts import aggregate, has_failed, new_parts, take_back, with_part
from smsc.message import State

D, E, Q, U, R, X = (
    State.DELIVERED,
    State.ENROUTE,
    State.QUEUED,
    State.UNDELIVERABLE,
    State.REJECTED,
    State.EXPIRED,
)


@pytest.mark.parametrize(
    ("parts", "state"),
    [
        ([D], D),
        ([D, D], D),
        ([D, E], E),
        ([R, Q], E),
        ([U, E], E),
        ([D, U], U),
        ([X, U], U),
        ([U, R, D], R),
        ([D, State.UNKNOWN], D),
        ([State.UNKNOWN], State.UNKNOWN),
        ([State.DELETED, D], State.DELETED),
    ],
)
def test_the_worst_part_decides_when_all_have_ended(parts: list[State], state: State) -> None:
    assert aggregate(bytes(parts)) is state
    assert aggregate(bytes(reversed(parts))) is state


def test_changes() -> None:
    assert new_parts(3) == bytes([Q, Q, Q])
    assert with_part(bytes([Q, Q, Q]), 1, D) == bytes([Q, D, Q])
    assert take_back(bytes([E, D, Q, E, U])) == bytes([Q, D, Q, Q, U])
    assert has_failed(bytes([D, U]))
    assert not has_failed(bytes([D, E, Q]))
