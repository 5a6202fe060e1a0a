"""Records on disk: versioned msgpack tuples with a check sum.

*In*: `Message`, `Progress`, `Delivery`. *Out*: octets, and the objects again.
*Never*: I/O, keys (an id that is in the key is not in the record).

    version (1) | CRC-32 of the rest, seeded with the version (4) | msgpack array

The version is the record's own: a later one may add fields and still read the older records.
Hand-written on purpose: 0.9 µs to write and 1.7 µs to read, against 6 and 12 with cattrs.
Packers are not thread-safe; only the event loop's thread writes records.
What is written for each message is written in lists: a call of ours for each record costs as much
as the packing.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat, starmap
from operator import add
from typing import Any
from zlib import crc32

import msgpack

from smsc.message import FINAL, Asked, Delivery, Mailbox, Message, MessageId, Progress, State

VERSION = 1

_HEAD = struct.Struct(">BI")
_pack_head = _HEAD.pack
_UPSTREAM = struct.Struct(">QH")
_LAST = struct.Struct(">Q")
_REMEMBERED = struct.Struct(">QQ")
_CHECK = struct.Struct(">I")
HEAD_OCTETS = _HEAD.size
_STATES = {int(state): state for state in State}
_STATE_AT = _HEAD.size + 1
"""Where the state of a progress record lies: first in its array, one octet (0..127)."""
_MESSAGE_FIELDS = 12
_MORE_FIELDS = 14
"""With callback_style and charge, which few messages have."""
_ALL_FIELDS = 15
"""With the message as it was before a rule changed it."""
_DELIVERY_FIELDS = 11
_FINAL_OCTETS = frozenset(int(state) for state in FINAL)

_pack: Callable[[object], bytes] = msgpack.Packer().pack
_pack_odd: Callable[[object], bytes] = msgpack.Packer(unicode_errors="surrogatepass").pack


class CorruptRecordError(Exception):
    """A record that was not written by us, or was changed since."""


def encode_message(message: Message) -> bytes:
    """A message, without its id. What few of them have comes last, and only where there is any."""
    return _seal(_message_fields(message))


def encode_messages(messages: Iterable[Message]) -> list[bytes]:
    """`encode_message` for each."""
    return _seal_many([_message_fields(message) for message in messages])


def _message_fields(message: Message) -> tuple[object, ...]:
    fields = (
        message.account,
        message.source,
        message.accepted_ms,
        message.due_ms,
        message.expires_ms,
        message.priority,
        message.registered_delivery,
        message.callback_url,
        message.batch,
        message.reference,
        message.tags,
        message.body,
    )
    if message.asked is not None:
        return (*fields, message.callback_style, message.charge, message.asked)
    if message.callback_style or message.charge is not None:
        return (*fields, message.callback_style, message.charge)
    return fields


def message_starts(account: str) -> tuple[bytes, ...]:
    """How the record of each message of the account goes on behind its head: with more or less.

    The array's own first octet is the number of fields.
    """
    octets = 1 + len(_pack(account))
    return tuple(
        _pack((account, *(None,) * (fields - 1)))[:octets]
        for fields in (_MESSAGE_FIELDS, _MORE_FIELDS, _ALL_FIELDS)
    )


def decode_message(id_: MessageId, record: bytes | memoryview) -> Message:
    """The message `id_` that `record` holds. `CorruptRecordError` if it holds none."""
    fields = _open(record)
    try:
        message = Message(id_, *fields[:_MESSAGE_FIELDS])
        if len(fields) > _MESSAGE_FIELDS:
            message.callback_style, message.charge = fields[_MESSAGE_FIELDS:_MORE_FIELDS]
        if len(fields) > _MORE_FIELDS:
            message.asked = Asked(*fields[_MORE_FIELDS])
    except (TypeError, ValueError) as error:
        raise CorruptRecordError(f"message {id_}: {error}") from error
    return message


def encode_progress(progress: Progress) -> bytes:
    """How far a message is."""
    return encode_progresses((progress,))[0]


def encode_progresses(progresses: Iterable[Progress]) -> list[bytes]:
    """How far messages are."""
    return _seal_many(
        [
            (
                one.state,
                one.outlet,
                one.attempt,
                one.due_ms,
                one.done_ms,
                one.error,
                one.parts,
                one.upstream_ids,
            )
            for one in progresses
        ]
    )


def decode_progress(record: bytes | memoryview) -> Progress:
    """The progress that `record` holds. `CorruptRecordError` if it holds none."""
    fields = _open(record)
    try:
        state, outlet, attempt, due_ms, done_ms, error, parts, upstream_ids = fields
        return Progress(
            _STATES[state], outlet, attempt, due_ms, done_ms, error, parts, upstream_ids
        )
    except (TypeError, ValueError, KeyError) as problem:
        raise CorruptRecordError(f"progress: {problem}") from problem


def looks_final(record: bytes | memoryview) -> bool:
    """Is this the progress of a message in a final state? One octet tells, unchecked.

    Start-up passes over the whole history by this; what it keeps is then decoded and checked.
    """
    return len(record) > _STATE_AT and record[_STATE_AT] in _FINAL_OCTETS


def encode_delivery(delivery: Delivery) -> bytes:
    """A parked delivery, without its id and mailbox; what only a callback's style asks for last."""
    return _seal(_delivery_fields(delivery))


def encode_deliveries(deliveries: Iterable[Delivery]) -> list[bytes]:
    """`encode_delivery` for each."""
    return _seal_many([_delivery_fields(delivery) for delivery in deliveries])


def _delivery_fields(delivery: Delivery) -> tuple[object, ...]:
    fields = (
        delivery.account,
        delivery.kind,
        delivery.created_ms,
        delivery.expires_ms,
        delivery.body,
        delivery.message_id,
        delivery.state,
        delivery.error,
        delivery.callback_url,
        delivery.reference,
        delivery.attempt,
    )
    if delivery.callback_style:
        return (*fields, delivery.callback_style, delivery.outlet, delivery.upstream_id)
    return fields


def decode_delivery(mailbox: Mailbox, id_: MessageId, record: bytes | memoryview) -> Delivery:
    """The delivery that `record` holds. `CorruptRecordError` if it holds none."""
    fields = _open(record)
    try:
        delivery = Delivery(id_, mailbox, *fields[:_DELIVERY_FIELDS])
        delivery.state = _STATES[delivery.state]
        if len(fields) > _DELIVERY_FIELDS:
            style, outlet, upstream_id = fields[_DELIVERY_FIELDS:]
            delivery.callback_style, delivery.outlet = style, outlet
            delivery.upstream_id = upstream_id
    except (TypeError, ValueError, KeyError) as problem:
        raise CorruptRecordError(f"delivery {id_}: {problem}") from problem
    return delivery


def encode_upstreams(parts: Iterable[tuple[MessageId, int]]) -> list[bytes]:
    """Which message and part each of some upstream ids stands for."""
    packed = [*starmap(_UPSTREAM.pack, parts)]
    return [*map(add, packed, map(_CHECK.pack, map(crc32, packed)))]


def decode_upstream(record: bytes | memoryview) -> tuple[MessageId, int]:
    """(id, part). `CorruptRecordError` if the record holds none."""
    size = _UPSTREAM.size
    if len(record) != size + _CHECK.size or _CHECK.pack(crc32(record[:size])) != record[size:]:
        raise CorruptRecordError("upstream id: the check sum does not fit")
    id_, part = _UPSTREAM.unpack_from(record)
    return id_, part


def encode_last(key: bytes, last: MessageId) -> bytes:
    """The last message of the alarm at `key`; the check sum covers the key, which is data too."""
    packed = _LAST.pack(last)
    return packed + _CHECK.pack(crc32(packed, crc32(key)))


def decode_last(key: bytes, record: bytes) -> MessageId:
    """The last message of the alarm at `key`. `CorruptRecordError` if the record holds none."""
    size = _LAST.size
    if record[size:] != _CHECK.pack(crc32(record[:size], crc32(key))):
        raise CorruptRecordError("alarm: the check sum does not fit")
    return MessageId(_LAST.unpack_from(record)[0])


def encode_remembered(key: bytes, id_: MessageId, until_ms: int) -> bytes:
    """Which message a submission became, until when that counts; the sum covers the key, too."""
    packed = _REMEMBERED.pack(id_, until_ms)
    return packed + _CHECK.pack(crc32(packed, crc32(key)))


def decode_remembered(key: bytes, record: bytes) -> tuple[MessageId, int]:
    """(id, until_ms). `CorruptRecordError` if the record holds none."""
    size = _REMEMBERED.size
    if record[size:] != _CHECK.pack(crc32(record[:size], crc32(key))):
        raise CorruptRecordError("submission: the check sum does not fit")
    id_, until_ms = _REMEMBERED.unpack_from(record)
    return MessageId(id_), until_ms


def encode_control(key: bytes, fields: tuple[object, ...]) -> bytes:
    """A record of the directory; its sum covers the key, which says whose it is."""
    packed = _pack_odd(fields)
    return _pack_head(VERSION, crc32(packed, crc32(key, VERSION))) + packed


def decode_control(key: bytes, record: bytes | memoryview) -> tuple[Any, ...]:
    """The fields of a record of the directory. `CorruptRecordError` if it holds none."""
    return _open(record, key)


def _seal(fields: tuple[object, ...]) -> bytes:
    return _seal_many((fields,))[0]


def _seal_many(records: Sequence[tuple[object, ...]]) -> list[bytes]:
    """Pack each and put its head before it; all of it in C."""
    try:
        packed = [*map(_pack, records)]
    except UnicodeEncodeError:  # a lone surrogate, as JSON's "\\ud800" makes one
        packed = [*map(_pack_odd, records)]
    sums = map(crc32, packed, repeat(VERSION))
    return [*map(add, map(_pack_head, repeat(VERSION), sums), packed)]


def _open(record: bytes | memoryview, key: bytes | None = None) -> tuple[Any, ...]:
    if len(record) < _HEAD.size:
        raise CorruptRecordError(f"a record of {len(record)} octets")
    version, check = _HEAD.unpack_from(record)
    if version != VERSION:
        raise CorruptRecordError(f"record version {version}; this program knows {VERSION}")
    packed = record[_HEAD.size :]
    if crc32(packed, version if key is None else crc32(key, version)) != check:
        raise CorruptRecordError("the check sum does not fit")
    try:
        fields = msgpack.unpackb(packed, use_list=False)
    except UnicodeDecodeError:
        fields = msgpack.unpackb(packed, use_list=False, unicode_errors="surrogatepass")
    if not isinstance(fields, tuple):
        raise CorruptRecordError("not an array")
    return fields
