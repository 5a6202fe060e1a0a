"""Septets packed eight in seven octets, and back.

*In*: unpacked septets (one an octet, bit 7 clear). *Out*: packed octets. *Never*: characters.

TS 23.038 §6.1.2: septet i takes bits 7i to 7i+6 of a little-endian bit string. HOT for accounts
with packed text: the octets are one big integer, and three mask-and-shift steps halve the gaps
between 7, 14, 28 and 56 bits for all groups at once; the last gap, one octet in eight, closes by
slicing. 160 septets: 0.9 µs each way (CPython 3.11, 2-core VM, 2026-11-22).
"""

from functools import lru_cache
from typing import Final

CR: Final = 0x0D
_ASCII = bytes(range(128)) * 2
_TAKE = tuple(slice(i, None, 7) for i in range(7))
_PUT = tuple(slice(i, None, 8) for i in range(7))
_EIGHTH = slice(7, None, 8)


def pack(septets: bytes) -> bytes:
    """Pack; ceil(7 * n / 8) octets, spare bits zero. Bit 7 of an octet is dropped."""
    count = len(septets)
    if not septets.isascii():
        septets = septets.translate(_ASCII)
    groups = (count + 7) >> 3
    low7, high7, low14, high14, low28, high28 = _masks(groups)
    bits = int.from_bytes(septets, "little")
    bits = bits & low7 | (bits & high7) >> 1
    bits = bits & low14 | (bits & high14) >> 2
    bits = bits & low28 | (bits & high28) >> 4
    octets = bytearray(bits.to_bytes(groups << 3, "little"))
    del octets[_EIGHTH]
    return bytes(octets[: (7 * count + 7) >> 3])


def unpack(octets: bytes, count: int | None = None) -> bytes:
    """Unpack `count` septets; without a count all that fit, floor(8 * n / 7).

    Octets beyond the last septet are ignored; missing ones read as zero bits.
    """
    length = len(octets)
    if count is None:
        count = (length << 3) // 7
    groups = max((count + 7) >> 3, (length + 6) // 7)
    low7, high7, low14, high14, low28, high28 = _masks(groups)
    padded = octets + bytes(7 * groups - length)
    spread = bytearray(groups << 3)
    for take, put in zip(_TAKE, _PUT, strict=True):
        spread[put] = padded[take]
    bits = int.from_bytes(spread, "little")
    bits = bits & low28 | (bits << 4) & high28
    bits = bits & low14 | (bits << 2) & high14
    bits = bits & low7 | (bits << 1) & high7
    return bits.to_bytes(groups << 3, "little")[:count]


@lru_cache(maxsize=64)
def _masks(groups: int) -> tuple[int, int, int, int, int, int]:
    """For each of the three steps: the halves that stay, the halves that move (wide layout)."""

    def repeat(group: int) -> int:
        return int.from_bytes(group.to_bytes(8, "little") * groups, "little")

    return (
        repeat(0x007F_007F_007F_007F),
        repeat(0x7F00_7F00_7F00_7F00),
        repeat(0x0000_3FFF_0000_3FFF),
        repeat(0x3FFF_0000_3FFF_0000),
        repeat(0x0000_0000_0FFF_FFFF),
        repeat(0x0FFF_FFFF_0000_0000),
    )


def pack_text(septets: bytes, header: bytes = b"") -> bytes:
    """Packed user data with its header (UDHL first): fill bits up to the next septet boundary.

    TS 23.040 §9.2.3.24: TP-UD as a TPDU carries it; the spare bits at the end are zero because
    TP-UDL says how many septets there are. `user_data_length` gives TP-UDL.
    """
    if not header:
        return pack(septets)
    fill = -8 * len(header) % 7
    bits = int.from_bytes(pack(septets), "little") << fill
    octets = (fill + 7 * len(septets) + 7) >> 3
    return header + bits.to_bytes(octets, "little")


def user_data_length(septets: int, header_octets: int = 0) -> int:
    """TP-UDL in septets: the header rounded up to whole septets, then the text."""
    return (8 * header_octets + 6) // 7 + septets


def pack_padded(septets: bytes) -> bytes:
    """Pack for carriers that do not tell the number of septets (packed SMPP text, USSD, CBS).

    TS 23.038 §6.1.2.3.1: seven spare bits would read as "@", so they hold CR; and a text whose last
    septet is a CR on an octet boundary gets a second one, lest the reader drop it.
    """
    if len(septets) % 8 == 7 or (septets and len(septets) % 8 == 0 and septets[-1] == CR):
        return pack(septets + bytes([CR]))
    return pack(septets)


def unpack_text(octets: bytes, header_octets: int = 0, count: int | None = None) -> bytes:
    """Septets of packed text that follows a header of so many octets (not in `octets`).

    Without `count` the text ends where the octets end. When they end on a septet boundary the last
    septet is ambiguous: CR, or "@" of seven zero bits, is padding and dropped; after a CR that
    stands on the boundary itself the second CR is the padding (see `pack_padded`).
    """
    fill = -8 * header_octets % 7
    if fill:
        octets = (int.from_bytes(octets, "little") >> fill).to_bytes(len(octets), "little")
    if count is not None:
        return unpack(octets, count)
    bits = 8 * len(octets) - fill
    septets = unpack(octets, bits // 7) if bits > 0 else b""
    if septets and bits % 7 == 0:
        return septets[:-1] if septets[-1] in {0, CR} else septets
    return septets[:-1] if len(septets) % 8 == 1 and septets[-2:] == b"\r\r" else septets
