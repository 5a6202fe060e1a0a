"""HOT: the caches behind the generated codec: pieces of PDUs that hardly vary.

*In*: a run of fields; octets that the quick check captured, or values to encode.
*Out*: values of the run, or its octets; None when one is out of range.
*Never*: grows beyond :data:`CACHE_ENTRIES`; keeps an unsound piece.
"""

import re
from collections.abc import Callable
from struct import Struct
from typing import Any, Final

from pdu.fields import COctetString, Field, Integer, Kind, TimeString
from pdu.reference import TIME_OCTETS
from pdu.tlvs import LENGTHS, Tlvs

CACHE_ENTRIES: Final = 4096

# A longer TLV area is not worth remembering: it holds a text.
AREA_OCTETS: Final = 64

_TLV_HEAD: Final = Struct(">HH")
_unpack_tlv_head = _TLV_HEAD.unpack_from
_pack_tlv_head = _TLV_HEAD.pack


def field_pattern(kind: Kind, valid: frozenset[int] | None = None) -> bytes:
    """One field as a regular expression; a string ends with its NUL."""
    match kind:
        case Integer(octets):
            if valid is None:
                return b"." * octets
            return b"[" + b"".join(rb"\x%02x" % value for value in sorted(valid)) + b"]"
        case COctetString(limit):
            return rb"[^\0]{0,%d}+\0" % (limit - 1)
        case TimeString():
            return rb"(?:[^\0]{%d})?\0" % (TIME_OCTETS - 1)
    raise TypeError(f"{kind} has no fixed shape")


class DecodedPieces:
    """Octets of one run of fields → their values.

    :param after_string: the run begins with the NUL of the string before it.
    """

    def __init__(
        self, run: tuple[Field, ...], *, tolerant: bool, after_string: bool = False
    ) -> None:
        self.known: dict[bytes, tuple[Any, ...]] = {}
        self._match = run_matcher(run, tolerant=tolerant, after_string=after_string).fullmatch
        self._read = value_reader(run)

    def read(self, piece: bytes) -> tuple[Any, ...] | None:
        """The values of a piece not met lately; None when one is out of range."""
        found = self._match(piece)
        if found is None:
            return None
        values = self._read(found.groups())
        if len(self.known) >= CACHE_ENTRIES:
            self.known.clear()
        self.known[piece] = values
        return values


def run_matcher(
    run: tuple[Field, ...], *, tolerant: bool, after_string: bool = False
) -> "re.Pattern[bytes]":
    """One group for each field, values judged unless ``tolerant``."""
    pattern = rb"\0" if after_string else b""
    for field in run:
        valid = field.kind.valid if isinstance(field.kind, Integer) and not tolerant else None
        one = field_pattern(field.kind, valid)
        if isinstance(field.kind, Integer):
            pattern += b"(" + one + b")"
        else:
            pattern += b"(" + one[:-2] + rb")\0"
    return re.compile(pattern, re.DOTALL)


def value_reader(run: tuple[Field, ...]) -> Callable[[tuple[bytes, ...]], tuple[Any, ...]]:
    """What turns the groups of :func:`run_matcher` into values."""
    numbers = tuple(isinstance(field.kind, Integer) for field in run)

    def read(parts: tuple[bytes, ...]) -> tuple[Any, ...]:
        return tuple(
            [
                int.from_bytes(part, "big") if number else part.decode("latin-1")
                for number, part in zip(numbers, parts, strict=True)
            ]
        )

    return read


class EncodedPieces:
    """Values of all runs of one stage, in one key → their octets, and how many these are.

    :param runs: each with whether it begins with the NUL of the string before it.
    """

    def __init__(self, runs: list[tuple[tuple[Field, ...], bool]]) -> None:
        self.known: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self._runs = [
            ("\0" if after_string else "", tuple(_longest_text(field.kind) for field in run))
            for run, after_string in runs
        ]

    def make(self, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Pieces of values not met lately, then their octets; None when one does not fit."""
        pieces: list[Any] = []
        left = iter(values)
        try:
            for start, limits in self._runs:
                text = start + "".join([_as_text(limit, next(left)) for limit in limits])
                pieces.append(text.encode("latin-1"))
        except ValueError:
            return None
        pieces.append(sum(map(len, pieces)))
        if len(self.known) >= CACHE_ENTRIES:
            self.known.clear()
        made = self.known[values] = tuple(pieces)
        return made


def _as_text(limit: "range | tuple[int, int] | None", value: Any) -> str:
    """One value as Latin-1 text.

    :raises ValueError: it does not fit its place.
    """
    if limit is None:
        if 0 <= value <= 0xFF:
            return chr(value)
    elif len(value) in limit and "\0" not in value:
        return f"{value}\0"
    raise ValueError


def _longest_text(kind: Kind) -> "range | tuple[int, int] | None":
    """Lengths that a string may have; None for one octet."""
    match kind:
        case COctetString(limit):
            return range(limit)
        case TimeString():
            return (0, TIME_OCTETS - 1)
    return None


class TlvAreas:
    """Whole TLV areas ↔ their TLVs.

    Receipts, segments and registered senders repeat theirs to the octet; a longer or new area
    is walked.
    """

    def __init__(self, *, check_lengths: bool) -> None:
        self.known: dict[bytes, Tlvs] = {}
        self.packed: dict[Tlvs, bytes] = {}
        self._bounds = LENGTHS if check_lengths else {}

    def read(self, body: bytes, at: int) -> Tlvs | None:
        """The TLVs from offset ``at`` on; None when cut off or of a wrong length."""
        tlvs: list[tuple[int, bytes]] = []
        area_at = at
        end = len(body)
        bounds_of = self._bounds.get
        while at + 4 <= end:
            tag, octets = _unpack_tlv_head(body, at)
            bounds = bounds_of(tag)
            if bounds is not None and not bounds[0] <= octets <= bounds[1]:
                return None
            start = at + 4
            at = start + octets
            tlvs.append((tag, body[start:at]))
        if at != end:
            return None
        area = tuple(tlvs)
        if end - area_at <= AREA_OCTETS:
            if len(self.known) >= CACHE_ENTRIES:
                self.known.clear()
            self.known[body[area_at:]] = area
        return area

    def pack(self, tlvs: Tlvs) -> bytes | None:
        """The octets of TLVs; None when a tag or a length does not fit two octets."""
        parts: list[bytes] = []
        for tag, value in tlvs:
            if not 0 <= tag <= 0xFFFF or len(value) > 0xFFFF:
                return None
            parts.extend((_pack_tlv_head(tag, len(value)), value))
        area = b"".join(parts)
        if len(area) <= AREA_OCTETS:
            if len(self.packed) >= CACHE_ENTRIES:
                self.packed.clear()
            self.packed[tlvs] = area
        return area
