"""Waiting messages, as ids."""

from collections import Counter

from smsc.flow.lanes import Lanes
from smsc.message import AccountId, MessageId, OutletName
from tests.flow.house import A, B

AB, BA, ONLY_B = (A, B), (B, A), (B,)
C = OutletName("c")


def fill(
    lanes: Lanes, plan: tuple[OutletName, ...], *ids: int, priority: int = 0, account: str = "x"
) -> None:
    """Put ids into the lane of a plan."""
    for id_ in ids:
        lanes.lane(plan).put(MessageId(id_), priority, AccountId(account))


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


def test_what_waits_by_outlet_and_what_is_oldest() -> None:
    lanes = Lanes()
    fill(lanes, AB, 5, 2)
    fill(lanes, AB, 4, priority=3, account="y")
    fill(lanes, ONLY_B, 3)
    fill(lanes, (), 1)
    assert lanes.queues({A, B}.__contains__) == {A: (3, 4), B: (1, 3)}
    assert lanes.queues({B}.__contains__) == {B: (4, 3)}
    assert lanes.queues(set[OutletName]().__contains__) == {A: (3, 4), B: (1, 3)}
    lanes.take(A, 10, {A}.__contains__)
    assert lanes.queues({A, B}.__contains__) == {B: (1, 3)}


def test_a_priority_goes_before_a_lower_one_in_any_lane() -> None:
    lanes = Lanes()
    fill(lanes, ONLY_B, 1, 2)
    fill(lanes, BA, 3, priority=1)
    fill(lanes, BA, 4)
    fill(lanes, ONLY_B, 5, priority=2)
    assert lanes.take(B, 2, AB.__contains__) == [5, 3]
    assert sorted(lanes.take(B, 9, AB.__contains__)) == [1, 2, 4]


class TestShares:
    """Accounts within one outlet; the hundreds of an id tell its account."""

    @staticmethod
    def shares(lanes: Lanes, limit: int, times: int = 1) -> Counter[int]:
        """How many of each account are taken."""
        taken = [id_ for _ in range(times) for id_ in lanes.take(B, limit, AB.__contains__)]
        assert len(taken) == limit * times
        return Counter(id_ // 100_000 for id_ in taken)

    def fill(self, lanes: Lanes, account: int, n: int, priority: int = 0) -> None:
        first = account * 100_000
        fill(lanes, ONLY_B, *range(first, first + n), priority=priority, account=str(account))

    def test_a_flood_leaves_the_others_their_share(self) -> None:
        lanes = Lanes()
        self.fill(lanes, 1, 50_000)
        self.fill(lanes, 2, 300)
        self.fill(lanes, 3, 300)
        assert self.shares(lanes, 300) == {1: 100, 2: 100, 3: 100}

    def test_one_at_a_time_is_fair_too(self) -> None:
        lanes = Lanes()
        self.fill(lanes, 1, 1000)
        self.fill(lanes, 2, 10)
        assert self.shares(lanes, 1, times=20) == {1: 10, 2: 10}

    def test_what_one_does_not_use_is_for_the_others(self) -> None:
        lanes = Lanes()
        self.fill(lanes, 1, 1000)
        self.fill(lanes, 2, 7)
        assert self.shares(lanes, 500) == {1: 493, 2: 7}

    def test_priority_counts_before_the_share(self) -> None:
        lanes = Lanes()
        self.fill(lanes, 1, 100, priority=1)
        self.fill(lanes, 2, 100)
        assert self.shares(lanes, 120) == {1: 100, 2: 20}

    def test_a_lane_of_its_own_gains_an_account_nothing(self) -> None:
        lanes = Lanes()
        for account in (1, 2, 3):
            self.fill(lanes, account, 1000)
        fill(lanes, BA, *range(400_000, 401_000), account="4")
        assert self.shares(lanes, 400) == {1: 100, 2: 100, 3: 100, 4: 100}

    def test_order_within_an_account_and_who_goes_first(self) -> None:
        lanes = Lanes()
        fill(lanes, ONLY_B, 1, 2, 3, account="a")
        fill(lanes, ONLY_B, 11, 12, account="b")
        lanes.lane(ONLY_B).put_first(MessageId(10), 0, AccountId("b"))
        taken = lanes.take(B, 9, AB.__contains__)
        assert [id_ for id_ in taken if id_ < 10] == [1, 2, 3]
        assert [id_ for id_ in taken if id_ >= 10] == [10, 11, 12]
        assert set(lanes) == set()
