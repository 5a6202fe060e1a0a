"""HOT: from the store to the outlets, and back with what became of each part.

*In*: accepted messages with their plans; outcomes from outlets; alarms that fell due.
*Out*: batches for outlets; journal entries; final states for `receipts`.
*Never*: an await, a task or a timer for a message; a body kept while the message waits.

Station of the flow: store → **dispatch** → outlet → outcome → retry → store.
A message in an outlet's hands is a `Flight`; it lands when each of its parts was answered.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from routing.table import RoutingTable
from smsc.flow.flight import Flight
from smsc.flow.lanes import Plan
from smsc.flow.parts import accepted, aggregate, has_failed, released
from smsc.flow.queues import CLAIM, Queues
from smsc.flow.recent import Recent
from smsc.flow.retry import delay_s, next_plan
from smsc.message import LIVE, Delivery, Message, MessageId, OutletName, Progress, State
from smsc.ports import (
    ANY_NETWORK,
    Alarm,
    Batch,
    CommitResult,
    Outcome,
    Outgoing,
    Outlet,
    OutletPolicy,
    Store,
)
from smsc.store.ids import STEP

ENROUTE_GRACE_MS: Final = 5 * 60 * 1000
"""How long after its validity a message that a network took may still get its receipt."""
_WITH_NETWORK: Final = frozenset({State.ENROUTE, State.HELD})
_WAKE: Final = 200
"""Messages looked at in one go when alarms fall due: 10 ms, if all of them end."""
_LOOK_AGAIN_MS: Final = 1000
NOTICE_WISH: Final = 0x10
"""The bit of registered_delivery that asks for an intermediate notification."""
_ONE_ATTEMPT: Final = frozenset({1, 2})
"""Modes of esm_class, bits 1-0, that know no second try: datagram and transaction."""


class Dispatch(Queues):
    """Keeps every outlet busy with what it should send.

    :param write_receipts: parks the receipts of messages that reached a final state here,
        in the batch that journals it, and returns them.
    :param write_notice: parks the intermediate notification of one message, likewise.
    :param arrived: told of receipts once they are on disk.
    """

    def __init__(
        self,
        store: Store,
        routes: RoutingTable,
        outlets: Mapping[OutletName, Outlet],
        recent: Recent,
        write_receipts: Callable[[Batch, Sequence[tuple[Message, Progress]]], list[Delivery]],
        write_notice: Callable[[Batch, Message, Progress], list[Delivery]],
        arrived: Callable[[Sequence[Delivery]], None],
        now_ms: Callable[[], int],
        draw: random.Random,
        log: Any,
    ) -> None:
        super().__init__(store, routes, outlets, recent, log)
        self._write_receipts = write_receipts
        self._write_notice = write_notice
        self._arrived = arrived
        self._now_ms = now_ms
        self._draw = draw
        self.policies: Mapping[OutletName, OutletPolicy] = {}
        """Of outlets whose network is unlike others."""
        self._pumping: set[OutletName] = set()
        self.is_stopping = False

    # --- out -----------------------------------------------------------------------------------

    def pump_all(self) -> None:
        """Offer work to every outlet."""
        for name in self._outlets:
            self.pump(name)

    def pump(self, name: OutletName) -> None:
        """Hand the outlet what it has room for. Safe to call from within `Outlet.send`."""
        if name in self._pumping or self.is_stopping:
            return
        outlet = self._outlets[name]
        self._pumping.add(name)
        try:
            while (room := min(outlet.room(), CLAIM)) > 0:
                ids = self._lanes.take(name, room, self._is_up)
                if not ids:
                    break
                batch = self._claim(ids)
                if batch:
                    outlet.send(batch)
        finally:
            self._pumping.discard(name)

    def _claim(self, ids: Sequence[MessageId]) -> list[Outgoing]:
        """Read the messages that are still to be sent, and start their flights."""
        claimed: list[Outgoing] = []
        expired: list[tuple[Message, Progress]] = []
        now_ms = self._now_ms()
        flights, pending = self._flights, self.pending
        for message, progress in self._read(ids):
            if message.expires_ms <= now_ms:
                expired.append((message, progress))
                continue
            flights[message.id] = Flight(message, progress)
            if pending:
                pending.discard(message)
            claimed.append(Outgoing(message, progress))
        if expired:
            batch = self._store.batch()
            for message, progress in expired:
                self.end(batch, message, progress, State.EXPIRED)
            self._commit(batch, expired)
        return claimed

    def _read(self, ids: Sequence[MessageId]) -> list[tuple[Message, Progress]]:
        """The messages among `ids` that are still to be sent now, each once."""
        found: list[tuple[Message, Progress]] = []
        touched: list[MessageId] = []
        for id_ in ids:
            if id_ not in self._fresh:
                touched.append(id_)
                continue
            self._fresh.discard(id_)
            message = self._recent.get(id_)
            if message is not None:
                found.append((message, Progress(State.QUEUED, OutletName(""))))
        queued = {
            id_: progress
            for id_, progress in zip(touched, self._store.progresses(touched), strict=True)
            if progress is not None and progress.state is State.QUEUED and not progress.due_ms
        }
        wanted = [id_ for id_ in queued if id_ not in self._flights]
        found += [
            (message, queued[message.id])
            for message in self._recent.many(wanted)
            if message is not None
        ]
        return found

    # --- outcomes ------------------------------------------------------------------------------

    def settle(self, outlet: OutletName, outcomes: Sequence[Outcome]) -> None:
        """Journal what became of parts; messages whose parts are all answered land."""
        batch = self._store.batch()
        finals: list[tuple[Message, Progress]] = []
        notices: list[Delivery] = []
        moved_on: set[Plan] = set()
        for outcome in outcomes:
            flight = self._flights.get(outcome.id)
            if flight is None:
                continue
            if flight.note(batch, outlet, outcome):
                del self._flights[outcome.id]
                if self._land(batch, flight, outlet, moved_on):
                    finals.append((flight.message, flight.progress))
                elif flight.message.registered_delivery & NOTICE_WISH:
                    notices += self._notify(batch, flight)
        self._commit(batch, finals, notices)
        self._pump_plans(moved_on)
        self.pump(outlet)

    def _land(self, batch: Batch, flight: Flight, outlet: OutletName, moved_on: set[Plan]) -> bool:
        """Every part was answered: the message is on its way, comes again, or (True) has ended."""
        message, progress = flight.message, flight.progress
        progress.attempt += 1
        progress.outlet = outlet
        if flight.again:
            if message.peek.esm_class & 0x03 in _ONE_ATTEMPT:
                self.end(batch, message, progress, State.UNDELIVERABLE)
                return True
            self._retry(batch, flight, moved_on)
            return False
        state = aggregate(progress.parts)
        policy = self.policies.get(outlet, ANY_NETWORK)
        if state is State.ENROUTE and policy.final != "receipt":
            state = self._without_receipt(batch, message, progress, policy)
        if state not in _WITH_NETWORK:
            self.end(batch, message, progress, state)
            return True
        if state is State.HELD:
            self.holding.add(message.id, outlet)
            self._log.warning("message.held", id=message.id, outlet=outlet)
        progress.state = state
        if progress.error and not has_failed(progress.parts):
            progress.error = 0
        batch.progress(message.id, progress)
        return False

    def _notify(self, batch: Batch, flight: Flight) -> list[Delivery]:
        """The first attempt was no end: say so."""
        if flight.progress.attempt > 1:
            return []
        return self._write_notice(batch, flight.message, flight.progress)

    def _retry(self, batch: Batch, flight: Flight, moved_on: set[Plan]) -> None:
        """Try the next outlet of the plan at once; after the last one, wait."""
        message, progress = flight.message, flight.progress
        self.pending.add_many((message,))
        plan = self._plan(message)
        at_once = next_plan(plan, progress.outlet, progress.attempt, self._is_up)
        if at_once:
            self._lanes.lane(at_once).put(message.id, message.priority)
            moved_on.add(at_once)
        else:
            rounds = max(1, progress.attempt // max(len(plan), 1))
            wait_ms = int(delay_s(flight.again, rounds, self._draw) * 1000)
            progress.due_ms = self._now_ms() + wait_ms
            if progress.due_ms < message.expires_ms:  # else the alarm of its end comes first
                batch.defer(progress.due_ms, message.id, message.id)
                self.alarm_moved(progress.due_ms)
        batch.progress(message.id, progress)

    def _without_receipt(
        self, batch: Batch, message: Message, progress: Progress, policy: OutletPolicy
    ) -> State:
        """The state of a message that a network took whose receipts are not waited for."""
        if policy.final == "accepted":
            progress.parts = accepted(progress.parts)
            return aggregate(progress.parts)
        if policy.final == "after":
            progress.due_ms = self._now_ms() + int(policy.final_after_s * 1000)
            batch.defer(progress.due_ms, message.id, message.id)
            self.alarm_moved(progress.due_ms)
        return State.ENROUTE

    # --- attempts in doubt -----------------------------------------------------------------------

    def attempting_nowait(
        self,
        outlet: OutletName,
        attempts: Sequence[tuple[MessageId, int]],
        done: Callable[[], None],
    ) -> None:
        """See `smsc.ports.Flow`."""
        batch = self._store.batch()
        for id_, parts in attempts:
            flight = self._flights.get(id_)
            if flight is not None:
                flight.mark(batch, outlet, parts)
        self._store.commit_nowait(batch, lambda _: done())

    def release(self, outlet: OutletName, *, resend: bool) -> int:
        """Send what is held for an outlet again, or end it as UNDELIVERABLE; how many messages."""
        ids = self.holding.take(outlet)
        batch = self._store.batch()
        finals: list[tuple[Message, Progress]] = []
        for message, progress in zip(
            self._recent.many(ids), self._store.progresses(ids), strict=True
        ):
            if message is None or progress is None or progress.state is not State.HELD:
                continue
            state = State.QUEUED if resend else State.UNDELIVERABLE
            progress.parts = released(progress.parts, state)
            if resend:
                progress.state = State.QUEUED
                batch.progress(message.id, progress)
                self._queue(message)
                continue
            progress.state = aggregate(progress.parts)
            if progress.state is State.ENROUTE:
                batch.progress(message.id, progress)
            else:
                self.end(batch, message, progress, progress.state)
                finals.append((message, progress))
        self._commit(batch, finals)
        self._log.info("message.released", outlet=outlet, messages=len(ids), resend=resend)
        self.pump_all()
        return len(ids)

    # --- alarms --------------------------------------------------------------------------------

    def wake(self, alarms: Sequence[Alarm]) -> None:
        """At least one alarm fell due: a schedule, a retry, or the end of a validity.

        What is beyond `_WAKE` messages is left for the next call.
        """
        now_ms = max(self._now_ms(), alarms[-1].due_ms)  # they rang, even if the clock steps back
        again_ms = now_ms + _LOOK_AGAIN_MS
        batch = self._store.batch()
        ids = _due_ids(batch, alarms)
        again: list[MessageId] = []
        live: dict[MessageId, Progress] = {}
        for id_, progress in zip(ids, self._store.progresses(ids), strict=True):
            if progress is None or id_ in self._flights:
                again.append(id_)
                batch.defer(again_ms, id_, id_)
            elif progress.state in LIVE:
                live[id_] = progress
        finals = [
            (message, live[message.id])
            for message in self._recent.many(list(live))
            if message is not None and self._wake_one(batch, message, live[message.id], now_ms)
        ]
        self._commit(batch, finals)
        if again:
            self._forget_unknown(again, again_ms)
        self.pump_all()

    def _wake_one(self, batch: Batch, message: Message, progress: Progress, now_ms: int) -> bool:
        """Do what the time calls for with a live message in nobody's hands; True: it has ended.

        The accept set an alarm, for many messages together: at the schedule, or else at the end
        of the validity. An alarm is known by its time and its first message, so one of ours must
        not stand at the same time before that one has rung.
        """
        ends_ms = message.expires_ms
        if progress.state in _WITH_NETWORK:
            ends_ms += ENROUTE_GRACE_MS
            final = self.policies.get(progress.outlet, ANY_NETWORK).final
            if final != "receipt" and progress.state is State.ENROUTE:
                is_over = ends_ms <= now_ms or 0 < progress.due_ms <= now_ms
                if is_over and final == "never":
                    self.end(batch, message, progress, State.UNKNOWN)
                    return False  # nobody is told what nobody knows
                if is_over:
                    progress.parts = accepted(progress.parts)
                    self.end(batch, message, progress, aggregate(progress.parts))
                    return True
        if ends_ms <= now_ms:
            self.end(batch, message, progress, State.EXPIRED)
            return True
        if progress.state is not State.QUEUED:
            batch.defer(ends_ms, message.id, message.id)
            self.alarm_moved(ends_ms)
        if 0 < progress.due_ms <= now_ms and progress.state not in _WITH_NETWORK:
            progress.state = State.QUEUED
            progress.due_ms = 0
            batch.progress(message.id, progress)
            self._queue(message)
        return False

    def _forget_unknown(self, ids: Sequence[MessageId], at_ms: int) -> None:
        """Take back the alarms at `at_ms` of messages whose accept will never reach the disk.

        Commits keep their order: whoever is unknown after the next one was refused or forgotten.
        """
        self.alarm_moved(at_ms)

        def committed(_result: CommitResult) -> None:
            batch = self._store.batch()
            for id_ in ids:
                if self._store.progress(id_) is None:
                    batch.undefer(Alarm(at_ms, id_, id_))
            self._store.commit_nowait(batch)

        self._store.commit_nowait(self._store.batch(), committed)

    def end(self, batch: Batch, message: Message, progress: Progress, state: State) -> None:
        """Journal a final state; `_commit` writes the receipt into the same commit."""
        self._fresh.discard(message.id)
        self.holding.discard(message.id)
        if self.pending:
            self.pending.discard(message)
        if self._ended is not None:
            self._ended.add(message.id)
        progress.state = state
        progress.due_ms = 0
        progress.done_ms = self._now_ms()
        batch.progress(message.id, progress)

    def _commit(
        self,
        batch: Batch,
        finals: Sequence[tuple[Message, Progress]],
        notices: Sequence[Delivery] = (),
    ) -> None:
        """Commit, with the receipts of messages that ended."""
        deliveries = [*notices, *(self._write_receipts(batch, finals) if finals else ())]
        if deliveries:
            self._store.commit_nowait(batch, lambda _: self._arrived(deliveries))
        else:
            self._store.commit_nowait(batch)


def _due_ids(batch: Batch, alarms: Sequence[Alarm]) -> list[MessageId]:
    """The messages to look at now, each once; the alarms of all others stay as they are."""
    ids: dict[MessageId, None] = {}
    for alarm in alarms:
        batch.undefer(alarm)
        end = min(alarm.last, alarm.first + (_WAKE - len(ids) - 1) * STEP)
        ids.update(dict.fromkeys(map(MessageId, range(alarm.first, end + 1, STEP))))
        if end < alarm.last:
            batch.defer(alarm.due_ms, MessageId(end + STEP), alarm.last)
        if len(ids) >= _WAKE:
            break
    return list(ids)
