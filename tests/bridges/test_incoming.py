"""Messages of handsets, from carriers that mean something of their own by data_coding 0."""

from typing import Any

import pytest

from bridges.quirks import Quirks
from pdu.codec import decode, encode_body
from pdu.commands import Command
from pdu.message_pdus import DeliverSm
from pdu.text.coding import decode_text
from pdu.text.packing import pack_text
from pdu.tlvs import Tag

HEADER = b"\5\0\3\x07\2\1"


def arrived(alphabet: Any, **fields: Any) -> DeliverSm:
    body = encode_body(DeliverSm(source_addr="4179", destination_addr="1", **fields))
    pdu = decode(Command.DELIVER_SM, Quirks(default_alphabet=alphabet).mobile_originated(body))
    assert isinstance(pdu, DeliverSm)
    return pdu


@pytest.mark.parametrize(
    ("alphabet", "octets", "text"),
    [
        ("gsm7", b"h\x05llo \0", "héllo @"),
        ("latin1", "héllo @[".encode("latin-1"), "héllo @["),
        ("ascii", b"a@b_$c", "a@b_$c"),
        ("packed", pack_text(b"h\x05llo \0.", padded=True), "héllo @."),
    ],
)
def test_the_text_is_what_the_carrier_means(alphabet: str, octets: bytes, text: str) -> None:
    sm = arrived(alphabet, short_message=octets)
    assert decode_text(sm.short_message, sm.data_coding) == text
    assert (sm.source_addr, sm.tlvs) == ("4179", ())
    (tag, payload), *others = arrived(alphabet, tlvs=((Tag.MESSAGE_PAYLOAD, octets),)).tlvs
    assert tag == Tag.MESSAGE_PAYLOAD
    assert decode_text(payload, sm.data_coding) == text
    assert not others


def test_a_part_keeps_its_header() -> None:
    packed = pack_text(b"hello", HEADER, padded=True)
    sm = arrived("packed", short_message=packed, esm_class=0x40)
    assert (sm.short_message, sm.esm_class) == (HEADER + b"hello", 0x40)


def test_more_septets_than_short_message_holds_go_into_the_payload() -> None:
    sm = arrived("packed", short_message=pack_text(b"x" * 280, padded=True))
    assert (sm.short_message, sm.tlvs) == (b"", ((Tag.MESSAGE_PAYLOAD, b"x" * 280),))


def test_another_data_coding_is_left_alone() -> None:
    text = "é".encode("utf-16-be")
    sm = arrived("latin1", short_message=text, data_coding=8)
    assert (sm.short_message, sm.data_coding) == (text, 8)
