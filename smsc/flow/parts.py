"""The states of a message's parts, one octet each, and what they make of the message.

*In*: `Progress.parts`. *Out*: the same with a change; the state of the whole.
*Never*: empty where a function asks for the state: a message without parts was never sent.

TS 23.040 §9.2.3.24.1: a handset shows a concatenated message when it has every part.
"""

from typing import Final

from smsc.message import DELIVERED, ENROUTE, QUEUED, State

_FAILURES: Final = (State.REJECTED, State.UNDELIVERABLE, State.EXPIRED, State.DELETED)
"""Final states other than success; the one that stands first decides."""
_ENROUTE: Final = bytes((ENROUTE,))
_QUEUED: Final = bytes((QUEUED,))
_HELD: Final = bytes((State.HELD,))
ONE_ENROUTE: Final = _ENROUTE
"""The parts of a message that left whole."""


_ALONE: Final = {
    bytes((state,)): ENROUTE if state is QUEUED else state
    for state in (
        QUEUED,
        State.HELD,
        ENROUTE,
        *_FAILURES,
        State.ACCEPTED,
        DELIVERED,
    )
}
"""What `aggregate` says of most messages: those of one part."""


ONE_OCTET: Final = {state: bytes((state,)) for state in State}
"""The parts of a message of one part, by its state."""


def new_parts(parts: int) -> bytes:
    """So many parts, none of them sent."""
    return _QUEUED * parts


def with_part(parts: bytes, part: int, state: State) -> bytes:
    """`parts` with one octet changed."""
    if len(parts) == 1:
        return ONE_OCTET[state]
    return parts[:part] + bytes((state,)) + parts[part + 1 :]


def take_back(parts: bytes) -> bytes:
    """`parts` after the network forgot those that it had and had not finished."""
    return parts.replace(_ENROUTE, _QUEUED)


def held(parts: bytes) -> bytes:
    """`parts` as they stand on disk while those still to be sent are written: all in doubt."""
    return parts.replace(_QUEUED, _HELD)


def released(parts: bytes, state: State) -> bytes:
    """`parts` after people decided what those in doubt are: QUEUED again, or ended."""
    return parts.replace(_HELD, bytes((state,)))


def accepted(parts: bytes) -> bytes:
    """`parts` when what the network took counts as done."""
    return parts.replace(_ENROUTE, bytes((State.ACCEPTED,)))


def has_failed(parts: bytes) -> bool:
    """Has a part ended other than well?"""
    return any(failure in parts for failure in _FAILURES)


def has_left(parts: bytes) -> bool:
    """Was a part taken by a network?"""
    return parts.count(QUEUED) < len(parts)


def aggregate(parts: bytes) -> State:
    """The state of a message whose parts stand so: final when each of them is.

    The worst final part decides: one undelivered part leaves the text unreadable.
    HELD when a part needs a decision of people and none is to be sent.
    """
    alone = _ALONE.get(parts)
    if alone is not None:
        return alone
    if QUEUED in parts:
        return ENROUTE
    if State.HELD in parts:
        return State.HELD
    if ENROUTE in parts:
        return ENROUTE
    for state in (*_FAILURES, State.ACCEPTED, DELIVERED):
        if state in parts:
            return state
    return State.UNKNOWN
