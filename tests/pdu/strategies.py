"""Hypothesis strategies drawn from the tables, so that a new PDU class is tested at once."""

import random
from typing import Any, Final

from hypothesis import strategies as st

from pdu.codec import encode_body
from pdu.fields import (
    ELEMENTS,
    TABLES,
    COctetString,
    CountedOctets,
    Field,
    Group,
    Integer,
    Pdu,
    TimeString,
)
from pdu.tlvs import LENGTHS, Tag, Tlvs

_CHARACTERS: Final = st.characters(min_codepoint=1, max_codepoint=255)
UDHI: Final = 0x40


def tlvs() -> st.SearchStrategy[Tlvs]:
    """Known ones of allowed length, unknown ones, vendor ones, repeated ones."""
    known = st.sampled_from(sorted(LENGTHS)).flatmap(
        lambda tag: st.tuples(
            st.just(tag), st.binary(min_size=LENGTHS[tag][0], max_size=min(LENGTHS[tag][1], 80))
        )
    )
    unknown = st.tuples(
        st.integers(0, 0xFFFF).filter(lambda tag: tag not in LENGTHS), st.binary(max_size=80)
    )
    return st.lists(known | unknown, max_size=4).map(tuple)


def pdus(command_id: int) -> st.SearchStrategy[Pdu]:
    """Objects of one operation that its strict decoder accepts."""
    table = TABLES[command_id]
    drawn = {field.name: _values(field, tolerant=table.tolerant) for field in table.fields}
    strategy = st.builds(table.cls, **drawn, tlvs=tlvs()).map(_with_sound_header)
    if table.may_lack_body:
        bodiless: Any = table.cls
        # An object with a body encodes to one octet at least, so only this one is bodiless.
        return strategy | st.just(bodiless(bodiless=True))
    return strategy


def any_pdu() -> st.SearchStrategy[Pdu]:
    return st.sampled_from(sorted(TABLES)).flatmap(pdus)


def bodies() -> st.SearchStrategy[tuple[int, bytes]]:
    """(command_id, body) of any operation."""
    return any_pdu().map(lambda pdu: (pdu.command_id, encode_body(pdu)))


def mutated_bodies() -> st.SearchStrategy[tuple[int, bytes]]:
    """(command_id, body) after a few blows."""
    return st.tuples(bodies(), st.integers(0, 2**32)).map(
        lambda drawn: (drawn[0][0], mutate(drawn[0][1], random.Random(drawn[1])))
    )


def mutate(octets: bytes, source: random.Random) -> bytes:
    """A few blows: octets changed, put in, taken out, cut off, doubled."""
    data = bytearray(octets)
    for _ in range(source.choice((1, 1, 1, 2, 3, 8))):
        at = source.randrange(len(data) + 1)
        match source.randrange(6):
            case 0 if at < len(data):
                data[at] = source.choice((0, 1, 0x40, 0x7F, 0xFF, source.randrange(256)))
            case 1:
                data.insert(at, source.randrange(256))
            case 2:
                del data[at : at + source.randrange(1, 4)]
            case 3:
                del data[at:]
            case 4:
                data[at:at] = data[at : at + source.randrange(1, 24)]
            case _:
                data[at:at] = bytes(source.randrange(1, 24))
    return bytes(data)


def _values(field: Field, *, tolerant: bool) -> st.SearchStrategy[Any]:
    match field.kind:
        case Integer(octets, _, valid):
            if valid is not None and not tolerant:
                return st.sampled_from(sorted(valid))
            return st.integers(0, 256**octets - 1)
        case COctetString(limit):
            return st.text(_CHARACTERS, max_size=limit - 1)
        case TimeString():
            return st.just("") | st.text(_CHARACTERS, min_size=16, max_size=16)
        case CountedOctets():
            return st.binary(max_size=255)
        case Group():
            return _elements(field.kind, tolerant=tolerant)


def _elements(group: Group, *, tolerant: bool) -> st.SearchStrategy[Any]:
    variants = [
        st.builds(
            cls,
            **{field.name: _values(field, tolerant=tolerant) for field in ELEMENTS[cls]},
        )
        for cls in group.variants.values()
    ]
    return st.lists(st.one_of(variants), min_size=group.at_least, max_size=5).map(tuple)


def _with_sound_header(pdu: Pdu) -> Pdu:
    """Where the UDH indicator came up but no header stands in the text, take it down."""
    esm_class = getattr(pdu, "esm_class", 0)
    text = getattr(pdu, "short_message", b"") or pdu.tlv(Tag.MESSAGE_PAYLOAD) or b""
    if esm_class & UDHI and (not text or text[0] >= len(text)):
        free: Any = pdu
        free.esm_class = esm_class & ~UDHI
    return pdu
