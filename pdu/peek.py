"""HOT: the lazy decode of submit_sm and deliver_sm: what routing and admission must know.

*In*: the body of a submit_sm or deliver_sm (same layout).
*Out*: :class:`SubmitPeek`: mandatory fields, and where text and TLVs stand; the text is not
    copied, the body stays as it came.
*Never*: raises anything but the :class:`BodyError` that the slow twin raises for these octets.

One bounded regular expression is the whole check: where it matches, every field is sound;
where it does not, :mod:`pdu.reference` says what is wrong. SMPP 3.4 §4.4.1, §4.6.1.
"""

import re
from collections.abc import Callable
from struct import Struct
from typing import Final

import pdu.message_pdus  # noqa: F401  # fills the tables
from pdu import reference
from pdu.commands import Command
from pdu.errors import BodyError
from pdu.fields import TABLES, Integer
from pdu.reference import UDHI
from pdu.tlvs import LENGTHS, Tag, find_tlv


class SubmitPeek:
    """The mandatory fields of one body, by the names of the specification.

    :ivar text_at: offset of short_message in the body.
    :ivar tlvs_at: offset of the first TLV; equals the body's length when there is none.
    """

    __slots__ = (
        "data_coding",
        "dest_addr_npi",
        "dest_addr_ton",
        "destination_addr",
        "esm_class",
        "priority_flag",
        "protocol_id",
        "registered_delivery",
        "replace_if_present_flag",
        "schedule_delivery_time",
        "service_type",
        "sm_default_msg_id",
        "sm_length",
        "source_addr",
        "source_addr_npi",
        "source_addr_ton",
        "text_at",
        "tlvs_at",
        "validity_period",
    )
    service_type: str
    source_addr_ton: int
    source_addr_npi: int
    source_addr: str
    dest_addr_ton: int
    dest_addr_npi: int
    destination_addr: str
    esm_class: int
    protocol_id: int
    priority_flag: int
    schedule_delivery_time: str
    validity_period: str
    registered_delivery: int
    replace_if_present_flag: int
    data_coding: int
    sm_default_msg_id: int
    sm_length: int
    text_at: int
    tlvs_at: int


_unpack_tlv_head: Final = Struct(">HH").unpack_from

# The mandatory part is at most 96 octets, sm_length included; only that much becomes text.
_MANDATORY_OCTETS: Final = 96
_WHOLE_IS_CHEAPER_OCTETS: Final = 400

# What stands before and behind the one address that varies is read once, judged, and looked up
# from then on: only sound pieces enter a cache. A full cache is emptied, never grown.
_CACHE_ENTRIES: Final = 4096
_Head = tuple[str, int, int, str, int, int]
_Tail = tuple[int, int, int, str, str, int, int, int, int]

_TIME: Final = r"(?:[^\0]{16})?\0"
# Groups: all up to the destination; destination_addr; all from esm_class to sm_default_msg_id.
_match: Final = re.compile(
    rf"([^\0]{{0,5}}+\0..[^\0]{{0,20}}+\0..)([^\0]{{0,20}}+)\0(...(?:\0\0|{_TIME}{_TIME})....).",
    re.DOTALL,
).match


class _Pieces:
    """The caches for one kind of body and the rules its pieces must pass."""

    def __init__(self, command: Command) -> None:
        table = TABLES[command]
        self.strict = not table.tolerant
        self.valid = {
            field.name: field.kind.valid
            for field in table.fields
            if isinstance(field.kind, Integer) and not table.tolerant
        }
        self.heads: dict[str, _Head] = {}
        self.tails: dict[str, _Tail] = {}

    def read_head(self, piece: str) -> _Head | None:
        """From service_type to dest_addr_npi; None when a value is out of range."""
        service_type, rest = piece.split("\0", 1)
        source_addr = rest[2:-3]
        head = (
            service_type,
            ord(rest[0]),
            ord(rest[1]),
            source_addr,
            ord(rest[-2]),
            ord(rest[-1]),
        )
        if not (
            self._may("source_addr_ton", head[1])
            and self._may("source_addr_npi", head[2])
            and self._may("dest_addr_ton", head[4])
            and self._may("dest_addr_npi", head[5])
        ):
            return None
        if len(self.heads) >= _CACHE_ENTRIES:
            self.heads.clear()
        self.heads[piece] = head
        return head

    def read_tail(self, piece: str) -> _Tail | None:
        """From esm_class to sm_default_msg_id; None when a value is out of range."""
        schedule_delivery_time, validity_period = piece[3:-5].split("\0")
        flags = piece.encode("latin-1")
        tail = (
            flags[0],
            flags[1],
            flags[2],
            schedule_delivery_time,
            validity_period,
            flags[-4],
            flags[-3],
            flags[-2],
            flags[-1],
        )
        if not (
            self._may("priority_flag", tail[2]) and self._may("replace_if_present_flag", tail[6])
        ):
            return None
        if len(self.tails) >= _CACHE_ENTRIES:
            self.tails.clear()
        self.tails[piece] = tail
        return tail

    def _may(self, name: str, value: int) -> bool:
        valid = self.valid.get(name)
        return valid is None or value in valid


def _peek_for(command: Command) -> Callable[[bytes], SubmitPeek]:
    """The lazy decode of one of the two operations; variables of the closure are quick."""
    pieces = _Pieces(command)
    known_head = pieces.heads.get
    known_tail = pieces.tails.get
    match = _match
    check_rest = _check_rest

    def peek_body(body: bytes) -> SubmitPeek:
        octets = len(body)
        window = body if octets < _WHOLE_IS_CHEAPER_OCTETS else body[:_MANDATORY_OCTETS]
        found = match(window.decode("latin-1"))
        if found is None:
            raise _fault(command, body)
        head_piece, destination_addr, tail_piece = found.groups()
        head = known_head(head_piece) or pieces.read_head(head_piece)
        tail = known_tail(tail_piece) or pieces.read_tail(tail_piece)
        if head is None or tail is None:
            raise _fault(command, body)
        peek = SubmitPeek()
        (
            peek.service_type,
            peek.source_addr_ton,
            peek.source_addr_npi,
            peek.source_addr,
            peek.dest_addr_ton,
            peek.dest_addr_npi,
        ) = head
        peek.destination_addr = destination_addr
        (
            esm_class,
            peek.protocol_id,
            peek.priority_flag,
            peek.schedule_delivery_time,
            peek.validity_period,
            peek.registered_delivery,
            peek.replace_if_present_flag,
            peek.data_coding,
            peek.sm_default_msg_id,
        ) = tail
        peek.esm_class = esm_class
        peek.text_at = text_at = found.end()
        peek.sm_length = sm_length = body[text_at - 1]
        peek.tlvs_at = tlvs_at = text_at + sm_length
        if (tlvs_at != octets or esm_class & 0x40) and not check_rest(pieces, body, peek):
            raise _fault(command, body)
        return peek

    return peek_body


def _check_rest(pieces: _Pieces, body: bytes, peek: SubmitPeek) -> bool:
    """Whether the text is all there, the TLV area sound, and the UDH within the text."""
    end = len(body)
    at = peek.tlvs_at
    strict = pieces.strict
    bounds_of = LENGTHS.get
    while at < end - 3:
        tag, octets = _unpack_tlv_head(body, at)
        at += 4 + octets
        if strict:
            bounds = bounds_of(tag)
            if bounds is not None and not bounds[0] <= octets <= bounds[1]:
                return False
    if at != end:
        return False
    if strict and peek.esm_class & UDHI:
        if peek.sm_length:
            return body[peek.text_at] < peek.sm_length
        payload = find_tlv(body, peek.tlvs_at, Tag.MESSAGE_PAYLOAD) or b""
        return payload != b"" and payload[0] < len(payload)
    return True


def _fault(command: Command, body: bytes) -> BodyError:
    """What is wrong with a body that the quick check refused, in the words of the slow twin."""
    try:
        reference.decode(command, body)
    except BodyError as error:
        return error
    raise AssertionError(f"the two codecs disagree about {command.name} {body.hex()}")


# Bound, not wrapped: one more call would cost a twentieth of the whole.
peek_submit_sm: Final = _peek_for(Command.SUBMIT_SM)
"""The mandatory fields of a submit_sm, checked, and its TLV area walked if there is one.

:raises BodyError: the status of the first field at fault, as :func:`pdu.codec.decode` does.
"""

peek_deliver_sm: Final = _peek_for(Command.DELIVER_SM)
"""The same for a deliver_sm, whose values are taken as they come from a message centre.

:raises BodyError: only when the layout itself is broken.
"""
