"""Jasmin's custom_tlvs: a list of [tag, length, type, value].

*In*: the list, or JSON text of it. *Out*: TLVs as a body has them.
*Never*: I/O; a TLV that says what a message is: its text.

The length is what the value makes it, whatever the list says: Jasmin leaves it empty.
"""

from typing import Final

from bridges.http.dialects import loose_json
from bridges.http.dialects.jasmin_arguments import Value
from pdu.tlvs import LENGTHS, Tag

Tlvs = tuple[tuple[int, bytes], ...]

MAX_TLVS: Final = 32
MAX_OCTETS: Final = 1024
_BARRED: Final = frozenset({Tag.MESSAGE_PAYLOAD})
_INT_OCTETS: Final = {"Int1": 1, "Int2": 2, "Int4": 4}


def parse_tlvs(value: Value | None) -> Tlvs | None:
    """The TLVs; None when one cannot be."""
    if value is None:
        return ()
    rows: object = value
    if isinstance(value, str | bytes):
        rows = loose_json.loads(
            value.encode("utf-8", "replace") if isinstance(value, str) else value
        )
    if not isinstance(rows, list) or len(rows) > MAX_TLVS:
        return None
    tlvs = [_parse_row(row) for row in rows]
    return None if None in tlvs else tuple(tlv for tlv in tlvs if tlv is not None)


def _parse_row(row: object) -> tuple[int, bytes] | None:
    if not isinstance(row, list) or len(row) != 4 or not isinstance(row[2], str):
        return None
    tag, octets = _number(row[0]), _octets(row[2], row[3])
    if tag is None or octets is None or not 0 < tag <= 0xFFFF or tag in _BARRED:
        return None
    shortest, longest = LENGTHS.get(tag, (0, MAX_OCTETS))
    return (tag, octets) if shortest <= len(octets) <= min(longest, MAX_OCTETS) else None


def _octets(kind: str, value: object) -> bytes | None:
    if kind in _INT_OCTETS:
        number = _number(value)
        length = _INT_OCTETS[kind]
        if number is None or not 0 <= number < 1 << 8 * length:
            return None
        return number.to_bytes(length, "big")
    if not isinstance(value, str) or kind not in {"OctetString", "COctetString"}:
        return None
    octets = value.encode("utf-8", "replace")
    return octets + b"\0" if kind == "COctetString" else octets


def _number(value: object) -> int | None:
    """A number, or its digits; JSON has no hexadecimal numbers, so those come as text."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        return value if isinstance(value, int) else int(value, 0)
    except ValueError:
        return None
