"""Messages that were stored or read a moment ago: what happens soon need not read the disk.

*In*: messages on disk. *Out*: messages by id. *Never*: stale: who rewrites a message hands the new one in.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from smsc.generations import Generations
from smsc.message import Message, MessageId
from smsc.ports import Store

_GENERATION: Final = 10_000


class Recent:
    """A cache in front of `Store.message`."""

    __slots__ = ("_here", "_store")

    def __init__(self, store: Store, limit: int = _GENERATION) -> None:
        self._store = store
        self._here: Generations[MessageId, Message] = Generations(limit)

    def keep(self, messages: Iterable[Message]) -> None:
        """These are on disk now."""
        self._here.update({message.id: message for message in messages})

    def get(self, id_: MessageId) -> Message | None:
        """The message, from memory or from disk."""
        return self.many((id_,))[0]

    def many(self, ids: Sequence[MessageId]) -> list[Message | None]:
        """Messages, in order; those that are not in memory in one read."""
        found = self._here.many(ids)
        if not all(found):
            self.keep(self._fill(ids, found))
        return found

    def take(self, ids: Sequence[MessageId]) -> list[Message | None]:
        """As `many`, for messages that end: few will ask for them again."""
        found = self._here.take(ids)
        if not all(found):
            self._fill(ids, found)
        return found

    def _fill(self, ids: Sequence[MessageId], found: list[Message | None]) -> list[Message]:
        """Read what is missing into its place; what was read."""
        missing = [place for place, message in enumerate(found) if message is None]
        read = self._store.messages([ids[place] for place in missing])
        for place, message in zip(missing, read, strict=True):
            found[place] = message
        return [message for message in read if message is not None]
