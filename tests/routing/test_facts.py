"""Facts are read from the body, and only those that are asked for."""

from typing import Any

from pdu.codec import encode_body
from pdu.message_pdus import SubmitSm
from pdu.peek import peek_submit_sm
from pdu.tlvs import Tag
from routing.facts import part_count, read_key
from routing.key import RouteKey

BODY = encode_body(
    SubmitSm(
        source_addr="Shop",
        source_addr_ton=5,
        destination_addr="+41791234567",
        esm_class=3,
        priority_flag=2,
        data_coding=8,
        short_message="grüezi".encode("utf-16-be"),
    )
)


def test_a_table_without_conditions_gets_the_first_facts_only() -> None:
    key = read_key(BODY, peek_submit_sm(BODY), account="a", source="smpp", group="g", at_ms=7)
    assert key == RouteKey("a", "smpp", "Shop", "41791234567")


def test_a_table_with_conditions_gets_what_it_needs() -> None:
    peek = peek_submit_sm(BODY)
    details = RouteKey("a", "smpp", "Shop", "41791234567", ("t",), "g", 5, 3, 8, 2, 7)
    asked: dict[str, Any] = {
        "account": "a",
        "source": "smpp",
        "tags": ("t",),
        "group": "g",
        "at_ms": 7,
    }
    assert read_key(BODY, peek, **asked, needs={"details"}) == details
    everything = read_key(BODY, peek, **asked, needs={"details", "text", "parts"})
    assert (everything.text, everything.parts) == ("grüezi", 1)


def test_a_sender_is_read_without_its_plus() -> None:
    body = encode_body(SubmitSm(source_addr="+41791234567", destination_addr="4179"))
    assert read_key(body, peek_submit_sm(body), account="a", source="smpp").source_addr == (
        "41791234567"
    )


def parts(short_message: bytes, **fields: Any) -> int:
    body = encode_body(SubmitSm(short_message=short_message, **fields))
    return part_count(body, peek_submit_sm(body))


def test_parts_are_counted_as_the_outlet_will_part_it() -> None:
    assert parts(b"") == 1
    assert parts(b"x" * 160) == 1
    assert parts(b"x" * 161) == 2
    assert parts("ž".encode("utf-16-be") * 70, data_coding=8) == 1
    assert parts("ž".encode("utf-16-be") * 71, data_coding=8) == 2
    part = b"\x05\x00\x03\x07\x02\x01" + b"x" * 153
    assert parts(part, esm_class=0x40) == 1
    payload = encode_body(SubmitSm(tlvs=((int(Tag.MESSAGE_PAYLOAD), b"x" * 307),)))
    assert part_count(payload, peek_submit_sm(payload)) == 3
