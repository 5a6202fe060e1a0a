"""One part of a message in the hands of an upstream link.

*In*: a body to write. *Out*: the same until it was answered. *Never*: more of the message.
"""

from heapq import heapify, heappop, heappush

from smsc.message import MessageId


class Part:
    """A submit_sm body; `order` counts the parts of a link in the order in which they came."""

    __slots__ = ("body", "id", "order", "part", "parts", "refused_at", "refused_with", "sent_at")

    refused_with: int
    """command_status of the last refusal; not there before one."""

    def __init__(self, id_: MessageId, part: int, parts: int, body: bytes, order: int) -> None:
        self.id = id_
        self.part = part
        self.parts = parts
        self.body = body
        self.order = order
        self.sent_at = 0.0
        self.refused_at = 0.0
        """When the carrier was first too busy for it; 0 if never."""

    def __lt__(self, other: "Part") -> bool:
        return self.order < other.order


class Backlog:
    """Parts that wait for room: those that the carrier was too busy for first, in order.

    Bounded by the windows, and the parts of one long message: `UpstreamLink.room` counts it.
    """

    def __init__(self) -> None:
        self._new: list[Part] = []
        self._at = 0
        self._refused: list[Part] = []

    def __len__(self) -> int:
        return len(self._new) - self._at + len(self._refused)

    def put(self, parts: list[Part]) -> None:
        """Append new parts, in order."""
        if self._at == len(self._new):
            self._new, self._at = parts, 0
        else:
            self._new += parts

    def put_back(self, part: Part) -> None:
        """A part that was written and must be written again, before all that came after it."""
        heappush(self._refused, part)

    def take_impatient(self, refused_until: float) -> list[Part]:
        """Remove and return what the carrier was first too busy for then, or earlier."""
        taken = [part for part in self._refused if part.refused_at <= refused_until]
        if taken:
            self._refused = [part for part in self._refused if part.refused_at > refused_until]
            heapify(self._refused)
        return taken

    def take(self, limit: int) -> list[Part]:
        """Remove and return up to `limit` parts."""
        taken = [heappop(self._refused) for _ in range(min(limit, len(self._refused)))]
        end = self._at + limit - len(taken)
        if not self._at and not taken and end >= len(self._new):
            taken, self._new = self._new, []
            return taken
        taken += self._new[self._at : end]
        self._at = min(end, len(self._new))
        if self._at == len(self._new):
            self._new, self._at = [], 0
        return taken
