"""The store on LMDB: one environment a node, one thread that writes.

*In*: batches (`smsc.ports.Batch`) from the event loop. *Out*: `Committed` after fsync, reads.
*Never*: writemap, a weaker sync in production, a transaction across an `await`.

Tables: message (id → envelope + body), status (id → progress), upstream (outlet, upstream id →
id, part), due (due ms, id), parked (mailbox, id → delivery), meta (schema, last_id, …).
"""

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import lmdb
import structlog
import trio

from smsc.message import MessageId
from smsc.ports import Batch
from smsc.store import keys
from smsc.store.batch import MESSAGE, META, STATUS, TABLES, Rows, WriteBatch
from smsc.store.commit import Done, FullError, Group, GroupCommit, Soon
from smsc.store.ids import IdAllocator
from smsc.store.opening import Opened
from smsc.store.reads import Reads, Row
from smsc.store.space import Space, free_octets

LAST_ID = "last_id"
"""meta: the highest id of a message or delivery, so that ids ascend across restarts
even if the clock stepped back and the newest records are already gone."""

DEFAULT_MAP_SIZE_MB = 65_536
"""64 GiB of address space; the file grows only as it is filled."""

_log = structlog.get_logger("smsc.store")


class LmdbStore(Reads):
    """Implements `smsc.ports.Store`. `commit_nowait` and all reads: in the loop's thread only."""

    def __init__(
        self,
        data_dir: Path,
        *,
        node: int,
        soon: Soon,
        failed: Callable[[Exception], None],
        map_size_mb: int = DEFAULT_MAP_SIZE_MB,
        retry_s: float = 1.0,
        sync: bool = True,
    ) -> None:
        """Open the store and start its thread. `StoreOpenError` says what is in the way.

        `soon` and `failed`: see `GroupCommit`. `sync=False` breaks the promise that accepted
        means on disk; it exists for tests that prove the fsync, no configuration reaches it.
        """
        self._opened = Opened(data_dir, map_size_mb, sync=sync)
        self._env, self._tables = self._opened.env, self._opened.tables
        self._space = Space(
            self._env.info()["map_size"], lambda: free_octets(data_dir), time.monotonic
        )
        self._writer = GroupCommit(self._write, soon=soon, failed=failed, retry_s=retry_s)
        self._written_id = self._last_id()
        self.ids = IdAllocator(node, MessageId(self._written_id))
        self._writer.start()

    def close(self) -> None:
        """Write all that was handed in, end the thread, let go of the directory. Blocks."""
        self._writer.close()
        self._opened.close()

    # --- writing ------------------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Should intake refuse? True above the intake limit, False again once drained."""
        return self._space.why() is not None

    @property
    def why_full(self) -> str | None:
        """Why intake should refuse, for people; None while there is room."""
        return self._space.why()

    def batch(self) -> WriteBatch:
        """An empty batch."""
        return WriteBatch()

    def commit_nowait(self, batch: Batch, done: Done | None = None) -> None:
        """Commit with whatever else is waiting; see `smsc.ports.Store`.

        After a disk error `done` is never called: the outcome is unknown.
        """
        assert isinstance(batch, WriteBatch), "a batch of this store"
        self._writer.commit_nowait(batch, done)

    def _write(self, group: Group) -> None:
        """In the writer thread: one transaction, fsynced when the block ends."""
        try:
            with self._env.begin(write=True) as txn:
                if group.messages:
                    self._append(txn, MESSAGE, group.messages)
                    self._append(txn, STATUS, group.statuses)
                for table, rows in zip(self._tables, group.rows, strict=True):
                    if rows:
                        _overwrite(txn, table, rows)
                if group.highest_id:
                    last_id = b"%d" % max(group.highest_id, self._written_id)
                    txn.put(keys.meta_key(LAST_ID), last_id, db=self._tables[META])
                used = self._used(txn)
        except lmdb.MapFullError as error:
            raise FullError(self._space.map_ran_out()) from error
        except lmdb.DiskError as error:  # ENOSPC
            raise FullError(self._space.disk_ran_out()) from error
        except lmdb.Error as error:
            # LMDB reports a page written short as EIO; nothing was made visible by then.
            if not isinstance(error, lmdb.PanicError) and self._space.disk_is_full():
                raise FullError(self._space.disk_ran_out()) from error
            raise
        self._written_id = max(group.highest_id, self._written_id)
        self._space.committed(used)

    def _append(self, txn: lmdb.Transaction, table: int, rows: list[Row]) -> None:
        with txn.cursor(db=self._tables[table]) as cursor:
            _, added = cursor.putmulti(rows, append=True)
            if added != len(rows):  # putmulti passes over a key that does not ascend
                cursor.putmulti(rows)

    def _used(self, txn: lmdb.Transaction) -> int:
        stats = [txn.stat(table) for table in self._tables]
        pages = sum(
            stat["branch_pages"] + stat["leaf_pages"] + stat["overflow_pages"] for stat in stats
        )
        return int(pages * stats[0]["psize"])

    # --- reading ------------------------------------------------------------------------------

    def counts(self) -> Mapping[str, int]:
        """How many records each part of the store holds on disk."""
        with self._env.begin() as txn:
            return {
                name: txn.stat(table)["entries"]
                for name, table in zip(TABLES, self._tables, strict=True)
            }

    def _unwritten(self) -> Sequence[Rows]:
        return [group.rows for group in self._writer.layers]

    def _get(self, table: int, wanted: Sequence[bytes]) -> list[bytes | None]:
        with self._env.begin(db=self._tables[table]) as txn:
            return [txn.get(key) for key in wanted]

    def _scan(self, table: int, start: bytes, stop: bytes, limit: int) -> list[Row]:
        with self._env.begin(db=self._tables[table]) as txn, txn.cursor() as cursor:
            if not (cursor.set_range(start) if start else cursor.first()):
                return []
            rows: list[Row] = []
            for row in islice(cursor, limit):
                if row[0] >= stop:
                    break
                rows.append(row)
            return rows

    def _last_id(self) -> int:
        with self._env.begin() as txn:
            noted = int(txn.get(keys.meta_key(LAST_ID), b"0", db=self._tables[META]))
            with txn.cursor(db=self._tables[MESSAGE]) as cursor:
                newest = keys.id_of(cursor.key()) if cursor.last() else 0
            self._space.committed(self._used(txn))
        return max(noted, newest)


def _overwrite(txn: lmdb.Transaction, table: Any, rows: dict[bytes, bytes | None]) -> None:
    """Put and delete, in key order: neighbours share pages."""
    puts = sorted((key, value) for key, value in rows.items() if value is not None)
    with txn.cursor(db=table) as cursor:
        if puts:
            cursor.putmulti(puts)
        if len(puts) < len(rows):
            for key in sorted(key for key, value in rows.items() if value is None):
                if cursor.set_key(key):
                    cursor.delete()


@asynccontextmanager
async def open_store(
    data_dir: Path,
    *,
    node: int,
    failed: Callable[[Exception], None],
    map_size_mb: int = DEFAULT_MAP_SIZE_MB,
) -> AsyncIterator[LmdbStore]:
    """The store for as long as the block runs, with answers given in this Trio loop.

    At the end all that was handed in is written and answered before the block is left.
    `failed` is called in the loop when the disk is in doubt; the process should then end.
    """
    token = trio.lowlevel.current_trio_token()

    def soon(call: Callable[[], None]) -> None:
        try:
            token.run_sync_soon(call)
        except trio.RunFinishedError:  # the loop ended without leaving the block: nobody waits
            return

    store = LmdbStore(data_dir, node=node, soon=soon, failed=failed, map_size_mb=map_size_mb)
    _log.info("store.opened", data_dir=str(data_dir), **store.counts())
    try:
        yield store
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(store.close)
        _log.info("store.closed", data_dir=str(data_dir))
