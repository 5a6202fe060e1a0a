"""What a session tells its owner: past tense, one event for all alike PDUs of a read.

*Never*: behaviour.
"""

from typing import Any

import attrs

from pdu.codec import SubmitPeek
from pdu.fields import Pdu

Request = tuple[int, SubmitPeek, bytes]
"""sequence_number, the fields that routing needs, and the body as it came."""

Incoming = tuple[int, Any, bytes]
"""The same, but what the owner's own `peek` made of the body in place of the fields."""

Answer = tuple[Any, int, bytes]
"""The context that the request was sent with, command_status, body of the response."""


@attrs.define(slots=True)
class BindRequested:
    """The peer wants to bind; answer with `accept_bind` or `refuse_bind`."""

    command_id: int
    system_id: str
    password: str
    system_type: str
    interface_version: int


@attrs.define(slots=True)
class Bound:
    """Our bind was accepted."""

    system_id: str


@attrs.define(slots=True)
class BindFailed:
    """Our bind was refused."""

    status: int


@attrs.define(slots=True)
class Submitted:
    """submit_sm requests, decoded and well-formed; answer each with `answer_many`.

    data_sm requests stand among them in the layout of submit_sm; their answers find back.
    """

    requests: list[Request]


@attrs.define(slots=True)
class Delivered:
    """deliver_sm requests, decoded and well-formed; answer each with `answer_many`.

    data_sm requests stand among them in the layout of deliver_sm; their answers find back.
    """

    requests: list[Incoming]


@attrs.define(slots=True)
class Asked:
    """Any other request about messages, decoded and well-formed; answer it with `answer`."""

    command_id: int
    sequence_number: int
    pdu: Pdu


@attrs.define(slots=True)
class Alerted:
    """alert_notification: the handset with this number can be reached again."""

    source_addr: str


@attrs.define(slots=True)
class Answered:
    """Responses to requests of ours."""

    answers: list[Answer]


@attrs.define(slots=True)
class TimedOut:
    """Requests of ours that were not answered within the response timer."""

    contexts: list[Any]


@attrs.define(slots=True)
class Unbound:
    """No message passes any more; the connection ends when the answers still owed are out."""

    why: str


@attrs.define(slots=True)
class Refused:
    """A PDU that the machine itself answered with an error, for the log."""

    command_id: int
    status: int
    why: str


Event = (
    BindRequested
    | Bound
    | BindFailed
    | Submitted
    | Delivered
    | Asked
    | Alerted
    | Answered
    | TimedOut
    | Unbound
    | Refused
)
