"""HOT: octets to PDU objects and back, and the lazy decode that routing lives on.

*In*: one framed body, or PDU objects.
*Out*: PDU objects, :class:`SubmitPeek`, whole PDUs as octets.
*Never*: raises anything but :class:`BodyError` for octets, :class:`ValueError` for objects.

Strings are Latin-1, so that every octet survives decode → encode.

How it is fast: each decoder and encoder is source text written from the tables
(:mod:`pdu.generate_decoder`, :mod:`pdu.generate_encoder`); octets that hardly vary from message
to message are looked up in bounded caches (:mod:`pdu.pieces`), and only sound ones enter.
What that trades: some megabytes at most, and a first message that costs ten times as much.
How it stays right: whatever the quick way refuses goes to :mod:`pdu.reference`, which alone
words errors, and the tests hold both equal on good and mutated octets.

Invariants: a cached piece is sound whatever guess found it, for no sound piece begins another;
no cache outgrows :data:`pdu.pieces.CACHE_ENTRIES`; nothing here keeps a message.

µs on a busy 2-core AMD EPYC, CPython 3.11.7, 2026-11, submit_sm of 157 octets with two TLVs
(``python -m bench.codec``): peek 0.75, decode 0.84, encode 0.70; smpplib 28, 28, 21; the table
walk of :mod:`pdu.reference` 22 and 9; one submit_sm_resp of many 0.10.
SMPP 3.4 §3, §4.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from struct import Struct
from typing import Any, Final

import pdu.broadcast_pdus
import pdu.retired_pdus
import pdu.session_pdus  # noqa: F401  # both fill the tables
from pdu import reference
from pdu.commands import Command, command_name
from pdu.construct import constructor_of
from pdu.errors import BodyError
from pdu.fields import TABLES, Pdu
from pdu.generate_decoder import compile_decoder
from pdu.generate_encoder import compile_encoder
from pdu.message_pdus import DeliverSm, SubmitSm
from pdu.peek import SubmitPeek, peek_deliver_sm, peek_submit_sm
from pdu.reference import STRICT, Habits
from pdu.status import Status

__all__ = [
    "KNOWN",
    "STRICT",
    "Habits",
    "SubmitPeek",
    "decode",
    "encode",
    "encode_body",
    "header",
    "new_deliver_sm",
    "new_submit_sm",
    "pack",
    "peek_deliver_sm",
    "peek_submit_sm",
    "submit_sm_oks",
    "submit_sm_resps",
]

_HEADER: Final = Struct(">IIII")
_pack_header = _HEADER.pack
_HEADER_OCTETS: Final = 16
_decoders: Final[dict[int, Callable[[bytes], Pdu]]] = {
    command_id: compile_decoder(table, table.cls, lazy=False)
    for command_id, table in TABLES.items()
}
new_submit_sm: Final = constructor_of(SubmitSm)
new_deliver_sm: Final = constructor_of(DeliverSm)
KNOWN: Final = frozenset(_decoders)
"""Every command_id that has a table."""

# By class: the attribute command_id of an object is slower to reach than its type.
_encoders: Final = {table.cls: compile_encoder(table) for table in TABLES.values()}

# submit_sm_resp by the length of its message_id: the first twelve octets of the header never
# change, and one Struct packs them, the sequence_number, the message_id and its NUL.
_SUBMIT_SM_RESP: Final = int(Command.SUBMIT_SM_RESP)
_MESSAGE_ID_LIMIT: Final = 65
_resp_prefixes: Final = [
    _pack_header(17 + octets, _SUBMIT_SM_RESP, 0, 0)[:12] for octets in range(_MESSAGE_ID_LIMIT)
]
_resp_packers: Final = [Struct(f">12sI{octets}sx").pack for octets in range(_MESSAGE_ID_LIMIT)]


def decode(command_id: int, body: bytes, command_status: int = 0, habits: Habits = STRICT) -> Pdu:
    """The PDU object of a body.

    :param command_status: of the header. A failed response whose body cannot be read counts as
        bodiless: the body of a failure says nothing that the status does not.
    :param habits: what to bear of a peer beyond the specification; nothing by default.
    :raises BodyError: ESME_RINVCMDID for an unknown command_id, else the status of the first
        field at fault.
    """
    try:
        decoder = _decoders[command_id]
    except KeyError:
        why = f"command_id {command_name(command_id)} is unknown"
        raise BodyError(Status.ESME_RINVCMDID, why) from None
    try:
        return decoder(body)
    except BodyError:
        if habits is STRICT and not command_status:
            raise
    return reference.decode(command_id, body, command_status, habits)


def encode_body(pdu: Pdu) -> bytes:
    """The body of a PDU object.

    :raises ValueError: names the field that does not fit its place on the wire.
    """
    return _encoders[type(pdu)](pdu, 1, 0)[_HEADER_OCTETS:]


def encode(pdu: Pdu, sequence_number: int, command_status: int = 0) -> bytes:
    """The whole PDU.

    :raises ValueError: names the field that does not fit its place on the wire.
    """
    return _encoders[type(pdu)](pdu, sequence_number, command_status)


def header(command_id: int, command_status: int, sequence_number: int, body_octets: int) -> bytes:
    """The 16 octets in front of a body of that length."""
    return _pack_header(16 + body_octets, command_id, command_status, sequence_number)


def pack(command_id: int, command_status: int, sequence_number: int, body: bytes) -> bytes:
    """A whole PDU around a body that is octets already."""
    return _pack_header(16 + len(body), command_id, command_status, sequence_number) + body


def submit_sm_oks(sequence_numbers: Sequence[int], message_ids: Sequence[bytes]) -> bytes:
    """Many submit_sm_resp ESME_ROK in one piece, by one call of one `struct`.

    :param message_ids: decimal numbers in ascending order, as one intake gives them;
        so the first and the last tell whether all have one length.
    :raises ValueError: a message_id is longer than 64 octets.
    """
    count, size = len(message_ids), len(message_ids[0])
    if size != len(message_ids[-1]) or not size:
        entries = zip(sequence_numbers, [0] * count, message_ids, strict=True)
        return submit_sm_resps(list(entries))
    if size >= _MESSAGE_ID_LIMIT:
        raise ValueError(f"message_id is longer than {_MESSAGE_ID_LIMIT - 1} octets")
    values: list[Any] = [_resp_prefixes[size]] * (3 * count)
    values[1::3] = sequence_numbers
    values[2::3] = message_ids
    return _oks_packer(count, size)(*values)


@lru_cache(maxsize=1024)
def _oks_packer(count: int, size: int) -> Callable[..., bytes]:
    """Pack for `count` responses: all up to the sequence_number, that, the id and its NUL."""
    return Struct(">" + f"12sI{size}sx" * count).pack


def submit_sm_resps(entries: list[tuple[int, int, bytes]], *, error_body: bool = False) -> bytes:
    """Many submit_sm_resp in one piece: entries are (sequence_number, status, message_id).

    ESME_ROK carries the message_id and its NUL; a refusal is its header alone (3.4).

    :param error_body: refusals carry one NUL (3.3, 5.0).
    :raises ValueError: a message_id is longer than 64 octets.
    """
    refusal = b"\0" if error_body else b""
    refusal_octets = 16 + len(refusal)
    packers = _resp_packers
    prefixes = _resp_prefixes
    try:
        return b"".join(
            [
                packers[len(message_id)](prefixes[len(message_id)], sequence_number, message_id)
                if not status
                else _pack_header(refusal_octets, _SUBMIT_SM_RESP, status, sequence_number)
                + refusal
                for sequence_number, status, message_id in entries
            ]
        )
    except IndexError:
        raise ValueError(f"message_id is longer than {_MESSAGE_ID_LIMIT - 1} octets") from None
