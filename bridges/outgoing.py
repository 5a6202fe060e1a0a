"""From a stored message to the submit_sm bodies that a network gets.

*In*: a stored body, when it expires, whether receipts are wanted of the network.
*Out*: one body for each part. *Never*: a session, a clock.

Most messages leave as they came: the body is one part and at most one octet of it changes.
A text longer than a part (short_message or message_payload) is parted with a UDH
(TS 23.040 §9.2.3.24.1); a part that the client made itself is left alone.
"""

from collections.abc import Container, Sequence
from typing import Final, Literal

import attrs

from pdu.codec import SubmitPeek, peek_submit_sm
from pdu.compose import SHORT_MESSAGE_OCTETS
from pdu.text.alphabet import CODECS, Alphabet
from pdu.text.coding import decode_text, encode_text, encode_utf16
from pdu.text.errors import TextError, TooManyParts
from pdu.text.packing import pack_short_message
from pdu.text.segmenter import count_parts, message_payload, segment, segment_sar
from pdu.text.udh import Udh, split_header
from pdu.timefmt import format_absolute
from pdu.tlvs import Tag, find_tlv, iter_tlvs, pack_tlv
from smsc.message import Message, State

UDHI: Final = 0x40
_MODE: Final = 0x03
_OURS: Final = frozenset({1, 2})
"""Modes of esm_class that we carry out ourselves: datagram and transaction."""
_FITS_ANY_ALPHABET_OCTETS: Final = 140
_RECEIPT_BITS: Final = 0x03
# Offsets back from text_at: sm_length is 1, then sm_default_msg_id, data_coding, …
_SM_LENGTH: Final = 1
_DATA_CODING: Final = 3
_REGISTERED_DELIVERY: Final = 5
_UCS2: Final = 0x08


@attrs.frozen
class Shape:
    """How a network wants texts laid out; `PLAIN` is what most do."""

    default: Alphabet = Alphabet.GSM7
    """What the network means by data_coding 0; ours is GSM-7, one septet an octet."""
    long_text: Literal["udh", "udh16", "sar", "payload"] = "udh"
    knows_tlvs: bool = True
    """False for SMPP 3.3: TLVs are left out."""
    more_tlvs: bytes = b""
    """Added behind each part, in place of the client's own of those tags."""


PLAIN: Final = Shape()


def part_bodies(
    message: Message, *, ask_receipts: bool = True, shape: Shape = PLAIN
) -> list[bytes]:
    """The submit_sm bodies of a message.

    Where the client gave a validity_period, the time it ends stands in its place: a relative time
    would start anew with each attempt.

    :param ask_receipts: ask the network for a receipt even if the client did not,
        so that every message gets its final state.
    :raises TooManyParts: more than 255.
    :raises TextError: a part that only message_payload could carry, for a network without TLVs.
    """
    body, peek = message.body, message.peek
    if (
        peek.tlvs_at == len(body)
        and peek.sm_length <= _FITS_ANY_ALPHABET_OCTETS
        and (not ask_receipts or peek.registered_delivery & _RECEIPT_BITS == 1)
        and not (peek.schedule_delivery_time or peek.validity_period or peek.esm_class & _MODE)
        and shape is PLAIN
    ):
        return [body]  # most messages: what follows changes nothing of them
    has_ttl = (
        peek.tlvs_at < len(body) and find_tlv(body, peek.tlvs_at, Tag.QOS_TIME_TO_LIVE) is not None
    )
    if peek.schedule_delivery_time or peek.validity_period or has_ttl:
        body = _with_times(body, peek, message.expires_ms, wants_end=has_ttl)
        peek = peek_submit_sm(body)
    if peek.esm_class & _MODE in _OURS:
        at = _esm_class_at(peek)
        body = b"%b%c%b" % (body[:at], peek.esm_class & ~_MODE, body[at + 1 :])
        peek = peek_submit_sm(body)
    if ask_receipts and peek.registered_delivery & _RECEIPT_BITS != 1:
        at = peek.text_at - _REGISTERED_DELIVERY
        wish = (peek.registered_delivery & ~_RECEIPT_BITS) | 1
        body = body[:at] + bytes((wish,)) + body[at + 1 :]
    if shape is not PLAIN:
        return _shaped(body, peek, concat_reference(message.id), shape)
    if _is_one_part(body, peek):
        return [body]
    return _parted(body, peek, concat_reference(message.id))


def part_count(message: Message) -> int:
    """How many parts `part_bodies` makes of a message; may be above 255."""
    body, peek = message.body, message.peek
    if _is_one_part(body, peek):
        return 1
    header, text = _text(body, peek)
    if _is_part(header):
        return 1
    try:
        return count_parts(text, peek.data_coding, udh=header)
    except TextError:
        return 1  # left as it came, see `_parted`


def concat_reference(id_: int) -> int:
    """Concatenation reference of a message's parts, its low 8 bits.

    An id is milliseconds, a sequence within each that begins with 0, and the node: the sum of the
    first two differs between neighbours, whether they came in one millisecond or in two.
    """
    return (id_ >> 22) + (id_ >> 10)


def unsent_parts(states: bytes, count: int) -> Sequence[int]:
    """Which of `count` parts are still to be sent, as `Progress.parts` stands; all if it is new.

    States of another number of parts are those of another way to part the text: all anew.
    """
    if len(states) != count:
        return range(count)
    return [part for part, state in enumerate(states) if state == State.QUEUED]


def _is_one_part(body: bytes, peek: SubmitPeek) -> bool:
    """Cheap and certain: the text stands in short_message and fits a part in any alphabet."""
    has_text_elsewhere = not peek.sm_length and peek.tlvs_at < len(body)
    return peek.sm_length <= _FITS_ANY_ALPHABET_OCTETS and not has_text_elsewhere


def _parted(body: bytes, peek: SubmitPeek, reference: int) -> list[bytes]:
    header, text = _text(body, peek)
    if _is_part(header):
        return [body]
    try:
        pieces = segment(text, peek.data_coding, reference, udh=header)
    except TooManyParts:
        raise
    except TextError:
        return [body]  # a header that does not add up or leaves no room: the network may judge it
    if len(pieces) == 1:
        if peek.sm_length or len(pieces[0]) > SHORT_MESSAGE_OCTETS:
            return [body]
        return [with_text(body, peek, pieces[0], peek.esm_class)]
    return [with_text(body, peek, piece, peek.esm_class | UDHI) for piece in pieces]


def _text(body: bytes, peek: SubmitPeek) -> tuple[bytes, bytes]:
    """(user data header, text) of a body, from short_message or message_payload."""
    data = body[peek.text_at : peek.text_at + peek.sm_length]
    if not data:
        data = find_tlv(body, peek.tlvs_at, Tag.MESSAGE_PAYLOAD) or b""
    if not peek.esm_class & UDHI:
        return b"", data
    return split_header(data) or (b"", data)


def _is_part(header: bytes) -> bool:
    """Did the client part the text itself?"""
    parsed = Udh.parse(header) if header else None
    return parsed is not None and parsed.concat is not None


def _shaped(body: bytes, peek: SubmitPeek, reference: int, shape: Shape) -> list[bytes]:
    """The parts as a network with habits of its own wants them."""
    header, text = _text(body, peek)
    coding = peek.data_coding
    is_part = _is_part(header)
    if not coding and shape.default in {Alphabet.LATIN1, Alphabet.ASCII}:
        text, coding = _transcoded(text, header, shape.default, keep_coding=is_part)
    pieces, in_payload = [(header + text, b"")], False
    if not is_part:
        try:
            pieces, in_payload = _pieces(header, text, coding, reference, shape)
        except TooManyParts:
            raise
        except TextError:
            pass  # as in `_parted`
    udhi = UDHI if len(pieces) > 1 and not pieces[0][1] else 0
    esm_class = peek.esm_class | udhi
    is_packed = shape.default is Alphabet.GSM7_PACKED and not coding
    bodies = []
    for piece, tlvs in pieces:
        content = pack_short_message(piece, has_udh=bool(esm_class & UDHI)) if is_packed else piece
        more = shape.more_tlvs + tlvs
        if in_payload or len(content) > SHORT_MESSAGE_OCTETS:
            if not shape.knows_tlvs:
                raise TextError(f"{len(content)} octets do not fit in short_message")
            more += pack_tlv(Tag.MESSAGE_PAYLOAD, content)
            content = b""
        ours = {tag for tag, _ in iter_tlvs(more, 0)}
        dressed = with_text(
            body, peek, content, esm_class, coding, without=ours, knows_tlvs=shape.knows_tlvs
        )
        bodies.append(dressed + more)
    return bodies


def _pieces(
    header: bytes, text: bytes, coding: int, reference: int, shape: Shape
) -> tuple[list[tuple[bytes, bytes]], bool]:
    """What stands in each part, with TLVs that tell its place; True: all of it in message_payload."""
    wide = shape.long_text == "udh16"
    udh_pieces = segment(
        text, coding, reference, wide_reference=wide, udh=header, default=shape.default
    )
    if len(udh_pieces) == 1 or shape.long_text in {"udh", "udh16"}:
        return [(piece, b"") for piece in udh_pieces], False
    if shape.long_text == "payload":
        return [(message_payload(text, header), b"")], True
    if header:
        return [(piece, b"") for piece in udh_pieces], False  # a header leaves no place for SAR
    parts = segment_sar(text, coding, reference, default=shape.default)
    return [
        (
            part.short_message,
            pack_tlv(Tag.SAR_MSG_REF_NUM, part.sar_msg_ref_num.to_bytes(2, "big"))
            + pack_tlv(Tag.SAR_TOTAL_SEGMENTS, bytes((part.sar_total_segments,)))
            + pack_tlv(Tag.SAR_SEGMENT_SEQNUM, bytes((part.sar_segment_seqnum,))),
        )
        for part in parts
    ], False


def _transcoded(
    text: bytes, header: bytes, alphabet: Alphabet, *, keep_coding: bool
) -> tuple[bytes, int]:
    """A text of the default alphabet in the network's; in UCS-2 when that cannot say it.

    A part that the client made may not grow: what cannot be said becomes a question mark.
    """
    characters = decode_text(text, 0, udh=header)
    octets = encode_text(characters, 0, alphabet)
    if octets is not None:
        return octets, 0
    if keep_coding:
        return characters.encode(CODECS[alphabet], "replace"), 0
    return encode_utf16(characters), _UCS2


def with_text(
    body: bytes,
    peek: SubmitPeek,
    short_message: bytes,
    esm_class: int,
    data_coding: int | None = None,
    *,
    without: Container[int] = (),
    knows_tlvs: bool = True,
) -> bytes:
    """The body with another short_message and without message_payload and some other TLVs."""
    esm_at = _esm_class_at(peek)
    coding_at = peek.text_at - _DATA_CODING
    coding = peek.data_coding if data_coding is None else data_coding
    tlvs = b"".join(
        pack_tlv(tag, value)
        for tag, value in iter_tlvs(body, peek.tlvs_at)
        if knows_tlvs and tag != Tag.MESSAGE_PAYLOAD and tag not in without
    )
    return b"".join(
        (
            body[:esm_at],
            bytes((esm_class,)),
            body[esm_at + 1 : coding_at],
            bytes((coding,)),
            body[coding_at + 1 : peek.text_at - _SM_LENGTH],
            bytes((len(short_message),)),
            short_message,
            tlvs,
        )
    )


def _esm_class_at(peek: SubmitPeek) -> int:
    """Offset of esm_class: before protocol_id, priority_flag and the two times."""
    times = len(peek.schedule_delivery_time) + 1 + len(peek.validity_period) + 1
    return peek.text_at - _REGISTERED_DELIVERY - times - 3


def _with_times(body: bytes, peek: SubmitPeek, expires_ms: int, *, wants_end: bool) -> bytes:
    """The body without a schedule (we kept it) and with an absolute validity_period.

    qos_time_to_live, which would override it, is left out.
    """
    start = _esm_class_at(peek) + 3
    end = peek.text_at - _REGISTERED_DELIVERY
    wants_end = wants_end or bool(peek.validity_period)
    validity = format_absolute(expires_ms).encode() if wants_end else b""
    tlvs = b"".join(
        pack_tlv(tag, value)
        for tag, value in iter_tlvs(body, peek.tlvs_at)
        if tag != Tag.QOS_TIME_TO_LIVE
    )
    return b"".join((body[:start], b"\0", validity, b"\0", body[end : peek.tlvs_at], tlvs))
