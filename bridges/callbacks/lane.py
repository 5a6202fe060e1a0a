"""How one callback host does, and so how much it gets at a time.

*In*: answers and failures of its requests, the time. *Out*: how many more requests it may have.
*Never*: I/O, a clock; what becomes of a delivery (see `retry`).

A host that does well has `REQUESTS` requests in flight. Each failure halves that; from
`PAUSE_AFTER` in a row on, and at once where the host asks for it (429, 502, 504, Retry-After), it
is left alone for a while that doubles, and then asked with one request. Each success gives it one
more. So a dead host costs one request now and then, however much waits for it.
"""

import random
from typing import Final

import attrs

from bridges.backoff import Backoff
from bridges.callbacks.retry import MAX_DELAY_S, SLOW_DOWN, Answered, Unanswered, is_trouble

REQUESTS: Final = 8
PAUSE_AFTER: Final = 3
FIRST_PAUSE_S: Final = 1.0
MAX_PAUSE_S: Final = 300.0


@attrs.define(slots=True)
class Lane:
    """One host. Times are seconds of a monotonic clock."""

    draw: random.Random
    in_flight: int = 0
    limit: int = REQUESTS
    failures: int = 0
    """In a row."""
    paused_until: float = 0.0
    last_failure: str = ""
    _backoff: Backoff = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """The pauses' own backoff."""
        self._backoff = Backoff(self.draw, FIRST_PAUSE_S, MAX_PAUSE_S)

    def room(self, now: float) -> int:
        """How many more requests it may have in flight."""
        if now < self.paused_until:
            return 0
        return max(0, self.limit - self.in_flight)

    def note(self, answer: Answered | Unanswered, now: float) -> bool:
        """An attempt ended; True if the host has just become troubled, or well again."""
        was_paused = bool(self.paused_until)
        if not is_trouble(answer):
            self.failures = 0
            self.limit = min(REQUESTS, self.limit + 1)
            self.paused_until = 0.0
            self._backoff.succeeded()
            return was_paused
        self.failures += 1
        self.limit = max(1, self.limit // 2)
        wish_s = 0.0
        if isinstance(answer, Answered):
            status = answer.response.status
            self.last_failure = f"HTTP {status}"
            wish_s = min(answer.retry_after_s, MAX_DELAY_S)
            is_asked = status in SLOW_DOWN or wish_s > 0
        else:
            self.last_failure = answer.why
            is_asked = False
        if self.failures >= PAUSE_AFTER or is_asked:
            self.paused_until = max(self.paused_until, now + max(wish_s, self._backoff.next_s()))
        return not was_paused and bool(self.paused_until)

    def forgive(self) -> None:
        """People want it tried now."""
        self.failures = 0
        self.limit = REQUESTS
        self.paused_until = 0.0
        self._backoff.succeeded()
