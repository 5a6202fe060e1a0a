"""The simulator outlet: plays the network behind a carrier, handsets included.

*In*: messages, as any outlet. *Out*: outcomes at once, a receipt for each part after the delay,
mobile-originated messages on demand.
*Never*: remembers anything when the process ends (`remembers` is False: what was on its way is
sent again after a restart).
"""

import random
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import trio

from bridges.outgoing import part_count, unsent_parts
from pdu.originate import deliver_bodies
from pdu.status import Status
from pdu.text.errors import TooManyParts
from pdu.text.udh import MAX_PARTS
from smsc.config_fields import about
from smsc.message import DELIVERED, OutletName, State
from smsc.ports import Failed, Flow, MobileOriginated, Outcome, Outgoing, Sent, UpstreamReceipt

_PENDING_LIMIT: Final = 200_000
"""Receipts that may lie ahead; beyond it the simulator takes nothing more."""
_ABSENT_SUBSCRIBER: Final = 1
"""The error in receipts of messages that fail, as a network would number it."""
_UDHI: Final = 0x40


@attrs.frozen(kw_only=True)
class SimulatorConfig:
    """`[outlets.NAME]` with `kind = "simulator"`."""

    delay_s: float = attrs.field(
        default=0.05, metadata=about("seconds until the receipt", minimum=0)
    )
    fail: float = attrs.field(
        default=0.0,
        metadata=about("share that ends UNDELIVERABLE, 0 to 1", minimum=0, maximum=1),
    )
    window: int = attrs.field(
        default=2000,
        metadata=about("messages taken and not yet answered", minimum=1),
    )
    seed: int = attrs.field(default=1, metadata=about("of the draw of who fails"))


class Simulator:
    """See `smsc.ports.Outlet`."""

    remembers = False

    def __init__(self, name: OutletName, config: SimulatorConfig) -> None:
        self.name = name
        self._config = config
        self._draw = random.Random(config.seed)
        self._taken: list[Outcome] = []
        # The delay is the same for all, so receipts fall due in the order they were made.
        self._due: deque[tuple[float, list[UpstreamReceipt]]] = deque()
        self._pending = 0
        self._work = trio.Event()
        self._flow: Flow | None = None
        self._counts = {"taken": 0, "delivered": 0, "undeliverable": 0, "mobile_originated": 0}

    @property
    def is_up(self) -> bool:
        """Up while it runs."""
        return self._flow is not None

    def room(self) -> int:
        """Room of the window; none while very many receipts lie ahead."""
        if self._flow is None or self._pending > _PENDING_LIMIT:
            return 0
        return self._config.window - len(self._taken)

    def send(self, batch: Sequence[Outgoing]) -> None:
        """Take the batch; the outcomes follow from `run`."""
        receipts: list[UpstreamReceipt] = []
        taken: list[Outcome] = []
        for outgoing in batch:
            id_ = outgoing.message.id
            parts = part_count(outgoing.message)
            if parts > MAX_PARTS:
                taken.append(Failed(id_, Status.ESME_RINVMSGLEN))
                continue
            for part in unsent_parts(outgoing.progress.parts, parts):
                upstream_id = f"{id_}.{part}"
                taken.append(Sent(id_, upstream_id, part, parts))
                receipts.append(self._receipt(upstream_id))
        self._taken += taken  # at the end: who raises has taken nothing
        self._counts["taken"] += len(batch)
        self._pending += len(receipts)
        self._due.append((trio.current_time() + self._config.delay_s, receipts))
        self._work.set()

    async def run(self, flow: Flow) -> None:
        """Answer what was taken, and send receipts when they fall due."""
        self._flow = flow
        try:
            flow.room_changed(self.name)
            while True:
                wake_at = self._due[0][0] if self._due else float("inf")
                with trio.move_on_at(wake_at):
                    await self._work.wait()
                self._work = trio.Event()
                taken, self._taken = self._taken, []
                if taken:
                    flow.settle(self.name, taken)
                self._send_receipts(flow)
                await trio.lowlevel.checkpoint()
        finally:
            self._flow = None

    async def mobile_originated(self, source: str, destination: str, text: str) -> int:
        """A handset sends a message; return the gateway's deliver_sm_resp command_status."""
        if self._flow is None:
            return int(Status.ESME_RSYSERR)
        try:
            bodies = deliver_bodies(source, destination, text, self._draw.randrange(256))
        except TooManyParts:
            return int(Status.ESME_RINVMSGLEN)
        messages = [MobileOriginated(self.name, body) for body in bodies]
        answered = trio.Event()
        answers: list[int] = []

        def done(statuses: list[int]) -> None:
            answers.extend(statuses)
            answered.set()

        self._flow.mobile_originated_nowait(messages, done)
        await answered.wait()
        self._counts["mobile_originated"] += 1
        return max(answers)

    def statistics(self) -> Mapping[str, object]:
        """Counts since the start."""
        return {"kind": "simulator", "up": self.is_up, "pending": self._pending, **self._counts}

    # --- helpers -------------------------------------------------------------------------------

    def _receipt(self, upstream_id: str) -> UpstreamReceipt:
        if self._config.fail and self._draw.random() < self._config.fail:
            self._counts["undeliverable"] += 1
            return UpstreamReceipt(self.name, upstream_id, State.UNDELIVERABLE, _ABSENT_SUBSCRIBER)
        self._counts["delivered"] += 1
        return UpstreamReceipt(self.name, upstream_id, DELIVERED)

    def _send_receipts(self, flow: Flow) -> None:
        now = trio.current_time()
        was_full = self._pending > _PENDING_LIMIT
        while self._due and self._due[0][0] <= now:
            receipts = self._due.popleft()[1]
            self._pending -= len(receipts)
            flow.receipts_nowait(receipts, lambda _statuses: None)
        if was_full:
            flow.room_changed(self.name)
