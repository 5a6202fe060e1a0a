"""The whole flow for an hour, in seconds: a seed decides what networks, ESMEs and the disk do.

Everything runs as in a gateway, alarms and retries included, on a memory store and under a clock
that jumps to whatever comes next. The gateway is killed in between; what was committed stays.
Asserted, for each seed: the ledger, one final state, receipts for those who asked and for nobody
else, no part taken twice without a reason, nothing before its time or after it, no more for one
number than allowed, an acknowledged message never lost, the same submission the same id.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing

from pdu.tlvs import Tag, pack_tlv
from smsc.config_flow import OutletFlowConfig, RetryConfig
from smsc.flow.alarms import Alarms
from smsc.message import FINAL, Draft, MessageId, OutletName, State
from smsc.ports import (
    Admission,
    Admitted,
    Flow,
    MobileOriginated,
    Outcome,
    Sent,
    UpstreamReceipt,
)
from tests.flow.chaos import Chaos, Esme, Seen
from tests.flow.house import HOME, SIM, START_MS, A, B, House, draft_to

LIVES = 3
LIFE_S = 400.0
REST_S = 4000.0
"""How long the kind world at the end lasts: every validity has ended by then."""
LIMIT = 3
SETTINGS = {
    A: OutletFlowConfig(per_destination=LIMIT, retry=RetryConfig(schedule_s=(2.0, 20.0, 120.0))),
    B: OutletFlowConfig(retry=RetryConfig(max_attempts=2, classes={0x45: "permanent"})),
}
PREFIXES = ("4179", "4379", "4479", "4979", "4479")
SAME_AGAIN_S = 60.0


class Port:
    """The gateway as its networks see it: the port `Flow`."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway

    def room_changed(self, _outlet: OutletName) -> None:
        """Offer work to all."""
        self._gateway.dispatch.pump_all()

    def settle(self, outlet: OutletName, outcomes: Sequence[Outcome]) -> None:
        """Journal, then match early receipts."""
        self._gateway.dispatch.settle(outlet, outcomes)
        sent = (one.upstream_id for one in outcomes if isinstance(one, Sent))
        self._gateway.receipts.responded(outlet, sent)

    def attempting_nowait(
        self,
        outlet: OutletName,
        attempts: Sequence[tuple[MessageId, int]],
        done: Callable[[], None],
    ) -> None:
        raise AssertionError("no outlet of this test holds anything")

    def receipts_nowait(
        self, receipts: Sequence[UpstreamReceipt], done: Callable[[list[int]], None]
    ) -> None:
        """Match."""
        self._gateway.receipts.receipts_nowait(receipts, done)

    def number_seen(self, address: str) -> None:
        """Nobody listens."""

    def mobile_originated_nowait(
        self, messages: Sequence[MobileOriginated], done: Callable[[list[int]], None]
    ) -> None:
        """Route home."""
        self._gateway.inbound.mobile_originated_nowait(messages, done)


class Gateway(House):
    """The rooms in Trio, as `smsc.app` runs them."""

    def __init__(self, draw: random.Random, seen: Seen, outlets: Sequence[Chaos]) -> None:
        self.draw = draw
        self.seen = seen
        self.found = 0
        super().__init__(outlets=outlets, settings=SETTINGS, duplicates_s=SAME_AGAIN_S)  # type: ignore[arg-type]

    @property
    def now_ms(self) -> int:
        """The clock that jumps."""
        return START_MS + int(trio.current_time() * 1000)

    @now_ms.setter
    def now_ms(self, _value: int) -> None:
        """Nobody sets it."""

    @property
    def now(self) -> float:
        """As above."""
        return trio.current_time()

    @now.setter
    def now(self, _value: float) -> None:
        """Nobody sets it."""

    # --- life ----------------------------------------------------------------------------------

    async def live(self, world: "World", is_last: bool) -> None:
        """One life: all tasks of a gateway, and those who use it, until somebody kills it."""
        self.dispatch.soon = trio.lowlevel.current_trio_token().run_sync_soon
        alarms = Alarms(self.store, self.waking.wake, lambda: self.now_ms)
        self.dispatch.alarm_moved = alarms.moved
        port: Flow = Port(self)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(self._write, is_last=is_last))
            nursery.start_soon(self._sweep)
            nursery.start_soon(alarms.run)
            for outlet in world.outlets:
                outlet.is_kind = is_last
                nursery.start_soon(outlet.run, port)
            for number in range(2):
                nursery.start_soon(world.receive, self, nursery, is_last, number)
            if not is_last:
                nursery.start_soon(world.submit, self)
            await trio.sleep(REST_S if is_last else LIFE_S * world.draw.uniform(0.5, 1.0))
            nursery.cancel_scope.cancel()

    async def _write(self, *, is_last: bool) -> None:
        """The disk: some commits are slow, at times there is no room."""
        work = trio.Event()
        self.store._soon = lambda _call: work.set()
        while True:
            if not self.store.unwritten:
                work = trio.Event()
                await work.wait()
            await trio.sleep(self.draw.choice((0.001, 0.01, 0.5)))
            self.store.why_full = "full" if not is_last and self.draw.random() < 0.05 else None
            self.store.retry()

    async def _sweep(self) -> None:
        while True:
            await trio.sleep(1.0)
            self.mailboxes.tick()
            self.receipts.forget_old()
            self.duplicates.forget_old(self.now_ms)


class World:
    """Who uses the gateway, and what they were told."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.seen = Seen(lambda: START_MS + int(trio.current_time() * 1000))
        self.outlets = [
            Chaos(
                name,
                random.Random(self.draw.random()),
                self.seen,
                remembers=name != SIM,
                limit=LIMIT if name == A else 0,
            )
            for name in (A, B, SIM)
        ]
        self.wanted: dict[MessageId, int] = {}
        self.references: dict[int, tuple[MessageId, int]] = {}

    async def submit(self, gateway: Gateway) -> None:
        """Clients: bursts of everything, and some of it again."""
        draw = self.draw
        number = 0
        while True:
            await trio.sleep(draw.choice((0.01, 1.0, 20.0)))
            drafts, facts = [], []
            for _ in range(draw.choice((1, 1, 5, 30))):
                number += 1
                again = draw.random() < 0.1
                reference = draw.randrange(5) if again else None
                wish = 1 if again else draw.randrange(4)
                drafts.append(self._draft(gateway.now_ms, reference, wish))
                facts.append((reference, wish))
            sent_ms = gateway.now_ms

            def done(
                answers: list[Admission],
                facts: list[tuple[int | None, int]] = facts,
                sent_ms: int = sent_ms,
            ) -> None:
                for answer, (reference, wish) in zip(answers, facts, strict=True):
                    if isinstance(answer, Admitted):
                        self._acknowledged(answer.id, reference, wish, sent_ms)

            gateway.intake.submit_many_nowait(drafts, done)

    def _draft(self, now_ms: int, reference: int | None, wish: int) -> Draft:
        draw = self.draw
        if reference is not None:
            draft = draft_to(f"44790000{reference}1", expires_ms=now_ms + 3_000_000)
            draft.body += pack_tlv(Tag.USER_MESSAGE_REFERENCE, bytes((0, reference)))
            return draft
        due_ms = now_ms + draw.choice((0, 0, 0, 1000, 90_000))
        prefix = draw.choice(PREFIXES)
        return draft_to(
            f"{prefix}00000{draw.choice((1, 1, 1, 2, 3))}",
            registered_delivery=wish,
            priority_flag=draw.randrange(4),
            due_ms=due_ms if due_ms > now_ms else 0,
            expires_ms=due_ms + draw.choice((5000, 60_000, 3_000_000)),
        )

    def _acknowledged(self, id_: MessageId, reference: int | None, wish: int, sent_ms: int) -> None:
        self.wanted[id_] = wish
        if reference is None:
            return
        first, at_ms = self.references.get(reference, (id_, sent_ms))
        assert id_ == first or sent_ms - at_ms >= SAME_AGAIN_S * 1000, "the same, another message"
        if id_ != first or reference not in self.references:
            self.references[reference] = (id_, sent_ms)

    async def receive(
        self, gateway: Gateway, nursery: trio.Nursery, is_kind: bool, number: int
    ) -> None:
        """One ESME that binds and goes, again and again."""
        while True:
            await trio.sleep(self.draw.uniform(0, 10) * (number + 1))
            esme = Esme(HOME, gateway.mailboxes, self.draw, self.seen, nursery, is_kind)
            gateway.mailboxes.attach(HOME, esme)
            await trio.sleep(REST_S if is_kind else self.draw.uniform(1, 100))
            esme.is_bound = False
            gateway.mailboxes.detach(HOME, esme)


async def simulate(seed: int) -> tuple[World, Gateway]:
    """Some lives that end by a kill, and a last one in a kind world."""
    world = World(seed)
    gateway = Gateway(random.Random(seed), world.seen, world.outlets)
    for _ in range(LIVES):
        await gateway.live(world, is_last=False)
        for outlet in world.outlets:
            outlet.is_up = False
            for key in outlet.in_hand:  # nobody hears the answer
                world.seen.for_a_reason[key] += 1
            outlet.in_hand.clear()
        committed = world.draw.randrange(gateway.store.unwritten + 1)
        on_its_way = {key for key, n in world.seen.taken.items() if n}
        gateway.store.crash(committed)
        disk = gateway.on_disk()
        for id_, part in on_its_way:
            progress = disk.get(id_)
            if (
                progress is None
                or part >= len(progress.parts)
                or progress.parts[part] == State.QUEUED
                or progress.outlet == SIM
            ):
                world.seen.for_a_reason[id_, part] += 1
        gateway.found += gateway.duplicates.found
        gateway._open(gateway.store.tables, gateway.store.highest_id)
        gateway.receipts.restore(gateway.outlets)
        gateway.waking.restore(gateway.store.waiting())
    await gateway.live(world, is_last=True)
    return world, gateway


def check(world: World, gateway: Gateway) -> None:
    """What must be so at the end."""
    disk = gateway.on_disk()
    assert world.wanted.keys() <= disk.keys(), "an acknowledged message is lost"
    assert {one.state for one in disk.values()} <= FINAL, "a message without an end"
    counts = gateway.store.counts()
    assert (counts["due"], counts["parked"]) == (0, 0)
    assert counts["message"] == counts["status"] == len(disk)
    assert gateway.dispatch.in_flight == 0
    assert gateway.dispatch.waiting() == {}
    assert gateway.dispatch.held_back() == {}
    for id_, wish in world.wanted.items():
        state = disk[id_].state
        is_wanted = wish in ({1, 3} if state is State.DELIVERED else {1, 2})
        assert world.seen.told.get(id_, set()) == ({state} if is_wanted else set())
    for part, times in world.seen.taken.items():
        assert times <= 1 + world.seen.for_a_reason[part], "taken twice without a reason"


@contextmanager
def same_order_each_time(seed: int) -> Iterator[None]:
    """Trio draws the order of tasks; here it draws from the seed."""
    run: Any = trio._core._run
    before = run._ALLOW_DETERMINISTIC_SCHEDULING, run._r
    run._ALLOW_DETERMINISTIC_SCHEDULING, run._r = True, random.Random(seed)
    try:
        yield
    finally:
        run._ALLOW_DETERMINISTIC_SCHEDULING, run._r = before


def play(seed: int) -> tuple[World, Gateway]:
    """One seed from beginning to end."""
    with same_order_each_time(seed):
        clock = trio.testing.MockClock(autojump_threshold=0)
        world, gateway = trio.run(simulate, seed, clock=clock)
    check(world, gateway)
    return world, gateway


@pytest.mark.parametrize("seed", range(4))
def test_an_hour(seed: int) -> None:
    world, gateway = play(seed)
    assert len(world.wanted) > 100, "a world in which nothing happens"
    assert world.seen.told
    assert gateway.found, "no submission came twice"
    assert world.seen.held_back


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("tens", range(10))
def test_many_hours(tens: int) -> None:
    for seed in range(100 + tens * 10, 110 + tens * 10):
        play(seed)


def test_a_seed_plays_the_same_again() -> None:
    first, second = play(1), play(1)
    assert first[0].wanted == second[0].wanted
    assert first[0].seen.taken == second[0].seen.taken
