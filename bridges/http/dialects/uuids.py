"""Message ids in the clothes of a UUID, for clients that look for one in an answer.

*In*: a message id. *Out*: a UUID of version 8 (RFC 9562 §5.8), and back. *Never*: chance: the same
id is the same UUID in every answer and callback, after every restart.
"""

import uuid

from smsc.message import MessageId

_MARK = 0x736D7363 << 96
"""The first four octets: "smsc"."""
_LOW_BITS = 62
"""Bits behind the variant; the id's other bit is the last one before it."""
_LOW = (1 << _LOW_BITS) - 1


def uuid_of(id_: MessageId) -> str:
    """The UUID of a message, such as 736d7363-0000-8000-8002-6d0f8e6a0001."""
    high, low = id_ >> _LOW_BITS, id_ & _LOW
    return str(uuid.UUID(int=_MARK | 8 << 76 | high << 64 | 2 << _LOW_BITS | low))


def id_of(text: str) -> MessageId | None:
    """The message that a UUID of ours names; None for any other text."""
    try:
        value = uuid.UUID(text).int
    except ValueError:
        return None
    id_ = MessageId((value >> 64 & 1) << _LOW_BITS | value & _LOW)
    return id_ if uuid.UUID(uuid_of(id_)).int == value else None
