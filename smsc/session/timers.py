"""When a session must probe, give up on an answer, or close: values and one verdict.

*In*: moments in seconds of any monotonic clock. *Out*: a `Verdict`. *Never*: a clock of its own.
Timer names: SMPP 5.0 §2.7.
"""

from enum import Enum

import attrs

from pdu.operations import BOUND, SessionState

_WAITING = frozenset({SessionState.OPEN, SessionState.OUTBOUND})


@attrs.frozen
class Timers:
    """All in seconds; 0 switches a timer off."""

    session_init_s: float = 30.0
    enquire_link_s: float = 30.0
    inactivity_s: float = 0.0
    response_s: float = 60.0
    pdu_read_s: float = 30.0
    misses: int = 2
    """enquire_links that may stay unanswered in a row before the session is given up."""


class Verdict(Enum):
    """What a look at the clock calls for."""

    QUIET = "nothing"
    PROBE = "send enquire_link"
    SILENT = "the peer answered no enquire_link"
    UNBOUND = "no bind within the session_init timer"
    INACTIVE = "no request or response within the inactivity timer"
    STUCK = "a PDU was begun and not completed within the read timer"


@attrs.define(slots=True)
class Moments:
    """When things last happened on a session."""

    opened: float
    heard: float
    worked: float
    """Last PDU that brought about an event: neither enquire_link nor its response."""
    probed: float = 0.0
    answered: float = 0.0
    """When a read last brought about an answer of the machine's own."""
    unanswered_probes: int = 0
    half_pdu_since: float | None = None


def judge(timers: Timers, moments: Moments, now: float, state: SessionState) -> Verdict:
    """Say what the moments call for at `now`; the gravest verdict wins."""
    if (
        timers.pdu_read_s
        and moments.half_pdu_since is not None
        and now - moments.half_pdu_since >= timers.pdu_read_s
    ):
        return Verdict.STUCK
    if state in _WAITING:
        late = timers.session_init_s and now - moments.opened >= timers.session_init_s
        return Verdict.UNBOUND if late else Verdict.QUIET
    if state not in BOUND:
        return Verdict.QUIET  # it ends by itself when the last answers are out
    if timers.inactivity_s and now - moments.worked >= timers.inactivity_s:
        return Verdict.INACTIVE
    if not timers.enquire_link_s:
        return Verdict.QUIET
    since = max(moments.heard, moments.probed) if moments.unanswered_probes else moments.heard
    if now - since < timers.enquire_link_s:
        return Verdict.QUIET
    return Verdict.SILENT if moments.unanswered_probes >= timers.misses else Verdict.PROBE
