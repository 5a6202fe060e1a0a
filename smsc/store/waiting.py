"""Messages that wait, found at start: a sequence that costs 8 octets a message.

*In*: progress records in id order. *Out*: (id, progress) pairs, made when they are looked at.
*Never*: a list of a million objects; a transaction kept open between two items.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import overload

from smsc.message import LIVE, MessageId, Progress
from smsc.store.keys import id_of

Decode = Callable[[MessageId, bytes], Progress | None]


class Waiting(Sequence[tuple[MessageId, Progress]]):
    """Ids of the live messages as they were at construction; their progress as it is now.

    Iterating reads the records in order and is the quick way.
    A message that became final in between is left out of an iteration.
    """

    def __init__(
        self,
        rows: Callable[[], Iterator[tuple[bytes, bytes]]],
        decode: Decode,
        look: Callable[[MessageId], Progress | None],
    ) -> None:
        """`rows`: reads all records that may be live; `look`: the progress of one message."""
        self._rows = rows
        self._decode = decode
        self._look = look
        self.ids = array("Q")
        append = self.ids.append
        sound = b""  # queued messages have equal records: what was sound once is sound again
        for key, record in rows():
            if record != sound:
                progress = decode(id_of(key), record)
                if progress is None or progress.state not in LIVE:
                    continue
                sound = record
            append(id_of(key))

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, at: int) -> tuple[MessageId, Progress]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[tuple[MessageId, Progress]]: ...
    def __getitem__(
        self, at: int | slice
    ) -> tuple[MessageId, Progress] | Sequence[tuple[MessageId, Progress]]:
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        id_ = MessageId(self.ids[at])
        progress = self._look(id_)
        if progress is None:
            raise LookupError(f"message {id_} was forgotten since the list was made")
        return id_, progress

    def __iter__(self) -> Iterator[tuple[MessageId, Progress]]:
        newest = self.ids[-1] if self.ids else 0
        for key, record in self._rows():
            id_ = id_of(key)
            if id_ > newest:
                return
            progress = self._decode(id_, record)
            if progress is not None and progress.state in LIVE:
                yield id_, progress
