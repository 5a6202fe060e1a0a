"""Keys of the store's tables: octets that sort as the things they stand for.

*In*: ids, times, names. *Out*: keys, and the ranges that hold all keys of one kind.
*Never*: I/O, values (see `records`).

Ids and times are 8 octets big-endian, so their order is the numeric one and new messages append.
A name ends with NUL, so no name's keys lie between those of another.
"""

import struct
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from itertools import repeat
from operator import add

from smsc.message import AccountId, Mailbox, MessageId, OutletName

MAX_KEY_OCTETS = 511
"""LMDB takes no longer key."""

END = b"\xff" * 9
"""Behind every key: ids are shorter, and no UTF-8 name begins like this."""

_U64 = struct.Struct(">Q")
_TWO_U64 = struct.Struct(">QQ")
_HIGHEST = b"\xff" * 8

id_key = _U64.pack
"""The key of a message: 8 octets. `struct.error` if the id is not a 64-bit number."""


def id_of(key: bytes) -> MessageId:
    """The id that a message key, or the end of any other key, stands for."""
    return MessageId(int.from_bytes(key[-8:], "big"))


def upstream_key(outlet: OutletName, upstream_id: str) -> bytes:
    """What the network behind `outlet` calls a part."""
    return upstream_keys(outlet, (upstream_id,))[0]


def upstream_keys(outlet: OutletName, upstream_ids: Iterable[str]) -> list[bytes]:
    """What the network behind `outlet` calls some parts.

    An id too long for a key is represented by its digest; real ones have at most 64 octets.
    """
    prefix, upstream_ids = _name(outlet), [*upstream_ids]
    try:
        encoded = [*map(str.encode, upstream_ids)]
    except UnicodeEncodeError:  # a lone surrogate
        encoded = [one.encode("utf-8", "surrogatepass") for one in upstream_ids]
    keys = [*map(add, repeat(prefix), encoded)]
    if keys and len(max(keys, key=len)) >= MAX_KEY_OCTETS:  # one octet is for `corrupt_key`
        at = len(prefix)
        return [
            key if len(key) < MAX_KEY_OCTETS else prefix + sha256(key[at:]).digest() for key in keys
        ]
    return keys


def due_key(due_ms: int, id_: MessageId) -> bytes:
    """A wake-up: earliest first, then oldest message first."""
    return _TWO_U64.pack(due_ms, id_)


def due_of(key: bytes) -> tuple[int, MessageId]:
    """(due_ms, id) of a wake-up key."""
    due_ms, id_ = _TWO_U64.unpack(key)
    return due_ms, MessageId(id_)


def due_until(until_ms: int) -> bytes:
    """The first key that is due after `until_ms`."""
    return _U64.pack(until_ms + 1)


def parked_key(mailbox: Mailbox, id_: MessageId) -> bytes:
    """A delivery in its mailbox."""
    return _name(mailbox) + _U64.pack(id_)


def parked_keys(mailbox: Mailbox, ids: Iterable[MessageId]) -> list[bytes]:
    """Deliveries in one mailbox."""
    return [*map(add, repeat(_name(mailbox)), map(_U64.pack, ids))]


def parked_range(mailbox: Mailbox, after: MessageId) -> tuple[bytes, bytes]:
    """From the first key above `after` up to, not including, the first behind the mailbox."""
    prefix = _name(mailbox)
    return prefix + _U64.pack(after + 1), prefix + _HIGHEST + b"\x00"


def mailbox_of(key: bytes) -> Mailbox:
    """The mailbox of a parked delivery's key."""
    return Mailbox(key[:-9].decode(errors="surrogatepass"))


def idempotency_key(account: AccountId, digest: bytes) -> bytes:
    """A submission of an account; `digest` has 16 octets."""
    return _name(account) + digest


def submission_of(key: bytes) -> tuple[AccountId, bytes]:
    """(account, digest) of an idempotency key."""
    return AccountId(key[:-17].decode(errors="surrogatepass")), key[-16:]


def owned_key(owner: str, number: int) -> bytes:
    """The `number`-th thing of an account: a movement, a contact, a received message."""
    return _name(owner) + _U64.pack(number)


def owned_range(
    owner: str, above: int | None = None, below: int | None = None
) -> tuple[bytes, bytes]:
    """From the first key above `above` up to, not including, that of `below`; None = no bound."""
    prefix = _name(owner)
    start = prefix if above is None else prefix + _U64.pack(above + 1)
    return start, prefix + (_HIGHEST + b"\x00" if below is None else _U64.pack(below))


def owned_of(key: bytes) -> tuple[str, int]:
    """(owner, number) of such a key."""
    return key[:-9].decode(errors="surrogatepass"), int.from_bytes(key[-8:], "big")


def name_key(name: str, part: str = "") -> bytes:
    """A name, and the name of a part of it: an account, and a class of its credit."""
    return _name(name) + part.encode(errors="surrogatepass")


def names_of(key: bytes) -> tuple[str, str]:
    """(name, part) of such a key."""
    name, _, part = key.partition(b"\x00")
    return name.decode(errors="surrogatepass"), part.decode(errors="surrogatepass")


def corrupt_key(table: int, key: bytes) -> bytes:
    """A record set aside: the place of its table in `batch.TABLES`, then its key there."""
    return bytes((table,)) + key


def meta_key(key: str) -> bytes:
    """A control value."""
    return key.encode()


@lru_cache(maxsize=4096)  # few outlets and accounts, many keys
def _name(name: str) -> bytes:
    encoded = name.encode(errors="surrogatepass")
    if b"\x00" in encoded or len(encoded) > MAX_KEY_OCTETS - 40:
        raise ValueError(f"{name[:40]!r} cannot be a name in the store: it has NUL or is too long")
    return encoded + b"\x00"
