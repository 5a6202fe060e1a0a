"""command_id: every operation of SMPP 3.3, 3.4 and 5.0 by name.

*In*: the number in a header.
*Out*: its name; whether it is a response; which response answers a request.
*Never*: says who may send it: that is :mod:`pdu.operations`.

SMPP 3.4 §5.1.2.1, 5.0 §4.7.5.
"""

from enum import IntEnum
from typing import Final

# Bit 31 marks a response.
RESPONSE: Final = 0x80000000


class Command(IntEnum):
    """Names as the specification spells them, in capitals."""

    BIND_RECEIVER = 0x00000001
    BIND_TRANSMITTER = 0x00000002
    QUERY_SM = 0x00000003
    SUBMIT_SM = 0x00000004
    DELIVER_SM = 0x00000005
    UNBIND = 0x00000006
    REPLACE_SM = 0x00000007
    CANCEL_SM = 0x00000008
    BIND_TRANSCEIVER = 0x00000009
    OUTBIND = 0x0000000B
    ENQUIRE_LINK = 0x00000015
    SUBMIT_MULTI = 0x00000021
    PARAM_RETRIEVE = 0x00000022
    QUERY_LAST_MSGS = 0x00000023
    QUERY_MSG_DETAILS = 0x00000024
    ALERT_NOTIFICATION = 0x00000102
    DATA_SM = 0x00000103
    BROADCAST_SM = 0x00000111
    QUERY_BROADCAST_SM = 0x00000112
    CANCEL_BROADCAST_SM = 0x00000113
    GENERIC_NACK = 0x80000000
    BIND_RECEIVER_RESP = 0x80000001
    BIND_TRANSMITTER_RESP = 0x80000002
    QUERY_SM_RESP = 0x80000003
    SUBMIT_SM_RESP = 0x80000004
    DELIVER_SM_RESP = 0x80000005
    UNBIND_RESP = 0x80000006
    REPLACE_SM_RESP = 0x80000007
    CANCEL_SM_RESP = 0x80000008
    BIND_TRANSCEIVER_RESP = 0x80000009
    ENQUIRE_LINK_RESP = 0x80000015
    SUBMIT_MULTI_RESP = 0x80000021
    PARAM_RETRIEVE_RESP = 0x80000022
    QUERY_LAST_MSGS_RESP = 0x80000023
    QUERY_MSG_DETAILS_RESP = 0x80000024
    DATA_SM_RESP = 0x80000103
    BROADCAST_SM_RESP = 0x80000111
    QUERY_BROADCAST_SM_RESP = 0x80000112
    CANCEL_BROADCAST_SM_RESP = 0x80000113


_NAMES: Final = {int(command): command.name.lower() for command in Command}
_IDS: Final = {name: command_id for command_id, name in _NAMES.items()}
REQUESTS: Final = frozenset(int(command) for command in Command if command < RESPONSE)
RESPONSES: Final = frozenset(int(command) for command in Command if command >= RESPONSE)
# Requests that the specification never answers.
UNANSWERED: Final = frozenset({int(Command.OUTBIND), int(Command.ALERT_NOTIFICATION)})
BINDS: Final = frozenset(
    {int(Command.BIND_RECEIVER), int(Command.BIND_TRANSMITTER), int(Command.BIND_TRANSCEIVER)}
)


def command_name(command_id: int) -> str:
    """``submit_sm`` and so on; an unknown number as ``0x00000777``."""
    return _NAMES.get(command_id) or f"0x{command_id:08X}"


def command_of(name: str) -> int | None:
    """The command_id of a name as the specification spells it; None when there is none."""
    return _IDS.get(name)


def is_response(command_id: int) -> bool:
    """Bit 31 is set: it answers something and is never answered itself."""
    return command_id >= RESPONSE


def response_of(command_id: int) -> int:
    """The command_id that answers this request; generic_nack where it has no response of its own.

    Unknown requests, outbind and alert_notification have none.
    """
    if command_id in REQUESTS and command_id not in UNANSWERED:
        return command_id | RESPONSE
    return int(Command.GENERIC_NACK)
