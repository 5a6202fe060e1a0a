"""HOT: what waits for an outlet: ids in lanes, and how they become messages again.

*In*: messages that may leave. *Out*: those that an outlet should send now, read from memory or disk.
*Never*: a body kept while the message waits; a message handed out that has ended, or flies.
"""

from collections.abc import Callable, Container, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from smsc.flow.guide import Guide
from smsc.flow.lanes import Lanes, Plan
from smsc.flow.recent import Recent
from smsc.message import QUEUED, Message, MessageId, OutletName, Progress
from smsc.ports import Store

_FRESH_LIMIT: Final = 10_000
_WAY: Final = itemgetter(0, 1, 2)
NO_OUTLET: Final = OutletName("")


class Backlog:
    """All that waits on a node."""

    def __init__(self, store: Store, guide: Guide, recent: Recent, log: Any) -> None:
        self.lanes = Lanes()
        self._store = store
        self._guide = guide
        self._recent = recent
        self._log = log
        # Accepted and not touched since, so their progress is known without reading it.
        self._fresh: set[MessageId] = set()

    def accepted(self, messages: Sequence[Message], plans: Sequence[Plan]) -> set[Plan]:
        """New messages that may leave at once; the plans that have work now."""
        fresh = self._fresh if len(self._fresh) < _FRESH_LIMIT else set()
        touched: set[Plan] = set()
        leaving = [
            (plan, message.priority, message.account, message.id)
            for message, plan in zip(messages, plans, strict=True)
            if not message.due_ms
        ]
        # Those of a read mostly go the same way.
        for (plan, priority, account), group in groupby(leaving, _WAY):
            ids = [row[3] for row in group]
            self.lanes.lane(plan).queue(priority, account).put_many(ids)
            fresh.update(ids)
            touched.add(plan)
        return touched

    def touched(self, id_: MessageId) -> None:
        """The message is not as it was accepted any more."""
        self._fresh.discard(id_)

    def put(self, message: Message, plan: Plan, *, is_first: bool = False) -> None:
        """Queue one message behind all others, or before them."""
        lane = self.lanes.lane(plan)
        put = lane.put_first if is_first else lane.put
        put(message.id, message.priority, message.account)

    def take(
        self, outlet: OutletName, limit: int, is_up: Callable[[OutletName], bool]
    ) -> list[MessageId]:
        """See `Lanes.take`."""
        return self.lanes.take(outlet, limit, is_up)

    def read(
        self, ids: Sequence[MessageId], flights: Container[MessageId]
    ) -> list[tuple[Message, Progress]]:
        """The messages among `ids` that are still to be sent now, each once."""
        new = [id_ for id_ in dict.fromkeys(ids) if id_ in self._fresh]
        touched = [id_ for id_ in ids if id_ not in self._fresh] if len(new) < len(ids) else ()
        self._fresh.difference_update(new)
        found = [
            (message, Progress(QUEUED, NO_OUTLET))
            for message in self._recent.many(new)
            if message is not None
        ]
        if not touched:
            return found
        queued = {
            id_: progress
            for id_, progress in zip(touched, self._store.progresses(touched), strict=True)
            if progress is not None and progress.state is QUEUED and not progress.due_ms
        }
        wanted = [id_ for id_ in queued if id_ not in flights]
        found += [
            (message, queued[message.id])
            for message in self._recent.many(wanted)
            if message is not None
        ]
        return found

    def plan(self, message: Message) -> Plan:
        """The outlets of a message by today's rules; () when no rule takes it any more."""
        return self._guide.plan_again(message)
