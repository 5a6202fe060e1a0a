"""What a message centre of the plainest kind answers to one PDU: rules only, no messages stored.

*In*: a frame, the session's state, what little of the world the answer needs.
*Out*: :class:`Verdict`: response, status, and whether the connection closes.
*Never*: I/O, a clock, a window, a timer: the session machine and the server have those.

The measure for the vectors of kind malformed and framing; station: framer → operations →
codec → semantics. SMPP 3.4 §2, §3.3, §5.1.3; the reference's table "Decode failures".
"""

from collections.abc import Mapping
from typing import Final

import attrs

from pdu import codec
from pdu.commands import (
    BINDS,
    UNANSWERED,
    Command,
    command_name,
    is_response,
    response_of,
)
from pdu.errors import BodyError, FramingError
from pdu.fields import Pdu
from pdu.framer import Frame
from pdu.message_pdus import DistributionList, SubmitMulti
from pdu.operations import Role, SessionState, allowed, answer_to_misplaced
from pdu.semantics import check
from pdu.session_pdus import BindReceiver, BindTransceiver, BindTransmitter
from pdu.status import Status


@attrs.frozen
class World:
    """What the message centre knows: credentials by system_id, and the time.

    It holds no message, no distribution list and no canned message.
    """

    passwords: Mapping[str, str]
    now_ms: int


@attrs.frozen
class Verdict:
    """``response`` is a command_id, None for silence."""

    response: int | None
    status: int = Status.ESME_ROK
    sequence_number: int = 0
    close: bool = False
    why: str = ""


# Requests about a message that is not there: the failure each has of its own.
_NOT_FOUND: Final[dict[int, Status]] = {
    Command.QUERY_SM: Status.ESME_RQUERYFAIL,
    Command.CANCEL_SM: Status.ESME_RCANCELFAIL,
    Command.REPLACE_SM: Status.ESME_RREPLACEFAIL,
    Command.QUERY_BROADCAST_SM: Status.ESME_RBCASTQUERYFAIL,
    Command.CANCEL_BROADCAST_SM: Status.ESME_RBCASTCANCELFAIL,
}


def judge_framing(error: FramingError) -> Verdict:
    """The position is lost: say so once and close."""
    return Verdict(
        Command.GENERIC_NACK, error.status, error.sequence_number, close=True, why=error.why
    )


def judge(frame: Frame, state: SessionState, world: World) -> Verdict:
    """The answer of the message centre to one PDU of an ESME."""
    command_id, command_status, sequence_number, body = frame
    if is_response(command_id):
        return Verdict(None, why=f"{command_name(command_id)} answers nothing that was asked")
    if not allowed(Role.ESME, state, command_id):
        answer = answer_to_misplaced(command_id, state)
        assert answer is not None, "requests are answered"
        why = f"{command_name(command_id)} may not be sent in {state.value}"
        return Verdict(*answer, sequence_number, why=why)
    response = response_of(command_id)
    try:
        pdu = codec.decode(command_id, body, command_status)
    except BodyError as error:
        return Verdict(response, error.status, sequence_number, why=error.why)
    status, why = _outcome(pdu, world)
    if command_id in UNANSWERED:
        return Verdict(None, why=why)
    return Verdict(response, status, sequence_number, why=why)


def _outcome(pdu: Pdu, world: World) -> tuple[Status, str]:
    if pdu.command_id in BINDS:
        return _bind(pdu, world)
    fault = check(pdu, world.now_ms)
    if fault is not None:
        return fault.status, fault.why
    not_found = _NOT_FOUND.get(pdu.command_id)
    if not_found is not None:
        return not_found, "no such message"
    if getattr(pdu, "sm_default_msg_id", 0):
        return Status.ESME_RINVDFTMSGID, "no canned messages"
    if isinstance(pdu, SubmitMulti) and any(
        isinstance(destination, DistributionList) for destination in pdu.dest_address
    ):
        return Status.ESME_RINVDLNAME, "no distribution lists"
    return Status.ESME_ROK, ""


def _bind(pdu: Pdu, world: World) -> tuple[Status, str]:
    assert isinstance(pdu, BindReceiver | BindTransmitter | BindTransceiver)
    password = world.passwords.get(pdu.system_id)
    if password is None:
        return Status.ESME_RINVSYSID, "unknown system_id"
    if password != pdu.password:
        return Status.ESME_RINVPASWD, "wrong password"
    return Status.ESME_ROK, ""
