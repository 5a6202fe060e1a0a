"""Messages that can be told apart wherever they turn up: in a log, on a wire, in the store.

*In*: a seeded source of chance. *Out*: submit_sm bodies, and what was promised of each.
*Never*: one tag twice.
"""

import random
import re
from collections.abc import Iterator
from itertools import count

import attrs

from pdu.codec import encode_body
from pdu.message_pdus import SubmitSm
from pdu.peek import SubmitPeek
from pdu.text.udh import Udh, split_header
from pdu.tlvs import Tag, find_tlv, pack_tlv
from smsc.message import State

_TAG = re.compile(rb"<(\w+)>")
_UDHI = 0x40
TAKEN, REFUSED_BY_CARRIER, UNROUTED = "4179", "4178", "99"
"""Beginnings of destinations: who takes such a message."""
PARTS_OF_LONG = 3
_LONG_OCTETS = 400


@attrs.frozen
class Letter:
    """One message of a client."""

    tag: str
    body: bytes
    destination: str
    registered_delivery: int
    parts: int

    @property
    def is_routed(self) -> bool:
        """Will the gateway take it?"""
        return not self.destination.startswith(UNROUTED)

    def wants_receipt(self, state: State) -> bool:
        """Must the client hear of this final state (SMPP 5.0 §4.7.21)?"""
        if state is State.DELIVERED:
            return self.registered_delivery in {1, 3}
        return self.registered_delivery in {1, 2}


def letters(draw: random.Random) -> Iterator[Letter]:
    """One after the other, without end."""
    for number in count(1):
        tag = f"m{number}"
        (destination,) = draw.choices((TAKEN, REFUSED_BY_CARRIER, UNROUTED), (40, 3, 1))
        registered_delivery = draw.choice((1, 1, 1, 1, 1, 0, 2, 3))
        is_long = not draw.randrange(10)
        word = f"<{tag}> ".encode()
        body = encode_body(
            SubmitSm(
                source_addr="Shop",
                destination_addr=f"{destination}{number:07d}",
                registered_delivery=registered_delivery,
                short_message=b"" if is_long else word,
            )
        )
        if is_long:
            text = (word * (_LONG_OCTETS // len(word) + 1))[:_LONG_OCTETS]
            body += pack_tlv(Tag.MESSAGE_PAYLOAD, text)
        parts = PARTS_OF_LONG if is_long else 1
        yield Letter(tag, body, destination, registered_delivery, parts)


def text_of(body: bytes, peek: SubmitPeek) -> bytes:
    """short_message or message_payload, user data header included."""
    text = body[peek.text_at : peek.text_at + peek.sm_length]
    return text or find_tlv(body, peek.tlvs_at, Tag.MESSAGE_PAYLOAD) or b""


def part_of(body: bytes, peek: SubmitPeek) -> tuple[str, int]:
    """(tag, part) of a submit_sm or deliver_sm body; parts count from 0."""
    text = text_of(body, peek)
    part = 0
    if peek.esm_class & _UDHI:
        header, text = split_header(text) or (b"", text)
        parsed = Udh.parse(header)
        assert parsed is not None
        assert parsed.concat is not None
        part = parsed.concat.seqnum - 1
    found = _TAG.search(text)
    assert found, body
    return found[1].decode(), part
