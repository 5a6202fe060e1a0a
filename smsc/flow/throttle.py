"""Token buckets: how many messages an account may hand in now.

*In*: a rate and the moment in seconds of a monotonic clock. *Out*: how many are granted.
*Never*: waits; the caller refuses what was not granted with ESME_RTHROTTLED.
"""


class TokenBucket:
    """`rate` tokens a second, at most `burst` saved up; rate 0 grants everything."""

    __slots__ = ("_at", "_tokens", "burst", "rate")

    def __init__(self, rate: float, now: float, burst: float | None = None) -> None:
        self.rate = rate
        self.burst = burst if burst is not None else max(rate, 1.0)
        self._tokens = self.burst
        self._at = now

    def take(self, wanted: int, now: float) -> int:
        """Grant up to `wanted` whole tokens."""
        if not self.rate:
            return wanted
        self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
        granted = min(wanted, int(self._tokens))
        self._tokens -= granted
        return granted
