"""From a stored message to the bodies that a network gets."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.outgoing import concat_reference, part_bodies, part_count, unsent_parts
from pdu.codec import decode, encode_body, peek_submit_sm
from pdu.commands import Command
from pdu.errors import BodyError
from pdu.message_pdus import SubmitSm
from pdu.text.errors import TooManyParts
from pdu.text.udh import split_header
from pdu.tlvs import Tag, pack_tlv
from smsc.message import AccountId, Message, MessageId, State
from smsc.store.ids import IdAllocator
from tests.flow.house import START_MS

EXPIRES_MS = int(datetime(2026, 11, 23, 9, 30, tzinfo=UTC).timestamp() * 1000)
TARGET = pack_tlv(Tag.SAR_MSG_REF_NUM, b"\0\7")  # any other TLV passes through


def body_of(
    short_message: bytes = b"hello", payload: bytes = b"", more: bytes = b"", **fields: Any
) -> bytes:
    """A submit_sm body; `payload` goes into message_payload."""
    fields.setdefault("registered_delivery", 1)
    pdu = SubmitSm(
        source_addr="Shop", destination_addr="4179", short_message=short_message, **fields
    )
    tlvs = pack_tlv(Tag.MESSAGE_PAYLOAD, payload) if payload else b""
    return encode_body(pdu) + tlvs + more


def message_of(body: bytes, id_: int = 0x1A7 << 10) -> Message:
    """A stored message with that body."""
    account = AccountId("demo")
    return Message(
        MessageId(id_), account, "smpp", 0, 0, EXPIRES_MS, 0, 1, None, None, None, (), body
    )


def parts_of(body: bytes, **wishes: Any) -> list[bytes]:
    """The bodies, for an expiry and an id that the tests know."""
    return part_bodies(message_of(body), **wishes)


def submit_sm(body: bytes) -> SubmitSm:
    """The PDU of a body; a body at fault raises."""
    pdu = decode(Command.SUBMIT_SM, body)
    assert isinstance(pdu, SubmitSm)
    return pdu


class TestOnePart:
    def test_most_messages_leave_as_they_came(self) -> None:
        body = body_of(more=pack_tlv(Tag.USER_MESSAGE_REFERENCE, b"\0\1"))
        assert parts_of(body) == [body]

    @pytest.mark.parametrize(("wish", "asked"), [(0, 1), (2, 1), (3, 1), (0x10, 0x11), (1, 1)])
    def test_the_network_is_always_asked_for_a_receipt(self, wish: int, asked: int) -> None:
        body = body_of(registered_delivery=wish)
        (sent,) = parts_of(body)
        assert submit_sm(sent).registered_delivery == asked
        assert parts_of(body, ask_receipts=False) == [body]

    def test_a_time_to_live_becomes_a_validity(self) -> None:
        ttl = pack_tlv(Tag.QOS_TIME_TO_LIVE, b"\0\0\0\x3c")
        (sent,) = parts_of(body_of(more=TARGET + ttl))
        pdu = submit_sm(sent)
        assert pdu.validity_period == "261123093000000+"
        assert pdu.tlvs == ((int(Tag.SAR_MSG_REF_NUM), b"\0\7"),)

    @pytest.mark.parametrize(("mode", "sent"), [(0, 0), (1, 0), (2, 0), (3, 3), (0x82, 0x80)])
    def test_modes_that_we_carry_out_are_not_asked_of_the_network(
        self, mode: int, sent: int
    ) -> None:
        (body,) = parts_of(body_of(esm_class=mode))
        assert submit_sm(body).esm_class == sent
        assert submit_sm(body).short_message == b"hello"

    def test_times_are_ours_and_absolute(self) -> None:
        body = body_of(
            schedule_delivery_time="000000010000000R", validity_period="000000020000000R"
        )
        (sent,) = parts_of(body)
        pdu = submit_sm(sent)
        assert pdu.schedule_delivery_time == ""
        assert pdu.validity_period == "261123093000000+"
        assert pdu.short_message == b"hello"
        assert pdu.registered_delivery == 1

    def test_a_validity_that_the_client_did_not_give_is_not_invented(self) -> None:
        (sent,) = parts_of(body_of(schedule_delivery_time="000000010000000R"))
        assert sent == body_of()

    def test_a_payload_that_fits_becomes_a_short_message(self) -> None:
        (sent,) = parts_of(body_of(b"", payload=b"hello", more=TARGET))
        assert sent == body_of(more=TARGET)

    def test_what_the_client_parted_itself_is_left_alone(self) -> None:
        body = body_of(b"\x05\x00\x03\x07\x02\x01" + b"x" * 153, esm_class=0x40)
        assert parts_of(body) == [body]
        assert part_count(message_of(body)) == 1

    @pytest.mark.parametrize(
        "data", [b"\x01\x00" + b"x" * 300, bytes([138, 0x70, 136]) + bytes(136) + b"x" * 300]
    )
    def test_a_text_whose_header_cannot_be_parted_leaves_as_it_came(self, data: bytes) -> None:
        body = body_of(b"", payload=data, esm_class=0x40)
        assert parts_of(body) == [body]
        assert part_count(message_of(body)) == 1


class TestParts:
    def test_a_long_text_is_parted_and_its_other_facts_are_in_each_part(self) -> None:
        text = b"abcdefghi " * 30
        bodies = parts_of(body_of(b"", payload=text, more=TARGET, priority_flag=1))
        pdus = [submit_sm(one) for one in bodies]
        assert len(pdus) == part_count(message_of(body_of(b"", payload=text))) == 2
        for number, pdu in enumerate(pdus, 1):
            assert pdu.esm_class == 0x40
            header, _ = split_header(pdu.short_message) or (b"", b"")
            assert header == bytes([5, 0, 3, 0xA7, 2, number])
            assert (pdu.priority_flag, pdu.destination_addr) == (1, "4179")
            assert [tag for tag, _ in pdu.tlvs] == [Tag.SAR_MSG_REF_NUM]
        assert b"".join((split_header(one.short_message) or (b"", b""))[1] for one in pdus) == text

    def test_more_than_255_parts_is_too_many(self) -> None:
        body = body_of(b"", payload=b"x" * 60_000)
        assert part_count(message_of(body)) > 255
        with pytest.raises(TooManyParts):
            parts_of(body)


def test_messages_one_after_the_other_have_references_of_their_own() -> None:
    ids = IdAllocator(1, MessageId(0))
    in_one_ms = [concat_reference(id_) & 0xFF for id_ in ids.take(200, START_MS)]
    assert len(set(in_one_ms)) == 200
    each_ms = [concat_reference(ids.take(1, START_MS + ms)[0]) & 0xFF for ms in range(1, 200)]
    assert len(set(each_ms)) == 199


HEADERS = st.integers(0, 252).map(lambda octets: bytes([octets + 2, 0x70, octets]) + bytes(octets))
TEXTS = st.builds(bytes.__add__, st.just(b"") | HEADERS | st.binary(max_size=8), st.binary())


@given(
    short_message=TEXTS.map(lambda text: text[:254]) | st.integers(0, 254).map(bytes),
    payload=TEXTS | st.integers(0, 3000).map(bytes),
    data_coding=st.sampled_from([0, 1, 3, 4, 8, 0xF5, 0x11]),
    esm_class=st.sampled_from([0, 0x40, 0x80, 0xC0]),
    validity=st.sampled_from(["", "000000020000000R"]),
)
def test_every_body_that_intake_takes_can_leave(
    short_message: bytes, payload: bytes, data_coding: int, esm_class: int, validity: str
) -> None:
    body = body_of(
        short_message,
        payload=payload,
        data_coding=data_coding,
        esm_class=esm_class,
        validity_period=validity,
    )
    try:
        peek_submit_sm(body)
    except BodyError:
        return  # intake refuses it
    bodies = parts_of(body)
    assert len(bodies) == part_count(message_of(body))
    for one in bodies:
        assert submit_sm(one).destination_addr == "4179"


@pytest.mark.parametrize(
    ("states", "count", "unsent"),
    [
        ([], 1, [0]),
        ([], 3, [0, 1, 2]),
        ([State.QUEUED], 1, [0]),
        ([State.ENROUTE, State.QUEUED, State.DELIVERED, State.QUEUED], 4, [1, 3]),
        ([State.ENROUTE, State.QUEUED], 3, [0, 1, 2]),
    ],
)
def test_which_parts_are_still_to_be_sent(
    states: list[State], count: int, unsent: list[int]
) -> None:
    assert list(unsent_parts(bytes(states), count)) == unsent
