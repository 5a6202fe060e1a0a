"""What a query says of a message's state, and of several messages that share an id.

*In*: states and reports. *Out*: message_state, final_date; one progress for all. *Never*: a store.

SMPP 3.4 §5.2.28, 5.0 §4.7.15.
"""

from collections.abc import Sequence
from typing import Any

from pdu.operations import V50
from pdu.timefmt import TimeError, format_absolute
from smsc.message import FINAL, Progress, State
from smsc.ports import MessageReport


def shown_state(state: State, version: int) -> int:
    """message_state as the version knows it: SCHEDULED came with 5.0, QUEUED is ours alone."""
    if state is State.QUEUED or (state is State.SCHEDULED and version < V50):
        return int(State.ENROUTE)
    return int(state)


def final_date(progress: Progress) -> str:
    """When it ended; "" before that, and where the time is none that SMPP can write.

    Stores of earlier versions hold what carriers said, however odd.
    """
    if progress.state not in FINAL:
        return ""
    try:
        return format_absolute(progress.done_ms)
    except TimeError:
        return ""


def combined(reports: Sequence[MessageReport]) -> Progress:
    """One progress for all messages of an id: the one that is furthest from well.

    Those on their way come first, then failures, then what was delivered; the latest of them.
    """
    return max((report.progress for report in reports), key=_urgency)


def _urgency(progress: Progress) -> tuple[Any, ...]:
    return (
        progress.state not in FINAL,
        progress.state is not State.DELIVERED,
        progress.done_ms,
    )
