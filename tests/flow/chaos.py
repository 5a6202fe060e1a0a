"""Networks, clients and ESMEs that do what a seed says, for the simulation of the whole flow."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import attrs
import trio

from bridges.outgoing import unsent_parts
from smsc.message import Delivery, Mailbox, MessageId, OutletName, State
from smsc.ports import (
    Again,
    DeliveryOutcome,
    Done,
    Failed,
    Flow,
    Mailboxes,
    Outcome,
    Outgoing,
    Sent,
    TryLater,
    UpstreamReceipt,
)

Part = tuple[MessageId, int]
ENDINGS = (State.DELIVERED, State.DELIVERED, State.DELIVERED, State.UNDELIVERABLE)


@attrs.define(eq=False)
class Seen:
    """What the outside saw; it outlives every crash."""

    now_ms: Callable[[], int]
    taken: Counter[Part] = attrs.field(factory=Counter)
    """How often a network took a part."""
    for_a_reason: Counter[Part] = attrs.field(factory=Counter)
    """How often it could be sent again: no, or no answer, or its answer was not journalled."""
    held_back: int = 0
    """How often an outlet had as many for one number as it may."""
    told: dict[MessageId, set[State]] = attrs.field(factory=dict)
    """What receipts told the client of a message."""


@attrs.define(eq=False)
class Chaos:
    """A network that is slow, busy, choosy, absent; whose receipts come early, twice, in any order.

    The last digit of a destination is the number of parts.
    """

    name: OutletName
    draw: random.Random
    seen: Seen
    remembers: bool = True
    is_kind: bool = False
    """From now on it takes everything and stays."""
    is_up: bool = False
    window: int = 20
    limit: int = 0
    """Messages for one number that it may have in hand; 0 = any."""
    in_hand: dict[Part, tuple[int, str]] = attrs.field(factory=dict)
    """The number of parts, and the destination."""
    _nursery: trio.Nursery | None = None
    _flow: Flow | None = None

    def room(self) -> int:
        """Free places."""
        return max(0, self.window - len(self.in_hand)) if self.is_up else 0

    def send(self, batch: Sequence[Outgoing]) -> None:
        """Take the batch; each part is answered by a task of its own."""
        assert self._nursery is not None
        now_ms = self.seen.now_ms()
        for one in batch:
            message = one.message
            assert message.expires_ms > now_ms, "sent after its validity"
            assert message.due_ms <= now_ms, "sent before its schedule"
            to = message.peek.destination_addr
            count = int(to[-1])
            for part in unsent_parts(one.progress.parts, count):
                assert (message.id, part) not in self.in_hand, "in hand already"
                self.in_hand[message.id, part] = (count, to)
                self._nursery.start_soon(self._answer, (message.id, part), count, to)
            flying = {id_ for (id_, _), (_, number) in self.in_hand.items() if number == to}
            assert not self.limit or len(flying) <= self.limit, "too many for one number"
            self.seen.held_back += len(flying) == self.limit

    async def run(self, flow: Flow) -> None:
        """Come and go."""
        self._flow = flow
        async with trio.open_nursery() as self._nursery:
            while True:
                self.is_up = True
                flow.room_changed(self.name)
                await trio.sleep(self.draw.uniform(5, 300))
                if not self.is_kind:
                    self.is_up = False
                    self._cut(flow)
                    await trio.sleep(self.draw.uniform(0, 60))

    def statistics(self) -> Mapping[str, object]:
        """Nothing to tell."""
        return {}

    # --- helpers -------------------------------------------------------------------------------

    def _cut(self, flow: Flow) -> None:
        """Whoever has no answer yet gets none."""
        outcomes: list[Outcome] = []
        for (id_, part), (count, _) in self.in_hand.items():
            outcomes.append(TryLater(id_, 8, part, count))
            self.seen.for_a_reason[id_, part] += 1
        self.in_hand.clear()
        flow.settle(self.name, outcomes)
        flow.room_changed(self.name)

    async def _answer(self, key: Part, count: int, to: str) -> None:
        await trio.sleep(self.draw.choice((0.0, 0.01, 0.2, 5.0)) * self.draw.random())
        if self.in_hand.get(key) is None or self._flow is None:
            return  # the link was cut meanwhile
        id_, part = key
        luck = 1.0 if self.is_kind else self.draw.random()
        if luck < 0.03:
            outcome: Outcome = Failed(id_, 0x0B, part, count)
        elif luck < 0.15:
            outcome = TryLater(id_, self.draw.choice((8, 0x45, 0x58)), part, count)
        else:
            upstream_id = f"{self.name}{self.draw.getrandbits(64):x}"
            self.seen.taken[key] += 1
            outcome = Sent(id_, upstream_id, part, count)
            assert self._nursery is not None
            self._nursery.start_soon(self._receipts, upstream_id)
            if self.draw.random() < 0.1:
                await trio.sleep(2.0)  # its receipt overtakes the answer
        if self.in_hand.pop(key, None) is not None:
            if not isinstance(outcome, Sent):
                self.seen.for_a_reason[key] += 1
            self._flow.settle(self.name, [outcome])

    async def _receipts(self, upstream_id: str) -> None:
        state = self.draw.choice(ENDINGS)
        for _ in range(self.draw.choice((1, 1, 1, 2))):
            await trio.sleep(self.draw.choice((0.0, 1.0, 30.0)) * self.draw.random())
            assert self._flow is not None
            receipt = UpstreamReceipt(self.name, upstream_id, state)
            self._flow.receipts_nowait([receipt], lambda _statuses: None)


@attrs.define(eq=False)
class Esme:
    """A bound receiver that is slow, busy at times, and goes without a word."""

    mailbox: Mailbox
    mailboxes: Mailboxes
    draw: random.Random
    seen: Seen
    nursery: trio.Nursery
    is_kind: bool = False
    window: int = 5
    in_hand: int = 0
    is_bound: bool = True

    def room(self) -> int:
        """Free places."""
        return self.window - self.in_hand

    def deliver(self, batch: Sequence[Delivery]) -> None:
        """Answer each in a task."""
        assert len(batch) <= self.room(), "more than the window"
        assert self.is_bound, "delivered to a session that is gone"
        self.in_hand += len(batch)
        for delivery in batch:
            self.nursery.start_soon(self._answer, delivery)

    async def _answer(self, delivery: Delivery) -> None:
        await trio.sleep(self.draw.choice((0.0, 0.05, 3.0)) * self.draw.random())
        if not self.is_bound:
            return
        self.in_hand -= 1
        outcome: DeliveryOutcome = Done(delivery.id)
        if not self.is_kind and self.draw.random() < 0.1:
            outcome = Again(delivery.id, 5.0)
        else:
            self.seen.told.setdefault(delivery.message_id, set()).add(delivery.state)
        self.mailboxes.delivered(self.mailbox, [outcome])
