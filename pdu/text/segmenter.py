"""Parting a long text: the short_message of each part.

*In*: encoded text (septets one an octet, UTF-16BE or octets), its data_coding, a reference.
*Out*: one content without a concatenation header when it fits, else each with one.
*Never*: a torn escape pair or surrogate pair; a torn grapheme cluster only when it is larger than
a part; more than 255 parts.

TS 23.040 §9.2.3.24.1; SMPP 3.4 §5.2.12 (UDHI), §5.3.2.22-24 (SAR). A TPDU carries 140 octets:
160 septets, 70 UTF-16 units; with an 8-bit reference 153 and 67, with a 16-bit one 152 and 66.
HOT: a default-alphabet text without escapes is sliced; only a cut next to an odd character looks.
"""

from typing import Final, NamedTuple

from pdu.text.alphabet import Alphabet, alphabet_of
from pdu.text.clusters import joined, pair_joined
from pdu.text.errors import TextError, TooManyParts
from pdu.text.septets import SeptetAlphabet
from pdu.text.tables import ESCAPE
from pdu.text.udh import MAX_PARTS, Concat, Udh

TPDU_OCTETS: Final = 140
CONCAT_8_OCTETS: Final = 5
CONCAT_16_OCTETS: Final = 6
_SEPTETS: Final = frozenset({Alphabet.GSM7, Alphabet.ASCII})
"""ASCII travels as GSM 7-bit beyond the message centre: 160 characters."""


class SarPart(NamedTuple):
    """One part for the three SAR TLVs; the message centre builds the header."""

    sar_msg_ref_num: int
    sar_total_segments: int
    sar_segment_seqnum: int
    short_message: bytes


def room(alphabet: Alphabet, header_octets: int = 0) -> int:
    """Octets of encoded text that one TPDU takes beside a header; septets count one each."""
    if alphabet in _SEPTETS:
        return (TPDU_OCTETS - header_octets) * 8 // 7
    left = TPDU_OCTETS - header_octets
    return left & ~1 if alphabet is Alphabet.UCS2 else left


def part_room(alphabet: Alphabet, udh: bytes = b"", *, wide_reference: bool = False) -> int:
    """Octets of encoded text in each part of a parted message, `udh` repeated in all of them."""
    kept = Udh((_parsed(udh)).without_concat()) if udh else Udh()
    concat = CONCAT_16_OCTETS if wide_reference else CONCAT_8_OCTETS
    return room(alphabet, max(len(bytes(kept)), 1) + concat)


def segment(
    data: bytes,
    data_coding: int = 0,
    reference: int = 0,
    *,
    wide_reference: bool = False,
    udh: bytes = b"",
    default: Alphabet = Alphabet.GSM7,
) -> list[bytes]:
    """The short_message contents of `data`: one if it fits, else parts with a concat header.

    `udh` is the header (UDHL first, as `udh.split_header` parts it) that stands before the text
    already; its elements are repeated behind ours in every part, an old concatenation is replaced.
    Any part longer than its text has a header: set UDHI in esm_class when `len(parts) > 1 or udh`.
    `default` is what the account means by data_coding 0. Packed text has no place here: unpack it
    first, pack each part afterwards (`packing.py`).

    Raises `TooManyParts`, and `TextError` for a `udh` that does not add up or leaves no room.
    """
    alphabet = alphabet_of(data_coding, default)
    if len(data) <= room(alphabet, len(udh)):
        return [udh + data]
    pieces = _pieces(data, alphabet, udh, wide_reference=wide_reference)
    others = _parsed(udh).without_concat() if udh else ()
    total = len(pieces)
    parts = []
    if others:
        for seqnum, piece in enumerate(pieces, 1):
            concat = Concat(reference, total, seqnum, wide_reference).element()
            parts.append(bytes(Udh((concat, *others))) + piece)
        return parts
    if wide_reference:
        head = b"\x06\x08\x04" + (reference & 0xFFFF).to_bytes(2, "big") + bytes([total])
    else:
        head = bytes([5, 0, 3, reference & 0xFF, total])
    return [head + bytes([seqnum]) + piece for seqnum, piece in enumerate(pieces, 1)]


def segment_sar(
    data: bytes, data_coding: int = 0, reference: int = 0, *, default: Alphabet = Alphabet.GSM7
) -> list[SarPart]:
    """The parts of `data` for the SAR TLVs: bare text, sized for the header the MC will add.

    One part with total 1 when it fits. The reference is 16 bits wide in the TLV; sizes assume that
    the MC writes an 8-bit one, as it does (153 septets, 67 units).
    """
    alphabet = alphabet_of(data_coding, default)
    pieces = [data] if len(data) <= room(alphabet) else _pieces(data, alphabet)
    total = len(pieces)
    return [SarPart(reference & 0xFFFF, total, at, piece) for at, piece in enumerate(pieces, 1)]


def count_parts(
    data: bytes,
    data_coding: int = 0,
    *,
    wide_reference: bool = False,
    udh: bytes = b"",
    default: Alphabet = Alphabet.GSM7,
) -> int:
    """How many parts `segment` would make; never raises for a count above 255."""
    alphabet = alphabet_of(data_coding, default)
    if len(data) <= room(alphabet, len(udh)):
        return 1
    return len(_cuts(data, alphabet, udh, wide_reference=wide_reference))


def last_part(
    data: bytes, alphabet: Alphabet, udh: bytes = b"", *, wide_reference: bool = False
) -> tuple[int, int]:
    """Return (parts, octets of encoded text that the last part still takes)."""
    single = room(alphabet, len(udh))
    if len(data) <= single:
        return 1, single - len(data)
    size = part_room(alphabet, udh, wide_reference=wide_reference)
    cuts = _cuts(data, alphabet, udh, wide_reference=wide_reference)
    return len(cuts), size - (len(data) - cuts[-1])


def _parsed(udh: bytes) -> Udh:
    parsed = Udh.parse(udh)
    if parsed is None:
        raise TextError(f"user data header {udh.hex()}: lengths do not add up")
    return parsed


def _pieces(
    data: bytes, alphabet: Alphabet, udh: bytes = b"", *, wide_reference: bool = False
) -> list[bytes]:
    starts = _cuts(data, alphabet, udh, wide_reference=wide_reference)
    if len(starts) > MAX_PARTS:
        raise TooManyParts(len(starts))
    ends = [*starts[1:], len(data)]
    return [data[start:end] for start, end in zip(starts, ends, strict=True)]


def _cuts(
    data: bytes, alphabet: Alphabet, udh: bytes = b"", *, wide_reference: bool = False
) -> list[int]:
    """Where each part starts."""
    size = part_room(alphabet, udh, wide_reference=wide_reference)
    if size < _LARGEST_CHARACTER:
        raise TextError(f"user data header of {len(udh)} octets leaves no room for text")
    if alphabet is Alphabet.UCS2:
        return _cut_utf16(data, size)
    if alphabet is Alphabet.GSM7:
        table = _parsed(udh).alphabet if udh else None
        if table is not None and table.locking | table.single_shift:
            return _cut_national(data, size, table)
        if ESCAPE in data or b"\r\n" in data:
            return _cut_septets(data, size)
    return list(range(0, len(data), size))


_LARGEST_CHARACTER: Final = 4
"""Octets of a surrogate pair; an escape pair has two."""


def _cut_septets(data: bytes, size: int) -> list[int]:
    starts = [0]
    end = size
    while end < len(data):
        if _splits_escape(data, end, starts[-1]):
            end -= 1
        # CR LF is one cluster; CR cannot be the second half of a pair here, 0x1B 0x0D is reserved
        # and shows as CR, so the pair before it moves along.
        if data[end] == 0x0A and data[end - 1] == 0x0D:
            end -= 2 if _splits_escape(data, end - 1, starts[-1]) else 1
        starts.append(end)
        end += size
    return starts


def _splits_escape(data: bytes, at: int, start: int) -> bool:
    """Whether an odd run of 0x1B ends at `at`: the last of them wants the next octet."""
    first = at
    while first > start and data[first - 1] == ESCAPE:
        first -= 1
    return (at - first) % 2 == 1


def _cut_national(data: bytes, size: int, table: SeptetAlphabet) -> list[int]:
    """Cuts by clusters: national alphabets have vowel signs and joiners."""
    lengths = []
    at = 0
    while at < len(data):
        paired = data[at] == ESCAPE and at + 1 < len(data) and data[at + 1] < 0x80
        lengths.append(2 if paired else 1)
        at += lengths[-1]
    text = table.decode(data)
    return _cut_characters(text, lengths, size)


def _cut_characters(text: str, lengths: list[int], size: int) -> list[int]:
    """Cuts where `lengths[i]` is what character i takes; walk back from a full part to a seam."""
    starts = [0]
    first, filled, offset, at = 0, 0, 0, 0
    while at < len(text):
        if filled + lengths[at] <= size:
            filled += lengths[at]
            at += 1
            continue
        seam = at
        while seam > first and joined(text, seam):
            seam -= 1
        if seam > first:
            filled -= sum(lengths[seam:at])
            at = seam
        offset += filled
        starts.append(offset)
        first, filled = at, 0
    return starts


def _cut_utf16(data: bytes, size: int) -> list[int]:
    starts = [0]
    end = size
    length = len(data)
    while end < length:
        if data[end] & 0xFC == 0xDC and data[end - 2] & 0xFC == 0xD8:
            end -= 2
        before = data[end - 2] << 8 | data[end - 1]
        after = data[end] << 8 | (data[end + 1] if end + 1 < length else 0)
        # Surrogates need the whole text to be judged; everything else only its neighbour.
        if before & 0xF800 == 0xD800 or after & 0xF800 == 0xD800 or pair_joined(before, after):
            end = _seam_utf16(data, starts[-1], end)
        starts.append(end)
        end += size
    return starts


def _seam_utf16(data: bytes, start: int, end: int) -> int:
    """Last cluster seam in (start, end], `end` itself when one cluster fills the part."""
    follow = data[end : end + 4]
    window = data[start:end].decode("utf-16-be", "surrogatepass")
    text = window + follow.decode(
        "utf-16-be", "surrogatepass" if len(follow) % 2 == 0 else "replace"
    )
    at = len(window)
    while at and joined(text, at):
        at -= 1
    if not at:
        return end
    return start + len(text[:at].encode("utf-16-be", "surrogatepass"))
