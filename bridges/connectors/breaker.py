"""The circuit breaker of a connector: takes it out while its service is gone, and lets it back in.

*In*: how attempts ended, with the time. *Out*: may it be used, and by how many at a time.
*Never*: a clock, a message.

closed: all may go. open: none, until the time is over. half-open: one at a time; its success
closes, its failure opens for twice as long. stopped: as open, after an error that people must
mend; for a fixed time, or until they say so.
"""

import math
from typing import Final

import attrs

_LONGEST_S: Final = 300.0


@attrs.define(slots=True)
class Breaker:
    """See the module; `failures` in a row open it for `open_s`."""

    failures: int = 5
    open_s: float = 10.0
    stopped_s: float = 300.0
    """0: until `reset`."""
    why: str = ""
    """Why it is not closed."""
    opened: int = 0
    """How often it opened."""
    _row: int = 0
    _until: float | None = None
    _is_stopped: bool = False
    _next_s: float = 0.0
    _is_probing: bool = False

    def state(self, now: float) -> str:
        """closed, open, half-open or stopped."""
        if self._until is None:
            return "closed"
        if self._is_stopped and not now >= self._until:
            return "stopped"
        return "half-open" if now >= self._until else "open"

    def takes_all(self) -> bool:
        """Is it closed?"""
        return self._until is None

    def may_go(self, now: float) -> bool:
        """May an attempt be begun? Half-open, one at a time."""
        return self._until is None or (now >= self._until and not self._is_probing)

    def began(self) -> None:
        """An attempt was begun; if it is not closed, that is the probe."""
        if self._until is not None:
            self._is_probing = True

    def succeeded(self) -> bool:
        """The service answered sensibly; True if that closed it."""
        self._row = 0
        if self._until is None:
            return False
        self.reset()
        return True

    def failed(self, now: float, why: str) -> bool:
        """The service is not there; True if that opened it."""
        self._row += 1
        if self._until is not None:
            if not self._is_probing:
                return False  # an attempt from before it opened: no news
            self._open(now, self._next_s or self.open_s, why)
            return True
        if self._row < self.failures:
            return False
        self._open(now, self.open_s, why)
        return True

    def misconfigured(self, now: float, why: str) -> bool:
        """No message can go until people act; True unless it was stopped for that already."""
        is_news = not self._is_stopped
        self._is_stopped, self._is_probing = True, False
        self._until = now + self.stopped_s if self.stopped_s else math.inf
        self.why = why
        self.opened += is_news
        return is_news

    def gave_up(self) -> None:
        """The probe ended without an answer of any kind: it was taken back."""
        self._is_probing = False

    def reset(self) -> None:
        """Close it, whatever it was."""
        self._row = 0
        self._until = None
        self._next_s = 0.0
        self._is_stopped = self._is_probing = False
        self.why = ""

    def wait_s(self, now: float) -> float | None:
        """Seconds until an attempt may be begun; None if nothing but time is not in the way."""
        if self._until is None or self._until == math.inf:
            return None
        return max(0.0, self._until - now)

    def _open(self, now: float, for_s: float, why: str) -> None:
        self._until = now + for_s
        self._next_s = min(_LONGEST_S, for_s * 2)
        self._is_probing = self._is_stopped = False
        self.why = why
        self.opened += 1
