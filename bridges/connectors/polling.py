"""When to ask a service what became of messages, for services that do not tell.

*In*: ids of messages that were taken, with the time. *Out*: those to ask for now.
*Never*: a clock; more than `LIMIT` ids: the oldest are left to their validity.

The intervals grow by half, so that a message that takes a day is asked for some twenty times.
"""

from heapq import heappop, heappush
from typing import Final

LIMIT: Final = 100_000
_GROWTH: Final = 1.5
_LONGEST_S: Final = 3600.0


class Polls:
    """See the module; the first question comes after `first_s`, the last one after `for_s`."""

    def __init__(self, first_s: float, for_s: float) -> None:
        self._first_s = first_s
        self._for_s = for_s
        self._since: dict[str, float] = {}
        self._due: list[tuple[float, float, str]] = []  # when, interval, id
        self.given_up = 0

    def __len__(self) -> int:
        return len(self._since)

    def add(self, upstream_id: str, now: float) -> None:
        """The service took this."""
        if upstream_id in self._since:
            return
        if len(self._since) >= LIMIT:
            self._since.pop(next(iter(self._since)))
            self.given_up += 1
        self._since[upstream_id] = now
        heappush(self._due, (now + self._first_s, self._first_s, upstream_id))

    def discard(self, upstream_id: str) -> None:
        """Its end is known."""
        self._since.pop(upstream_id, None)

    def take(self, now: float) -> tuple[str, float] | None:
        """The next id to ask for now, and the interval for `again`; None if none is due."""
        while self._due and self._due[0][0] <= now:
            _, interval_s, upstream_id = heappop(self._due)
            if upstream_id in self._since:
                return upstream_id, interval_s
        return None

    def again(self, upstream_id: str, interval_s: float, now: float) -> None:
        """The answer was no end: ask later, unless the time for asking is over."""
        since = self._since.get(upstream_id)
        if since is None:
            return
        if now - since >= self._for_s:
            del self._since[upstream_id]
            self.given_up += 1
            return
        interval_s = min(_LONGEST_S, interval_s * _GROWTH)
        heappush(self._due, (now + interval_s, interval_s, upstream_id))

    def wait_s(self, now: float) -> float:
        """Seconds until something is due."""
        return max(0.0, self._due[0][0] - now) if self._due else float("inf")
