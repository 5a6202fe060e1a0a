"""What is done to bodies, read back with the full decoder."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdu.address import Address, Npi, Ton
from pdu.codec import encode_body
from pdu.commands import Command
from pdu.message_pdus import SubmitSm
from pdu.peek import peek_submit_sm
from pdu.reference import decode
from pdu.text.coding import encode_text
from pdu.tlvs import Tag, find_tlv
from routing.actions import NOTHING, Actions
from routing.rewrite import Rewritten, rewrite, text_of

BRAND = Address(Ton.ALPHANUMERIC, Npi.UNKNOWN, "Brand")


def body_of(text: str = "hello", **fields: Any) -> bytes:
    coding = fields.pop("data_coding", 0)
    data = encode_text(text, coding)
    assert data is not None
    return encode_body(
        SubmitSm(
            **{
                "service_type": "CMT",
                "source_addr": "41790000000",
                "source_addr_ton": 1,
                "source_addr_npi": 1,
                "destination_addr": "0791234567",
                "validity_period": "000001000000000R",
                "registered_delivery": 1,
                "short_message": data,
                "data_coding": coding,
            }
            | fields
        )
    )


def done(body: bytes, **actions: Any) -> tuple[SubmitSm, Rewritten]:
    """The whole PDU after the actions; the peek must be of the new body."""
    found = rewrite(body, peek_submit_sm(body), Actions(**actions))
    again = peek_submit_sm(found.body)
    assert all(getattr(found.peek, name) == getattr(again, name) for name in again.__slots__)
    decoded = decode(Command.SUBMIT_SM, found.body)
    assert isinstance(decoded, SubmitSm)
    return decoded, found


def test_nothing_to_do_returns_the_same_objects() -> None:
    body = body_of()
    peek = peek_submit_sm(body)
    for actions in (NOTHING, Actions(tags=("x",), charge=None, validity_s=60.0, drop=True)):
        found = rewrite(body, peek, actions)
        assert found.body is body
        assert found.peek is peek


def test_addresses_change_and_nothing_else() -> None:
    body = body_of()
    pdu, found = done(body, destination_addr="41791234567", source=BRAND)
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == BRAND
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (1, 1, "41791234567")
    assert found.left_undone == ()
    wanted = body_of(
        source_addr="Brand",
        source_addr_ton=5,
        source_addr_npi=0,
        destination_addr="41791234567",
        dest_addr_ton=1,
        dest_addr_npi=1,
    )
    assert found.body == wanted


def test_a_short_code_is_no_international_number() -> None:
    pdu, _ = done(body_of(), destination_addr="12345")
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi) == (3, 0)


def test_an_address_that_does_not_fit_is_left_and_told() -> None:
    body = body_of()
    pdu, found = done(body, destination_addr="1" * 21)
    assert pdu.destination_addr == "0791234567"
    assert found.left_undone == (f"the recipient {'1' * 21!r} does not fit an address",)


@pytest.mark.parametrize(
    ("text", "data_coding", "actions", "shown", "new_coding"),
    [
        ("hello", 0, {"footer": " STOP 123"}, "hello STOP 123", 0),
        ("hello", 0, {"footer": " ž"}, "hello ž", 8),
        ("h€llo", 3, {"footer": "!"}, None, 3),  # no euro in Latin-1: cannot be built
        ("hé", 3, {"footer": "ß"}, "héß", 3),
        ("hé", 3, {"footer": "ž"}, "héž", 8),
        ("привет", 8, {"footer": "!"}, "привет!", 8),
        ("hello", 8, {"footer": "!"}, "hello!", 0),
        ("“hello”", 8, {"transliterate": "typographic"}, '"hello"', 0),
        ("“čau”", 8, {"transliterate": "typographic"}, '"čau"', 8),
        ("“čau”", 8, {"transliterate": "lossy"}, '"cau"', 0),
        ("čau", 8, {"transliterate": "lossy", "footer": " “x”"}, 'cau "x"', 0),
        ("flash", 0xF0, {"footer": "!"}, "flash!", 0xF0),
        ("flash", 0xF0, {"footer": "ž"}, "flashž", 0x18),
        ("flash", 0x10, {"footer": "!"}, "flash!", 0xF0),
        ("hello", 0, {"transliterate": "lossy"}, "hello", 0),
    ],
)
def test_texts(
    text: str, data_coding: int, actions: dict[str, Any], shown: str | None, new_coding: int
) -> None:
    if shown is None:
        assert encode_text(text, data_coding) is None
        return
    pdu, found = done(body_of(text, data_coding=data_coding), **actions)
    assert text_of(found.body, found.peek) == shown
    assert pdu.data_coding == new_coding
    assert found.left_undone == ()
    assert pdu.validity_period == "000001000000000R"
    assert pdu.destination_addr == "0791234567"


def test_a_long_text_moves_to_message_payload_and_other_tlvs_stay() -> None:
    port = (int(Tag.USER_MESSAGE_REFERENCE), b"\0\7")
    pdu, found = done(body_of("x" * 250, tlvs=(port,)), footer="12345")
    assert pdu.short_message == b""
    assert find_tlv(found.body, found.peek.tlvs_at, Tag.MESSAGE_PAYLOAD) == b"x" * 250 + b"12345"
    assert port in pdu.tlvs
    assert text_of(found.body, found.peek) == "x" * 250 + "12345"


def test_a_text_in_message_payload_is_rewritten_too() -> None:
    payload = (int(Tag.MESSAGE_PAYLOAD), b"y" * 300)
    body = body_of("", tlvs=(payload,))
    _, found = done(body, footer="z")
    assert text_of(found.body, found.peek) == "y" * 300 + "z"
    short, _ = done(body_of("", tlvs=((int(Tag.MESSAGE_PAYLOAD), b"y"),)), footer="z")
    assert short.short_message == b"yz"
    assert short.tlvs == ()


CONCAT = b"\x05\x00\x03\x07\x02\x01"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (
            {"esm_class": 0x40, "short_message": CONCAT + b"part"},
            "the message has a user data header of its own",
        ),
        ({"data_coding": 4, "short_message": b"\x00\x01"}, "the message is no text"),
        ({"data_coding": 0xF5, "short_message": b"\x00\x01"}, "the message is no text"),
        (
            {"tlvs": ((int(Tag.SAR_MSG_REF_NUM), b"\0\1"),)},
            "the client parted the message",
        ),
    ],
)
def test_what_is_no_whole_text_stays_and_is_told(fields: dict[str, Any], why: str) -> None:
    body = body_of("", **({"short_message": b"part"} | fields))
    pdu, found = done(body, footer="!", destination_addr="41791234567")
    assert found.left_undone == (f"no footer: {why}",)
    assert pdu.destination_addr == "41791234567"  # the rest is done
    assert done(body, footer="!")[1].body == body
    undone = done(body, transliterate="lossy")[1].left_undone
    assert undone == (f"no transliteration: {why}",)


def test_a_sender_that_stays_may_be_anything() -> None:
    body = body_of(source_addr="Käse", source_addr_ton=5, source_addr_npi=0)
    pdu, found = done(body, destination_addr="41791234567")
    assert (pdu.source_addr, pdu.destination_addr) == ("Käse", "41791234567")
    assert found.left_undone == ()
    assert done(body, source=Address(5, 0, "Kä"))[1].left_undone == (
        "the sender 'Kä' does not fit an address",
    )


def test_octets_that_cannot_be_read_are_not_written_again() -> None:
    body = body_of("", short_message=b"half a letter \x00\x01\x02", data_coding=8)
    pdu, found = done(body, footer="!")
    assert pdu.short_message == b"half a letter \x00\x01\x02"
    assert found.left_undone == ("no footer: the text holds octets that are none of its coding",)


def test_a_text_beyond_a_tlv_is_left() -> None:
    body = body_of("", tlvs=((int(Tag.MESSAGE_PAYLOAD), b"y" * 65_535),))
    pdu, found = done(body, footer="z")
    assert found.left_undone == ("no footer: the text would be too long",)
    assert found.body == body
    assert pdu.short_message == b""


@given(
    st.text(max_size=40),
    st.sampled_from([0, 1, 3, 8, 0x10, 0x18, 0xF1]),
    st.text("!ž€ÿ", max_size=5),
    st.text("0123456789", min_size=1, max_size=20),
)
def test_any_text_with_any_footer(text: str, coding: int, footer: str, number: str) -> None:
    if encode_text_or_none(text, coding) is None:
        return
    pdu, found = done(body_of(text, data_coding=coding), footer=footer, destination_addr=number)
    assert text_of(found.body, found.peek) == text + footer
    assert pdu.destination_addr == number
    assert pdu.registered_delivery == 1


def encode_text_or_none(text: str, coding: int) -> bytes | None:
    """None as well where reading gives another text: GSM-7 knows two ways to write some."""
    data = encode_text(text, coding)
    if data is None or len(data) > 254:
        return None
    body = body_of(text, data_coding=coding)
    return data if text_of(body, peek_submit_sm(body)) == text else None
