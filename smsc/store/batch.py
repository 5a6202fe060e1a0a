"""HOT: a batch: changes on their way to the disk.

*In*: the verbs of `smsc.ports.Batch`. *Out*: rows for tables. *Never*: I/O, a lock, a clock.

New messages are kept apart from all other changes, because they append in id order
and because only they may be refused when the disk is full.
Everything else is a blind overwrite: key → value, or None to delete. The last one wins.

Progress stays an object until the transaction closes: a response and its receipt mostly come in
one read, and then one record says both. So the object is the store's once it is handed in: who
changes it later hands it in again in the same step, before anything else is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import compress, groupby, repeat
from operator import attrgetter
from typing import Final, TypeVar

from pdu.status import Status
from smsc.message import (
    AccountId,
    Delivery,
    Mailbox,
    Message,
    MessageId,
    OutletName,
    Progress,
    State,
)
from smsc.ports import Alarm, Control
from smsc.store.keys import (
    corrupt_key,
    due_key,
    id_key,
    id_of,
    idempotency_key,
    meta_key,
    parked_key,
    parked_keys,
    upstream_key,
    upstream_keys,
)
from smsc.store.records import (
    encode_control,
    encode_deliveries,
    encode_delivery,
    encode_last,
    encode_message,
    encode_messages,
    encode_progress,
    encode_progresses,
    encode_remembered,
    encode_upstreams,
)

K = TypeVar("K")
V = TypeVar("V")

_ID: Final = attrgetter("id")
_MAILBOX: Final = attrgetter("mailbox")

MESSAGE, STATUS, UPSTREAM, DUE, PARKED, META, CORRUPT, IDEMPOTENCY = range(8)
"""Places of the tables in `Rows`; those of the directory follow: see `smsc.ports.Control`."""

TABLES = (
    "message",
    "status",
    "upstream",
    "due",
    "parked",
    "meta",
    "corrupt",
    "idempotency",
    "account",
    "balance",
    "ledger",
    "contact",
    "inbox",
    "answer",
)
"""Their names on disk, in the same order."""

OBJECTS = frozenset({STATUS, UPSTREAM})
"""Tables whose records are written by `Changes.encode` only."""

Table = dict[bytes, bytes | None]
Rows = defaultdict[int, Table]
"""Overwrites and deletions by table, made when first written to: most batches touch one or two,
and containers that live until the commit are what the garbage collector walks over.
A message is overwritten only by `rewrite`."""


class Changes:
    """What one batch changes, or a transaction of many.

    :ivar keys: of new messages, parallel to `messages` and `statuses`, their first progress.
    :ivar progresses: by message; None deletes it.
    :ivar ended: messages among those that are final now; few will ask for them again.
    :ivar names: which message and part an upstream key stands for; None deletes it.
    :ivar rows: everything else; after `encode`, those too.
    :ivar highest_id: of deliveries: no later id may be below, even once they are gone.
    """

    __slots__ = (
        "ended",
        "highest_id",
        "keys",
        "messages",
        "names",
        "progresses",
        "rows",
        "statuses",
    )

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.messages: list[bytes] = []
        self.statuses: list[bytes] = []
        self.progresses: dict[MessageId, Progress | None] = {}
        self.ended: list[MessageId] = []
        self.names: dict[bytes, tuple[MessageId, int] | None] = {}
        self.rows: Rows = defaultdict(dict)
        self.highest_id = 0

    def encode(self) -> Rows:
        """All overwrites and deletions as records: of objects, what they say now."""
        progresses, names, rows = self.progresses, self.names, self.rows
        if progresses:
            records = _encoded(progresses, encode_progresses)
            rows[STATUS].update(zip(map(id_key, progresses), records, strict=True))
            self.progresses = {}
        if names:
            rows[UPSTREAM].update(zip(names, _encoded(names, encode_upstreams), strict=True))
            self.names = {}
        return rows


def _encoded(
    changed: Mapping[K, V | None], encode: Callable[[Iterable[V]], list[bytes]]
) -> list[bytes] | list[bytes | None]:
    """The records, in order; None for what is deleted."""
    kept = [*filter(None, changed.values())]
    records = encode(kept)
    if len(kept) == len(changed):
        return records
    read = iter(records)
    return [None if one is None else next(read) for one in changed.values()]


class WriteBatch(Changes):
    """Implements `smsc.ports.Batch`."""

    __slots__ = ()

    def accept_many(self, messages: Sequence[Message], progress: Progress) -> None:
        """New messages that start alike; ids must ascend in the order batches are committed."""
        if not messages:
            return
        self.keys += [id_key(message.id) for message in messages]
        self.messages += encode_messages(messages)
        self.statuses += repeat(encode_progress(progress), len(messages))

    def progress(self, id_: MessageId, progress: Progress) -> None:
        """Overwrite the progress of a message."""
        self.progresses[id_] = progress

    def progress_many(self, changed: Iterable[tuple[MessageId, Progress]]) -> None:
        """`progress` for each."""
        self.progresses.update(changed)

    def end_many(self, ended: Mapping[MessageId, Progress]) -> None:
        """`progress` for each; they are final."""
        self.progresses.update(ended)
        self.ended += ended

    def left_many(
        self, outlet: OutletName, left: Sequence[tuple[MessageId, str, Progress]]
    ) -> None:
        """Messages of one part left: `progress` and `upstream` for each.

        (id, what the network calls it or "", its progress).
        """
        if not left:
            return
        ids, names, progresses = zip(*left, strict=True)
        self.progresses.update(zip(ids, progresses, strict=True))
        parts: Iterable[tuple[MessageId, int]] = zip(ids, repeat(0), strict=False)
        if not all(names):
            parts = compress(parts, names)
            names = tuple(filter(None, names))
        self.names.update(zip(upstream_keys(outlet, names), parts, strict=True))

    def rewrite(self, message: Message) -> None:
        """Overwrite a message that is on disk: its owner changed it while it waited."""
        self.rows[MESSAGE][id_key(message.id)] = encode_message(message)

    def upstream(self, outlet: OutletName, upstream_id: str, id_: MessageId, part: int) -> None:
        """Remember what the outlet's network calls a part."""
        self.names[upstream_key(outlet, upstream_id)] = (id_, part)

    def defer(self, due_ms: int, first: MessageId, last: MessageId) -> None:
        """Look at the messages from `first` to `last` at `due_ms`: one alarm for all of them."""
        key = due_key(due_ms, first)
        self.rows[DUE][key] = encode_last(key, last)

    def undefer(self, alarm: Alarm) -> None:
        """Forget an alarm."""
        self.rows[DUE][due_key(alarm.due_ms, alarm.first)] = None

    def park(self, delivery: Delivery) -> None:
        """Keep a delivery until a receiver took it; again with the same id: overwrite it."""
        id_ = delivery.id
        self.rows[PARKED][parked_key(delivery.mailbox, id_)] = encode_delivery(delivery)
        self.highest_id = max(self.highest_id, id_)

    def park_many(self, deliveries: Sequence[Delivery]) -> None:
        """Keep deliveries whose ids ascend until receivers took them."""
        if not deliveries:
            return
        keys: list[bytes] = []
        for mailbox, run in groupby(deliveries, _MAILBOX):  # most have one mailbox
            keys += parked_keys(mailbox, map(_ID, run))
        self.rows[PARKED].update(zip(keys, encode_deliveries(deliveries), strict=True))
        self.highest_id = max(self.highest_id, deliveries[-1].id)

    def unpark_many(self, mailbox: Mailbox, ids: Iterable[MessageId]) -> None:
        """The deliveries arrived."""
        self.rows[PARKED].update(dict.fromkeys(parked_keys(mailbox, ids)))

    def unpark(self, mailbox: Mailbox, id_: MessageId) -> None:
        """The delivery arrived, or expired."""
        self.rows[PARKED][parked_key(mailbox, id_)] = None

    def forget(self, id_: MessageId) -> None:
        """Delete a message and its progress; see `Reads.forget`."""
        self.rows[MESSAGE][id_key(id_)] = None
        self.progresses[id_] = None

    def forget_upstream(self, outlet: OutletName, upstream_id: str) -> None:
        """Delete what an upstream id stands for."""
        self.names[upstream_key(outlet, upstream_id)] = None

    def set_aside(self, table: int, key: bytes, record: bytes) -> None:
        """Move a record that cannot be read to `corrupt`, as it is, for the operator to look at.

        If it told of a message, that one ends as UNKNOWN: accepted = final + live still holds,
        and nothing is sent of which nobody knows whether it was sent before.
        """
        self.rows[CORRUPT][corrupt_key(table, key)] = record
        if table == UPSTREAM:
            self.names[key] = None
        elif table != STATUS:
            self.rows[table][key] = None
        if table in {MESSAGE, STATUS}:
            self.progresses[id_of(key)] = Progress(
                State.UNKNOWN, OutletName(""), error=Status.ESME_RSYSERR
            )

    def remember(self, account: AccountId, digest: bytes, id_: MessageId, until_ms: int) -> None:
        """The account's submission with this digest became this message."""
        key = idempotency_key(account, digest)
        self.rows[IDEMPOTENCY][key] = encode_remembered(key, id_, until_ms)

    def forget_remembered(self, account: AccountId, digest: bytes) -> None:
        """The submission may come again, as another message."""
        self.rows[IDEMPOTENCY][idempotency_key(account, digest)] = None

    def control(self, table: Control, key: bytes, fields: tuple[object, ...] | None) -> None:
        """Overwrite a record of the directory; None deletes it."""
        self.rows[table][key] = None if fields is None else encode_control(key, fields)
        if table is Control.INBOX:
            self.highest_id = max(self.highest_id, id_of(key))

    def meta(self, key: str, value: bytes) -> None:
        """A control value, such as the schema version."""
        self.rows[META][meta_key(key)] = value
