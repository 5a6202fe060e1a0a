"""Septets packed eight in seven octets, and back.

*In*: unpacked septets (one an octet, bit 7 clear). *Out*: packed octets. *Never*: characters.

TS 23.038 §6.1.2: septet i takes bits 7i to 7i+6 of a little-endian bit string. HOT for accounts
with packed text: the octets are one big integer, and mask-and-shift steps close or open the gaps
between 7, 14, 28 and 56 bits for all groups at once. Packing closes the last gap, one octet in
eight, by slicing; unpacking opens the widest, two octets in sixteen, by a struct of fields joined
on zeros (bytes and integers each do best what is cheaper for them). 160 septets: pack 1.3 µs,
unpack 1.45 µs (CPython 3.11, 2-core VM, 2026-11-22).
"""

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Final

CR: Final = 0x0D
_ASCII = bytes(range(128)) * 2
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
    pairs = (length + 13) // 14
    if count > pairs << 4:
        pairs = (count + 15) >> 4
    fields, low56, high56 = _fields(pairs)
    low7, high7, low14, high14, low28, high28 = _masks(pairs << 1)
    spaced = b"\x00\x00".join(fields(octets.ljust(14 * pairs, b"\x00")))
    bits = int.from_bytes(spaced, "little")
    bits = bits & low56 | (bits << 8) & high56
    bits = bits & low28 | (bits << 4) & high28
    bits = bits & low14 | (bits << 2) & high14
    bits = bits & low7 | (bits << 1) & high7
    return bits.to_bytes(pairs << 4, "little")[:count]


@lru_cache(maxsize=64)
def _fields(pairs: int) -> tuple[Callable[[bytes], tuple[bytes, ...]], int, int]:
    """Read octets as so many fields of fourteen; and the masks that part each in two."""
    low56 = int.from_bytes((b"\xff" * 7 + bytes(9)) * pairs, "little")
    return struct.Struct("14s" * pairs).unpack, low56, low56 << 64


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


def pack_text(septets: bytes, header: bytes = b"", *, padded: bool = False) -> bytes:
    """Packed user data behind its header (UDHL first): fill bits lead to a septet boundary.

    TS 23.040 §9.2.3.24. In a TPDU the spare bits at the end are zero, because TP-UDL
    (`user_data_length`) says how many septets there are. `padded` is for carriers that do not tell
    (packed SMPP text, USSD, CBS), TS 23.038 §6.1.2.3.1: seven spare bits would read as "@", so they
    hold CR; a CR that ends on an octet boundary gets a second one, lest the reader drop it.
    """
    fill = -8 * len(header) % 7
    if padded and septets:
        spare = -(fill + 7 * len(septets)) % 8
        if spare == 7 or (spare == 0 and septets[-1] == CR):
            septets += b"\r"
    if not fill:
        return header + pack(septets)
    bits = int.from_bytes(pack(septets), "little") << fill
    return header + bits.to_bytes((fill + 7 * len(septets) + 7) >> 3, "little")


def unpack_text(octets: bytes, header_octets: int = 0, count: int | None = None) -> bytes:
    """Septets of packed text behind a header of so many octets (not part of `octets`).

    Without `count` the text ends where the octets end, and padding is dropped: a last septet of
    CR, or of seven zero bits, that ends with the last octet; the second of two CRs of which the
    first ends on an octet boundary. An "@" in the first place cannot be told from padding.
    """
    fill = -8 * header_octets % 7
    bits = 8 * len(octets) - fill
    if fill:
        octets = (int.from_bytes(octets, "little") >> fill).to_bytes(len(octets), "little")
    if count is not None:
        return unpack(octets, count)
    septets = unpack(octets, bits // 7) if bits > 0 else b""
    if septets and bits % 7 == 0:
        is_padding = septets[-1] in {0, CR}
    else:
        is_padding = septets[-2:] == b"\r\r" and (fill + 7 * (len(septets) - 1)) % 8 == 0
    return septets[:-1] if is_padding else septets


def user_data_length(septets: int, header_octets: int = 0) -> int:
    """TP-UDL in septets: the header rounded up to whole septets, then the text."""
    return (8 * header_octets + 6) // 7 + septets


def pack_short_message(short_message: bytes, *, has_udh: bool = False) -> bytes:
    """Pack a part of unpacked septets for an account whose data_coding 0 means packed text."""
    header_octets = short_message[0] + 1 if has_udh else 0
    return pack_text(short_message[header_octets:], short_message[:header_octets], padded=True)


def unpack_short_message(short_message: bytes, *, has_udh: bool = False) -> bytes:
    """Unpack what `pack_short_message` packed; a header that overruns leaves no text."""
    header_octets = short_message[0] + 1 if has_udh and short_message else 0
    return short_message[:header_octets] + unpack_text(short_message[header_octets:], header_octets)
