"""How many messages for one destination an outlet has in hand at a time.

*In*: messages about to be sent, and those that were answered.
*Out*: whether one may go now; which one may go instead when a place is free again.
*Never*: a place lost: it is taken by a message in hand, or reserved for one that is queued again.

So a number that answers slowly, or never, holds its own messages back and not those of others:
what is over the limit leaves the lane and waits here, 8 octets an id.
"""

from collections.abc import Collection, Iterable

from smsc.flow.id_queue import IdQueue
from smsc.message import MessageId


class Destinations:
    """The places of one outlet; `limit` for each destination_addr."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._taken: dict[str, int] = {}
        self._held: dict[str, IdQueue] = {}
        self._reserved: dict[MessageId, str] = {}

    def __len__(self) -> int:
        """Messages held back."""
        return sum(map(len, self._held.values()))

    def held(self) -> Iterable[MessageId]:
        """Messages held back, for tests and people."""
        for queue in self._held.values():
            yield from queue

    def enter(self, id_: MessageId, destination: str) -> bool:
        """May the message go now? If not, it is held back until `leave` returns it."""
        if self._reserved.pop(id_, None) is not None:
            return True
        taken = self._taken.get(destination, 0)
        if taken >= self.limit:
            held = self._held.get(destination)
            if held is None:
                held = self._held[destination] = IdQueue()
            held.put(id_)
            return False
        self._taken[destination] = taken + 1
        return True

    def leave(self, destination: str) -> MessageId | None:
        """A place is free; who may have it: queue that one again, the place is reserved for it."""
        held = self._held.get(destination)
        if held is not None:
            (id_,) = held.take(1)
            if not held:
                del self._held[destination]
            self._reserved[id_] = destination
            return id_
        left = self._taken[destination] - 1
        if left:
            self._taken[destination] = left
        else:
            del self._taken[destination]
        return None

    def give_up(self, ids: Collection[MessageId]) -> list[MessageId]:
        """These will not use the places reserved for them, if any; who may have them instead."""
        if not self._reserved:
            return []
        places = [self._reserved.pop(id_, None) for id_ in ids]
        freed = [self.leave(place) for place in places if place is not None]
        return [id_ for id_ in freed if id_ is not None]
