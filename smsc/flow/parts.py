"""The parts of a message: one octet of state each.

*In*: `Progress.parts`. *Out*: the same with one part changed, and the state of the whole.
*Never*: I/O.
"""

from typing import Final

from smsc.message import LIVE, Progress, State

_WEIGHTIEST_FIRST: Final = (
    (int(State.QUEUED), State.ENROUTE),
    (int(State.ENROUTE), State.ENROUTE),
    (int(State.REJECTED), State.REJECTED),
    (int(State.UNDELIVERABLE), State.UNDELIVERABLE),
    (int(State.EXPIRED), State.EXPIRED),
    (int(State.DELETED), State.DELETED),
    (int(State.DELIVERED), State.DELIVERED),
)


def with_part(parts: bytes, part: int, state: State) -> bytes:
    """`parts` with one octet changed."""
    return parts[:part] + bytes((state,)) + parts[part + 1 :]


def merge_receipts(progress: Progress, stored: Progress) -> None:
    """Keep the final states that receipts brought while the message was in flight."""
    if len(stored.parts) == len(progress.parts) and stored.parts != progress.parts:
        progress.parts = bytes(
            theirs if theirs not in LIVE else ours
            for ours, theirs in zip(progress.parts, stored.parts, strict=True)
        )


def aggregate(parts: bytes) -> State:
    """The state of a message whose parts stand so: final when each of them is.

    The worst final part decides: one undelivered part leaves the text unreadable.
    """
    for octet, state in _WEIGHTIEST_FIRST:
        if octet in parts:
            return state
    return State.UNKNOWN
