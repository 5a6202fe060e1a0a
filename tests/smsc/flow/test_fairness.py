"""Fair shares, in a simulation without time: commits take what is in hand in the order it came."""

from collections import Counter, deque

import attrs
import pytest

from smsc.flow.fairness import FairShare
from smsc.message import AccountId

CAPACITY = 200
"""Messages that the gateway stores in a turn."""


@attrs.define(eq=False)
class Connection:
    """A client that always has more to send than `window` lets it."""

    account: AccountId
    window: int
    wants: int = 10**9
    """Messages it would send in a turn at most."""
    owed: int = 0
    is_paused: bool = False
    pauses: int = 0

    def pause(self) -> None:
        self.is_paused = True
        self.pauses += 1

    def resume(self) -> None:
        self.is_paused = False


def simulate(connections: list[Connection], turns: int = 1000, limit: int = 1000) -> Counter[str]:
    """Messages stored for each account."""
    fair = FairShare(limit)
    queue: deque[tuple[Connection, int]] = deque()
    stored: Counter[str] = Counter()
    for one in connections:
        fair.join(one.account, one)
    for turn in range(turns):
        shift = turn % len(connections)
        for one in connections[shift:] + connections[:shift]:
            wanted = min(one.window - one.owed, one.wants)
            if wanted > 0 and not one.is_paused:
                one.owed += wanted
                queue.append((one, wanted))
                fair.enter(one.account, wanted)
        room = CAPACITY
        while queue and room:
            one, count = queue.popleft()
            now = min(count, room)
            if now < count:
                queue.appendleft((one, count - now))
            room -= now
            one.owed -= now
            stored[one.account] += now
            fair.leave(one.account, now)
    # Nobody is forgotten, and nothing is counted that is not there.
    assert fair.in_hand == sum(one.owed for one in connections)
    assert fair.statistics()["paused"] == sum(one.is_paused for one in connections)
    while queue:
        one, count = queue.popleft()
        fair.leave(one.account, count)
    assert not any(one.is_paused for one in connections)
    assert fair.statistics() == {"in_hand": 0, "paused": 0}
    return stored


def many(account: str, connections: int, window: int, wants: int = 10**9) -> list[Connection]:
    return [Connection(AccountId(account), window, wants) for _ in range(connections)]


@pytest.mark.parametrize("others", [1, 4])
def test_ten_times_the_share_leaves_the_others_nine_tenths_of_theirs(others: int) -> None:
    connections = many("hog", 10 * others * 4, 100)
    for number in range(others):
        connections += many(f"a{number}", 8, 100)
    stored = simulate(connections)
    share = sum(stored.values()) / (others + 1)
    assert sum(stored.values()) >= 0.99 * 1000 * CAPACITY
    for number in range(others):
        assert stored[f"a{number}"] >= 0.9 * share


def test_who_asks_for_less_than_its_share_gets_all_of_it_and_is_never_paused() -> None:
    light = many("light", 1, 200, wants=20)
    stored = simulate([*many("hog", 40, 100), *light, *many("big", 20, 100)])
    assert light[0].pauses == 0
    assert stored["light"] >= 0.9 * 20 * 1000
    # What it leaves is shared by the others.
    rest = (sum(stored.values()) - stored["light"]) / 2
    assert stored["big"] >= 0.9 * rest


def test_alone_an_account_may_hold_four_limits() -> None:
    connections = many("only", 40, 100)
    simulate(connections)
    assert not any(one.pauses for one in connections)


def test_while_the_gateway_keeps_up_nobody_is_paused() -> None:
    connections = many("a", 8, 100, wants=10) + many("b", 1, 100, wants=10)
    simulate(connections)
    assert not any(one.pauses for one in connections)


def test_a_paused_connection_that_goes_is_forgotten() -> None:
    fair, demo, other = FairShare(100), AccountId("demo"), AccountId("other")
    gone, here = Connection(demo, 100), Connection(other, 100)
    fair.join(demo, gone)
    fair.join(other, here)
    fair.enter(other, 10)
    fair.enter(demo, 500)
    assert (gone.is_paused, here.is_paused) == (True, False)
    assert fair.statistics() == {"in_hand": 510, "paused": 1}
    fair.part(demo, gone)
    fair.part(demo, gone)
    fair.leave(demo, 500)
    assert gone.is_paused
    assert fair.statistics() == {"in_hand": 10, "paused": 0}
    fair.leave(other, 10)
    fair.part(other, here)
    assert fair.statistics() == {"in_hand": 0, "paused": 0}


def test_messages_without_a_connection_count_and_pause_nobody() -> None:
    fair = FairShare(100)
    fair.enter(AccountId("a"), 1000)
    fair.enter(AccountId("b"), 1000)
    assert fair.statistics() == {"in_hand": 2000, "paused": 0}
    fair.leave(AccountId("a"), 1000)
    fair.leave(AccountId("b"), 1000)
    assert fair.statistics() == {"in_hand": 0, "paused": 0}
