"""One pattern for the usual receipt, and the lazy decode for all else: the same verdict."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pdu.codec import encode_body, peek_deliver_sm
from pdu.errors import BodyError
from pdu.message_pdus import DeliverSm
from pdu.peek import SubmitPeek
from pdu.usual_receipt import read_deliver_sm

BEHIND_ID = b" sub:001 dlvrd:001 submit date:2611220730 done date:2611220731 stat:DELIVRD err:000"
TEXT = b"id:7F00" + BEHIND_ID + b" text:hello"
USUAL = encode_body(
    DeliverSm(source_addr="4179", destination_addr="Shop", esm_class=0x04, short_message=TEXT)
)


def test_the_usual_receipt_is_its_id_and_the_rest_of_its_text() -> None:
    assert read_deliver_sm(USUAL) == ("7F00", BEHIND_ID)


@pytest.mark.parametrize(
    "fields",
    [
        {"esm_class": 0x00},
        {"esm_class": 0x20},
        {"esm_class": 0x04, "validity_period": "000001000000000R"},
        {"esm_class": 0x04, "tlvs": ((0x0427, b"\x02"),)},
        {"esm_class": 0x04, "short_message": TEXT.replace(b"7F00", b"7F-00")},
        {"esm_class": 0x04, "short_message": TEXT.replace(b"err:000", b"err:0")},
        {"esm_class": 0x04, "short_message": b"hello"},
    ],
)
def test_what_is_not_usual_is_peeked_at(fields: dict[str, object]) -> None:
    body = encode_body(DeliverSm(**{"short_message": TEXT} | fields))  # type: ignore[arg-type]
    assert isinstance(read_deliver_sm(body), SubmitPeek)


def _verdict(look: Callable[[bytes], Any], body: bytes) -> Any:
    """What it says, or why it refuses."""
    try:
        return look(body)
    except BodyError as error:
        return str(error)


@given(
    changes=st.lists(
        st.tuples(
            st.integers(0, len(USUAL)),
            st.sampled_from(["put", "cut", "insert"]),
            st.binary(min_size=1, max_size=3) | st.sampled_from([b"\0", b"1" * 21]),
        ),
        max_size=3,
    )
)
@example(changes=[])
@example(changes=[(1, "insert", b"1" * 21)])
@example(changes=[(len(USUAL), "insert", b"\x04\x27\x00\x01\x02")])
def test_no_octet_makes_it_another_verdict(changes: list[tuple[int, str, bytes]]) -> None:
    body = USUAL
    for at, how, octets in changes:
        behind = at if how == "insert" else at + len(octets)
        body = body[:at] + (b"" if how == "cut" else octets) + body[behind:]
    peek, read = _verdict(peek_deliver_sm, body), _verdict(read_deliver_sm, body)
    if isinstance(peek, str):
        assert read == peek
        return
    if isinstance(read, SubmitPeek):
        assert all(getattr(read, name) == getattr(peek, name) for name in SubmitPeek.__slots__)
        return
    message_id, behind_id = read
    text = body[peek.text_at :]
    assert (peek.tlvs_at, peek.sm_length) == (len(body), len(text))
    assert peek.esm_class & 0x3C == 0x04
    assert text.startswith(b"id:" + message_id.encode() + behind_id + b" text:")
