"""One table: state and octets in; answers, events and state out.

Every case is read whole, octet by octet, and with the beginning of another PDU behind it.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import attrs
import pytest

from pdu.broadcast_pdus import BroadcastSm, CancelBroadcastSm, QueryBroadcastSm
from pdu.codec import encode_body
from pdu.commands import RESPONSE
from pdu.message_pdus import (
    CancelSm,
    DataSm,
    QuerySm,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    SubmitSm,
)
from pdu.operations import SessionState
from pdu.status import Status
from smsc.session.machine import Session
from tests.fakes.wire import (
    BAD_SUBMIT,
    DELIVER,
    SUBMIT,
    C,
    bind,
    esme,
    esme_bound,
    flat,
    heads,
    mc,
    mc_bound,
    pdu,
)

S = SessionState
OK = 0
NACK = int(C.GENERIC_NACK)


@attrs.frozen(kw_only=True)
class Case:
    name: str
    start: Callable[[], Session]
    octets: bytes
    answers: list[tuple[int, int, int]] = attrs.Factory(list)
    facts: list[tuple[object, ...]] = attrs.Factory(list)
    state: SessionState
    closes: bool = False


def refused(
    name: str,
    start: Callable[[], Session],
    state: SessionState,
    octets: bytes,
    *answer: int,
    number: int = 7,
) -> Case:
    """A PDU that is answered with an error and changes nothing."""
    command_id, status = answer
    return Case(
        name=name,
        start=start,
        octets=octets,
        answers=[(command_id, status, number)],
        facts=[("refused",)],
        state=state,
    )


tx, rx, trx = (
    partial(mc_bound, kind) for kind in (C.BIND_TRANSMITTER, C.BIND_RECEIVER, C.BIND_TRANSCEIVER)
)
SUBMIT_RESP = C.SUBMIT_SM | RESPONSE
INVALID_STATE = Status.ESME_RINVBNDSTS

_FIELDS: Mapping[str, Any] = {
    "service_type": "WAP",
    "source_addr": "Shop",
    "dest_addr_ton": 1,
    "dest_addr_npi": 1,
    "destination_addr": "4179",
    "esm_class": 0x42,
    "registered_delivery": 1,
    "data_coding": 4,
    "tlvs": ((0x0204, b"\0\1"), (0x0424, b"\5\0\3\1\2\1x")),
}
DATA = DataSm(**_FIELDS)
DATA_AS_SUBMIT = SubmitSm(**_FIELDS)

CASES = [
    # --- a message centre before the bind
    *(
        Case(
            name=f"{kind.name.lower()} is for the owner to judge",
            start=mc,
            octets=bind(kind),
            facts=[("bind", int(kind), "demo", "pw")],
            state=S.OPEN,
        )
        for kind in (C.BIND_TRANSMITTER, C.BIND_RECEIVER, C.BIND_TRANSCEIVER)
    ),
    Case(
        name="a second bind while the first is judged",
        start=mc,
        octets=bind(sequence_number=1) + bind(sequence_number=7),
        answers=[(C.BIND_TRANSCEIVER | RESPONSE, Status.ESME_RALYBND, 7)],
        facts=[("bind", int(C.BIND_TRANSCEIVER), "demo", "pw"), ("refused",)],
        state=S.OPEN,
    ),
    Case(
        name="a password of 20 characters is the owner's matter",
        start=mc,
        octets=pdu(C.BIND_TRANSMITTER, 7, b"demo\0" + b"p" * 20 + b"\0t\0\x34\0\0\0"),
        facts=[("bind", int(C.BIND_TRANSMITTER), "demo", "p" * 20)],
        state=S.OPEN,
    ),
    refused(
        "a bind whose system_id never ends",
        mc,
        S.OPEN,
        pdu(C.BIND_RECEIVER, 7, b"x" * 40),
        C.BIND_RECEIVER | RESPONSE,
        Status.ESME_RINVSYSID,
    ),
    *(
        refused(
            f"{command.name.lower()} before the bind",
            mc,
            S.OPEN,
            pdu(command, 7, body),
            command | RESPONSE,
            INVALID_STATE,
        )
        for command, body in (
            (C.SUBMIT_SM, SUBMIT),
            (C.SUBMIT_SM, BAD_SUBMIT),
            (C.DELIVER_SM, DELIVER),
            (C.ENQUIRE_LINK, b""),
            (C.UNBIND, b""),
            (C.QUERY_SM, b""),
        )
    ),
    refused("outbind to a message centre", mc, S.OPEN, pdu(C.OUTBIND, 7), NACK, INVALID_STATE),
    refused("an unknown command", mc, S.OPEN, pdu(0x777, 7), NACK, Status.ESME_RINVCMDID),
    Case(name="a stray response", start=mc, octets=pdu(SUBMIT_RESP, 7), state=S.OPEN),
    Case(name="an unknown response", start=mc, octets=pdu(0x80000777, 7), state=S.OPEN),
    Case(name="a stray generic_nack", start=mc, octets=pdu(NACK, 7), state=S.OPEN),
    *(
        Case(
            name=name,
            start=mc,
            octets=octets,
            answers=[(NACK, Status.ESME_RINVCMDLEN, number)],
            facts=[("unbound",)],
            state=S.UNBOUND,
            closes=True,
        )
        for name, octets, number in (
            ("a command_length below the header", b"\0\0\0\x05", 0),
            ("a command_length of 0", b"\0\0\0\0", 0),
            ("a command_length over the limit", b"\x7f\0\0\0", 0),
            ("HTTP", b"GET ", 0),
        )
    ),
    # --- a message centre after the bind
    *(
        Case(
            name=f"sequence_number {number:#x} is taken as it comes",
            start=trx,
            octets=pdu(C.ENQUIRE_LINK, number),
            answers=[(C.ENQUIRE_LINK | RESPONSE, OK, number)],
            state=S.BOUND_TRX,
        )
        for number in (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
    ),
    *(
        Case(
            name=f"messages in {state.value}",
            start=start,
            octets=pdu(C.SUBMIT_SM, 7, SUBMIT) + pdu(C.SUBMIT_SM, 8, SUBMIT),
            facts=[("message", 7, SUBMIT), ("message", 8, SUBMIT)],
            state=state,
        )
        for start, state in ((tx, S.BOUND_TX), (trx, S.BOUND_TRX))
    ),
    refused(
        "submit_sm from a receiver",
        rx,
        S.BOUND_RX,
        pdu(C.SUBMIT_SM, 7, SUBMIT),
        SUBMIT_RESP,
        INVALID_STATE,
    ),
    refused(
        "a submit_sm that ends too early",
        tx,
        S.BOUND_TX,
        pdu(C.SUBMIT_SM, 7, BAD_SUBMIT),
        SUBMIT_RESP,
        Status.ESME_RINVMSGLEN,
    ),
    refused(
        "a submit_sm without a body",
        tx,
        S.BOUND_TX,
        pdu(C.SUBMIT_SM, 7),
        SUBMIT_RESP,
        Status.ESME_RINVCMDLEN,
    ),
    refused(
        "deliver_sm from an ESME",
        trx,
        S.BOUND_TRX,
        pdu(C.DELIVER_SM, 7, DELIVER),
        C.DELIVER_SM | RESPONSE,
        INVALID_STATE,
    ),
    refused(
        "a query_sm without a body",
        trx,
        S.BOUND_TRX,
        pdu(C.QUERY_SM, 7),
        C.QUERY_SM | RESPONSE,
        Status.ESME_RINVCMDLEN,
    ),
    *(
        refused(
            f"{command.name.lower()} in a version that has it not",
            partial(mc_bound, version=version),
            S.BOUND_TRX,
            pdu(command, 7),
            NACK,
            Status.ESME_RINVCMDID,
        )
        for command, version in (
            (C.DATA_SM, 0x33),
            (C.BROADCAST_SM, 0x34),
            (C.QUERY_BROADCAST_SM, 0x34),
            (C.CANCEL_BROADCAST_SM, 0x33),
        )
    ),
    *(
        Case(
            name=f"{type(request).__name__} is for the owner to answer",
            start=partial(mc_bound, version=0x50),
            octets=pdu(request.command_id, 7, encode_body(request)),
            facts=[("asked", request.command_id, 7, request)],
            state=S.BOUND_TRX,
        )
        for request in (
            SubmitMulti(dest_address=(SmeAddress(destination_addr="4179"),)),
            QuerySm(message_id="1"),
            CancelSm(message_id="1"),
            ReplaceSm(message_id="1"),
            BroadcastSm(),
            QueryBroadcastSm(),
            CancelBroadcastSm(),
        )
    ),
    Case(
        name="data_sm is a message in the layout of submit_sm",
        start=trx,
        octets=pdu(C.DATA_SM, 7, encode_body(DATA)),
        facts=[("message", 7, encode_body(DATA_AS_SUBMIT))],
        state=S.BOUND_TRX,
    ),
    refused(
        "data_sm with an address that no message has room for",
        trx,
        S.BOUND_TRX,
        pdu(C.DATA_SM, 7, encode_body(DataSm(destination_addr="4" * 21))),
        C.DATA_SM | RESPONSE,
        Status.ESME_RINVDSTADR,
    ),
    refused(
        "data_sm from a receiver",
        rx,
        S.BOUND_RX,
        pdu(C.DATA_SM, 7, encode_body(DATA)),
        C.DATA_SM | RESPONSE,
        INVALID_STATE,
    ),
    *(
        refused(
            f"{kind.name.lower()} on a bound session",
            trx,
            S.BOUND_TRX,
            bind(kind, 7),
            kind | RESPONSE,
            Status.ESME_RALYBND,
        )
        for kind in (C.BIND_TRANSMITTER, C.BIND_RECEIVER, C.BIND_TRANSCEIVER)
    ),
    Case(
        name="a good message between bad ones",
        start=tx,
        octets=pdu(C.SUBMIT_SM, 7, BAD_SUBMIT)
        + pdu(C.SUBMIT_SM, 8, SUBMIT)
        + pdu(0x777, 9)
        + pdu(C.ENQUIRE_LINK, 10),
        answers=[
            (SUBMIT_RESP, Status.ESME_RINVMSGLEN, 7),
            (NACK, Status.ESME_RINVCMDID, 9),
            (C.ENQUIRE_LINK | RESPONSE, OK, 10),
        ],
        facts=[("message", 8, SUBMIT), ("refused",), ("refused",)],
        state=S.BOUND_TX,
    ),
    Case(
        name="unbind with nothing owed",
        start=trx,
        octets=pdu(C.UNBIND, 7),
        answers=[(C.UNBIND | RESPONSE, OK, 7)],
        facts=[("unbound",)],
        state=S.UNBOUND,
        closes=True,
    ),
    Case(
        name="unbind behind a message waits for the message's answer",
        start=trx,
        octets=pdu(C.SUBMIT_SM, 7, SUBMIT) + pdu(C.UNBIND, 8) + pdu(C.SUBMIT_SM, 9, SUBMIT),
        answers=[(SUBMIT_RESP, INVALID_STATE, 9)],
        facts=[("message", 7, SUBMIT), ("unbound",), ("refused",)],
        state=S.UNBOUND,
    ),
    Case(
        name="a lost position behind a message waits for the message's answer",
        start=trx,
        octets=pdu(C.SUBMIT_SM, 7, SUBMIT) + b"\0\0\0\1",
        answers=[(NACK, Status.ESME_RINVCMDLEN, 0)],
        facts=[("message", 7, SUBMIT), ("unbound",)],
        state=S.UNBOUND,
    ),
    # --- an ESME
    Case(
        name="our bind is accepted",
        start=esme,
        octets=pdu(C.BIND_TRANSCEIVER | RESPONSE, 1, b"carrier\0"),
        facts=[("bound",)],
        state=S.BOUND_TRX,
    ),
    Case(
        name="our bind is accepted in a body that is none",
        start=esme,
        octets=pdu(C.BIND_TRANSCEIVER | RESPONSE, 1, b"x" * 99),
        facts=[("bound",)],
        state=S.BOUND_TRX,
    ),
    Case(
        name="our bind is refused",
        start=esme,
        octets=pdu(C.BIND_TRANSCEIVER | RESPONSE, 1, status=Status.ESME_RINVPASWD),
        facts=[("bindfailed",)],
        state=S.OPEN,
    ),
    Case(
        name="our bind is not understood",
        start=esme,
        octets=pdu(NACK, 1, status=Status.ESME_RINVCMDID),
        facts=[("bindfailed",)],
        state=S.OPEN,
    ),
    Case(
        name="an answer to a bind that we did not send",
        start=esme,
        octets=pdu(C.BIND_TRANSCEIVER | RESPONSE, 2, b"carrier\0"),
        state=S.OPEN,
    ),
    Case(
        name="a receipt right behind the answer to our bind",
        start=esme,
        octets=pdu(C.BIND_TRANSCEIVER | RESPONSE, 1, b"c\0") + pdu(C.DELIVER_SM, 9, DELIVER),
        facts=[("message", 9, DELIVER), ("bound",)],
        state=S.BOUND_TRX,
    ),
    refused(
        "submit_sm to an ESME",
        esme_bound,
        S.BOUND_TRX,
        pdu(C.SUBMIT_SM, 7, SUBMIT),
        SUBMIT_RESP,
        INVALID_STATE,
    ),
    Case(
        name="alert_notification has no answer",
        start=esme_bound,
        octets=pdu(C.ALERT_NOTIFICATION, 7, b"\1\1" + b"417\0\0\0\0"),
        facts=[("alerted", "417")],
        state=S.BOUND_TRX,
    ),
    Case(
        name="an alert_notification that is none has no answer either",
        start=esme_bound,
        octets=pdu(C.ALERT_NOTIFICATION, 7, b"\1"),
        facts=[("refused",)],
        state=S.BOUND_TRX,
    ),
    Case(
        name="data_sm from a carrier is a message in the layout of deliver_sm",
        start=esme_bound,
        octets=pdu(C.DATA_SM, 7, encode_body(DATA)),
        facts=[("message", 7, encode_body(DATA_AS_SUBMIT))],
        state=S.BOUND_TRX,
    ),
    Case(
        name="the carrier unbinds",
        start=esme_bound,
        octets=pdu(C.UNBIND, 7),
        answers=[(C.UNBIND | RESPONSE, OK, 7)],
        facts=[("unbound",)],
        state=S.UNBOUND,
        closes=True,
    ),
]


@pytest.mark.parametrize("cut", ["whole", "octet by octet", "with more behind"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answers_events_and_state(case: Case, cut: str) -> None:
    session = case.start()
    octets = case.octets
    if cut == "with more behind" and not case.closes:
        octets += pdu(C.ENQUIRE_LINK, 99)[:15]
    pieces = [octets] if cut != "octet by octet" else [bytes((one,)) for one in octets]
    events = [event for piece in pieces for event in session.receive(piece, 1.0)]
    assert heads(session.take_output()) == case.answers
    # Within one read messages come first; the order of reads is kept.
    assert sorted(map(repr, flat(events))) == sorted(map(repr, case.facts))
    if cut == "whole":
        assert flat(events) == case.facts
    assert session.state is case.state
    assert (session.closing is not None) is case.closes
