"""The error and status codes of the NetOxygen dialect: what each refusal and each state is there.

*In*: refusals, messages with their progress. *Out*: codes of the document, and its words for them.
*Never*: XML; what a method means.
"""

from collections.abc import Mapping
from typing import Final

from bridges.http.dialects.base import http_status
from pdu.status import Status
from smsc.message import Message, Progress, State
from smsc.ports import Refused

OK, GATEWAY, ROUTING, FORMAT, DESTINATION, SENDER, EMPTY, TOO_LONG, PENDING, CANCELLED = range(
    1, 11
)
"""Error codes of the document."""

ERRORS: Final[Mapping[int, str]] = {
    OK: "OK",
    GATEWAY: "Gateway error",
    ROUTING: "Message routing error",
    FORMAT: "Message format error",
    DESTINATION: "Invalid destination number",
    SENDER: "Invalid source number",
    EMPTY: "Empty message",
    TOO_LONG: "Max message length exceeded",
    PENDING: "Pending",
    CANCELLED: "Message canceled",
}
STATUSES: Final[Mapping[int, str]] = {
    1: "Delivered to the recipient device",
    2: "Delivered to the recipient network",
    3: "Message submitted",
    4: "Message error, delivery failed",
    5: "Routing error, delivery failed",
    6: "Message expired, delivery cancelled",
    7: "Gateway error",
    8: "Message in queue",
    9: "Message scheduled",
}


def refusal_code(refused: Refused) -> int:
    """The error code of a message that intake refused."""
    if is_passing(refused):
        return GATEWAY
    return _REFUSALS.get(refused.status, ROUTING)


_REFUSALS: Final[Mapping[int, int]] = {
    Status.ESME_RINVSRCADR: SENDER,
    Status.ESME_RINVSRCTON: SENDER,
    Status.ESME_RINVSRCNPI: SENDER,
    Status.ESME_RINVMSGLEN: TOO_LONG,
    Status.ESME_RINVDCS: FORMAT,
    Status.ESME_RINVSCHED: FORMAT,
    Status.ESME_RINVEXPIRY: FORMAT,
}
"""All else is a problem of routing: no route, no credit, a destination that is not allowed."""


def is_passing(refused: Refused) -> bool:
    """Would the same request pass later?"""
    return http_status(refused.status) in {429, 500, 503}


def codes_of(message: Message, progress: Progress) -> tuple[int, int]:
    """Error and status code of a message."""
    match progress.state:
        case State.REJECTED:
            return _REJECTIONS.get(progress.error, FORMAT), 4
        case State.DELETED if not progress.outlet and progress.done_ms > message.accepted_ms:
            return CANCELLED, 6  # else a network deleted it, or a rule dropped it at once
        case state:
            return _CODES[state]


_CODES: Final[Mapping[State, tuple[int, int]]] = {
    State.SCHEDULED: (PENDING, 9),
    State.QUEUED: (OK, 8),
    State.HELD: (OK, 3),
    State.ENROUTE: (OK, 3),
    State.ACCEPTED: (OK, 2),
    State.DELIVERED: (OK, 1),
    State.EXPIRED: (ROUTING, 6),
    State.UNDELIVERABLE: (ROUTING, 5),
    State.DELETED: (ROUTING, 5),
    State.UNKNOWN: (GATEWAY, 7),
}
_REJECTIONS: Final[Mapping[int, int]] = {
    Status.ESME_RINVDSTADR: DESTINATION,
    Status.ESME_RINVSRCADR: SENDER,
}
