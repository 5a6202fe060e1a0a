"""Exponential backoff with jitter, for whoever connects again.

*In*: failures and successes, a seeded source of chance. *Out*: seconds to wait. *Never*: waits.
"""

import random

import attrs


@attrs.define(slots=True)
class Backoff:
    """`first_s`, doubled at each failure up to `ceiling_s`; each delay is cut by up to a half."""

    draw: random.Random
    first_s: float = 1.0
    ceiling_s: float = 60.0
    _failures: int = 0

    def next_s(self) -> float:
        """Count one failure and return the delay before the next try."""
        delay_s = min(self.ceiling_s, self.first_s * (1 << self._failures))
        self._failures = min(self._failures + 1, 32)
        return delay_s * (0.5 + 0.5 * self.draw.random())

    def succeeded(self) -> None:
        """Start from the first delay again."""
        self._failures = 0
