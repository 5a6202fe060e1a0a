"""The GSM 7-bit default alphabet with its extension table.

*In*: text. *Out*: unpacked septets, one an octet, "€" and its like as 0x1B xx; and back.
*Never*: an exception for odd input; see `septets.py`, where national tables live as well.

TS 23.038 §6.2.1. HOT: most texts take the first lines of `encode` and
`decode`: Latin-1, `translate`, one look for a mark. What that path cannot do goes to the general
alphabet. 160 characters: encode 0.27 µs, decode 0.17 µs (CPython 3.11, 2-core VM, 2026-11-22).
"""

from typing import Final

from pdu.text.packing import pack, unpack
from pdu.text.septets import septet_alphabet
from pdu.text.tables import LOCKING, VOID

__all__ = ["DEFAULT", "decode", "encode", "missing", "pack", "unpack"]

DEFAULT: Final = septet_alphabet()

_NO_SEPTET = 0x80
_NOT_LATIN1 = 0x80
"""No character of the alphabet: it marks escapes, Greek and octets that are no septets."""
_FROM_LATIN1 = bytes(
    LOCKING[0].index(char) if char in LOCKING[0] else _NO_SEPTET for char in map(chr, range(256))
)
_TO_LATIN1 = bytes(
    ord(char) if ord(char) < 256 else _NOT_LATIN1 for char in LOCKING[0].ljust(256, VOID)
)


def encode(text: str) -> bytes | None:
    """Unpacked septets of `text`, or None when a character is outside the alphabet.

    None, not an exception: "not representable" is the usual answer that leads to UCS-2.
    `missing(text)` names the characters.
    """
    # "ignore" drops what Latin-1 has not without building an exception; the length tells.
    octets = text.encode("latin-1", "ignore")
    if len(octets) == len(text):
        septets = octets.translate(_FROM_LATIN1)
        if septets.isascii():
            return septets
    return DEFAULT.encode(text)


def decode(septets: bytes) -> str:
    """Text of unpacked septets; never fails, see `SeptetAlphabet.decode`."""
    octets = septets.translate(_TO_LATIN1)
    return DEFAULT.decode(septets) if _NOT_LATIN1 in octets else octets.decode("latin-1")


missing = DEFAULT.missing
