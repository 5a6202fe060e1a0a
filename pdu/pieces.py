"""HOT: the caches behind the generated codec: pieces of PDUs that hardly vary.

*In*: a run of fields; text captured by the quick check, or values to encode.
*Out*: values of the run, or its octets; None when one is out of range.
*Never*: grows beyond :data:`CACHE_ENTRIES`; keeps an unsound piece.
"""

import re
from struct import Struct
from typing import Any, Final

from pdu.fields import COctetString, Field, Integer, Kind, TimeString
from pdu.reference import TIME_OCTETS
from pdu.tlvs import LENGTHS

CACHE_ENTRIES: Final = 4096

_TLV_HEAD: Final = Struct(">HH")
_ANY_LENGTH: Final = (0, 0xFFFF)


def field_pattern(kind: Kind, valid: frozenset[int] | None) -> str:
    """One field as a regular expression over Latin-1 text; a string ends with its NUL."""
    match kind:
        case Integer(octets):
            if valid is None:
                return "." * octets
            return "[" + "".join(f"\\x{value:02x}" for value in sorted(valid)) + "]"
        case COctetString(limit):
            return rf"[^\0]{{0,{limit - 1}}}+\0"
        case TimeString():
            return rf"(?:[^\0]{{{TIME_OCTETS - 1}}})?\0"
    raise TypeError(f"{kind} has no fixed shape")


class DecodedPieces:
    """Captured text of one run of fields → their values."""

    def __init__(self, run: tuple[Field, ...], *, tolerant: bool) -> None:
        self.known: dict[str, tuple[Any, ...]] = {}
        self._numbers = tuple(isinstance(field.kind, Integer) for field in run)
        pattern = ""
        for field in run:
            if isinstance(field.kind, Integer):
                valid = None if tolerant else field.kind.valid
                pattern += f"({field_pattern(field.kind, valid)})"
            else:
                pattern += f"({field_pattern(field.kind, None)[:-2]})\\0"
        self._match = re.compile(pattern, re.DOTALL).fullmatch

    def read(self, piece: str) -> tuple[Any, ...] | None:
        """The values of a piece not met lately; None when one is out of range."""
        found = self._match(piece)
        if found is None:
            return None
        values = tuple(
            [
                ord(part) if number else part
                for number, part in zip(self._numbers, found.groups(), strict=True)
            ]
        )
        if len(self.known) >= CACHE_ENTRIES:
            self.known.clear()
        self.known[piece] = values
        return values


class EncodedPieces:
    """Values of one run of fields → its octets."""

    def __init__(self, run: tuple[Field, ...]) -> None:
        self.known: dict[tuple[Any, ...], bytes] = {}
        self._limits = tuple(_longest_text(field.kind) for field in run)

    def make(self, values: tuple[Any, ...]) -> bytes | None:
        """The octets of values not met lately; None when one does not fit."""
        text = ""
        for limit, value in zip(self._limits, values, strict=True):
            if limit is None:
                if not 0 <= value <= 0xFF:
                    return None
                text += chr(value)
            elif len(value) in limit and "\0" not in value:
                text += value + "\0"
            else:
                return None
        try:
            piece = text.encode("latin-1")
        except UnicodeEncodeError:
            return None
        if len(self.known) >= CACHE_ENTRIES:
            self.known.clear()
        self.known[values] = piece
        return piece


def _longest_text(kind: Kind) -> "range | tuple[int, int] | None":
    """Lengths that a string may have; None for one octet."""
    match kind:
        case COctetString(limit):
            return range(limit)
        case TimeString():
            return (0, TIME_OCTETS - 1)
    return None


class TlvHeads:
    """The four octets in front of a TLV's value ↔ (tag, length)."""

    def __init__(self, *, check_lengths: bool) -> None:
        self.known: dict[bytes, tuple[int, int]] = {}
        self.packed: dict[tuple[int, int], bytes] = {}
        self._check_lengths = check_lengths

    def read(self, head: bytes) -> tuple[int, int] | None:
        """Tag and length of a head not met lately; None when cut off or of a wrong length."""
        if len(head) < _TLV_HEAD.size:
            return None
        tag, length = _TLV_HEAD.unpack(head)
        shortest, longest = LENGTHS.get(tag, _ANY_LENGTH)
        if self._check_lengths and not shortest <= length <= longest:
            return None
        if len(self.known) >= CACHE_ENTRIES:
            self.known.clear()
        self.known[head] = (tag, length)
        return tag, length

    def pack(self, tag: int, length: int) -> bytes | None:
        """A head not met lately; None when tag or length does not fit two octets."""
        if not 0 <= tag <= 0xFFFF or length > 0xFFFF:
            return None
        if len(self.packed) >= CACHE_ENTRIES:
            self.packed.clear()
        head = self.packed[tag, length] = _TLV_HEAD.pack(tag, length)
        return head
