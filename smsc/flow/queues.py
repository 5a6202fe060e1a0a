"""What waits for an outlet, and what is known of it.

*In*: messages on disk with their plans; what an earlier run left; changes by commands.
*Out*: ids by lane for `Dispatch`, which is the rest.
*Never*: a body kept while the message waits; a message lost between two of its places.

A message is in a lane, or an alarm holds it, or it flies; those that wait are in `pending` too,
unless an outlet takes them the moment they come.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, cast

from routing.table import NoRoute, RoutingTable
from smsc.flow.flight import Flight
from smsc.flow.holding import Holding
from smsc.flow.intake import route_key
from smsc.flow.lanes import Lanes, Plan
from smsc.flow.parts import has_left, take_back
from smsc.flow.pending import Pending
from smsc.flow.recent import Recent
from smsc.message import Message, MessageId, OutletName, Progress, State
from smsc.ports import Batch, Outlet, Store

CLAIM: Final = 500
"""Messages claimed at a time: enough to fill a window, few enough to keep the loop lively."""
_FRESH_LIMIT: Final = 10_000
_WITH_NETWORK: Final = frozenset({State.ENROUTE, State.HELD})
_WAITING: Final = frozenset({State.SCHEDULED, State.QUEUED})


class Queues(ABC):
    """The waiting half of `Dispatch`."""

    def __init__(
        self,
        store: Store,
        routes: RoutingTable,
        outlets: Mapping[OutletName, Outlet],
        recent: Recent,
        log: Any,
    ) -> None:
        self._store = store
        self._routes = routes
        self._outlets = outlets
        self._recent = recent
        self._log = log
        self._lanes = Lanes()
        self._flights: dict[MessageId, Flight] = {}
        self.holding = Holding()
        # Accepted and not touched since, so their progress is known without reading it.
        self._fresh: set[MessageId] = set()
        # What became final in the midst of `accepted`: never to be pending.
        self._ended: set[MessageId] | None = None
        self.pending = Pending()
        self.replace_older: Callable[[Sequence[Message]], None] = lambda _messages: None
        """Ends what messages with replace_if_present_flag replace; see `commands`."""
        self.alarm_moved: Callable[[int], None] = lambda _at_ms: None

    @abstractmethod
    def pump(self, name: OutletName) -> None:
        """Hand the outlet what it has room for."""

    # --- in ------------------------------------------------------------------------------------

    def accepted(self, messages: Sequence[Message], plans: Sequence[Plan]) -> None:
        """Queue messages that are on disk; see `intake.Queued`."""
        touched: set[Plan] = set()
        replacing = False
        fresh = self._fresh if len(self._fresh) < _FRESH_LIMIT else set()
        for message, plan in zip(messages, plans, strict=True):
            if message.peek.replace_if_present_flag:
                replacing = True
            if message.due_ms:
                self.alarm_moved(message.due_ms)
                self.pending.add_many((message,))
                continue
            self._lanes.lane(plan).put(message.id, message.priority)
            touched.add(plan)
            fresh.add(message.id)
        self._recent.keep(messages)
        ended: set[MessageId] = set()
        self._ended = ended
        if replacing:
            self.replace_older(messages)
        self._pump_plans(touched)
        self._ended = None
        if not any(map(self._lanes.lane, touched)):
            return  # the outlets took all of them, as they do while they keep up
        flights = self._flights
        waiting = [message for message in messages if message.id not in flights]
        if ended:
            waiting = [message for message in waiting if message.id not in ended]
        self.pending.add_many(waiting)

    def restore(self, waiting: Iterable[tuple[MessageId, Progress]]) -> None:
        """Take up what an earlier run left: queue it again, or leave it with its network."""
        rows = iter(waiting)
        while some := list(islice(rows, CLAIM)):
            batch = self._store.batch()
            ours = {id_: p for id_, p in some if self._is_ours(batch, id_, p)}
            self._store.commit_nowait(batch)
            for message in self._store.messages(list(ours)):
                if message is None:
                    continue
                self.pending.add_many((message,))
                if message.peek.replace_if_present_flag:
                    self.replace_older((message,))
                if not ours[message.id].due_ms:
                    self._queue(message)

    def _is_ours(self, batch: Batch, id_: MessageId, progress: Progress) -> bool:
        """Is there something to send, now or when an alarm says so?

        A network that forgets what it took is given those parts again.
        """
        outlet = self._outlets.get(progress.outlet)
        forgot = outlet is not None and not outlet.remembers
        if forgot and State.ENROUTE in progress.parts:
            progress.parts = take_back(progress.parts)
            progress.state = State.QUEUED
            batch.progress(id_, progress)
        if progress.state is State.HELD:
            self.holding.add(id_, progress.outlet)
        return progress.state not in _WITH_NETWORK

    # --- for commands: see `smsc.flow.commands` --------------------------------------------------

    def waiting_messages(self, ids: Sequence[MessageId]) -> list[tuple[Message, Progress]]:
        """Those that no outlet has in its hands or had in part, so that they may be changed."""
        waiting = {
            id_: progress
            for id_, progress in zip(ids, self._store.progresses(ids), strict=True)
            if progress is not None
            and progress.state in _WAITING
            and not has_left(progress.parts)
            and id_ not in self._flights
        }
        messages = filter(None, self._recent.many(list(waiting)))
        return [(message, waiting[message.id]) for message in messages]

    def changed(self, message: Message, progress: Progress) -> None:
        """A waiting message was changed in a batch that is handed in: know it as it is now."""
        self._fresh.discard(message.id)
        self._recent.keep((message,))
        if progress.state is State.QUEUED and not progress.due_ms:
            self._queue(message)
            self._pump_plans({self._plan(message)})

    # --- helpers -------------------------------------------------------------------------------

    def progresses(self, ids: Sequence[MessageId]) -> list[Progress | None]:
        """How far messages are. While one is in flight, the flight's own record: change that."""
        found = self._store.progresses(ids)
        for place, id_ in enumerate(ids):
            flight = self._flights.get(id_)
            if flight is not None:
                found[place] = flight.progress
        return found

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
        decision = self._routes.match(route_key(message, message.peek))
        if isinstance(decision, NoRoute):
            self._log.warning("message.unrouted", id=message.id)
            return ()
        return cast(Plan, decision.outlets)

    def _queue(self, message: Message) -> None:
        self._lanes.lane(self._plan(message)).put(message.id, message.priority)

    def _pump_plans(self, plans: set[Plan]) -> None:
        for name in {name for plan in plans for name in plan}:
            if name in self._outlets:
                self.pump(name)
