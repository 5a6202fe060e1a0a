"""Messages that wait follow today's rules, while outlets take from the same lanes."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
import trio.testing

from routing.rule import Rule
from routing.table import RoutingTable
from routing.velocity import Velocity
from smsc.flow.rerouting import Rerouting
from smsc.message import MessageId, OutletName
from tests.flow.house import SIM, A, B, FakeOutlet, House, draft_to

TO_B = Rule(to=("44",), outlets=("b",))


def idle_house() -> House:
    """Nothing leaves: every outlet is down."""
    return House(outlets=[FakeOutlet(name, is_up=False) for name in (A, B, SIM)])


def waiting(house: House, plan: tuple[OutletName, ...]) -> list[MessageId]:
    return list(house.dispatch.backlog.lanes.lane(plan))


@asynccontextmanager
async def rules_change(house: House, *rules: Rule) -> AsyncIterator[None]:
    """The walk begins before the block, and is over behind it."""
    guide = house.intake._guide
    rerouting = Rerouting(house.dispatch, guide, house.store, house.log)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(rerouting.run)
        guide.take_rules(RoutingTable(rules), Velocity(()))
        rerouting.all_soon()
        yield
        await trio.sleep(1000)
        nursery.cancel_scope.cancel()


async def test_everything_moves_in_its_order(autojump_clock: trio.testing.MockClock) -> None:
    house = idle_house()
    ids = house.admit(*[draft_to("4479000001") for _ in range(9000)])
    assert waiting(house, (A,)) == ids
    async with rules_change(house, TO_B):
        pass
    assert waiting(house, (B,)) == ids
    assert house.dispatch.waiting() == {"b": 9000}
    assert house.log.events[-1] == ("messages.rerouted", {"messages": 9000, "unrouted": 0})


async def test_it_lets_others_work_and_loses_nothing_that_they_take(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Outlet a takes from the lane that is being emptied, and new messages come in."""
    house = idle_house()
    ids = house.admit(*[draft_to("4479000001") for _ in range(5000)])
    draw = random.Random(1)
    taken: list[MessageId] = []
    async with rules_change(house, TO_B):
        for _ in range(60):
            await trio.sleep(0.0005)
            limit = draw.randrange(40)
            got = house.dispatch.backlog.take(A, limit, lambda name: name == A)
            assert got == sorted(got)
            taken += got
            ids += house.admit(draft_to("4479000001"))
    assert waiting(house, (A,)) == []
    assert taken
    found = taken + waiting(house, (B,))
    assert sorted(found) == sorted(ids), "each is in one place"


async def test_messages_whose_rule_is_gone_keep_a_living_outlet(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = idle_house()
    ids = house.admit(draft_to("4479000001"))
    async with rules_change(house, Rule(to=("43",), outlets=("sim",))):
        pass
    assert waiting(house, (A,)) == ids


async def test_priorities_and_accounts_keep_their_places(
    autojump_clock: trio.testing.MockClock,
) -> None:
    house = idle_house()
    low = house.admit(draft_to("4479000001"))
    high = house.admit(draft_to("4479000001", priority_flag=3))
    async with rules_change(house, TO_B):
        pass
    assert house.dispatch.backlog.take(B, 10, lambda _name: True) == high + low
