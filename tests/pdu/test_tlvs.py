"""TLVs: walked without trust, found, packed, read by their kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu.errors import BodyError
from pdu.message_pdus import DeliverSm
from pdu.status import Status
from pdu.tlv_table import ROW_BY_TAG, TLV_TABLE, Tag
from pdu.tlvs import (
    LENGTHS,
    Tlvs,
    find_tlv,
    iter_tlvs,
    make_tlv,
    pack_tlv,
    parse_tlvs,
    tag_name,
    tlv_int,
    tlv_text,
    tlv_value,
    typed_value,
)
from tests.pdu.strategies import tlvs


def packed(given: Tlvs) -> bytes:
    return b"".join(pack_tlv(tag, value) for tag, value in given)


@given(tlvs(), st.binary(max_size=10))
def test_walking_gives_back_what_was_packed(given: Tlvs, front: bytes) -> None:
    body = front + packed(given)
    assert tuple(iter_tlvs(body, len(front))) == given
    assert parse_tlvs(body, len(front)) == given
    for tag, _ in given:
        assert find_tlv(body, len(front), tag) == tlv_value(given, tag)


@given(tlvs().filter(bool), st.data())
def test_every_cut_is_seen(given: Tlvs, data: st.DataObject) -> None:
    octets = packed(given)
    whole = {len(packed(given[:count])) for count in range(len(given) + 1)}
    cut = data.draw(st.integers(1, len(octets)).filter(lambda end: end not in whole))
    with pytest.raises(BodyError) as raised:
        parse_tlvs(octets[:cut], 0)
    assert raised.value.status == Status.ESME_RINVTLVSTREAM


@pytest.mark.parametrize("row", TLV_TABLE, ids=lambda row: row.tag.name)
def test_a_length_outside_the_table_is_refused_unless_tolerated(row: object) -> None:
    tag, (shortest, longest) = row.tag, LENGTHS[row.tag]  # type: ignore[attr-defined]  # a TlvRow
    for octets in (shortest, longest):
        assert parse_tlvs(pack_tlv(tag, bytes(octets)), 0) == ((tag, bytes(octets)),)
    wrong = [octets for octets in (shortest - 1, longest + 1) if 0 <= octets <= 0xFFFF]
    for octets in wrong:
        area = pack_tlv(tag, bytes(octets))
        with pytest.raises(BodyError) as raised:
            parse_tlvs(area, 0)
        assert (raised.value.status, raised.value.field) == (
            Status.ESME_RINVTLVLEN,
            tag_name(tag),
        )
        assert parse_tlvs(area, 0, check_lengths=False) == ((tag, bytes(octets)),)


def test_the_table_is_whole() -> None:
    assert len(TLV_TABLE) == len(ROW_BY_TAG) == len(Tag) == 64
    assert tag_name(0x0424) == "message_payload"
    assert tag_name(0x1501) == "0x1501"


def test_values_are_read_by_their_kind() -> None:
    receipt = DeliverSm(
        tlvs=(
            (Tag.RECEIPTED_MESSAGE_ID, b"1a2b\0"),
            (Tag.MESSAGE_STATE, b"\x02"),
            (Tag.MESSAGE_STATE, b"\x05"),
            (Tag.ADDITIONAL_STATUS_INFO_TEXT, b"no NUL"),
        )
    )
    assert receipt.tlv(Tag.MESSAGE_STATE) == b"\x02"
    assert receipt.tlv_int(Tag.MESSAGE_STATE) == 2
    assert receipt.tlv_text(Tag.RECEIPTED_MESSAGE_ID) == "1a2b"
    assert receipt.tlv_text(Tag.ADDITIONAL_STATUS_INFO_TEXT) == "no NUL"
    assert receipt.tlv(Tag.SOURCE_PORT) is None
    assert tlv_int(receipt.tlvs, Tag.SOURCE_PORT) is None
    assert tlv_text(receipt.tlvs, Tag.SOURCE_PORT) is None


@pytest.mark.parametrize(
    ("tag", "typed", "octets"),
    [
        (Tag.USER_MESSAGE_REFERENCE, 7, b"\0\7"),
        (Tag.QOS_TIME_TO_LIVE, 3600, b"\0\0\x0e\x10"),
        (Tag.SOURCE_TELEMATICS_ID, 0x20, b"\x20"),
        (Tag.SOURCE_TELEMATICS_ID, 0x120, b"\x01\x20"),
        (Tag.RECEIPTED_MESSAGE_ID, "1a2b", b"1a2b\0"),
        (Tag.MS_MSG_WAIT_FACILITIES, 0x81, b"\x81"),
        (Tag.CALLBACK_NUM, b"\1\1\x0112345", b"\1\1\x0112345"),
        (Tag.ALERT_ON_MESSAGE_DELIVERY, b"", b""),
        (0x1501, b"any", b"any"),
    ],
)
def test_typed_values_go_both_ways(tag: int, typed: object, octets: bytes) -> None:
    assert make_tlv(tag, typed) == (tag, octets)  # type: ignore[arg-type]  # as parametrized
    assert typed_value(tag, octets) == typed
    if octets:
        assert make_tlv(tag, typed_value(tag, octets)) == (tag, octets)


@pytest.mark.parametrize("row", TLV_TABLE, ids=lambda row: row.tag.name)
def test_every_tlv_of_the_table_is_typed(row: object) -> None:
    tag, kind, longest = row.tag, row.kind, row.len_max  # type: ignore[attr-defined]  # a TlvRow
    value = typed_value(tag, b"1" * min(longest, 70))
    expected = {"int": int, "bits": int, "cstring": str, "octets": bytes}[kind]
    assert type(value) is expected


@pytest.mark.parametrize(("tag", "value"), [(Tag.MESSAGE_STATE, 256), (5, -1), (0x1501, 1)])
def test_a_number_that_does_not_fit_is_refused(tag: int, value: int) -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        make_tlv(tag, value)


def test_what_does_not_fit_is_not_packed() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        pack_tlv(0x10000, b"")
    with pytest.raises(ValueError, match="does not fit"):
        pack_tlv(5, bytes(0x10000))


def test_nothing_is_found_behind_the_end() -> None:
    assert find_tlv(b"abc", 3, 5) is None
    assert find_tlv(b"abc", 9, 5) is None
    assert find_tlv(pack_tlv(6, b"1"), 0, 5) is None
