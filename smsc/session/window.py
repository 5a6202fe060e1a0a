"""Requests of ours that await their answer, by sequence_number.

*In*: bodies with the owner's contexts, answers, `now` in seconds of a monotonic clock.
*Out*: whole PDUs; the context that belongs to an answer, or those that get none.
*Never*: the same request ended twice: answered, late and lost each take it out.

SMPP 3.4 §2.9, §5.1.4.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import repeat, takewhile
from math import ceil
from operator import add
from struct import Struct
from typing import Any, Final

_head: Final = Struct(">IIII").pack  # one for each message: a call of `pdu.codec.pack` is saved
_HEADER_OCTETS: Final = 16
_LAST_SEQUENCE: Final = 0x7FFFFFFF
_SPANS_PER_SECOND: Final = 16
"""How finely it is remembered when a request was sent. One that a peer never answers keeps all
spans behind it until its time is over: one for each write were 50 MB in a busy minute."""

UNKNOWN: Final = object()
"""In place of a context: nothing under way has this number."""


class Window:
    """At most `size` messages under way, and the numbering of all requests of this end.

    :ivar size: may be changed at any time; what is under way beyond it stays.
    """

    __slots__ = ("_sent", "_sequence", "_spans", "pop", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._sequence = 0
        self._sent: dict[int, Any] = {}  # contexts, in the order they were sent
        # What was sent in one sixteenth of a second, and its end: a tuple for each request would
        # cost more than its entry.
        self._spans: deque[tuple[range, int]] = deque()
        self.pop = self._sent.pop
        """`pop(sequence_number, UNKNOWN)`: the context, taken out; bound for speed."""

    def __len__(self) -> int:
        return len(self._sent)

    @property
    def room(self) -> int:
        """How many more messages may be sent; below 0 after `size` was made smaller."""
        return self.size - len(self._sent)

    def next_sequence(self) -> int:
        """The sequence_number of the next request: 1 follows 0x7FFFFFFF."""
        self._sequence = self._sequence + 1 if self._sequence < _LAST_SEQUENCE else 1
        return self._sequence

    def put_many(
        self, command_id: int, bodies: Sequence[bytes], contexts: Iterable[Any], now: float
    ) -> list[bytes]:
        """Enter messages; the PDUs to write. Their numbers follow one another without a gap."""
        if self._sequence + len(bodies) > _LAST_SEQUENCE:
            self._sequence = 0
        numbers = range(self._sequence + 1, self._sequence + len(bodies) + 1)
        self._sequence += len(bodies)
        self._remember(numbers, ceil(now * _SPANS_PER_SECOND))
        self._sent.update(zip(numbers, contexts, strict=True))
        lengths = map(add, map(len, bodies), repeat(_HEADER_OCTETS))
        return [*map(add, map(_head, lengths, repeat(command_id), repeat(0), numbers), bodies)]

    def take_late(self, now: float, limit_s: float) -> list[Any]:
        """Contexts of what was sent `limit_s` ago or earlier; later answers to them go unheard.

        Up to 1/16 s later than that: requests are remembered by the sixteenth of a second.
        """
        self._forget_answered()
        sent_until = (now - limit_s) * _SPANS_PER_SECOND
        late: list[Any] = []
        while self._spans and self._spans[0][1] <= sent_until:
            numbers, _ = self._spans.popleft()
            overdue = [*takewhile(numbers.__contains__, self._sent)]
            late += map(self._sent.pop, overdue)
            self._forget_answered()
        return late

    def take_all(self) -> list[Any]:
        """Contexts of everything under way: no answer will come."""
        contexts = [*self._sent.values()]
        self._sent.clear()
        self._spans.clear()
        return contexts

    def _remember(self, numbers: range, moment: int) -> None:
        """Note when these were sent, in one span with what was sent in the same sixteenth."""
        self._forget_answered()
        spans = self._spans
        if spans and spans[-1][1] == moment and spans[-1][0].start < numbers.start:
            # Numbers of other requests lie between them: only messages are ever looked for.
            numbers = range(spans.pop()[0].start, numbers.stop)
        spans.append((numbers, moment))

    def _forget_answered(self) -> None:
        """Drop the spans in front of the one that the oldest request belongs to."""
        spans = self._spans
        while spans and not (self._sent and next(iter(self._sent)) in spans[0][0]):
            spans.popleft()
