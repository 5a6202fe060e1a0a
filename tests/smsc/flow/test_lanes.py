"""Waiting messages, as ids."""

from smsc.flow.lanes import Lanes
from smsc.message import MessageId, OutletName
from tests.flow.house import A, B

AB, BA, ONLY_B = (A, B), (B, A), (B,)
C = OutletName("c")


def fill(lanes: Lanes, plan: tuple[OutletName, ...], *ids: int, priority: int = 0) -> None:
    """Put ids into the lane of a plan."""
    for id_ in ids:
        lanes.lane(plan).put(MessageId(id_), priority)


def test_a_lane_belongs_to_its_first_outlet_that_is_up() -> None:
    lanes = Lanes()
    fill(lanes, AB, 1, 2)
    up = {A, B}
    assert lanes.take(B, 10, up.__contains__) == []
    up.discard(A)
    assert lanes.take(B, 1, up.__contains__) == [1]
    up.add(A)
    assert lanes.take(B, 10, up.__contains__) == []
    assert lanes.take(C, 10, up.__contains__) == []
    assert lanes.take(A, 10, up.__contains__) == [2]
    assert len(lanes) == 0


def test_order_of_arrival_within_a_priority_and_any_priority_is_taken() -> None:
    lanes = Lanes()
    fill(lanes, AB, 1, 2)
    fill(lanes, AB, 3, 4, priority=3)
    fill(lanes, AB, 5, priority=9)
    assert lanes.take(A, 3, AB.__contains__) == [3, 4, 5]
    assert lanes.take(A, 3, AB.__contains__) == [1, 2]


def test_no_lane_starves_beside_a_full_one() -> None:
    lanes = Lanes()
    fill(lanes, ONLY_B, *range(100))
    fill(lanes, BA, 1000)
    taken = [lanes.take(B, 5, AB.__contains__) for _ in range(2)]
    assert 1000 in taken[0] + taken[1]
    assert len(taken[0]) == len(taken[1]) == 5


def test_what_waits_by_plan() -> None:
    lanes = Lanes()
    fill(lanes, AB, 1, 2)
    fill(lanes, ONLY_B, 3)
    lanes.take(B, 1, AB.__contains__)
    assert lanes.waiting() == {"a > b": 2}
    assert len(lanes) == 2
