"""HOT: from the store to the outlets, and back with what became of each part.

*In*: accepted messages with their plans; outcomes from outlets; alarms that fell due.
*Out*: batches for outlets; journal entries; final states for `receipts`.
*Never*: an await, a task or a timer for a message; a body kept while the message waits.

Station of the flow: store → **dispatch** → outlet → outcome → retry → store.
A message in an outlet's hands is a `Flight`; it lands when each of its parts was answered.
"""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Final

from pdu.status import Status
from smsc.config_flow import OutletFlowConfig
from smsc.flow.backlog import NO_OUTLET, Backlog
from smsc.flow.flight import Flight
from smsc.flow.landing import Landing
from smsc.flow.lanes import Plan
from smsc.flow.outbox import Outbox
from smsc.flow.parts import has_left
from smsc.flow.retry import RetryPolicy
from smsc.message import (
    NOTICE_WISH,
    QUEUED,
    Delivery,
    Message,
    MessageId,
    OutletName,
    Progress,
    State,
)
from smsc.ports import (
    ANY_NETWORK,
    Outcome,
    Outgoing,
    Outlet,
    Sent,
)

_CLAIM: Final = 500
"""Messages claimed at a time: enough to fill a window, few enough to keep the loop lively."""
_BARREN: Final = 2000
"""Ids in a row with nothing to send, after which a pump lets others work: about 10 ms."""
_PLAN: Final = itemgetter(1)
_PRIORITY: Final = attrgetter("priority")
_WAITING: Final = frozenset({State.SCHEDULED, QUEUED})


class Dispatch(Landing):
    """Keeps every outlet busy with what it should send; `Landing` is the other half."""

    # --- in ------------------------------------------------------------------------------------

    def accepted(
        self, messages: Sequence[Message], plans: Sequence[Plan], unusual: Sequence[Message]
    ) -> None:
        """Queue messages that are on disk; see `intake.Queued`."""
        for message in unusual:
            if message.due_ms:
                self.alarm_moved(message.due_ms)
                self.pending.add_many((message,))
        self._recent.keep(messages)
        ended: set[MessageId] = set()
        self._ended = ended
        rest = (messages, plans) if unusual else self._send_at_once(messages, plans)
        touched = self._backlog.accepted(*rest)
        if any(message.peek.replace_if_present_flag for message in unusual):
            self.replace_older(messages)
        self.pump_plans(touched)
        self._ended = None
        if not (any(map(self._backlog.lanes.lane, touched)) or self.held_back()):
            return  # the outlets took all of them, as they do while they keep up
        flights = self.flights
        waiting = [message for message in messages if message.id not in flights]
        if ended:
            waiting = [message for message in waiting if message.id not in ended]
        self.pending.add_many(waiting)

    # --- out -----------------------------------------------------------------------------------

    def _send_at_once(
        self, messages: Sequence[Message], plans: Sequence[Plan]
    ) -> tuple[Sequence[Message], Sequence[Plan]]:
        """Hand new messages to outlets that have room; those that must wait in a lane.

        Only while nothing waits for the outlet, so nobody is overtaken: a lane would be a detour.
        The highest priority of a run goes first, as it would from a lane.
        """
        lanes = self._backlog.lanes
        later: list[Message] = []
        later_plans: list[Plan] = []
        for plan, group in groupby(zip(messages, plans, strict=True), _PLAN):
            run = [message for message, _ in group]
            name = next(filter(self._is_up, plan), None)
            if (
                name is None
                or name in self._pumping
                or lanes.wait_for(name)
                or len(run) > self._room(name)
            ):
                later += run
                later_plans += [plan] * len(run)
                continue
            run.sort(key=_PRIORITY, reverse=True)  # keeps the order of those that are equal
            self._pumping.add(name)
            try:
                new = [(message, Progress(QUEUED, NO_OUTLET)) for message in run]
                self._send(name, self._claim(name, new))
            finally:
                self._pumping.discard(name)
            if lanes.wait_for(name):  # something came back, or the place of another was given up
                self.pump(name)
        return later, later_plans

    def pump_all(self) -> None:
        """Offer work to every outlet."""
        for name in self.outlets:
            self.pump(name)

    def pump(self, name: OutletName) -> None:
        """Hand the outlet what it has room for. Safe to call from within `Outlet.send`."""
        if name in self._pumping or name not in self.outlets:
            return
        self._pumping.add(name)
        try:
            barren = 0
            while (room := self._room(name)) > 0:
                ids = self._backlog.take(name, room, self._is_up)
                if not ids:
                    break
                batch = self._claim(name, self._backlog.read(ids, self.flights))
                self._pass_places_on(ids)
                if batch:
                    self._send(name, batch)
                    barren = 0
                elif (barren := barren + len(ids)) >= _BARREN:
                    self.soon(lambda: self.pump(name))
                    break
        finally:
            self._pumping.discard(name)

    def _send(self, name: OutletName, batch: Sequence[Outgoing]) -> None:
        """Hand the batch over; what the outlet choked on comes again, or is set aside."""
        outbox = self._outboxes[name]
        crashes = outbox.send(batch)
        if not crashes:
            return
        journal = self._store.batch()
        finals: list[tuple[Message, Progress]] = []
        moved_on: set[Plan] = set()
        for id_, error in crashes:
            flight = self.flights.pop(id_)
            flight.again = flight.progress.error = int(Status.ESME_RSYSERR)
            why = f"it crashed the outlet: {error!r}" if outbox.is_poison(id_) else ""
            if self._land(journal, flight, name, moved_on, why):
                finals.append((flight.message, flight.progress))
        self.commit(journal, finals)
        self.pump_plans(moved_on)

    def _room(self, name: OutletName) -> int:
        """How many messages the outlet takes now; 0 when we stop."""
        if self.is_stopping:
            return 0
        return min(self.outlets[name].room() - self._unjournalled[name], _CLAIM)

    def _claim(
        self, name: OutletName, wanted: Sequence[tuple[Message, Progress]]
    ) -> list[Outgoing]:
        """Start the flights of messages that are still to be sent, but of those that came too late."""
        claimed: list[Outgoing] = []
        expired: list[tuple[Message, Progress]] = []
        now_ms = self._now_ms()
        flights, pending = self.flights, self.pending
        destinations = self._outboxes[name].destinations
        for message, progress in wanted:
            if message.expires_ms <= now_ms:
                expired.append((message, progress))
                continue
            if destinations is not None and not destinations.enter(
                message.id, message.peek.destination_addr
            ):
                continue
            flights[message.id] = flight = Flight(message, progress, name)
            if pending:
                pending.discard(message)
            claimed.append(flight)
        if expired:
            batch = self._store.batch()
            for message, progress in expired:
                self.end(batch, message, progress, State.EXPIRED)
            self.commit(batch, expired)
        return claimed

    def _pass_places_on(self, ids: Sequence[MessageId]) -> None:
        """These were looked at: a place that was kept for one of them is not needed any more."""
        for outbox in self._outboxes.values():
            if outbox.destinations is not None:
                self._requeue(outbox.destinations, outbox.destinations.give_up(ids))

    # --- outcomes ------------------------------------------------------------------------------

    def settle(self, outlet: OutletName, outcomes: Sequence[Outcome]) -> None:
        """Journal what became of parts; messages whose parts are all answered land."""
        if not outcomes:  # a link that ends may have nothing to tell
            return
        batch = self._store.batch()
        finals: list[tuple[Message, Progress]] = []
        notices: list[Delivery] = []
        moved_on: set[Plan] = set()
        outbox = self._outboxes[outlet]
        waits_for_receipt = self.policies.get(outlet, ANY_NETWORK).final == "receipt"
        is_plain_outlet = waits_for_receipt and outbox.destinations is None
        left: list[tuple[MessageId, str, Progress]] = []
        flights = self.flights
        for outcome in outbox.policy.judge(outcomes):
            flight = flights.get(outcome.id)
            if flight is None:
                continue
            if is_plain_outlet and type(outcome) is Sent and outcome.parts == 1:
                id_, upstream_id = outcome.id, outcome.upstream_id
                progress = flight.left_whole(outlet, upstream_id)
                if progress is not None:
                    del flights[id_]
                    left.append((id_, upstream_id, progress))
                    continue
            if flight.note(batch, outlet, outcome):
                del self.flights[outcome.id]
                if self._land(batch, flight, outlet, moved_on):
                    finals.append((flight.message, flight.progress))
                elif flight.message.registered_delivery & NOTICE_WISH:
                    notices += self._notify(batch, flight)
                if flight.message.callback_style:
                    notices += self.tell_callback(batch, flight.message, flight.progress)
        if left:
            outbox.forget_many(left)
            batch.left_many(outlet, left)
        count = len(outcomes)
        self._unjournalled[outlet] += count

        def journalled() -> None:
            self._unjournalled[outlet] -= count
            self.pump(outlet)

        self.commit(batch, finals, notices, journalled)
        self.pump_plans(moved_on)
        self.pump(outlet)

    # --- outlets that come and go: see `smsc.gateway.outlet_keeper` -------------------------------

    def put_outlet(self, outlet: Outlet, settings: OutletFlowConfig) -> None:
        """Work with an outlet that is new, or takes the place of one that is idle."""
        name = outlet.name
        self._strand_held_back(name)
        self.outlets[name] = outlet
        self._outboxes[name] = Outbox(outlet, settings, self._log)
        self._unjournalled.setdefault(name, 0)
        self.pump(name)

    def drop_outlet(self, name: OutletName) -> None:
        """Work no more with an outlet that is idle."""
        self._strand_held_back(name)
        del self.outlets[name], self._outboxes[name], self._unjournalled[name]

    def retune(self, name: OutletName, settings: OutletFlowConfig) -> None:
        """What follows errors of the outlet is another now; its limits are as they were."""
        self._outboxes[name].policy = RetryPolicy(settings.retry)

    def in_hand(self, name: OutletName) -> int:
        """Messages in the hands of one outlet, and outcomes of it that are not on disk yet."""
        flying = sum(flight.outlet == name for flight in self.flights.values())
        return flying + self._unjournalled[name]

    def take_back(self, name: OutletName) -> int:
        """The outlet is gone, and answers nothing more: what it had in hand comes again."""
        lost = [flight for flight in self.flights.values() if flight.outlet == name]
        journal = self._store.batch()
        finals: list[tuple[Message, Progress]] = []
        moved_on: set[Plan] = set()
        for flight in lost:
            del self.flights[flight.message.id]
            flight.again = flight.progress.error = int(Status.ESME_RSYSERR)
            if self._land(journal, flight, name, moved_on):
                finals.append((flight.message, flight.progress))
        self.commit(journal, finals)
        self.pump_plans(moved_on)
        return len(lost)

    def _strand_held_back(self, name: OutletName) -> None:
        """What one number's limit held back has no outlet now; see `smsc.flow.rerouting`."""
        outbox = self._outboxes.get(name)
        if outbox is not None and outbox.destinations is not None:
            lane = self._backlog.lanes.lane(())
            for id_ in outbox.destinations.held():
                lane.put(id_, 0)

    # --- for commands: see `smsc.flow.commands` --------------------------------------------------

    def waiting_messages(self, ids: Sequence[MessageId]) -> list[tuple[Message, Progress]]:
        """Those that no outlet has in its hands or had in part, so that they may be changed."""
        waiting = {
            id_: progress
            for id_, progress in zip(ids, self._store.progresses(ids), strict=True)
            if progress is not None
            and progress.state in _WAITING
            and not has_left(progress.parts)
            and id_ not in self.flights
        }
        messages = filter(None, self._recent.many(list(waiting)))
        return [(message, waiting[message.id]) for message in messages]

    def changed(self, message: Message, progress: Progress) -> None:
        """A waiting message was changed in a batch that is handed in: know it as it is now."""
        self._backlog.touched(message.id)
        self._recent.keep((message,))
        if progress.state is QUEUED and not progress.due_ms:
            self.queue(message)
            self.pump_plans({self._backlog.plan(message)})

    # --- helpers -------------------------------------------------------------------------------

    @property
    def backlog(self) -> Backlog:
        """What waits."""
        return self._backlog

    def progresses(self, ids: Sequence[MessageId]) -> list[Progress | None]:
        """How far messages are. While one is in flight, the flight's own record: change that.

        See `smsc.ports.Store.newest`: who changes one journals it in the same step.
        """
        found = self._store.newest(ids)
        flights = self.flights
        if flights:
            for place, id_ in enumerate(ids):
                if id_ in flights:
                    found[place] = flights[id_].progress
        return found

    @property
    def in_flight(self) -> int:
        """Messages in the hands of outlets, not yet answered."""
        return len(self.flights)

    def waiting(self) -> dict[str, int]:
        """Messages waiting, by plan."""
        return self._backlog.lanes.waiting()

    def queues(self) -> dict[OutletName, tuple[int, MessageId]]:
        """See `Lanes.queues`."""
        return self._backlog.lanes.queues(self._is_up)

    def held_back(self) -> dict[OutletName, int]:
        """Messages over an outlet's `per_destination`."""
        return {
            name: len(outbox.destinations)
            for name, outbox in self._outboxes.items()
            if outbox.destinations
        }
