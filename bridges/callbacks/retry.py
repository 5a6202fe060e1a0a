"""What an attempt at a callback means: done, again and when, refused, or enough.

*In*: a delivery, what its host answered or why it did not, `now_ms`, a draw for the jitter.
*Out*: a `DeliveryOutcome`. *Never*: I/O, a clock; how a host as a whole does (see `lane`).

A delivery is tried for a day and `MIN_ATTEMPTS` times, whichever is later; then it is set aside,
as it is at once where nothing will change by itself: the endpoint is gone (410), the address is
one that callbacks may not reach, or it was refused `REFUSALS` times. People ask it back.
"""

from typing import Final

import attrs

from bridges.callbacks.registry import find_style
from bridges.callbacks.style import CallbackResponse
from smsc.message import Delivery
from smsc.ports import Again, DeliveryOutcome, SetAside

FIRST_DELAY_S: Final = 5.0
MAX_DELAY_S: Final = 3600.0
MAX_AGE_MS: Final = 24 * 3600 * 1000
MIN_ATTEMPTS: Final = 5
"""Attempts count from the last start, or from when people asked the delivery back."""
REFUSALS: Final = 8
"""A 3xx or 4xx answer this many times over is meant for good."""
PASSING: Final = frozenset({408, 425, 429})
"""4xx answers that ask for another attempt (RFC 9110 §15.5.9, RFC 8470, RFC 6585)."""
SLOW_DOWN: Final = frozenset({429, 502, 504})
"""Standard Webhooks 1.0.0: the receiver, or what stands before it, has too much to do."""
SLOW_FACTOR: Final = 4
GONE: Final = 410


@attrs.frozen
class Answered:
    """The host answered; `retry_after_s` is the wait it asked for, 0 if it asked for none."""

    response: CallbackResponse
    retry_after_s: float = 0.0


@attrs.frozen
class Unanswered:
    """It did not, or was not asked."""

    why: str
    is_final: bool = False
    """Nothing will change by itself: the URL cannot be called, or callbacks may not go there."""
    is_ours: bool = False
    """It says nothing of the host."""


def judge(
    delivery: Delivery, answer: Answered | Unanswered, now_ms: int, draw: float
) -> DeliveryOutcome:
    """What an attempt means. `draw` in [0, 1); `delivery.attempt` counts earlier attempts."""
    if isinstance(answer, Unanswered):
        if answer.is_final:
            return SetAside(delivery.id, answer.why)
        return _again(delivery, answer.why, now_ms, draw)
    status = answer.response.status
    style, _ = find_style(delivery.callback_style)
    said = style.judge(delivery, answer.response)
    if not isinstance(said, Again):
        return said
    if status == GONE:
        return SetAside(delivery.id, "HTTP 410: the endpoint says that it is gone")
    is_refusal = 300 <= status < 500 and status not in PASSING
    if is_refusal and delivery.attempt + 1 >= REFUSALS:
        return SetAside(delivery.id, f"{said.why} for {REFUSALS} attempts")
    factor = SLOW_FACTOR if status in SLOW_DOWN else 1
    return _again(delivery, said.why, now_ms, draw, factor, answer.retry_after_s)


def is_trouble(answer: Answered | Unanswered) -> bool:
    """Does it speak of the host as a whole, rather than of this request?"""
    if isinstance(answer, Unanswered):
        return not (answer.is_final or answer.is_ours)
    return answer.response.status >= 500 or answer.response.status in PASSING


def _again(
    delivery: Delivery,
    why: str,
    now_ms: int,
    draw: float,
    factor: int = 1,
    retry_after_s: float = 0.0,
) -> DeliveryOutcome:
    backoff_s = min(MAX_DELAY_S, factor * FIRST_DELAY_S * 2 ** min(delivery.attempt, 16))
    delay_s = max(backoff_s * (0.5 + draw / 2), min(retry_after_s, MAX_DELAY_S))
    until_ms = delivery.created_ms + MAX_AGE_MS
    if delivery.expires_ms:
        until_ms = min(until_ms, delivery.expires_ms)
    left_s = (until_ms - now_ms) / 1000
    if left_s > 0:
        return Again(delivery.id, min(delay_s, left_s), why)  # the last one is made at the end
    if delivery.attempt + 1 < MIN_ATTEMPTS:
        return Again(delivery.id, delay_s, why)
    return SetAside(delivery.id, f"{why}, and its time is over")
