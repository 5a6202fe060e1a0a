"""The wall clock as the gateway keeps it: one that never jumps.

*In*: the system's wall clock and a clock that only counts. *Out*: ms UTC, for every promise.
*Never*: backwards; faster or slower than real time by more than half a percent.

Validity, schedules and the retries between them are kept on disk as ms UTC, because they hold
across restarts. If they followed the system's wall clock, a step of it (an operator's mistake,
a correction after a wrong boot) would expire a day's messages in one second, or hold every
retry for a day. So our time is read from the wall clock once, at start; from then on it counts
with a clock that nobody sets, and follows the wall clock by `SLEW` at most.
A drift of seconds is made up within minutes; a step of a day is, in effect, not followed.
A restart takes the wall clock as it is then.

The counting clock is CLOCK_BOOTTIME where there is one: time that a machine sleeps is real time.
"""

import time
from collections.abc import Callable
from typing import Final

SLEW: Final = 0.005
"""How much faster or slower than real time our clock may run to follow the wall clock."""
STEP_MS: Final = 60_000
"""A difference that is worth a warning: the wall clock was set."""
_LOOK_MS: Final = 1000


def wall_ms() -> int:
    """Ask the system's wall clock, ms UTC."""
    return time.time_ns() // 1_000_000


def counted_ms() -> int:
    """Milliseconds since some moment, sleep of the machine included."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


class SteadyClock:
    """Wall time that never jumps; one for a node, in the loop's thread."""

    __slots__ = ("_ahead", "_asked", "_counted", "_ours", "_stepped", "_wall", "_was_stepped")

    def __init__(
        self,
        wall: Callable[[], int] = wall_ms,
        counted: Callable[[], int] = counted_ms,
        stepped: Callable[[int], None] = lambda _ahead_ms: None,
    ) -> None:
        """`stepped`: told once by how many ms the wall clock is ahead of us after it was set."""
        self._wall = wall
        self._counted = counted
        self._stepped = stepped
        self._was_stepped = False
        self._ours = wall()  # at `_asked` of the counting clock
        self._asked = counted()
        self._ahead = 0  # of the wall clock then

    def now_ms(self) -> int:
        """Ms UTC; never less than before."""
        elapsed = self._counted() - self._asked
        most = int(elapsed * SLEW)
        now = self._ours + elapsed + max(-most, min(most, self._ahead))
        if elapsed >= _LOOK_MS:
            self._look(now, elapsed)
        return now

    def _look(self, now: int, elapsed: int) -> None:
        """Begin another stretch: how far is the wall clock ahead of us?"""
        self._asked += elapsed
        self._ours = now
        self._ahead = ahead = self._wall() - now
        if abs(ahead) < STEP_MS:
            self._was_stepped = False
        elif not self._was_stepped:
            self._was_stepped = True
            self._stepped(ahead)
