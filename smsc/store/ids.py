"""Message ids: 63 bits, ascending in time, unique over nodes without coordination.

*In*: a node number, the highest id ever given out, the wall clock as an argument.
*Out*: ranges of new ids. *Never*: a clock, I/O.

    bit 62 … 22  milliseconds since 2024-01-01 UTC (41 bits: until 2093)
    bit 21 … 10  sequence within the millisecond
    bit  9 …  0  node

At most 19 decimal digits, and never 0.
"""

from collections.abc import Sequence
from typing import cast

from smsc.message import MessageId

EPOCH_MS = 1_704_067_200_000
"""2024-01-01T00:00:00Z."""

MAX_NODE = 1023
STEP = MAX_NODE + 1
_SEQUENCES = 1 << 12


class IdAllocator:
    """Gives out the ids of one node, always ascending.

    More than 4096 ids in one millisecond borrow from the next ones,
    and a clock that steps back is waited out in the same way:
    ids go on from the highest one, so their time is then a little ahead of the clock.
    """

    __slots__ = ("_next_tick", "_node")

    def __init__(self, node: int, last: int) -> None:
        """`last`: the highest id given out before, of any node; 0 if none."""
        if not 0 <= node <= MAX_NODE:
            raise ValueError(f"node must be 0..{MAX_NODE}, not {node}")
        self._node = node
        self._next_tick = (last // STEP) + 1

    @property
    def newest(self) -> MessageId:
        """No id given out so far is above this one."""
        return MessageId(self._next_tick * STEP - 1)

    def take(self, n: int, now_ms: int) -> Sequence[MessageId]:
        """The next `n` ids, ascending, in steps of `STEP`. `now_ms`: ms since 1970 UTC."""
        tick = max(self._next_tick, (now_ms - EPOCH_MS) * _SEQUENCES)
        self._next_tick = tick + n
        start = tick * STEP + self._node
        return cast("Sequence[MessageId]", range(start, start + n * STEP, STEP))


def id_time_ms(id_: MessageId) -> int:
    """When an id was given out: ms since 1970 UTC."""
    return id_ // STEP // _SEQUENCES + EPOCH_MS


def first_id_at(at_ms: int) -> MessageId:
    """The lowest id that could be given out at `at_ms`, so all older messages lie below it."""
    return MessageId(max(0, at_ms - EPOCH_MS) * _SEQUENCES * STEP)


def node_of(id_: MessageId) -> int:
    """Which node gave out an id."""
    return id_ % STEP
