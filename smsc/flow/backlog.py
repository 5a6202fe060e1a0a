"""HOT: what waits for an outlet: ids in lanes, and how they become messages again.

*In*: messages that may leave. *Out*: those that an outlet should send now, read from memory or disk.
*Never*: a body kept while the message waits; a message handed out that has ended, or flies.
"""

from collections.abc import Callable, Container, Sequence
from typing import Any, Final

from smsc.flow.guide import Guide
from smsc.flow.lanes import Lanes, Plan
from smsc.flow.recent import Recent
from smsc.message import QUEUED, AccountId, Message, MessageId, OutletName, Progress
from smsc.ports import Store

_FRESH_LIMIT: Final = 10_000


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
        last: tuple[Plan, int, AccountId] | None = None
        put = None
        for message, plan in zip(messages, plans, strict=True):
            if message.due_ms:
                continue
            now = (plan, message.priority, message.account)
            if put is None or now != last:  # those of a read mostly go the same way
                put, last = self.lanes.lane(plan).queue(*now[1:]).put, now
                touched.add(plan)
            put(message.id)
            fresh.add(message.id)
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
        found: list[tuple[Message, Progress]] = []
        touched: list[MessageId] = []
        for id_ in ids:
            if id_ not in self._fresh:
                touched.append(id_)
                continue
            self._fresh.discard(id_)
            message = self._recent.get(id_)
            if message is not None:
                found.append((message, Progress(QUEUED, OutletName(""))))
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
