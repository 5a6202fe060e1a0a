"""How busy a message centre is, as versions 5.0 tell each other in each answer to a request.

*In*: answers to submit_sm, a congestion_state from 0 (idle) to 100 (refuses everything).
*Out*: the TLV, and submit_sm_resp with it behind; what a peer's response says.
*Never*: a TLV for a peer of 3.3 or 3.4; an exception for anything a peer sent.

SMPP 5.0 §4.8.4.18.
"""

from collections.abc import Sequence
from typing import Final

from pdu.codec import pack
from pdu.commands import Command
from pdu.errors import BodyError
from pdu.tlvs import Tag, find_tlv, pack_tlv

IDLE: Final = 0
CONGESTED: Final = 100
_BUSY: Final = 85
"""At the level where work begins to be shared out: "optimum", 80 to 89."""
_NEARLY: Final = 99

_STATES: Final = [pack_tlv(Tag.CONGESTION_STATE, bytes((state,))) for state in range(101)]


def congestion_state(in_hand: int, limit: int, *, is_full: bool) -> int:
    """Weigh messages being stored against how many of them make full use of the machine."""
    if is_full:
        return CONGESTED
    return min(_NEARLY, in_hand * _BUSY // limit)


def state_tlv(state: int) -> bytes:
    """The TLV that tells it."""
    return _STATES[state]


def state_of(body: bytes) -> int:
    """congestion_state of a submit_sm_resp or data_sm_resp; 0 if none can be read there."""
    at = body.find(b"\0") + 1
    if not 0 < at < len(body):
        return IDLE
    try:
        value = find_tlv(body, at, Tag.CONGESTION_STATE)
    except BodyError:  # nobody validates responses, and the answer counts all the same
        return IDLE
    return value[0] if value else IDLE


def answers_with_state(entries: Sequence[tuple[int, int, bytes]], state: int) -> bytes:
    """Many submit_sm_resp in one piece: (sequence_number, command_status, message_id)."""
    tail = b"\0" + _STATES[state]
    command_id = int(Command.SUBMIT_SM_RESP)
    return b"".join(
        [
            pack(command_id, status, sequence_number, (b"" if status else message_id) + tail)
            for sequence_number, status, message_id in entries
        ]
    )
