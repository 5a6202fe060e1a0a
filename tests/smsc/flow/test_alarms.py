"""One task for all alarms."""

from collections.abc import Sequence

import trio
import trio.testing

from smsc.flow.alarms import Alarms
from smsc.message import MessageId
from smsc.ports import Alarm
from smsc.store.memory_store import MemoryStore
from tests.flow.house import START_MS


class Night:
    """A store with alarms, and a clock that goes with Trio's."""

    def __init__(self) -> None:
        self.store = MemoryStore(node=1, soon=lambda call: call())
        self.rang: list[tuple[float, int]] = []
        self.set_forward_ms = 0
        self.alarms = Alarms(self.store, self.wake, self.now_ms)
        self.began = trio.current_time()

    def now_ms(self) -> int:
        return START_MS + self.set_forward_ms + round((trio.current_time() - self.began) * 1000)

    def set(self, in_s: float, id_: int) -> None:
        batch = self.store.batch()
        batch.defer(START_MS + round(in_s * 1000), MessageId(id_), MessageId(id_))
        self.store.commit_nowait(batch)
        self.alarms.moved(START_MS + round(in_s * 1000))

    def wake(self, due: Sequence[Alarm]) -> None:
        batch = self.store.batch()
        for alarm in due:
            self.rang.append((round(trio.current_time() - self.began, 1), alarm.first))
            batch.undefer(alarm)
        self.store.commit_nowait(batch)


async def test_each_rings_at_its_time(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    night = Night()
    night.set(0, 1)
    night.set(35, 3)
    nursery.start_soon(night.alarms.run)
    await trio.sleep(1)
    night.set(4, 2)  # before the one that is slept for
    night.set(50, 4)
    await trio.sleep(60)
    assert night.rang == [(0.0, 1), (4.0, 2), (35.0, 3), (50.0, 4)]


async def test_more_than_one_helping(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    night = Night()
    for id_ in range(1200):
        night.set(1, id_ + 1)
    nursery.start_soon(night.alarms.run)
    await trio.sleep(1.5)
    assert [id_ for _, id_ in night.rang] == list(range(1, 1201))


async def test_a_clock_that_is_set_forward_is_noticed_within_ten_seconds(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    night = Night()
    night.set(3600, 1)
    nursery.start_soon(night.alarms.run)
    await trio.sleep(1)
    night.set_forward_ms = 3_600_000
    await trio.sleep(10)
    assert [id_ for _, id_ in night.rang] == [1]
