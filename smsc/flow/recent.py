"""Messages that were stored or read a moment ago: what happens soon need not read the disk.

*In*: messages on disk. *Out*: messages by id. *Never*: stale: who rewrites a message hands the new one in.

Two generations instead of a list of uses: when the young one is full it becomes the old one,
and the old one is dropped whole. A message asked for again becomes young.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from smsc.message import Message, MessageId
from smsc.ports import Store

_GENERATION: Final = 10_000


class Recent:
    """A cache in front of `Store.message`; holds at most two generations."""

    __slots__ = ("_limit", "_old", "_store", "_young")

    def __init__(self, store: Store, limit: int = _GENERATION) -> None:
        self._store = store
        self._limit = limit
        self._young: dict[MessageId, Message] = {}
        self._old: dict[MessageId, Message] = {}

    def keep(self, messages: Iterable[Message]) -> None:
        """These are on disk now."""
        if len(self._young) >= self._limit:
            self._old, self._young = self._young, {}
        self._young.update({message.id: message for message in messages})

    def get(self, id_: MessageId) -> Message | None:
        """The message, from memory or from disk."""
        message = self._young.get(id_) or self._old.get(id_)
        if message is None:
            message = self._store.message(id_)
            if message is not None:
                self.keep((message,))
        return message

    def many(self, ids: Sequence[MessageId]) -> list[Message | None]:
        """Messages, in order; those that are not in memory in one read."""
        young, old = self._young.get, self._old.get
        found = [young(id_) or old(id_) for id_ in ids]
        if not all(found):
            missing = [place for place, message in enumerate(found) if message is None]
            read = self._store.messages([ids[place] for place in missing])
            for place, message in zip(missing, read, strict=True):
                found[place] = message
            self.keep(message for message in read if message is not None)
        return found
