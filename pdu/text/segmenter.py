"""Parting a long text: the short_message of each part.

*In*: encoded text (septets one an octet, UTF-16BE or octets), its data_coding, a reference.
*Out*: one content without a concatenation header when it fits, else each with one.
*Never*: a torn escape pair or surrogate pair; a torn grapheme cluster only when it is larger than
a part; more than 255 parts.

TS 23.040 §9.2.3.24.1; SMPP 3.4 §5.2.12 (UDHI), §5.3.2.22-24 (SAR). A TPDU carries 140 octets:
160 septets, 70 UTF-16 units; with an 8-bit reference 153 and 67, with a 16-bit one 152 and 66.
HOT: a default-alphabet text without escapes is sliced; only a cut next to an odd character looks.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

from pdu.text.alphabet import CODECS, Alphabet, alphabet_of
from pdu.text.clusters import joined, may_join
from pdu.text.errors import TextError, TooManyParts
from pdu.text.packing import CR
from pdu.text.septets import SeptetAlphabet
from pdu.text.tables import ESCAPE
from pdu.text.udh import MAX_PARTS, Concat, Element, Udh

TPDU_OCTETS: Final = 140
CONCAT_8_OCTETS: Final = 5
CONCAT_16_OCTETS: Final = 6
_LARGEST_CHARACTER: Final = 4
"""Octets of a surrogate pair; an escape pair has two."""

_CHARACTER_AN_OCTET: Final = frozenset({Alphabet.GSM7, Alphabet.ASCII, Alphabet.LATIN1})
_MULTIBYTE: Final = frozenset(
    {Alphabet.JIS, Alphabet.PICTOGRAM, Alphabet.EXTENDED_KANJI, Alphabet.KS_C_5601}
)
_OCTETS: Final = [bytes([value]) for value in range(256)]


class SarPart(NamedTuple):
    """One part for the three SAR TLVs; the message centre builds the header."""

    sar_msg_ref_num: int
    sar_total_segments: int
    sar_segment_seqnum: int
    short_message: bytes


class _Plan(NamedTuple):
    """What a header leaves to a text."""

    single: int
    """Octets of encoded text when one TPDU is enough; septets count one each."""
    each: int
    """Octets of encoded text in each of several parts."""
    others: tuple[Element, ...]
    """Elements that every part repeats behind the concatenation."""
    national: SeptetAlphabet | None
    """The alphabet when it is not the default one."""


@lru_cache(maxsize=512)
def _plan(alphabet: Alphabet, udh: bytes = b"", wide_reference: bool = False) -> _Plan:
    header = Udh.parse(udh) if udh else Udh()
    if header is None:
        raise TextError(f"user data header {udh.hex()}: lengths do not add up")
    others = header.without_concat()
    concat = CONCAT_16_OCTETS if wide_reference else CONCAT_8_OCTETS
    each = room(alphabet, max(len(bytes(Udh(others))), 1) + concat)
    table = header.alphabet
    is_national = alphabet is Alphabet.GSM7 and (table.locking or table.single_shift)
    return _Plan(room(alphabet, len(udh)), each, others, table if is_national else None)


def _parted_as(
    data: bytes, data_coding: int, default: Alphabet, udh: bytes = b"", wide_reference: bool = False
) -> tuple[Alphabet, _Plan]:
    """Text of accounts that want it packed is parted while it is unpacked.

    A full part that ends in CR grows by a second one (`packing.pack_text`), so it has one septet
    less; in text with CR all parts have.
    """
    alphabet = alphabet_of(data_coding, default)
    if alphabet is not Alphabet.GSM7_PACKED:
        return alphabet, _plan(alphabet, udh, wide_reference)
    plan = _plan(Alphabet.GSM7, udh, wide_reference)
    if CR in data:
        plan = plan._replace(single=plan.single - (data[-1] == CR), each=plan.each - 1)
    return Alphabet.GSM7, plan


def room(alphabet: Alphabet, header_octets: int = 0) -> int:
    """Octets of encoded text that one TPDU takes beside a header; septets count one each."""
    if alphabet is Alphabet.GSM7 or alphabet is Alphabet.ASCII:
        # ASCII travels as GSM 7-bit beyond the message centre: 160 characters.
        return (TPDU_OCTETS - header_octets) * 8 // 7
    left = TPDU_OCTETS - header_octets
    return left & ~1 if alphabet is Alphabet.UCS2 else left


def part_room(alphabet: Alphabet, udh: bytes = b"", *, wide_reference: bool = False) -> int:
    """Octets of encoded text in each part of a parted message, `udh` repeated in all of them."""
    return _plan(alphabet, udh, wide_reference).each


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
    Set UDHI in esm_class when `len(parts) > 1 or udh`: then every part begins with a header.
    `default` is what the account means by data_coding 0. Packed text is parted unpacked; pack each
    part afterwards (`packing.pack_short_message`).

    Raises `TooManyParts`, and `TextError` for a `udh` that does not add up or leaves no room.
    """
    alphabet, plan = _parted_as(data, data_coding, default, udh, wide_reference)
    if len(data) <= plan.single:
        return [udh + data]
    pieces = _pieces(data, alphabet, plan)
    total = len(pieces)
    if plan.others:
        headers = (
            bytes(Udh((Concat(reference, total, seqnum, wide_reference).element(), *plan.others)))
            for seqnum in range(1, total + 1)
        )
        return [header + piece for header, piece in zip(headers, pieces, strict=True)]
    if wide_reference:
        head = b"\x06\x08\x04" + (reference & 0xFFFF).to_bytes(2, "big") + bytes([total])
    else:
        head = bytes([5, 0, 3, reference & 0xFF, total])
    return [head + _OCTETS[seqnum] + piece for seqnum, piece in enumerate(pieces, 1)]


def segment_sar(
    data: bytes, data_coding: int = 0, reference: int = 0, *, default: Alphabet = Alphabet.GSM7
) -> list[SarPart]:
    """The parts of `data` for the SAR TLVs: bare text, sized for the header the MC will add.

    One part with total 1 when it fits. The reference is 16 bits wide in the TLV; sizes assume that
    the MC writes an 8-bit one, as it does (153 septets, 67 units).
    """
    alphabet, plan = _parted_as(data, data_coding, default)
    pieces = [data] if len(data) <= plan.single else _pieces(data, alphabet, plan)
    total = len(pieces)
    return [SarPart(reference & 0xFFFF, total, at, piece) for at, piece in enumerate(pieces, 1)]


def message_payload(data: bytes, udh: bytes = b"") -> bytes:
    """The whole text for the message_payload TLV; the message centre parts it.

    With a header (UDHI set) the payload starts with it. Raises `TextError` above 65 535 octets,
    what the length of a TLV can say.
    """
    if len(udh) + len(data) > 0xFFFF:
        raise TextError(f"{len(udh) + len(data)} octets do not fit in message_payload")
    return udh + data


def count_parts(
    data: bytes,
    data_coding: int = 0,
    *,
    wide_reference: bool = False,
    udh: bytes = b"",
    default: Alphabet = Alphabet.GSM7,
) -> int:
    """How many parts `segment` would make; never raises for a count above 255."""
    alphabet, plan = _parted_as(data, data_coding, default, udh, wide_reference)
    return 1 if len(data) <= plan.single else len(_cuts(data, alphabet, plan))


def last_part(
    data: bytes, alphabet: Alphabet, udh: bytes = b"", *, wide_reference: bool = False
) -> tuple[int, int]:
    """Return (parts, octets of encoded text that the last part still takes)."""
    plan = _plan(alphabet, udh, wide_reference)
    if len(data) <= plan.single:
        return 1, plan.single - len(data)
    cuts = _cuts(data, alphabet, plan)
    return len(cuts), plan.each - (len(data) - cuts[-1])


def _pieces(data: bytes, alphabet: Alphabet, plan: _Plan) -> list[bytes]:
    starts = _cuts(data, alphabet, plan)
    if len(starts) > MAX_PARTS:
        raise TooManyParts(len(starts))
    if type(starts) is range:
        each = starts.step
        return [data[start : start + each] for start in starts]
    pieces = [data[start:end] for start, end in pairwise(starts)]
    pieces.append(data[starts[-1] :])
    return pieces


def _cuts(data: bytes, alphabet: Alphabet, plan: _Plan) -> Sequence[int]:
    """Where each part starts."""
    if plan.each < _LARGEST_CHARACTER:
        raise TextError("the user data header leaves no room for text in several parts")
    if alphabet is Alphabet.UCS2:
        return _cut_utf16(data, plan.each)
    if plan.national is not None:
        return _cut_national(data, plan.each, plan.national)
    if alphabet in _MULTIBYTE:
        return _cut_multibyte(data, plan.each, CODECS[alphabet])
    # Looking for one octet is memchr; looking for CR LF would cost forty times that.
    if alphabet in _CHARACTER_AN_OCTET and (ESCAPE in data or CR in data):
        return _cut_septets(data, plan.each)
    return range(0, len(data), plan.each)


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


def _cut_multibyte(data: bytes, size: int, codec: str) -> Sequence[int]:
    """Cuts between characters of one or more octets; plain slices if the octets are not text."""
    text = data.decode(codec, "replace")
    lengths = [len(char.encode(codec, "replace")) for char in text]
    if sum(lengths) != len(data):
        return range(0, len(data), size)
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
        # A surrogate says nothing alone; of other neighbours most cannot join, and no text is read.
        if before & 0xF800 == 0xD800 or after & 0xF800 == 0xD800 or may_join(before, after):
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
