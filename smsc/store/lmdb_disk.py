"""LMDB as the store uses it: whole groups in, single records and ranges out.

*In*: groups from the writer thread; keys from the loop's thread. *Out*: durable tables, records.
*Never*: a read transaction that outlives a call; a lock of ours (LMDB's readers do not wait).

The map grows live, and only in `put`: there the loop's thread waits for the writer's
(see `commit`), so no transaction of this process is open, which is what LMDB asks for.
Other processes that read the file meanwhile keep their own map.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import lmdb
import structlog

from smsc.store import keys
from smsc.store.batch import MESSAGE, META, STATUS, TABLES, Table
from smsc.store.commit import FullError, Group
from smsc.store.opening import MapSize, Opened
from smsc.store.readers import Readers
from smsc.store.space import Space, free_octets

Row = tuple[bytes, bytes]

LAST_ID = "last_id"
"""meta: the highest id of a message or delivery, so that ids ascend across restarts
even if the clock stepped back and the newest records are already gone."""

GROW_SHARE = 0.75
"""The map grows when this share of it is used; the rest holds the free pages between records."""

_log = structlog.get_logger("smsc.store")


class LmdbDisk:
    """Implements `smsc.store.commit.Disk`."""

    def __init__(self, data_dir: Path, map_size: MapSize, *, sync: bool) -> None:
        """Open it. `StoreOpenError` says what is in the way."""
        self._opened = Opened(data_dir, map_size, sync=sync)
        self._env, self._tables = self._opened.env, self._opened.tables
        self.map_octets: int = self._env.info()["map_size"]
        self._growth_octets = map_size.growth_mb << 20
        self._limit_octets = max(map_size.limit_mb << 20, self.map_octets)
        if not self._growth_octets:
            self._limit_octets = self.map_octets
        self.space = Space(self._limit_octets, lambda: free_octets(data_dir), time.monotonic)
        self._grow_next = False
        self.readers = Readers(self._env)
        self.highest_id = self._last_id()
        """Of all messages and deliveries ever stored; 0 if none."""

    def close(self) -> None:
        """Let go of the directory; no call may follow."""
        self._opened.close()

    def forked(self) -> None:
        """In a forked child: see `Opened.forked`."""
        self._opened.forked()

    def put(self, group: Group) -> None:
        """In the writer thread: see `smsc.store.commit.Disk`."""
        if group.messages and (why := self.space.refusal()) is not None:
            raise FullError(why)
        if self._grow_next or self.space.used_octets >= self.map_octets * GROW_SHARE:
            self._grow()
        with self._mapped_errors():
            while True:
                try:
                    self._put(group)
                except lmdb.MapFullError:
                    if not self._grow():
                        raise
                else:
                    group.forget_new()
                    return

    def _put(self, group: Group) -> None:
        txn = self._env.begin(write=True)
        try:
            if group.messages:
                self._append(txn, MESSAGE, group.keys, group.messages)
                self._append(txn, STATUS, group.keys, group.statuses)
            for table, rows in group.rows.items():
                _overwrite(txn, self._tables[table], rows)
            if group.highest_id > self.highest_id:
                last_id = b"%d" % group.highest_id
                txn.put(keys.meta_key(LAST_ID), last_id, db=self._tables[META])
            self._used_octets = self._used(txn)
            self._group_highest_id = group.highest_id
        except BaseException:
            txn.abort()
            raise
        self._txn = txn

    def commit(self) -> None:
        """In the writer thread: see `smsc.store.commit.Disk`."""
        with self._mapped_errors():
            self._txn.commit()
        self.highest_id = max(self.highest_id, self._group_highest_id)
        self.space.committed(self._used_octets)

    def _grow(self) -> bool:
        """Make the map larger; False at the limit. Only while no transaction is open."""
        self._grow_next = False
        octets = min(self.map_octets + self._growth_octets, self._limit_octets)
        if octets <= self.map_octets:
            return False
        self._env.set_mapsize(octets)
        self.map_octets = octets
        _log.info("store.map_grown", map_mb=octets >> 20)
        return True

    @contextmanager
    def _mapped_errors(self) -> Iterator[None]:
        try:
            yield
        except lmdb.MapFullError as error:
            if self.map_octets < self._limit_octets:  # at commit, beside a loop that may read
                self._grow_next = True
                raise FullError("the store's map is about to grow") from error
            raise FullError(self.space.map_ran_out()) from error
        except lmdb.DiskError as error:  # ENOSPC
            raise FullError(self.space.disk_ran_out()) from error
        except lmdb.Error as error:
            # LMDB reports a page written short as EIO; nothing was made visible by then.
            if not isinstance(error, lmdb.PanicError) and self.space.disk_is_full():
                raise FullError(self.space.disk_ran_out()) from error
            raise

    def _append(
        self, txn: lmdb.Transaction, table: int, ids: list[bytes], values: list[bytes]
    ) -> None:
        with txn.cursor(db=self._tables[table]) as cursor:
            _, added = cursor.putmulti(zip(ids, values, strict=True), append=True)
            if added != len(ids):  # putmulti passes over a key that does not ascend
                cursor.putmulti(zip(ids, values, strict=True))

    def _used(self, txn: lmdb.Transaction) -> int:
        stats = [txn.stat(table) for table in self._tables]
        pages = sum(
            stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"] for stat in stats
        )
        return int(pages * stats[0]["psize"])

    def counts(self) -> Mapping[str, int]:
        """Records of each table."""
        with self._reading(META) as txn:
            return {
                name: txn.stat(table)["entries"]
                for name, table in zip(TABLES, self._tables, strict=True)
            }

    def get(self, table: int, wanted: Sequence[bytes]) -> list[bytes | None]:
        """The values, in order; None where there is none."""
        with self._reading(table) as txn:
            return [txn.get(key) for key in wanted]

    def scan(self, table: int, start: bytes, stop: bytes, limit: int) -> list[Row]:
        """At most `limit` rows with start <= key < stop, in key order."""
        with self._reading(table) as txn, txn.cursor() as cursor:
            if not (cursor.set_range(start) if start else cursor.first()):
                return []
            rows: list[Row] = []
            for row in islice(cursor, limit):
                if row[0] >= stop:
                    break
                rows.append(row)
            return rows

    def scan_back(self, table: int, start: bytes, stop: bytes, limit: int) -> list[Row]:
        """At most `limit` rows with start <= key < stop, the last one first."""
        with self._reading(table) as txn, txn.cursor() as cursor:
            if not (cursor.prev() if cursor.set_range(stop) else cursor.last()):
                return []
            rows: list[Row] = []
            for row in islice(cursor.iterprev(), limit):
                if row[0] < start:
                    break
                rows.append(row)
            return rows

    def _reading(self, table: int) -> Any:
        """Begin a read transaction; its slot in the reader table is kept for the next one.

        So crowds of other processes cannot push us out, and the next one begins sooner.
        """
        try:
            return self._env.begin(db=self._tables[table])
        except lmdb.ReadersFullError:  # a growth of the map let go of our slot
            self.readers.clear_dead()
            return self._env.begin(db=self._tables[table])

    def _last_id(self) -> int:
        with self._reading(META) as txn:
            noted = int(txn.get(keys.meta_key(LAST_ID), b"0", db=self._tables[META]))
            with txn.cursor(db=self._tables[MESSAGE]) as cursor:
                newest = keys.id_of(cursor.key()) if cursor.last() else 0
            self.space.committed(self._used(txn))
        return max(noted, newest)


def _overwrite(txn: lmdb.Transaction, table: Any, rows: Table) -> None:
    """Put and delete, in key order: neighbours share pages."""
    ordered: Any = sorted(rows.items())  # keys differ, so values are never compared
    if None not in rows.values():
        with txn.cursor(db=table) as cursor:
            cursor.putmulti(ordered)
        return
    delete = txn.delete
    for key, value in ordered:
        if value is None:
            delete(key, b"", table)
    puts = [row for row in ordered if row[1] is not None]
    if puts:
        with txn.cursor(db=table) as cursor:
            cursor.putmulti(puts)
