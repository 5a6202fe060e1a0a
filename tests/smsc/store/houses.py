"""The two stores as the contract opens them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from smsc.message import MessageId
from smsc.ports import CommitResult, Store
from smsc.store.batch import TABLES, WriteBatch
from smsc.store.lmdb_store import LmdbStore
from smsc.store.memory_store import MemoryStore, MemoryTable
from smsc.store.opening import MapSize
from tests.contracts.store_contract import OpenStore


def flipped(record: bytes) -> bytes:
    """The record with one bit of its last octet flipped."""
    return record[:-1] + bytes([record[-1] ^ 1])


class LmdbHouse(OpenStore):
    """On disk, in a directory of the test."""

    store: LmdbStore

    def __init__(
        self, data_dir: Path, map_size_mb: int = 64, growth_mb: int = 0, limit_mb: int = 2048
    ) -> None:
        self.data_dir = data_dir
        self.map_size = MapSize(map_size_mb, growth_mb, limit_mb)
        self.failures: list[Exception] = []
        super().__init__()

    def open(self) -> None:
        self.store = LmdbStore(
            self.data_dir,
            node=1,
            soon=self.calls.put,
            failed=self.failures.append,
            map_size=self.map_size,
            retry_s=0.01,
        )
        self.ids = self.store.ids
        self.port: Store = self.store  # mypy proves that it implements the port

    def close(self) -> None:
        self.store.close()

    def hand_in(self, batch: WriteBatch, done: Callable[[CommitResult], None] | None) -> None:
        self.store.commit_nowait(batch, done)

    @contextmanager
    def stalled(self) -> Iterator[None]:
        yield  # a commit starts only when the test empties `calls`

    def spoil(self, table: str, key: bytes) -> None:
        db = self.store._disk._tables[TABLES.index(table)]
        with self.store._disk._env.begin(write=True, db=db) as txn:
            txn.put(key, flipped(txn.get(key)))


class MemoryHouse(OpenStore):
    """In memory; its tables outlive `close` as a disk does."""

    store: MemoryStore

    def __init__(self) -> None:
        self.tables: tuple[MemoryTable, ...] | None = None
        self.last_id = MessageId(0)
        super().__init__()

    def open(self) -> None:
        self.store = MemoryStore(node=1, soon=self.calls.put, last_id=self.last_id)
        self.ids = self.store.ids
        self.port: Store = self.store
        if self.tables is not None:
            self.store.tables = self.tables

    def close(self) -> None:
        self.store.retry()
        self.tables = self.store.tables
        self.last_id = MessageId(self.ids.take(1, 0)[0])

    def hand_in(self, batch: WriteBatch, done: Callable[[CommitResult], None] | None) -> None:
        self.store.commit_nowait(batch, done)

    @contextmanager
    def stalled(self) -> Iterator[None]:
        yield

    def spoil(self, table: str, key: bytes) -> None:
        values = self.store.tables[TABLES.index(table)].values
        values[key] = flipped(values[key])
