"""What comes after an attempt that failed for now: another outlet, or how long a wait.

*In*: the command_status, how many attempts were made, the outlets to try.
*Out*: the outlets to try at once, or a delay in seconds.
*Never*: a final verdict: what is permanent the outlet says; what is too late the validity says.
"""

import random
from collections.abc import Callable
from typing import Final

from pdu.status import Status
from smsc.flow.lanes import Plan
from smsc.message import OutletName

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


def next_plan(
    plan: Plan, tried: OutletName, attempt: int, is_up: Callable[[OutletName], bool]
) -> Plan | None:
    """The plan from the outlet after `tried` on, or None to wait: all were tried, or none is up.

    `attempt` counts from 1, over all rounds through the plan.
    """
    if not plan or attempt % len(plan) == 0:
        return None
    after = plan.index(tried) + 1 if tried in plan else 0
    turned = plan[after:] + plan[:after]
    others = turned[:-1] if tried in plan else turned
    return turned if any(map(is_up, others)) else None
