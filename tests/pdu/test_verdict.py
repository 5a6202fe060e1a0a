"""What the plainest message centre answers."""

from typing import Any

import pytest

from pdu import codec
from pdu.commands import Command
from pdu.errors import FramingError
from pdu.fields import Pdu
from pdu.framer import Frame
from pdu.message_pdus import (
    CancelSm,
    DistributionList,
    QuerySm,
    ReplaceSm,
    SubmitMulti,
    SubmitSm,
)
from pdu.operations import SessionState
from pdu.session_pdus import BindTransceiver, EnquireLink, Unbind
from pdu.status import Status
from pdu.verdict import Verdict, World, judge, judge_framing

WORLD = World(passwords={"shop": "secret"}, now_ms=1_800_000_000_000)
OPEN, TRX = SessionState.OPEN, SessionState.BOUND_TRX


def frame(pdu: Pdu, sequence_number: int = 7) -> Frame:
    return pdu.command_id, 0, sequence_number, codec.encode_body(pdu)


def submit(**changes: Any) -> SubmitSm:
    return SubmitSm(destination_addr="447700900123", **changes)


@pytest.mark.parametrize(
    ("pdu", "state", "response", "status"),
    [
        (BindTransceiver("shop", "secret"), OPEN, Command.BIND_TRANSCEIVER_RESP, Status.ESME_ROK),
        (
            BindTransceiver("shop", "wrong"),
            OPEN,
            Command.BIND_TRANSCEIVER_RESP,
            Status.ESME_RINVPASWD,
        ),
        (
            BindTransceiver("who", "secret"),
            OPEN,
            Command.BIND_TRANSCEIVER_RESP,
            Status.ESME_RINVSYSID,
        ),
        (
            BindTransceiver("shop", "secret"),
            TRX,
            Command.BIND_TRANSCEIVER_RESP,
            Status.ESME_RALYBND,
        ),
        (submit(), TRX, Command.SUBMIT_SM_RESP, Status.ESME_ROK),
        (submit(), OPEN, Command.SUBMIT_SM_RESP, Status.ESME_RINVBNDSTS),
        (submit(source_addr_npi=7), TRX, Command.SUBMIT_SM_RESP, Status.ESME_RINVSRCNPI),
        (submit(sm_default_msg_id=1), TRX, Command.SUBMIT_SM_RESP, Status.ESME_RINVDFTMSGID),
        (
            SubmitMulti(dest_address=(DistributionList("all"),)),
            TRX,
            Command.SUBMIT_MULTI_RESP,
            Status.ESME_RINVDLNAME,
        ),
        (QuerySm(message_id="1"), TRX, Command.QUERY_SM_RESP, Status.ESME_RQUERYFAIL),
        (CancelSm(message_id="1"), TRX, Command.CANCEL_SM_RESP, Status.ESME_RCANCELFAIL),
        (ReplaceSm(message_id="1"), TRX, Command.REPLACE_SM_RESP, Status.ESME_RREPLACEFAIL),
        (EnquireLink(), OPEN, Command.ENQUIRE_LINK_RESP, Status.ESME_ROK),
        (Unbind(), TRX, Command.UNBIND_RESP, Status.ESME_ROK),
    ],
)
def test_requests_are_answered_and_the_session_goes_on(
    pdu: Pdu, state: SessionState, response: Command, status: Status
) -> None:
    verdict = judge(frame(pdu), state, WORLD)
    assert (verdict.response, verdict.status) == (response, status), verdict.why
    assert (verdict.sequence_number, verdict.close) == (7, False)


def test_responses_are_never_answered() -> None:
    for command_id in (Command.SUBMIT_SM_RESP, Command.GENERIC_NACK, 0x80000777):
        assert judge((command_id, 0, 9, b""), TRX, WORLD).response is None


def test_a_lost_position_closes() -> None:
    verdict = judge_framing(FramingError(Status.ESME_RINVCMDLEN, 3, "too short"))
    assert verdict == Verdict(
        Command.GENERIC_NACK, Status.ESME_RINVCMDLEN, 3, close=True, why="too short"
    )
