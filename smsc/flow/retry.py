"""How long a message waits after an attempt that failed for now.

*In*: the command_status and how many attempts were made. *Out*: a delay in seconds.
*Never*: a final verdict: what is permanent the outlet says; what is too late the validity says.
"""

import random
from typing import Final

from pdu.status import Status

SCHEDULE_S: Final = (5.0, 15.0, 60.0, 300.0, 900.0, 1800.0)
"""Delay after the first, second, … attempt; the last one repeats until the message expires."""
THROTTLED_S: Final = 1.0
_THROTTLED: Final = frozenset({int(Status.ESME_RTHROTTLED), int(Status.ESME_RMSGQFUL)})
_JITTER: Final = 0.2


def delay_s(status: int, attempt: int, draw: random.Random) -> float:
    """Seconds until the next attempt; `attempt` counts from 1.

    A throttled message was not looked at by the network: it comes again soon.
    """
    scheduled_s = SCHEDULE_S[min(attempt, len(SCHEDULE_S)) - 1]
    base_s = THROTTLED_S if status in _THROTTLED else scheduled_s
    return base_s * (1 + _JITTER * draw.random())
