"""How fast a link may send: a token bucket, and the slowing down that a busy carrier asks for.

*In*: what was sent, accepted and refused as too much, with the time. *Out*: how many may go now,
and when to ask again. *Never*: a clock, a message.

Additive rise, multiplicative fall (as TCP: RFC 5681 §3.1): what a carrier bears is found out by
asking for a little more each second, and halved at each refusal. Refusals of what was already on
its way at the last fall are no news and change nothing.
"""

import math
from typing import Final

_FALL: Final = 0.5
_RISE_SHARE: Final = 0.05
"""Of the fastest rate seen, added each second."""
_SLOWEST: Final = 1.0
_BURST_S: Final = 0.1
"""What may leave at once after a pause, in seconds of the rate."""
_MEASURE_S: Final = 1.0
_FREE_AT: Final = 2.0
"""A link without a rate of its own is free again at so many times its fastest rate."""
_NEAR_CONGESTION: Final = 90
_OPTIMUM: Final = 80


class Pace:
    """One link's, or one bind's.

    :param rate: messages a second that may never be exceeded; 0 = as fast as the window allows.
    """

    def __init__(self, rate: float, now: float) -> None:
        self._ceiling = rate or math.inf
        self.limit = self._ceiling
        # Below a slow rate too there must be room to fall to, and nothing lifts it above its rate.
        self._slowest = min(_SLOWEST, _FALL * self._ceiling)
        self._tokens = 1.0
        self._counted_at = now
        self._fell_at = -math.inf
        self._fastest = 0.0
        self._measured = 0.0
        self._accepted = 0
        self._measuring_since = now
        self._holds_until = -math.inf

    @property
    def is_slowed(self) -> bool:
        """Does the carrier take less than it may be given?"""
        return self.limit < self._ceiling

    def rate(self, now: float) -> float:
        """Messages a second that were accepted of late."""
        span_s = now - self._measuring_since
        if span_s >= _MEASURE_S:
            return self._accepted / span_s
        return max(self._measured, float(self._accepted)) if self._accepted else self._measured

    def room(self, now: float) -> int:
        """How many may go now; a large number where nothing limits."""
        if self.limit == math.inf:
            return 1 << 30
        self._refill(now)
        return int(self._tokens)

    def wait_s(self, now: float) -> float:
        """Seconds until one may go; 0 if it may."""
        if self.limit == math.inf:
            return 0.0
        self._refill(now)
        return max(0.0, (1.0 - self._tokens) / self.limit)

    def sent(self, count: int) -> None:
        """So many left."""
        if self.limit != math.inf:
            self._tokens -= count

    def accepted(self, count: int, now: float) -> None:
        """The carrier took so many."""
        span_s = now - self._measuring_since
        if span_s >= _MEASURE_S:
            self._measured = self._accepted / span_s
            self._accepted = 0
            self._measuring_since = now
        self._accepted += count

    def throttled(self, sent_at: float, now: float) -> None:
        """The carrier refused a message as one too many; `sent_at` tells when it left."""
        if sent_at <= self._fell_at:
            return
        before = self.limit if self.limit != math.inf else max(self.rate(now), self._slowest)
        self._refill(now)
        self._fastest = max(self._fastest, min(before, self.rate(now) or before))
        self.limit = max(self._slowest, min(before, self.rate(now) or before) * _FALL)
        self._fell_at = now
        self._tokens = 0.0

    def congested(self, state: int, now: float) -> None:
        """congestion_state of a response (SMPP 5.0 §4.8.4.18), 0 idle to 100 congested."""
        if state >= _NEAR_CONGESTION:
            if now - self._fell_at >= _MEASURE_S:
                self.throttled(now, now)
        elif state >= _OPTIMUM:
            self._holds_until = now + _MEASURE_S

    def _refill(self, now: float) -> None:
        """Let the time since the last look bring tokens and a higher limit."""
        passed_s = max(0.0, now - self._counted_at)
        self._counted_at = now
        if self.limit == math.inf:
            return
        if self.is_slowed and now >= self._holds_until:
            self.limit += max(self._slowest, _RISE_SHARE * self._fastest) * passed_s
            if self._ceiling == math.inf:
                if self.limit >= _FREE_AT * max(self._fastest, self._slowest):
                    self.limit = math.inf
                    return
            else:
                self.limit = min(self.limit, self._ceiling)
        burst = max(1.0, self.limit * _BURST_S)
        self._tokens = min(burst, self._tokens + self.limit * passed_s)
