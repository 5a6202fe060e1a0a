"""Reading: what was handed in lies over what is on disk.

*In*: keys. *Out*: messages, progress, wake-ups, deliveries; both stores inherit it.
*Never*: a transaction that outlives a call; a corrupt record: it is logged, counted, set aside.

Every read looks at the groups that are not on disk yet, youngest first, and then at the disk.
New messages and their first progress are not among those groups' rows, so they show only
once they are on disk.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from itertools import islice
from typing import Any

import structlog

from smsc.message import (
    FINAL,
    LIVE,
    AccountId,
    Delivery,
    Mailbox,
    Message,
    MessageId,
    OutletName,
    Progress,
)
from smsc.ports import Alarm, Batch, Control
from smsc.store import keys, records
from smsc.store.batch import (
    DUE,
    IDEMPOTENCY,
    MESSAGE,
    META,
    OBJECTS,
    PARKED,
    STATUS,
    TABLES,
    UPSTREAM,
    Changes,
    Table,
    WriteBatch,
)
from smsc.store.commit import Done
from smsc.store.fresh import Fresh
from smsc.store.records import CorruptRecordError
from smsc.store.waiting import Waiting

Row = tuple[bytes, bytes]

_CHUNK = 10_000

_log = structlog.get_logger("smsc.store")


class Reads(ABC):
    """The reading half of `smsc.ports.Store`, over two primitives."""

    corrupt = 0
    """How many corrupt records were met and set aside since the start."""

    def __init__(self) -> None:
        self.fresh = Fresh()

    @abstractmethod
    def _unwritten(self) -> Sequence[Changes]:
        """What was handed in and is not on disk, oldest first."""

    @abstractmethod
    def _get(self, table: int, wanted: Sequence[bytes]) -> list[bytes | None]:
        """The values on disk, in order."""

    @abstractmethod
    def counts(self) -> Mapping[str, int]:
        """How many records each part of the store holds on disk."""

    @abstractmethod
    def _scan(self, table: int, start: bytes, stop: bytes, limit: int) -> list[Row]:
        """At most `limit` rows on disk with start <= key < stop, in key order."""

    @abstractmethod
    def _scan_back(self, table: int, start: bytes, stop: bytes, limit: int) -> list[Row]:
        """As `_scan`, the last row first."""

    @property
    @abstractmethod
    def is_full(self) -> bool:
        """See `smsc.ports.Store`."""

    @abstractmethod
    def commit_nowait(self, batch: Batch, done: Done | None = None) -> None:
        """See `smsc.ports.Store`."""

    def message(self, id_: MessageId) -> Message | None:
        """A message by id."""
        return self.messages((id_,))[0]

    def messages(self, ids: Sequence[MessageId]) -> list[Message | None]:
        """Messages by id, in order; None for one that is unknown or corrupt."""
        found: list[Message | None] = []
        for id_, record in zip(ids, self._look(MESSAGE, [*map(keys.id_key, ids)]), strict=True):
            message = None
            if record is not None:
                try:
                    message = records.decode_message(id_, record)
                except CorruptRecordError as error:
                    self._set_aside(MESSAGE, keys.id_key(id_), record, error)
            found.append(message)
        return found

    def progress(self, id_: MessageId) -> Progress | None:
        """The progress of a message; None if it is unknown or corrupt."""
        return self.progresses((id_,))[0]

    def progresses(self, ids: Sequence[MessageId]) -> list[Progress | None]:
        """The progress of messages, in order; None for one that is unknown or corrupt."""
        found = self._look(STATUS, [*map(keys.id_key, ids)])
        return [
            None if record is None else self._progress_of(id_, record)
            for id_, record in zip(ids, found, strict=True)
        ]

    def newest(self, ids: Sequence[MessageId]) -> list[Progress | None]:
        """As `progresses`, without reading what was handed in a moment ago.

        The objects are the store's: who changes one journals the change in the same step.
        """
        found = self.fresh.progresses(ids)
        if not all(found):  # `None in found` would compare the others with None
            missing = [id_ for id_, one in zip(ids, found, strict=True) if one is None]
            read = iter(self.progresses(missing))
            found = [next(read) if one is None else one for one in found]
        return found

    def upstream(self, outlet: OutletName, upstream_id: str) -> tuple[MessageId, int] | None:
        """Which message and part the network of `outlet` calls `upstream_id`."""
        return self.upstreams(outlet, (upstream_id,))[0]

    def upstreams(
        self, outlet: OutletName, upstream_ids: Sequence[str]
    ) -> list[tuple[MessageId, int] | None]:
        """Which message and part the network of `outlet` calls each of these, in order."""
        wanted = keys.upstream_keys(outlet, upstream_ids)
        found = self.fresh.take_names(wanted)
        if not all(found):
            missing = [key for key, one in zip(wanted, found, strict=True) if one is None]
            read = iter(self._read_upstreams(missing))
            found = [next(read) if one is None else one for one in found]
        return found

    def upstream_ids(self, outlet: OutletName, limit: int) -> list[str]:
        """Some ids that the network of `outlet` gave out: on disk, the last in order."""
        start = keys.upstream_key(outlet, "")
        stop = start[:-1] + b"\x01"
        rows = self._scan_back(UPSTREAM, start, stop, limit)
        return [key[len(start) :].decode("utf-8", "replace") for key, _ in rows]

    def waiting(self) -> Sequence[tuple[MessageId, Progress]]:
        """Every message that is not final, oldest first: 8 octets each until it is looked at."""
        return Waiting(self._statuses, self._progress_of, self.progress)

    def live(self, until: MessageId, rows: int) -> Iterator[list[tuple[MessageId, Progress]]]:
        """Messages up to `until` that are not final, oldest first, a list for `rows` records.

        Each list is read when it is asked for and is as new as the store then,
        so others may work between two lists; `waiting` is for when nobody does.
        """
        start, stop = b"", keys.id_key(until + 1)
        while found := self._range(STATUS, start, stop, rows):
            progresses = (
                (id_, self._progress_of(id_, record))
                for id_, record in ((keys.id_of(key), record) for key, record in found)
                if not records.looks_final(record)
            )
            yield [
                (id_, progress)
                for id_, progress in progresses
                if progress is not None and progress.state in LIVE
            ]
            start = found[-1][0] + b"\x00"

    def due(self, until_ms: int, limit: int) -> list[Alarm]:
        """Alarms due by `until_ms`, earliest first."""
        alarms: list[Alarm] = []
        for key, record in self._range(DUE, b"", keys.due_until(until_ms), limit):
            try:
                alarms.append(Alarm(*keys.due_of(key), records.decode_last(key, record)))
            except CorruptRecordError as error:
                self._set_aside(DUE, key, record, error)
        return alarms

    def lone_alarm_ms(self, at_ms: int, id_: MessageId) -> int:
        """From `at_ms` on, when an alarm for this message alone may stand.

        An alarm is known by its time and its first message, so it would displace that of a whole
        read which begins with the message.
        """
        while True:
            key = keys.due_key(at_ms, id_)
            (record,) = self._look(DUE, (key,))
            if record is None or record == records.encode_last(key, id_):
                return at_ms
            at_ms += 1

    def parked(self, mailbox: Mailbox, after: MessageId, limit: int) -> list[Delivery]:
        """Deliveries of a mailbox with an id above `after`, oldest first."""
        start, stop = keys.parked_range(mailbox, after)
        deliveries: list[Delivery] = []
        while len(deliveries) < limit:
            rows = self._range(PARKED, start, stop, limit - len(deliveries))
            if not rows:
                break
            for key, record in rows:
                id_ = keys.id_of(key)
                try:
                    deliveries.append(records.decode_delivery(mailbox, id_, record))
                except CorruptRecordError as error:
                    self._set_aside(PARKED, key, record, error)
            start = rows[-1][0] + b"\x00"
        return deliveries

    def mailboxes(self) -> list[Mailbox]:
        """Mailboxes that hold at least one delivery."""
        found: list[Mailbox] = []
        start = b""
        while rows := self._range(PARKED, start, keys.END, 1):
            mailbox = keys.mailbox_of(rows[0][0])
            found.append(mailbox)
            _, start = keys.parked_range(mailbox, MessageId(0))
        return found

    def remembered(self) -> Iterator[tuple[AccountId, bytes, MessageId, int]]:
        """Every submission that is remembered: account, digest, id, until when (ms UTC)."""
        start = b""
        while rows := self._range(IDEMPOTENCY, start, keys.END, _CHUNK):
            for key, record in rows:
                try:
                    yield *keys.submission_of(key), *records.decode_remembered(key, record)
                except CorruptRecordError as error:
                    self._set_aside(IDEMPOTENCY, key, record, error)
            start = rows[-1][0] + b"\x00"

    def control(
        self, table: Control, start: bytes, stop: bytes, limit: int, *, backwards: bool = False
    ) -> list[tuple[bytes, tuple[Any, ...]]]:
        """Records of the directory with start <= key < stop, in key order or the last first."""
        found: list[tuple[bytes, tuple[Any, ...]]] = []
        while len(found) < limit:
            look = self._range_back if backwards else self._range
            rows = look(table, start, stop, limit - len(found))
            for key, record in rows:
                try:
                    found.append((key, records.decode_control(key, record)))
                except CorruptRecordError as error:
                    self._set_aside(table, key, record, error)
            if not rows:
                break
            if backwards:
                stop = rows[-1][0]
            else:
                start = rows[-1][0] + b"\x00"
        return found

    def control_keys(self, table: Control, start: bytes, stop: bytes, limit: int) -> list[bytes]:
        """Keys of such records, unread: for counting many of them."""
        return [key for key, _ in self._range(table, start, stop, limit)]

    def meta(self, key: str) -> bytes | None:
        """A control value."""
        (value,) = self._look(META, (keys.meta_key(key),))
        return value

    # --- looking through what was accepted -----------------------------------------------------

    def newest_of(
        self, account: AccountId | None, above: MessageId, below: MessageId, rows: int
    ) -> tuple[list[MessageId], MessageId | None]:
        """Ids on disk between two others that look like the account's (None = all), newest first.

        Looks at `rows` records at most; the second id is where to go on below, None when all were
        seen. What is read by `messages` then is checked, and may differ.
        """
        found = self._scan_back(MESSAGE, keys.id_key(above + 1), keys.id_key(below), rows)
        starts_so = records.message_starts(account) if account is not None else b""
        head = records.HEAD_OCTETS
        ids = [keys.id_of(key) for key, record in found if record.startswith(starts_so, head)]
        return ids, keys.id_of(found[-1][0]) if len(found) == rows else None

    def following(self, first: MessageId, rows: int) -> list[MessageId]:
        """Ids on disk from `first` on, oldest first."""
        found = self._scan(MESSAGE, keys.id_key(first), keys.END, rows)
        return [keys.id_of(key) for key, _ in found]

    # --- history ------------------------------------------------------------------------------

    def finished(
        self, after: MessageId, before: MessageId, done_by_ms: int, rows: int
    ) -> tuple[list[tuple[MessageId, Progress]], MessageId | None]:
        """Messages between two ids that ended by `done_by_ms`, oldest first.

        Looks at `rows` records at most; the id is where to go on from, None when all were seen.
        """
        found: list[tuple[MessageId, Progress]] = []
        records_seen = self._range(STATUS, keys.id_key(after + 1), keys.id_key(before), rows)
        for key, record in records_seen:
            if records.looks_final(record):
                id_ = keys.id_of(key)
                progress = self._progress_of(id_, record)
                if progress is None or progress.state not in FINAL:
                    continue
                if progress.done_ms <= done_by_ms:
                    found.append((id_, progress))
        return found, keys.id_of(records_seen[-1][0]) if len(records_seen) == rows else None

    def forget(self, batch: WriteBatch, finished: Sequence[tuple[MessageId, Progress]]) -> None:
        """Enter into `batch` that messages go, with all that belongs to them.

        An upstream id that its network gave out again since then is left to the newer message.
        """
        names: dict[OutletName, list[tuple[str, MessageId]]] = {}
        for id_, progress in finished:
            batch.forget(id_)
            if progress.upstream_ids:
                theirs = names.setdefault(progress.outlet, [])
                theirs += ((name, id_) for name in progress.upstream_ids if name)
        for outlet, theirs in names.items():
            known = self.upstreams(outlet, [name for name, _ in theirs])
            for (name, id_), hit in zip(theirs, known, strict=True):
                if hit is not None and hit[0] == id_:
                    batch.forget_upstream(outlet, name)

    # --- helpers ------------------------------------------------------------------------------

    def _read_upstreams(self, wanted: Sequence[bytes]) -> list[tuple[MessageId, int] | None]:
        return [
            None if record is None else self._upstream_of(key, record)
            for key, record in zip(wanted, self._look(UPSTREAM, wanted), strict=True)
        ]

    def _upstream_of(self, key: bytes, record: bytes) -> tuple[MessageId, int] | None:
        try:
            return records.decode_upstream(record)
        except CorruptRecordError as error:
            self._set_aside(UPSTREAM, key, record, error)
            return None

    def _look(self, table: int, wanted: Sequence[bytes]) -> list[bytes | None]:
        """As `_get`, with what was handed in laid over it."""
        layers = self._layers(table)  # before the disk
        values = self._get(table, wanted)
        for layer in layers:
            for at, key in enumerate(wanted):
                if key in layer:
                    values[at] = layer[key]
        return values

    def _range(self, table: int, start: bytes, stop: bytes, limit: int) -> list[Row]:
        """As `_scan`, with what was handed in laid over it."""
        over = self._over(table)  # before the disk
        if not over:
            return self._scan(table, start, stop, limit)
        added = sorted(
            (key, value) for key, value in over.items() if value is not None and start <= key < stop
        )
        return list(islice(merge(self._untouched(table, start, stop, limit, over), added), limit))

    def _range_back(self, table: int, start: bytes, stop: bytes, limit: int) -> list[Row]:
        """As `_scan_back`, with what was handed in laid over it."""
        over = {key: value for key, value in self._over(table).items() if start <= key < stop}
        rows = self._scan_back(table, start, stop, limit + len(over))
        if not over:
            return rows
        added = [(key, value) for key, value in over.items() if value is not None]
        kept = [row for row in rows if row[0] not in over]  # `limit` of them, or all there are
        return sorted([*kept, *added], reverse=True)[:limit]

    def _over(self, table: int) -> Table:
        over: Table = {}
        for layer in self._layers(table):
            over.update(layer)
        return over

    def _layers(self, table: int) -> list[Table]:
        """What was handed in for one table and is not on disk, oldest first."""
        is_encoded = table not in OBJECTS
        layers = [one.rows if is_encoded else one.encode() for one in self._unwritten()]
        return [rows[table] for rows in layers if table in rows]

    def _untouched(
        self, table: int, start: bytes, stop: bytes, limit: int, over: Table
    ) -> Iterator[Row]:
        """Rows on disk that `over` does not speak of."""
        chunk = limit + min(len(over), _CHUNK)
        while rows := self._scan(table, start, stop, chunk):
            yield from (row for row in rows if row[0] not in over)
            start = rows[-1][0] + b"\x00"

    def _statuses(self) -> Iterator[Row]:
        """Every progress record that may be live, oldest first."""
        looks_final = records.looks_final
        return (row for row in self._all_statuses(keys.END) if not looks_final(row[1]))

    def _all_statuses(self, stop: bytes) -> Iterator[Row]:
        """Every progress record below `stop`, oldest first; read in chunks."""
        over = self._over(STATUS)
        start = b""
        while rows := self._scan(STATUS, start, stop, _CHUNK):
            for key, record in rows:
                newest = over.get(key, record) if over else record
                if newest is not None:
                    yield key, newest
            start = rows[-1][0] + b"\x00"

    def _progress_of(self, id_: MessageId, record: bytes) -> Progress | None:
        try:
            return records.decode_progress(record)
        except CorruptRecordError as error:
            self._set_aside(STATUS, keys.id_key(id_), record, error)
            return None

    def _set_aside(self, table: int, key: bytes, record: bytes, error: CorruptRecordError) -> None:
        """Nobody meets the record again, so it is logged once; see `WriteBatch.set_aside`."""
        self.corrupt += 1
        _log.error("store.record_corrupt", table=TABLES[table], key=key.hex(), why=str(error))
        batch = WriteBatch()
        batch.set_aside(table, key, record)
        self.commit_nowait(batch)
