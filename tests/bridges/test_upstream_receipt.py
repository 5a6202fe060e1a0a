"""What of a carrier's deliver_sm is a receipt, and what it says."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridges.quirks import Quirks
from bridges.upstream_receipt import read_any_receipt, read_receipt
from pdu.codec import encode_body, peek_deliver_sm
from pdu.message_pdus import DeliverSm
from pdu.tlvs import Tag
from pdu.usual_receipt import read_deliver_sm
from smsc.message import OutletName, State
from smsc.ports import UpstreamReceipt

CARRIER = OutletName("carrier")
TEXT = (
    b"id:7F00 sub:001 dlvrd:000 submit date:2611220730 done date:2611220731 "
    b"stat:UNDELIV err:027 text:hello"
)
DONE_MS = 1795332660000  # 2026-11-22T07:31Z


def read(**fields: Any) -> UpstreamReceipt | None:
    body = encode_body(DeliverSm(source_addr="4179", destination_addr="Shop", **fields))
    return read_receipt(CARRIER, read_deliver_sm(body), body)


def tlv(tag: Tag, value: bytes) -> tuple[int, bytes]:
    return (int(tag), value)


def test_the_text_alone() -> None:
    assert read(esm_class=0x04, short_message=TEXT) == UpstreamReceipt(
        CARRIER, "7F00", State.UNDELIVERABLE, 27, DONE_MS
    )


def test_the_text_in_message_payload() -> None:
    receipt = read(esm_class=0x04, tlvs=(tlv(Tag.MESSAGE_PAYLOAD, TEXT),))
    assert receipt is not None
    assert receipt.upstream_id == "7F00"


def test_tlvs_win_over_the_text() -> None:
    tlvs = (tlv(Tag.RECEIPTED_MESSAGE_ID, b"32512\0"), tlv(Tag.MESSAGE_STATE, b"\x02"))
    receipt = read(esm_class=0x04, short_message=TEXT, tlvs=tlvs)
    assert receipt == UpstreamReceipt(CARRIER, "32512", State.DELIVERED, 27, DONE_MS)


@pytest.mark.parametrize("blank", [b"", b"\0", b"  \0", b"\0\0"])
def test_an_empty_id_is_none(blank: bytes) -> None:
    tlvs = (tlv(Tag.RECEIPTED_MESSAGE_ID, blank), tlv(Tag.MESSAGE_STATE, b"\x02"))
    for esm_class in (0, 0x04):
        receipt = read(esm_class=esm_class, short_message=TEXT, tlvs=tlvs)
        assert receipt == UpstreamReceipt(CARRIER, "7F00", State.DELIVERED, 27, DONE_MS)
    assert read(esm_class=0, short_message=b"hello", tlvs=tlvs) is None


def test_tlvs_alone_even_when_esm_class_forgets_to_say_so() -> None:
    tlvs = (tlv(Tag.RECEIPTED_MESSAGE_ID, b"17\0"), tlv(Tag.MESSAGE_STATE, b"\x05"))
    for esm_class in (0, 0x04):
        assert read(esm_class=esm_class, tlvs=tlvs) == UpstreamReceipt(
            CARRIER, "17", State.UNDELIVERABLE
        )


@pytest.mark.parametrize(
    ("octet", "state"),
    [(one, State(one)) for one in range(9)] + [(9, State.UNDELIVERABLE), (200, State.UNKNOWN)],
)
def test_every_message_state(octet: int, state: State) -> None:
    tlvs = (tlv(Tag.RECEIPTED_MESSAGE_ID, b"17"), tlv(Tag.MESSAGE_STATE, bytes((octet,))))
    receipt = read(esm_class=0x04, tlvs=tlvs)
    assert receipt is not None
    assert receipt.state is state


@pytest.mark.parametrize("esm_class", [0x08, 0x10, 0x18, 0x48])
def test_what_a_handset_acknowledges_is_a_message_even_if_it_names_one(esm_class: int) -> None:
    tlvs = (tlv(Tag.RECEIPTED_MESSAGE_ID, b"17\0"),)
    body = b"\5\0\3\1\2\1x" if esm_class & 0x40 else b"read"
    assert read(esm_class=esm_class, short_message=body, tlvs=tlvs) is None


@pytest.mark.parametrize("text", [b"id:7F00 sub:001 dlvrd:001 err:027", b"id:7F00"])
def test_the_state_in_a_tlv_and_the_id_in_the_text(text: bytes) -> None:
    state = tlv(Tag.MESSAGE_STATE, b"\x05")
    receipt = read(esm_class=0x04, short_message=text, tlvs=(state,))
    assert receipt is not None
    assert (receipt.upstream_id, receipt.state) == ("7F00", State.UNDELIVERABLE)
    assert receipt.error == (27 if b"err" in text else 0)
    assert read(esm_class=0, short_message=text, tlvs=(state,)) is None


def test_an_intermediate_notification_never_ends_a_message() -> None:
    receipt = read(esm_class=0x20, short_message=TEXT)
    assert receipt is not None
    assert receipt.state is State.ENROUTE


def test_a_state_that_nobody_knows_is_unknown() -> None:
    receipt = read(esm_class=0x04, short_message=TEXT.replace(b"UNDELIV", b"WHOKNOW"))
    assert receipt is not None
    assert receipt.state is State.UNKNOWN


@pytest.mark.parametrize(
    ("err", "error"), [(b"000", 0), (b"12345", 12345), (b"9" * 30, 0), (b"0x1B", 0), (b"", 0)]
)
def test_errors_that_are_numbers(err: bytes, error: int) -> None:
    receipt = read(esm_class=0x04, short_message=TEXT.replace(b"err:027", b"err:" + err))
    assert receipt is not None
    assert receipt.error == error


@pytest.mark.parametrize(
    ("esm_class", "text"),
    [(0x00, b"hello"), (0x00, TEXT), (0x40, b"\x05\0\x03\x01\x02\x01hello")],
    ids=["plain", "quotes a receipt", "a part"],
)
def test_anything_else_is_a_message(esm_class: int, text: bytes) -> None:
    assert read(esm_class=esm_class, short_message=text) is None


@pytest.mark.parametrize("text", [b"", b"thanks", b"stat:DELIVRD err:000", b"id:7F00 sub:001"])
@pytest.mark.parametrize("tlvs", [(), (tlv(Tag.RECEIPTED_MESSAGE_ID, b"\0"),)])
@pytest.mark.parametrize("esm_class", [0x04, 0x44, 0x20])
def test_what_is_marked_as_a_receipt_is_never_a_message(
    esm_class: int, tlvs: tuple[tuple[int, bytes], ...], text: bytes
) -> None:
    receipt = read(esm_class=esm_class, short_message=text, tlvs=tlvs)
    assert receipt is not None
    assert receipt.upstream_id == ""


@pytest.mark.parametrize("header", [b"\5\0\3\1\1\1", b"\0", b""], ids=["a part", "empty", "none"])
@pytest.mark.parametrize("text", [TEXT, TEXT.decode().encode("utf-16-be")])
def test_a_user_data_header_is_not_of_the_text(header: bytes, text: bytes) -> None:
    in_text = {"short_message": header + text} if len(text) < 200 else {}
    payload = () if in_text else (tlv(Tag.MESSAGE_PAYLOAD, header + text),)
    receipt = read(esm_class=0x44, **in_text, tlvs=payload)
    assert receipt == UpstreamReceipt(CARRIER, "7F00", State.UNDELIVERABLE, 27, DONE_MS)


_QUIRKS = [
    Quirks(),
    Quirks(receipts="tlv"),
    Quirks(receipts="text"),
    Quirks(receipt_dates="ignore"),
    Quirks(receipt_dates="ddmmyy", receipt_ahead_min=60),
]


@given(
    text=st.one_of(
        st.from_regex(
            rb"id:[0-9a-fA-F-]{0,12} sub:001 dlvrd:00[01] submit date:26112[0-9]07[0-6]0"
            rb" done date:261122073[0-9] stat:(DELIVRD|UNDELIV|ODDWORD) err:[0-9A-F]{3}"
            rb"( text:[ -~]{0,9}| Text:x|)",
            fullmatch=True,
        ),
        st.binary(max_size=80),
    ),
    esm_class=st.sampled_from([0x04, 0x00, 0x20, 0x08, 0x44]),
    quirks=st.sampled_from(_QUIRKS),
    has_tlv=st.booleans(),
)
@example(text=TEXT, esm_class=4, quirks=Quirks(), has_tlv=False)
@example(text=TEXT.replace(b"7F00", b"a:b"), esm_class=4, quirks=Quirks(), has_tlv=False)
@example(text=TEXT.replace(b"7F00", b"7F00 id:8"), esm_class=4, quirks=Quirks(), has_tlv=False)
def test_the_usual_form_is_read_as_any_other(
    text: bytes, esm_class: int, quirks: Quirks, has_tlv: bool
) -> None:
    tlvs = (tlv(Tag.MESSAGE_STATE, b"\x05"),) if has_tlv else ()
    body = encode_body(DeliverSm(esm_class=esm_class, short_message=text, tlvs=tlvs))
    assert read_receipt(CARRIER, read_deliver_sm(body), body, quirks) == read_any_receipt(
        CARRIER, peek_deliver_sm(body), body, quirks
    )
