"""TLVs: walking, finding, packing, and reading their values by the table.

*In*: the octets behind the mandatory fields, or (tag, value) pairs.
*Out*: (tag, value) pairs in wire order, repeated and unknown ones too, values untouched.
*Never*: trusts a length; never drops or reorders what it does not know.

SMPP 3.4 §3.2.4, §5.3; the rows are in :mod:`pdu.tlv_table`.
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final

from pdu.errors import BodyError
from pdu.status import Status
from pdu.tlv_table import ROW_BY_TAG, TLV_TABLE, Tag, TlvRow

__all__ = [
    "LENGTHS",
    "TLV_TABLE",
    "Tag",
    "TlvRow",
    "Tlvs",
    "find_tlv",
    "iter_tlvs",
    "make_tlv",
    "pack_tlv",
    "parse_tlvs",
    "tag_name",
    "tlv_int",
    "tlv_text",
    "tlv_value",
    "typed_value",
]

Tlvs = tuple[tuple[int, bytes], ...]

_HEAD: Final = Struct(">HH")
_unpack_head = _HEAD.unpack_from
HEAD_OCTETS: Final = 4

# Tag: (shortest, longest) value in octets; unknown tags are absent.
LENGTHS: Final[dict[int, tuple[int, int]]] = {
    tag: (row.len_min, row.len_max) for tag, row in ROW_BY_TAG.items()
}
_ANY_LENGTH: Final = (0, 0xFFFF)


def iter_tlvs(body: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Yield each (tag, value) from offset ``at`` to the end.

    :raises BodyError: ESME_RINVTLVSTREAM when a head or a value is cut off.
    """
    end = len(body)
    while at < end:
        if at + HEAD_OCTETS > end:
            raise _cut_off(at, end)
        tag, length = _unpack_head(body, at)
        start = at + HEAD_OCTETS
        at = start + length
        if at > end:
            raise _cut_off(start - HEAD_OCTETS, end)
        yield tag, body[start:at]


def find_tlv(body: bytes, tlvs_at: int, tag: int) -> bytes | None:
    """The value of the first TLV of that tag; None when there is none.

    :raises BodyError: ESME_RINVTLVSTREAM when the area is cut off before the tag is found.
    """
    end = len(body)
    if tlvs_at >= end:
        return None
    for found, value in iter_tlvs(body, tlvs_at):
        if found == tag:
            return value
    return None


def parse_tlvs(body: bytes, at: int, *, check_lengths: bool = True) -> Tlvs:
    """The whole TLV area.

    :param check_lengths: refuse a known tag whose length is outside the table.
    :raises BodyError: ESME_RINVTLVSTREAM when cut off, ESME_RINVTLVLEN for a wrong length;
        of several faults the first by position.
    """
    tlvs: list[tuple[int, bytes]] = []
    for tag, value in iter_tlvs(body, at):
        shortest, longest = LENGTHS.get(tag, _ANY_LENGTH)
        if check_lengths and not shortest <= len(value) <= longest:
            why = f"{tag_name(tag)} has {len(value)} octets, not {shortest}..{longest}"
            raise BodyError(Status.ESME_RINVTLVLEN, why, tag_name(tag))
        tlvs.append((tag, value))
    return tuple(tlvs)


def pack_tlv(tag: int, value: bytes) -> bytes:
    """One TLV as octets.

    :raises ValueError: tag or length does not fit two octets.
    """
    if not 0 <= tag <= 0xFFFF or len(value) > 0xFFFF:
        raise ValueError(f"TLV 0x{tag:04X} of {len(value)} octets does not fit")
    return _HEAD.pack(tag, len(value)) + value


def tag_name(tag: int) -> str:
    """The name in the specification; an unknown tag as ``0x1501``."""
    row = ROW_BY_TAG.get(tag)
    return f"0x{tag:04X}" if row is None else row.tag.name.lower()


def tlv_value(tlvs: Tlvs, tag: int) -> bytes | None:
    """The first value of that tag; None when there is none."""
    for found, value in tlvs:
        if found == tag:
            return value
    return None


def tlv_int(tlvs: Tlvs, tag: int) -> int | None:
    """The first value of that tag as an unsigned number, whatever its length; None when absent."""
    value = tlv_value(tlvs, tag)
    return None if value is None else int.from_bytes(value, "big")


def tlv_text(tlvs: Tlvs, tag: int) -> str | None:
    """The first value of that tag as Latin-1 text up to its NUL, which may be missing."""
    value = tlv_value(tlvs, tag)
    return None if value is None else value.split(b"\0", 1)[0].decode("latin-1")


def typed_value(tag: int, value: bytes) -> int | str | bytes:
    """A value as its row says: a number, text without its NUL (which may be missing), or octets.

    Unknown tags and values without octets stay octets.
    """
    row = ROW_BY_TAG.get(tag)
    if row is None or not value or row.kind == "octets":
        return value
    if row.kind == "cstring":
        return value.split(b"\0", 1)[0].decode("latin-1")
    return int.from_bytes(value, "big")


def make_tlv(tag: int, value: int | str | bytes) -> tuple[int, bytes]:
    """A TLV of a typed value, in the shortest length the table allows it.

    :raises ValueError: the value does not fit, or a number is given for a tag without a row.
    """
    if isinstance(value, str):
        return tag, value.encode("latin-1") + b"\0"
    if isinstance(value, bytes):
        return tag, value
    shortest, longest = LENGTHS.get(tag, (0, 0))
    octets = max(shortest, (value.bit_length() + 7) // 8, 1)
    if value < 0 or octets > longest:
        raise ValueError(f"{tag_name(tag)} cannot hold {value}")
    return tag, value.to_bytes(octets, "big")


def _cut_off(at: int, end: int) -> BodyError:
    why = f"the TLV at octet {at} of the body goes beyond its {end} octets"
    return BodyError(Status.ESME_RINVTLVSTREAM, why)
