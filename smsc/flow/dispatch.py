"""HOT: from the store to the outlets, and back with what became of each part.

*In*: accepted messages with their plans; outcomes from outlets; alarms that fell due.
*Out*: batches for outlets; journal entries; final states for `receipts`.
*Never*: an await, a task or a timer for a message; a body kept while the message waits.

Station of the flow: store → **dispatch** → outlet → outcome → retry → store.
A message in an outlet's hands is a `_Flight`; it lands when each of its parts was answered.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, assert_never, cast

import attrs

from pdu.codec import peek_submit_sm
from routing.table import NoRoute, RoutingTable
from smsc.flow.intake import route_key
from smsc.flow.lanes import Lanes, Plan
from smsc.flow.parts import aggregate, merge_receipts, with_part
from smsc.flow.recent import Recent
from smsc.flow.retry import delay_s
from smsc.message import LIVE, Delivery, Message, MessageId, OutletName, Progress, State
from smsc.ports import Alarm, Batch, Failed, Outcome, Outgoing, Outlet, Sent, Store, TryLater
from smsc.store.ids import STEP, id_time_ms

_CLAIM: Final = 500
"""Messages claimed at a time: enough to fill a window, few enough to keep the loop lively."""
ENROUTE_GRACE_MS: Final = 5 * 60 * 1000
"""How long after its validity a message that a network took may still get its receipt."""
_FRESH_LIMIT: Final = 10_000
_ONE_ENROUTE: Final = bytes((State.ENROUTE,))
_LOOK_AGAIN_MS: Final = 1000
_ACCEPTING_MS: Final = 60_000
"""An id without a record is being accepted for so long at most; after that it was refused."""


@attrs.define(slots=True)
class _Flight:
    message: Message
    progress: Progress
    pending: int = -1
    """Parts without an outcome; -1 until the first outcome tells how many there are."""
    again: int = 0
    """Status of a part that must be tried again, 0 if none."""


class Dispatch:
    """Keeps every outlet busy with what it should send.

    :param write_receipts: parks the receipts of messages that reached a final state here,
        in the batch that journals it, and returns them.
    :param arrived: told of receipts once they are on disk.
    """

    def __init__(
        self,
        store: Store,
        routes: RoutingTable,
        outlets: Mapping[OutletName, Outlet],
        recent: Recent,
        write_receipts: Callable[[Batch, Sequence[tuple[Message, Progress]]], list[Delivery]],
        arrived: Callable[[Sequence[Delivery]], None],
        now_ms: Callable[[], int],
        draw: random.Random,
        log: Any,
    ) -> None:
        self._store = store
        self._routes = routes
        self._outlets = outlets
        self._recent = recent
        self._write_receipts = write_receipts
        self._arrived = arrived
        self._now_ms = now_ms
        self._draw = draw
        self._log = log
        self._lanes = Lanes()
        self._flights: dict[MessageId, _Flight] = {}
        # Accepted and not touched since, so their progress is known without reading it.
        self._fresh: set[MessageId] = set()
        self._pumping: set[OutletName] = set()
        self.is_stopping = False
        self.alarm_moved: Callable[[int], None] = lambda _at_ms: None

    # --- in ------------------------------------------------------------------------------------

    def accepted(self, messages: Sequence[Message], plans: Sequence[Plan]) -> None:
        """Queue messages that are on disk; see `intake.Queued`."""
        touched: set[Plan] = set()
        fresh = self._fresh if len(self._fresh) < _FRESH_LIMIT else set()
        for message, plan in zip(messages, plans, strict=True):
            if message.due_ms:
                continue  # its alarm will wake it
            self._lanes.lane(plan).put(message.id, message.priority)
            touched.add(plan)
            fresh.add(message.id)
        self._recent.keep(messages)
        self._pump_plans(touched)

    def restore(self, waiting: Sequence[tuple[MessageId, Progress]]) -> None:
        """Take up what an earlier run left: queue it again, or leave it with its network."""
        for id_, progress in waiting:
            if progress.due_ms:
                continue  # its alarm will wake it
            if progress.state is State.ENROUTE:
                outlet = self._outlets.get(progress.outlet)
                if outlet is None or outlet.remembers:
                    continue
                forgotten = attrs.evolve(progress, state=State.QUEUED, parts=b"", upstream_ids=())
                batch = self._store.batch()
                batch.progress(id_, forgotten)
                self._store.commit_nowait(batch)
            self._queue(id_)

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
            while (room := min(outlet.room(), _CLAIM)) > 0:
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
        claimed = []
        expired = []
        now_ms = self._now_ms()
        for id_ in ids:
            message = self._recent.get(id_)
            if id_ in self._fresh:
                self._fresh.discard(id_)
                progress: Progress | None = Progress(State.QUEUED, OutletName(""))
            else:
                progress = self._store.progress(id_)
            if message is None or progress is None or progress.state is not State.QUEUED:
                continue
            if id_ in self._flights:
                continue
            if message.expires_ms <= now_ms:
                expired.append((message, progress))
                continue
            self._flights[id_] = _Flight(message, progress)
            claimed.append(Outgoing(message, progress))
        if expired:
            batch, deliveries = self._store.batch(), []
            for message, progress in expired:
                deliveries += self._end(batch, message, progress, State.EXPIRED)
            self._commit(batch, deliveries)
        return claimed

    # --- outcomes ------------------------------------------------------------------------------

    def settle(self, outlet: OutletName, outcomes: Sequence[Outcome]) -> None:
        """Journal what became of parts; messages whose parts are all answered land."""
        batch = self._store.batch()
        deliveries: list[Delivery] = []
        now_ms = self._now_ms()
        for outcome in outcomes:
            flight = self._flights.get(outcome.id)
            if flight is None:
                continue
            self._note(batch, outlet, flight, outcome)
            flight.pending -= 1
            if not flight.pending:
                del self._flights[outcome.id]
                deliveries += self._land(batch, flight, outlet, now_ms)
        self._commit(batch, deliveries)
        self.pump(outlet)

    def _note(self, batch: Batch, outlet: OutletName, flight: _Flight, outcome: Outcome) -> None:
        """Enter one part's outcome into the flight."""
        progress = flight.progress
        if flight.pending < 0:
            if len(progress.parts) != outcome.parts:
                progress.parts = bytes((State.QUEUED,)) * outcome.parts
                progress.upstream_ids = ("",) * outcome.parts
            flight.pending = progress.parts.count(State.QUEUED)
        match outcome:
            case Sent(id_, upstream_id, part, parts):
                if parts == 1:
                    progress.parts = _ONE_ENROUTE
                    progress.upstream_ids = (upstream_id,)
                else:
                    progress.parts = with_part(progress.parts, part, State.ENROUTE)
                    ids = list(progress.upstream_ids)
                    ids[part] = upstream_id
                    progress.upstream_ids = tuple(ids)
                    # A receipt may come for this part while its siblings are unanswered.
                    progress.state = State.QUEUED
                    progress.outlet = outlet
                    batch.progress(id_, progress)
                if upstream_id:
                    batch.upstream(outlet, upstream_id, id_, part)
            case TryLater(_, status, _, _):
                flight.again = status
                progress.error = status
            case Failed(_, status, part, _):
                progress.parts = with_part(progress.parts, part, State.REJECTED)
                progress.error = status
            case _:
                assert_never(outcome)

    def _land(
        self, batch: Batch, flight: _Flight, outlet: OutletName, now_ms: int
    ) -> list[Delivery]:
        """Every part was answered: the message is on its way, comes again, or has failed."""
        message, progress = flight.message, flight.progress
        progress.attempt += 1
        progress.outlet = outlet
        if len(progress.parts) > 1:
            # Receipts of parts that were sent before the last one was answered.
            stored = self._store.progress(message.id)
            if stored is not None:
                merge_receipts(progress, stored)
        if flight.again:
            self._retry(batch, flight, now_ms)
            return []
        state = aggregate(progress.parts)
        if state is not State.ENROUTE:
            return self._end(batch, message, progress, state)
        progress.state = state
        progress.due_ms = 0
        if not progress.parts.count(State.REJECTED):
            progress.error = 0
        batch.progress(message.id, progress)
        return []

    def _retry(self, batch: Batch, flight: _Flight, now_ms: int) -> None:
        """Try the next outlet of the plan at once; after the last one, wait."""
        message, progress = flight.message, flight.progress
        plan = self._plan(message)
        progress.state = State.QUEUED
        others = plan.index(progress.outlet) + 1 if progress.outlet in plan else 0
        next_plan = plan[others:] + plan[:others]
        tried_all = progress.attempt % max(len(plan), 1) == 0
        if tried_all or not any(map(self._is_up, next_plan[:-1])):
            rounds = max(1, progress.attempt // max(len(plan), 1))
            wait_ms = int(delay_s(flight.again, rounds, self._draw) * 1000)
            progress.due_ms = now_ms + wait_ms
            wake_ms = min(progress.due_ms, message.expires_ms)
            batch.defer(wake_ms, message.id, message.id)
            self.alarm_moved(wake_ms)
        else:
            progress.due_ms = 0
            self._lanes.lane(next_plan).put(message.id, message.priority)
        batch.progress(message.id, progress)

    # --- alarms --------------------------------------------------------------------------------

    def wake(self, alarms: Sequence[Alarm]) -> None:
        """Alarms fell due: a schedule, a retry, or the end of a validity."""
        now_ms = self._now_ms()
        batch = self._store.batch()
        deliveries: list[Delivery] = []
        for alarm in alarms:
            batch.undefer(alarm)
            for id_ in range(alarm.first, alarm.last + 1, STEP):
                deliveries += self._look_at(batch, MessageId(id_), now_ms)
        self._commit(batch, deliveries)
        self.pump_all()

    def _look_at(self, batch: Batch, id_: MessageId, now_ms: int) -> list[Delivery]:
        """Do what the time calls for with one message, if it is still live."""
        progress = self._store.progress(id_)
        if id_ in self._flights or (progress is None and id_time_ms(id_) > now_ms - _ACCEPTING_MS):
            # In an outlet's hands, or its accept has not reached the disk: look again soon.
            batch.defer(now_ms + _LOOK_AGAIN_MS, id_, id_)
            self.alarm_moved(now_ms + _LOOK_AGAIN_MS)
            return []
        message = self._recent.get(id_)
        if message is None or progress is None or progress.state not in LIVE:
            return []
        return self._wake_one(batch, message, progress, now_ms)

    def _wake_one(
        self, batch: Batch, message: Message, progress: Progress, now_ms: int
    ) -> list[Delivery]:
        grace_ms = ENROUTE_GRACE_MS if progress.state is State.ENROUTE else 0
        if message.expires_ms + grace_ms <= now_ms:
            return self._end(batch, message, progress, State.EXPIRED)
        batch.defer(message.expires_ms + grace_ms, message.id, message.id)
        self.alarm_moved(message.expires_ms + grace_ms)
        if progress.due_ms and progress.due_ms <= now_ms:
            progress.state = State.QUEUED
            progress.due_ms = 0
            batch.progress(message.id, progress)
            self._queue(message.id, message)
        return []

    def _end(
        self, batch: Batch, message: Message, progress: Progress, state: State
    ) -> list[Delivery]:
        """Journal a final state, with the receipt in the same commit."""
        self._fresh.discard(message.id)
        progress.state = state
        progress.due_ms = 0
        progress.done_ms = self._now_ms()
        batch.progress(message.id, progress)
        return self._write_receipts(batch, [(message, progress)])

    def _commit(self, batch: Batch, deliveries: list[Delivery]) -> None:
        if deliveries:
            self._store.commit_nowait(batch, lambda _: self._arrived(deliveries))
        else:
            self._store.commit_nowait(batch)

    # --- helpers -------------------------------------------------------------------------------

    @property
    def in_flight(self) -> int:
        """Messages in the hands of outlets, not yet answered."""
        return len(self._flights)

    def waiting(self) -> dict[str, int]:
        """Messages waiting, by plan."""
        return self._lanes.waiting()

    def _is_up(self, name: OutletName) -> bool:
        outlet = self._outlets.get(name)
        return outlet is not None and outlet.is_up

    def _plan(self, message: Message) -> Plan:
        """The outlets of a message by today's rules; () when no rule takes it any more."""
        decision = self._routes.match(route_key(message, peek_submit_sm(message.body)))
        if isinstance(decision, NoRoute):
            self._log.warning("message.unrouted", id=message.id)
            return ()
        return cast(Plan, decision.outlets)

    def _queue(self, id_: MessageId, message: Message | None = None) -> None:
        message = message or self._store.message(id_)
        if message is not None:
            self._lanes.lane(self._plan(message)).put(id_, message.priority)

    def _pump_plans(self, plans: set[Plan]) -> None:
        for name in {name for plan in plans for name in plan}:
            if name in self._outlets:
                self.pump(name)
