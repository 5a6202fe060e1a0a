"""The store on LMDB: one environment a node, one thread that writes.

*In*: batches (`smsc.ports.Batch`) from the event loop. *Out*: `Committed` after fsync, reads.
*Never*: writemap, a weaker sync in production, a transaction across an `await`.

Tables: message (id → envelope + body), status (id → progress), upstream (outlet, upstream id →
id, part), due (due ms, id), parked (mailbox, id → delivery), meta (schema, last_id, …).
"""

import os
import weakref
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn

import structlog
import trio

from smsc.ports import Batch
from smsc.store.batch import Changes, WriteBatch
from smsc.store.commit import Done, GroupCommit, Soon
from smsc.store.ids import IdAllocator
from smsc.store.lmdb_disk import LmdbDisk
from smsc.store.opening import MapSize
from smsc.store.reads import Reads, Row

MAP_SIZE = MapSize()
"""The defaults, which are those of the configuration."""

_log = structlog.get_logger("smsc.store")


class ForkedError(RuntimeError):
    """A forked child touched the store of its parent: a bug of whoever forked."""


class Forked:
    """What a forked child finds in place of the disk and the writer: every use raises."""

    def __init__(self, parent_pid: int) -> None:
        self._parent_pid = parent_pid

    def __getattr__(self, name: str) -> NoReturn:
        raise ForkedError(
            f"this process was forked from {self._parent_pid}, whose store it cannot use (LMDB "
            "would damage it): start a process of its own instead, as subprocess does"
        )


_open_stores: "weakref.WeakSet[LmdbStore]" = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for store in _open_stores:
        store.forked()


os.register_at_fork(after_in_child=_after_fork_in_child)


class LmdbStore(Reads):
    """Implements `smsc.ports.Store`. `commit_nowait` and all reads: in the loop's thread only."""

    def __init__(
        self,
        data_dir: Path,
        *,
        node: int,
        soon: Soon,
        failed: Callable[[Exception], None],
        map_size: MapSize = MAP_SIZE,
        retry_s: float = 1.0,
        sync: bool = True,
    ) -> None:
        """Open the store and start its thread. `StoreOpenError` says what is in the way.

        `soon` and `failed`: see `GroupCommit`. `sync=False` breaks the promise that accepted
        means on disk; it exists for tests that prove the fsync, no configuration reaches it.
        """
        super().__init__()
        self._disk = LmdbDisk(data_dir, map_size, sync=sync)
        self._space = self._disk.space
        self._writer = GroupCommit(self._disk, soon=soon, failed=failed, retry_s=retry_s)
        self.ids = IdAllocator(node, self._disk.highest_id)
        self._pid = os.getpid()
        _open_stores.add(self)

    def close(self) -> None:
        """Write and answer all that was handed in, then let go of the directory.

        Blocks the loop for a commit or two; what still finds no room is given up (`StoreFull`).
        """
        self._writer.close()
        self._disk.close()

    def forked(self) -> None:
        """In a forked child: let go of the parent's lock, and refuse every use from now on.

        The writer thread was not forked, and LMDB's transactions belong to the parent.
        """
        self._disk.forked()
        forked: Any = Forked(self._pid)
        self._disk = self._writer = self._space = forked

    def look_after_readers(self) -> None:
        """Free what dead processes hold of the store, warn of stuck ones; once a minute."""
        self._disk.readers.look()

    @property
    def map_octets(self) -> int:
        """How large the file may be now; it grows up to the configured limit."""
        return self._disk.map_octets

    @property
    def is_full(self) -> bool:
        """Should intake refuse? True above the intake limit, False again once drained."""
        return self.why_full is not None

    @property
    def why_full(self) -> str | None:
        """Why intake should refuse, for people; None while there is room."""
        if self._writer.latched:
            return "the disk failed, and nothing more is stored until a restart"
        return self._space.why()

    def batch(self) -> WriteBatch:
        """An empty batch."""
        return WriteBatch()

    def commit_nowait(self, batch: Batch, done: Done | None = None) -> None:
        """Commit with whatever else is waiting; see `smsc.ports.Store`.

        After a disk error `done` is never called: the outcome is unknown.
        """
        assert isinstance(batch, WriteBatch)
        if not batch.messages:  # with them it may be refused, and nothing of it happened
            self.fresh.note(batch)
        self._writer.commit_nowait(batch, done)

    def counts(self) -> Mapping[str, int]:
        """How many records each part of the store holds on disk."""
        return self._disk.counts()

    def _unwritten(self) -> Sequence[Changes]:
        return self._writer.layers

    def _get(self, table: int, wanted: Sequence[bytes]) -> list[bytes | None]:
        return self._disk.get(table, wanted)

    def _scan(self, table: int, start: bytes, stop: bytes, limit: int) -> list[Row]:
        return self._disk.scan(table, start, stop, limit)

    def _scan_back(self, table: int, start: bytes, stop: bytes, limit: int) -> list[Row]:
        return self._disk.scan_back(table, start, stop, limit)


@asynccontextmanager
async def open_store(
    data_dir: Path,
    *,
    node: int,
    failed: Callable[[Exception], None],
    map_size: MapSize = MAP_SIZE,
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

    store = LmdbStore(data_dir, node=node, soon=soon, failed=failed, map_size=map_size)
    _log.info("store.opened", data_dir=str(data_dir), **store.counts())
    try:
        yield store
    finally:
        store.close()
        _log.info("store.closed", data_dir=str(data_dir))
