"""data_sm as a message, and back: nothing of it is lost on the way."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu.codec import decode, encode_body
from pdu.commands import RESPONSE
from pdu.errors import BodyError
from pdu.message_pdus import DataSm, DeliverSm
from pdu.operations import V34, V50
from pdu.status import Status
from pdu.tlvs import Tag
from smsc.session.data_sm import data_body, message_body, without_tlvs
from tests.fakes.wire import SUBMIT, C, esme_bound, frames, mc_bound, pdu

ADDRESS = st.text("0123456789", max_size=20)
OCTET = st.integers(0, 0xFF)
PAYLOAD = int(Tag.MESSAGE_PAYLOAD)
DATA = encode_body(DataSm(source_addr="Shop", destination_addr="4179", tlvs=((PAYLOAD, b"hi"),)))


def deliver(text: bytes = b"", **fields: Any) -> DeliverSm:
    return DeliverSm(source_addr="4179", destination_addr="12345", short_message=text, **fields)


@given(
    service_type=st.sampled_from(["", "WAP"]),
    source_addr=ADDRESS,
    destination_addr=ADDRESS,
    esm_class=st.sampled_from([0, 1, 2, 3, 4, 0x80]),
    registered_delivery=OCTET,
    data_coding=OCTET,
    tlvs=st.lists(
        st.tuples(st.sampled_from([0x1400, 0x1401, PAYLOAD]), st.binary(max_size=5)), max_size=3
    ).map(tuple),
)
def test_there_and_back_again(**fields: Any) -> None:
    body = encode_body(DataSm(**fields))
    as_message = message_body(body)
    assert decode(C.DELIVER_SM, as_message) == DeliverSm(**fields)
    assert data_body(as_message) == body


def test_a_short_text_becomes_the_payload() -> None:
    fields: dict[str, Any] = {"esm_class": 4, "data_coding": 8, "registered_delivery": 2}
    more = (int(Tag.MESSAGE_STATE), b"\2")
    body = encode_body(deliver(b"id:1", protocol_id=3, priority_flag=1, tlvs=(more,), **fields))
    assert decode(C.DATA_SM, data_body(body)) == DataSm(
        source_addr="4179", destination_addr="12345", tlvs=((PAYLOAD, b"id:1"), more), **fields
    )


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"source_addr": "4" * 21}, Status.ESME_RINVSRCADR),
        ({"destination_addr": "4" * 21}, Status.ESME_RINVDSTADR),
    ],
)
def test_addresses_that_no_message_has_room_for(fields: dict[str, Any], status: int) -> None:
    with pytest.raises(BodyError) as raised:
        message_body(encode_body(DataSm(**fields)))
    assert raised.value.status == status


@pytest.mark.parametrize(
    ("given_", "left"),
    [
        (deliver(b"short", tlvs=((int(Tag.MESSAGE_STATE), b"\2"),)), deliver(b"short")),
        (deliver(tlvs=((PAYLOAD, b"long"),)), deliver(b"long")),
        (deliver(tlvs=((PAYLOAD, b"x" * 300),)), deliver(b"x" * 254)),
        (deliver(tlvs=((0x1400, b"x"),)), deliver()),
    ],
)
def test_without_tlvs_the_text_stays(given_: DeliverSm, left: DeliverSm) -> None:
    assert without_tlvs(encode_body(given_)) == encode_body(left)


class TestAnswers:
    def test_each_message_is_answered_by_its_own_response(self) -> None:
        session = mc_bound()
        session.receive(
            pdu(C.DATA_SM, 1, DATA) + pdu(C.SUBMIT_SM, 2, SUBMIT) + pdu(C.DATA_SM, 3, DATA), 1.0
        )
        assert (session.owed, session.owes_data_sm) == (3, True)
        session.accept_many([1, 2], [b"17", b"18"])
        session.answer_many([(3, Status.ESME_RTHROTTLED, b"")])
        assert frames(session.take_output()) == [
            (C.DATA_SM | RESPONSE, 0, 1, b"17\0"),
            (C.SUBMIT_SM | RESPONSE, 0, 2, b"18\0"),
            (C.DATA_SM | RESPONSE, Status.ESME_RTHROTTLED, 3, b""),
        ]
        assert (session.owed, session.owes_data_sm) == (0, False)
        # The number is free again: a submit_sm with it is a submit_sm.
        session.receive(pdu(C.SUBMIT_SM, 1, SUBMIT), 2.0)
        session.accept_many([1], [b"19"])
        assert frames(session.take_output()) == [(C.SUBMIT_SM | RESPONSE, 0, 1, b"19\0")]

    def test_a_failure_keeps_its_field_in_5_0(self) -> None:
        session = mc_bound(version=V50)
        session.receive(pdu(C.DATA_SM, 1, DATA), 1.0)
        session.answer_many([(1, Status.ESME_RTHROTTLED, b"")])
        assert frames(session.take_output())[0][3] == b"\0"

    def test_an_esme_answers_its_carrier_in_kind(self) -> None:
        session = esme_bound()
        session.receive(pdu(C.DATA_SM, 1, DATA) + pdu(C.DELIVER_SM, 2, SUBMIT), 1.0)
        session.answer_many([(1, 0, b""), (2, Status.ESME_RX_T_APPN, b"")])
        assert frames(session.take_output()) == [
            (C.DATA_SM | RESPONSE, 0, 1, b"\0"),
            (C.DELIVER_SM | RESPONSE, Status.ESME_RX_T_APPN, 2, b"\0"),
        ]

    def test_an_esme_confirms_in_kind_and_falls_silent_at_the_end(self) -> None:
        session = esme_bound()
        for first, commands in ((1, (C.DATA_SM, C.DELIVER_SM)), (3, (C.DELIVER_SM, C.DELIVER_SM))):
            numbers = (first, first + 1)
            bodies = [DATA if command is C.DATA_SM else SUBMIT for command in commands]
            session.receive(b"".join(map(pdu, commands, numbers, bodies)), 1.0)
            session.confirm_many(numbers, (0, Status.ESME_RX_T_APPN))
            assert frames(session.take_output()) == [
                (commands[0] | RESPONSE, 0, numbers[0], b"\0"),
                (commands[1] | RESPONSE, Status.ESME_RX_T_APPN, numbers[1], b"\0"),
            ]
            assert session.owed == 0
        session.receive(pdu(C.DELIVER_SM, 5, SUBMIT), 2.0)
        session.lost()
        session.confirm_many((5,), (0,))
        assert session.take_output() == b""

    def test_data_sm_of_ours_has_its_answer(self) -> None:
        session = mc_bound()
        session.request_many([DATA], ["context"], 1.0, C.DATA_SM)
        ((command_id, _, number, body),) = frames(session.take_output())
        assert (command_id, body) == (C.DATA_SM, DATA)
        (event,) = session.receive(pdu(C.DATA_SM | RESPONSE, number, b"\0"), 2.0)
        assert event.answers == [("context", 0, b"\0")]  # type: ignore[union-attr]
        assert session.outstanding == 0


class TestLateAnswers:
    def test_what_is_set_aside_fills_no_window(self) -> None:
        session = mc_bound(hold=1)
        session.receive(pdu(C.DATA_SM, 1, DATA), 1.0)
        assert session.is_full
        session.set_aside()
        assert not session.is_full
        session.receive(pdu(C.SUBMIT_SM, 2, SUBMIT), 1.0)
        assert session.is_full
        session.answer_many([(2, 0, b"18")])
        session.answer_late(1, 0, b"17", b"")
        assert (session.owed, session.is_full) == (0, False)
        assert [frame[2] for frame in frames(session.take_output())] == [2, 1]

    def test_an_unbind_waits_for_it(self) -> None:
        session = mc_bound()
        session.receive(pdu(C.DATA_SM, 1, DATA), 1.0)
        session.set_aside()
        session.receive(pdu(C.UNBIND, 2), 1.0)
        assert session.closing is None
        session.answer_late(1, Status.ESME_RDELIVERYFAILURE, b"17", b"\4\x25\0\1\3")
        assert frames(session.take_output()) == [
            (C.DATA_SM | RESPONSE, Status.ESME_RDELIVERYFAILURE, 1, b"17\0\4\x25\0\1\3"),
            (C.UNBIND | RESPONSE, 0, 2, b""),
        ]
        assert session.closing == "unbound by the peer"

    @pytest.mark.parametrize(("version", "may"), [(V34, False), (V50, True)])
    def test_submit_sm_may_wait_in_5_0_alone(self, version: int, may: bool) -> None:
        session = mc_bound(version=version)
        session.receive(pdu(C.SUBMIT_SM, 1, SUBMIT) + pdu(C.DATA_SM, 2, DATA), 1.0)
        assert (session.may_wait(1), session.may_wait(2)) == (may, True)

    def test_a_refusal_has_the_form_of_any_other(self) -> None:
        session = mc_bound()
        session.receive(pdu(C.DATA_SM, 1, DATA), 1.0)
        session.set_aside()
        session.answer_late(1, Status.ESME_RINVDSTADR, b"", b"")
        assert frames(session.take_output()) == [
            (C.DATA_SM | RESPONSE, Status.ESME_RINVDSTADR, 1, b"")
        ]


class TestAnswer:
    def test_a_request_is_owed_until_it_is_answered(self) -> None:
        session = mc_bound()
        session.receive(pdu(C.QUERY_SM, 1, b"1\0\0\0\0") + pdu(C.UNBIND, 2), 1.0)
        assert session.owed == 1
        assert session.closing is None
        session.answer(C.QUERY_SM, 1, 0, b"1\0\0\2\0")
        assert frames(session.take_output()) == [
            (C.QUERY_SM | RESPONSE, 0, 1, b"1\0\0\2\0"),
            (C.UNBIND | RESPONSE, 0, 2, b""),
        ]

    @pytest.mark.parametrize("version", [0x33, 0x34, 0x50])
    def test_a_failure_is_its_header(self, version: int) -> None:
        session = mc_bound(version=version)
        session.receive(pdu(C.QUERY_SM, 1, b"1\0\0\0\0"), 1.0)
        session.answer(C.QUERY_SM, 1, Status.ESME_RQUERYFAIL)
        assert frames(session.take_output()) == [
            (C.QUERY_SM | RESPONSE, Status.ESME_RQUERYFAIL, 1, b"")
        ]

    def test_nothing_is_said_on_a_lost_connection(self) -> None:
        session = mc_bound()
        session.receive(pdu(C.QUERY_SM, 1, b"1\0\0\0\0"), 1.0)
        session.lost()
        session.answer(C.QUERY_SM, 1, 0, b"1\0\0\2\0")
        assert session.take_output() == b""


class TestAlerts:
    @pytest.mark.parametrize(
        ("kind", "version", "is_sent"),
        [
            (C.BIND_RECEIVER, 0x34, True),
            (C.BIND_TRANSCEIVER, 0x50, True),
            (C.BIND_TRANSMITTER, 0x34, False),
            (C.BIND_RECEIVER, 0x33, False),
        ],
    )
    def test_only_receivers_that_know_it_are_told(
        self, kind: int, version: int, is_sent: bool
    ) -> None:
        session = mc_bound(kind, version=version)
        session.notify(b"body")
        sent = [(frame[0], frame[3]) for frame in frames(session.take_output())]
        assert sent == ([(C.ALERT_NOTIFICATION, b"body")] if is_sent else [])
        assert session.outstanding == 0
