"""History: what is old and final goes, oldest first; what is live or young stays."""

from collections.abc import Callable
from typing import Any

import pytest
import structlog
import trio
from trio.testing import MockClock

from smsc.flow import history
from smsc.flow.history import History
from smsc.message import FINAL, LIVE, MessageId, OutletName, Progress, State
from smsc.store.ids import id_time_ms
from smsc.store.memory_store import MemoryStore
from tests.contracts.store_contract import NOW_MS, a_message
from tests.fakes.house import RunningGateway

HOUR_MS = 3_600_000
KEEP_MS = 24 * HOUR_MS
SIM = OutletName("sim")


class House:
    """A memory store whose commits come when Trio runs them, and a clock that a test sets."""

    def __init__(self, keep_ms: int = KEEP_MS) -> None:
        token = trio.lowlevel.current_trio_token()
        self.store = MemoryStore(node=1, soon=token.run_sync_soon)
        self.now_ms = NOW_MS
        self.capture = structlog.testing.LogCapture()
        log: Any = structlog.wrap_logger(None, processors=[self.capture])
        self.history = History(self.store, keep_ms / 1000, lambda: self.now_ms, log)

    def accept(self, age_ms: int, state: State, *, done_age_ms: int = 0, n: int = 1) -> list[int]:
        """Messages accepted `age_ms` ago that ended `done_age_ms` ago."""
        ids: list[int] = list(self.store.ids.take(n, NOW_MS - age_ms))
        batch = self.store.batch()
        for id_ in ids:
            upstream_ids = (f"up{id_}",)
            done_ms = NOW_MS - done_age_ms if state in FINAL else 0
            progress = Progress(
                state, SIM, 1, done_ms=done_ms, parts=b"\x02", upstream_ids=upstream_ids
            )
            batch.accept_many([a_message(id_)], progress)
            batch.upstream(SIM, f"up{id_}", MessageId(id_), 0)
        self.store.commit_nowait(batch)
        return ids

    def left(self) -> list[int]:
        """Ids that can still be asked for; everything of the others must be gone."""
        counts = self.store.counts()
        assert counts["message"] == counts["status"] == counts["upstream"]
        return [int.from_bytes(key, "big") for key in self.store.tables[0].keys]


async def settled() -> None:
    await trio.testing.wait_all_tasks_blocked()


@pytest.mark.parametrize("state", sorted(FINAL))
async def test_a_final_message_goes_with_its_progress_and_its_upstream_ids(
    state: State, autojump_clock: MockClock
) -> None:
    house = House()
    house.accept(2 * KEEP_MS, state, done_age_ms=KEEP_MS)
    await settled()
    await house.history.walk()
    assert house.left() == []
    assert house.history.forgotten == 1
    assert house.capture.entries == [
        {"event": "history.forgotten", "messages": 1, "log_level": "info"}
    ]


@pytest.mark.parametrize("state", sorted(LIVE))
async def test_a_live_message_stays_however_old(state: State, autojump_clock: MockClock) -> None:
    house = House(keep_ms=0)
    ids = house.accept(1000 * KEEP_MS, state)
    await settled()
    await house.history.walk()
    assert house.left() == ids
    assert house.capture.entries == []


async def test_the_time_counts_from_the_end_not_from_the_accept(
    autojump_clock: MockClock,
) -> None:
    house = House()
    young = house.accept(10 * KEEP_MS, State.DELIVERED, done_age_ms=KEEP_MS - 1)
    house.accept(5 * KEEP_MS, State.DELIVERED, done_age_ms=KEEP_MS)
    await settled()
    await house.history.walk()
    assert house.left() == young
    house.now_ms += 1
    await house.history.walk()
    assert house.left() == []


async def test_a_long_history_goes_in_small_batches_oldest_first_and_lets_others_work(
    autojump_clock: MockClock,
) -> None:
    house = House()
    old = house.accept(3 * KEEP_MS, State.DELIVERED, done_age_ms=2 * KEEP_MS, n=1000)
    live = house.accept(2 * KEEP_MS, State.QUEUED, n=1)
    older = house.accept(2 * KEEP_MS, State.EXPIRED, done_age_ms=2 * KEEP_MS, n=500)
    new = house.accept(0, State.DELIVERED, n=3)
    await settled()
    seen: list[list[int]] = []
    commit_nowait = house.store.commit_nowait

    def note(batch: Any, done: Callable[[Any], None] | None = None) -> None:
        seen.append(sorted(batch.rows[0]))
        commit_nowait(batch, done)

    house.store.commit_nowait = note  # type: ignore[method-assign]
    turns = 0

    async def another() -> None:
        nonlocal turns
        while True:
            await trio.sleep(0.0005)
            turns += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(another)
        await house.history.walk()
        nursery.cancel_scope.cancel()
    assert house.left() == [*live, *new]
    assert [len(batch) for batch in seen] == [history._COMMIT, 500]
    gone = [int.from_bytes(key, "big") for batch in seen for key in batch]  # type: ignore[arg-type]
    assert gone == [*old, *older]
    assert turns >= 1500 / history._ROWS


async def test_it_walks_again_and_again(autojump_clock: MockClock) -> None:
    house = House()
    first = house.accept(2 * KEEP_MS, State.DELIVERED, done_age_ms=KEEP_MS - 1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.history.run)
        await trio.sleep(1)
        assert house.left() == first
        house.now_ms += HOUR_MS
        await trio.sleep(history._PAUSE_S)
        assert house.left() == []
        nursery.cancel_scope.cancel()


async def test_a_store_without_room_is_waited_for(autojump_clock: MockClock) -> None:
    house = House()
    ids = house.accept(2 * KEEP_MS, State.DELIVERED, done_age_ms=KEEP_MS, n=2)
    await settled()
    house.store.why_full = "full"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(house.history.walk)
        await trio.sleep(100)
        assert house.left() == ids
        house.store.why_full = None
        house.store.retry()
    assert house.left() == []


def test_a_gateway_answers_for_history_and_forgets_it_in_time(
    start_gateway: Callable[..., RunningGateway],
) -> None:
    gateway = start_gateway()
    assert gateway.gateway.history.keep_s == 7 * 86_400
    batch = gateway.gateway.store.batch()
    now_ms = gateway.gateway.history._now_ms()
    aged = gateway.gateway.store.ids.take(1, now_ms)[0]
    final = Progress(State.DELIVERED, SIM, 1, done_ms=now_ms)
    batch.accept_many([a_message(aged)], final)
    gateway.call(lambda: gateway.gateway.store.commit_nowait(batch))
    gateway.wait_until(
        lambda: gateway.gateway.store.progress(MessageId(aged)) == final, "query in history"
    )
    gateway.stop()
    assert id_time_ms(MessageId(aged)) == now_ms
    again = start_gateway('[store]\nhistory_keep_s = 0.0\n[accounts.demo]\npassword = "demo"\n')
    again.wait_for_event("history.forgotten")
    assert again.call(lambda: again.gateway.store.progress(MessageId(aged))) is None
