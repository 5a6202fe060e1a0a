"""What becomes of a message when each of its parts was answered.

*In*: flights that landed. *Out*: on its way, again with another outlet or later, or at its end:
journalled, with what clients are to hear of it in the same commit.
*Never*: asks an outlet to send; `Dispatch` does, which is the other half.

Station of the flow: outcome → **landing** → retry | settle.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, MutableMapping, Sequence
from typing import Any, Final

from smsc.config_flow import OutletFlowConfig
from smsc.flow.backlog import Backlog
from smsc.flow.dead_letters import DeadLetters
from smsc.flow.destinations import Destinations
from smsc.flow.flight import Flight
from smsc.flow.guide import Guide
from smsc.flow.holding import Holding
from smsc.flow.lanes import Plan
from smsc.flow.outbox import Outbox
from smsc.flow.parts import accepted, aggregate, has_failed, held
from smsc.flow.pending import Pending
from smsc.flow.recent import Recent
from smsc.flow.retry import next_plan
from smsc.message import (
    ENROUTE,
    Delivery,
    Message,
    MessageId,
    OutletName,
    Progress,
    State,
)
from smsc.ports import ANY_NETWORK, Batch, CommitResult, Outlet, OutletPolicy, Store

_ONE_ATTEMPT: Final = frozenset({1, 2})
"""Modes of esm_class, bits 1-0, that know no second try: datagram and transaction."""


class Landing(ABC):
    """What waits, what flies, and what becomes of it.

    :param write_receipts: parks the receipts of messages that reached a final state here,
        in the batch that journals it, and returns them.
    :param write_notice: parks the intermediate notification of one message, likewise.
    :param settings: what the configuration says of each outlet; defaults for those it does not name.
    :ivar soon: calls back from the loop, after others had their turn.
    :param arrived: told of receipts once they are on disk.
    """

    def __init__(
        self,
        store: Store,
        guide: Guide,
        outlets: MutableMapping[OutletName, Outlet],
        recent: Recent,
        write_receipts: Callable[[Batch, Sequence[tuple[Message, Progress]]], list[Delivery]],
        write_notice: Callable[[Batch, Message, Progress], list[Delivery]],
        arrived: Callable[[Sequence[Delivery]], None],
        now_ms: Callable[[], int],
        draw: random.Random,
        log: Any,
        settings: Mapping[OutletName, OutletFlowConfig] | None = None,
    ) -> None:
        self._store = store
        self.outlets = outlets
        configs, default = settings or {}, OutletFlowConfig()
        self._outboxes = {
            name: Outbox(outlet, configs.get(name, default), log)
            for name, outlet in outlets.items()
        }
        self.dead_letters = DeadLetters(store, log)
        self._recent = recent
        self._write_receipts = write_receipts
        self._write_notice = write_notice
        self._arrived = arrived
        self._now_ms = now_ms
        self._draw = draw
        self._log = log
        self._backlog = Backlog(store, guide, recent, log)
        self.flights: dict[MessageId, Flight] = {}
        self.holding = Holding()
        self.policies: Mapping[OutletName, OutletPolicy] = {}
        """Of outlets whose network is unlike others."""
        self._pumping: set[OutletName] = set()
        self.pending = Pending()
        self.replace_older: Callable[[Sequence[Message]], None] = lambda _messages: None
        """Ends what messages with replace_if_present_flag replace; see `commands`."""
        self.tell_callback: Callable[[Batch, Message, Progress], list[Delivery]] = (
            lambda _batch, _message, _progress: []
        )
        """Parks what a callback with a style hears of an attempt; see `callbacks`."""
        # What became final while `accepted` pumped, if it does: never to be pending.
        self._ended: set[MessageId] | None = None
        # Outcomes handed in and not on disk yet. A crash repeats them as it repeats what was not
        # answered, so they hold their places in the window until then.
        self._unjournalled = dict.fromkeys(outlets, 0)
        self.is_stopping = False
        self.alarm_moved: Callable[[int], None] = lambda _at_ms: None
        self.soon: Callable[[Callable[[], None]], None] = lambda _call: None

    @abstractmethod
    def pump(self, name: OutletName) -> None:
        """Hand the outlet what it has room for."""

    # --- outcomes ------------------------------------------------------------------------------

    def _land(
        self,
        batch: Batch,
        flight: Flight,
        outlet: OutletName,
        moved_on: set[Plan],
        poison: str = "",
    ) -> bool:
        """Every part was answered: the message is on its way, comes again, or (True) has ended.

        `poison` says why it must not be tried again.
        """
        message, progress = flight.message, flight.progress
        progress.attempt += 1
        progress.outlet = outlet
        outbox = self._outboxes[outlet]
        if outbox.destinations is not None:
            heir = outbox.destinations.leave(message.peek.destination_addr)
            if heir is not None:
                self._requeue(outbox.destinations, (heir,))
        if poison:
            self._set_aside(batch, message, progress, State.REJECTED, poison)
            return True
        if flight.again:
            if State.HELD in progress.parts:
                # People decide about the text: parts that could come again wait for them, too.
                progress.parts = held(progress.parts)
            elif message.peek.esm_class & 0x03 in _ONE_ATTEMPT:
                self.end(batch, message, progress, State.UNDELIVERABLE)
                return True
            else:
                return self._retry(batch, flight, outbox, moved_on)
        outbox.forget(message.id)
        state = aggregate(progress.parts)
        policy = self.policies.get(outlet, ANY_NETWORK)
        if state is ENROUTE and policy.final != "receipt":
            state = self._without_receipt(batch, message, progress, policy)
        if state is State.HELD:
            self.holding.add(message.id, outlet)
            self._log.warning("message.held", id=message.id, outlet=outlet)
        elif state is not ENROUTE:
            self.end(batch, message, progress, state)
            return True
        progress.state = state
        if progress.error and not has_failed(progress.parts):
            progress.error = 0
        batch.progress(message.id, progress)
        return False

    def _without_receipt(
        self, batch: Batch, message: Message, progress: Progress, policy: OutletPolicy
    ) -> State:
        """The state of a message that a network took whose receipts are not waited for."""
        if policy.final == "accepted":
            progress.parts = accepted(progress.parts)
            return aggregate(progress.parts)
        if policy.final == "after":
            due_ms = self._now_ms() + int(policy.final_after_s * 1000)
            progress.due_ms = self._store.lone_alarm_ms(due_ms, message.id)
            batch.defer(progress.due_ms, message.id, message.id)
            self.alarm_moved(progress.due_ms)
        return ENROUTE

    def _notify(self, batch: Batch, flight: Flight) -> list[Delivery]:
        """The first attempt was no end: say so."""
        if flight.progress.attempt > 1:
            return []
        return self._write_notice(batch, flight.message, flight.progress)

    def _retry(self, batch: Batch, flight: Flight, outbox: Outbox, moved_on: set[Plan]) -> bool:
        """Try the next outlet of the plan at once; after the last one, wait, or (True) give up."""
        message, progress = flight.message, flight.progress
        self.pending.add_many((message,))
        plan = self._backlog.plan(message)
        rounds = progress.attempt // max(len(plan), 1)
        wait_s = outbox.policy.delay_s(flight.again, progress.attempt, self._draw, rounds)
        if wait_s is None:
            why = f"no success in {progress.attempt} attempts"
            self._set_aside(batch, message, progress, State.UNDELIVERABLE, why)
            return True
        at_once = next_plan(plan, progress.outlet, progress.attempt, self._is_up)
        if at_once:
            self._backlog.put(message, at_once)
            moved_on.add(at_once)
        else:
            due_ms = self._now_ms() + int(wait_s * 1000)
            progress.due_ms = self._store.lone_alarm_ms(due_ms, message.id)
            if progress.due_ms < message.expires_ms:  # else the alarm of its end comes first
                batch.defer(progress.due_ms, message.id, message.id)
                self.alarm_moved(progress.due_ms)
        batch.progress(message.id, progress)
        return False

    def end(self, batch: Batch, message: Message, progress: Progress, state: State) -> None:
        """Journal a final state; `_commit` writes the receipt into the same commit."""
        self._backlog.touched(message.id)
        self.holding.discard(message.id)
        for outbox in self._outboxes.values():
            outbox.forget(message.id)
        if self.pending and message.is_readable:
            self.pending.discard(message)
        if self._ended is not None:
            self._ended.add(message.id)
        progress.state = state
        progress.due_ms = 0
        progress.done_ms = self._now_ms()
        batch.progress(message.id, progress)

    def _set_aside(
        self, batch: Batch, message: Message, progress: Progress, state: State, why: str
    ) -> None:
        """End a message that no attempt could bring to a good end, and note it as a dead letter."""
        self.end(batch, message, progress, state)
        self.dead_letters.add(batch, message.id, progress, why)

    def commit(
        self,
        batch: Batch,
        finals: Sequence[tuple[Message, Progress]],
        notices: Sequence[Delivery] = (),
        then: Callable[[], None] | None = None,
    ) -> None:
        """Commit, with the receipts of messages that ended; `then` is called once it is on disk."""
        deliveries = [*notices, *(self._write_receipts(batch, finals) if finals else ())]

        def committed(_result: CommitResult) -> None:
            if deliveries:
                self._arrived(deliveries)
            if then is not None:
                then()

        self._store.commit_nowait(batch, committed)

    # --- helpers -------------------------------------------------------------------------------

    def pump_plans(self, plans: set[Plan]) -> None:
        """Offer work to the outlets of these plans."""
        for name in {name for plan in plans for name in plan}:
            if name in self.outlets:
                self.pump(name)

    def queue(self, message: Message, *, is_first: bool = False) -> None:
        """Put a message into the lane of today's plan; one that cannot be read is set aside."""
        if message.is_readable:
            self._backlog.put(message, self._backlog.plan(message), is_first=is_first)
            return
        batch = self._store.batch()
        progress = self._store.progress(message.id)
        if progress is not None:
            self._set_aside(batch, message, progress, State.REJECTED, "its body does not parse")
        self._store.commit_nowait(batch)

    def _requeue(self, destinations: Destinations, ids: Collection[MessageId]) -> None:
        """Messages that were held back go next; a place for one that is no more is passed on."""
        while ids:
            found = [message for message in self._recent.many(list(ids)) if message is not None]
            for message in found:
                self.queue(message, is_first=True)
            ids = destinations.give_up(set(ids) - {message.id for message in found})

    def _is_up(self, name: OutletName) -> bool:
        outlet = self.outlets.get(name)
        return outlet is not None and outlet.is_up
