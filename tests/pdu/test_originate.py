"""From a handset's text to deliver_sm bodies, and back."""

import pytest

from pdu.codec import peek_deliver_sm
from pdu.originate import deliver_bodies
from pdu.text.coding import decode_text
from pdu.text.errors import TooManyParts
from pdu.text.udh import split_header


def texts(bodies: list[bytes]) -> str:
    """All parts, put together."""
    told = ""
    for body in bodies:
        peek = peek_deliver_sm(body)
        data = body[peek.text_at : peek.text_at + peek.sm_length]
        if peek.esm_class & 0x40:
            parted = split_header(data)
            assert parted is not None
            data = parted[1]
        told += decode_text(data, peek.data_coding)
    return told


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("hello", 1),
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("й" * 70, 1),
        ("й" * 200, 3),
        ("€" * 90, 2),
    ],
)
def test_one_body_for_each_part(text: str, parts: int) -> None:
    bodies = deliver_bodies("+41791234567", "12345", text, 7)
    assert (len(bodies), texts(bodies)) == (parts, text)
    for body in bodies:
        peek = peek_deliver_sm(body)
        assert (peek.source_addr, peek.destination_addr) == ("41791234567", "12345")


def test_the_reference_says_what_belongs_together() -> None:
    for body in deliver_bodies("41791234567", "12345", "x" * 400, 0xAB):
        peek = peek_deliver_sm(body)
        assert body[peek.text_at : peek.text_at + 4] == b"\x05\x00\x03\xab"


def test_more_parts_than_can_be_counted() -> None:
    with pytest.raises(TooManyParts):
        deliver_bodies("1", "2", "x" * 153 * 256, 0)
