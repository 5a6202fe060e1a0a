"""Latencies as a histogram with logarithmic buckets: a few KiB, however many messages there are.

*In*: durations in seconds, each with how often it came. *Out*: percentiles.
*Never*: a list of every value; an error above `WIDTH` - 1 (2 %) of a value.
"""

from math import exp, log
from typing import Final

WIDTH: Final = 1.02
"""Upper bound of a bucket over its lower bound."""
_LEAST_S: Final = 1e-6
_MOST_S: Final = 3600.0
_PER_LOG: Final = 1 / log(WIDTH)
_BUCKETS: Final = int(log(_MOST_S / _LEAST_S) * _PER_LOG) + 2


class Histogram:
    """Counts of durations from 1 µs to an hour; what lies outside counts as the nearest."""

    def __init__(self) -> None:
        self.total = 0
        self.most_s = 0.0
        self._counts = [0] * _BUCKETS

    def add(self, seconds: float, count: int = 1) -> None:
        """Note a duration that came `count` times."""
        self.total += count
        self.most_s = max(self.most_s, seconds)
        at = int(log(seconds / _LEAST_S) * _PER_LOG) + 1 if seconds > _LEAST_S else 0
        self._counts[min(at, _BUCKETS - 1)] += count

    def percentile(self, percent: float) -> float | None:
        """The duration in seconds that `percent` of the values do not pass; None without values.

        It is the middle of its bucket, and never more than the longest duration seen.
        """
        if not self.total:
            return None
        wanted = self.total * percent / 100
        seen = 0
        for at, count in enumerate(self._counts):
            seen += count
            if seen >= wanted and count:
                return min(self.most_s, _LEAST_S * exp((at - 0.5) / _PER_LOG))
        return self.most_s
