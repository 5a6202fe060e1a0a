"""What comes after an attempt that failed for now: another outlet, a wait, or the end.

*In*: the command_status, how many attempts were made, the outlets to try, `[outlets.X.retry]`.
*Out*: the outlets to try at once, a delay in seconds, or None: no more attempts.
*Never*: a look at the validity; dispatch ends what is too late.

What a status means by default stands in `pdu.status` (common practice); an outlet may say
otherwise for its carrier. SMPP 3.4 §5.1.3.
"""

import random
from collections.abc import Callable, Sequence
from typing import Final

from pdu.status import Status
from smsc.config_flow import RetryConfig
from smsc.flow.lanes import Plan
from smsc.message import OutletName
from smsc.ports import Failed, Held, Outcome, Sent, TryLater

_THROTTLED: Final = frozenset({int(Status.ESME_RTHROTTLED), int(Status.ESME_RMSGQFUL)})


class RetryPolicy:
    """What one outlet's answers lead to."""

    def __init__(self, config: RetryConfig) -> None:
        self._config = config
        self._permanent = {code for code, is_ in config.classes.items() if is_ == "permanent"}
        self._retryable = config.classes.keys() - self._permanent
        throttled = {code for code, is_ in config.classes.items() if is_ == "throttled"}
        self._throttled = (_THROTTLED - config.classes.keys()) | throttled

    def judge(self, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
        """The outcomes as the outlet's configuration classes them; mostly the same list."""
        if not self._config.classes:
            return outcomes
        return [self._judge(outcome) for outcome in outcomes]

    def _judge(self, outcome: Outcome) -> Outcome:
        match outcome:
            # Classes are for what the network says: no answer may well be a message it has.
            case TryLater(id_, status, part, parts, True) if status in self._permanent:
                return Failed(id_, status, part, parts)
            case Failed(id_, status, part, parts) if status in self._retryable:
                return TryLater(id_, status, part, parts)
            case Sent() | TryLater() | Failed() | Held():
                return outcome

    def delay_s(
        self, status: int, attempt: int, draw: random.Random, rounds: int | None = None
    ) -> float | None:
        """Seconds until the next attempt; None when this was the last one.

        :param attempt: counts from 1, over all outlets; `rounds` through the plan set the delay.

        A throttled message was not looked at by the network: it comes again soon, and that
        never was its last attempt.
        """
        config = self._config
        base_s = config.throttled_s
        if status not in self._throttled:
            if config.max_attempts and attempt >= config.max_attempts:
                return None
            rounds = attempt if rounds is None else rounds
            base_s = config.schedule_s[min(max(rounds, 1), len(config.schedule_s)) - 1]
        return base_s * (1 + config.jitter * draw.random())


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
