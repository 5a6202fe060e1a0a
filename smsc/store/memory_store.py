"""The store in memory: the same contract, for tests and simulations.

*In*: batches. *Out*: answers when the given `soon` runs them, reads.
*Never*: a thread, a clock, a disk: it works under an autojump clock.

Records are encoded and read back as on disk, so what passes here passes there.
"""

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence

from smsc.ports import Batch, CommitResult, StoreFull
from smsc.store.batch import MESSAGE, STATUS, TABLES, Changes, WriteBatch
from smsc.store.commit import COMMITTED, Done, Soon
from smsc.store.ids import IdAllocator
from smsc.store.reads import Reads, Row


class MemoryTable:
    """A sorted table."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.keys: list[bytes] = []

    def put(self, key: bytes, value: bytes) -> None:
        """Insert or overwrite."""
        if key not in self.values:
            insort(self.keys, key)
        self.values[key] = value

    def delete(self, key: bytes) -> None:
        """Remove the key if it is there."""
        if self.values.pop(key, None) is not None:
            del self.keys[bisect_left(self.keys, key)]


class MemoryStore(Reads):
    """Implements `smsc.ports.Store`."""

    def __init__(
        self,
        *,
        node: int,
        soon: Soon,
        last_id: int = 0,
    ) -> None:
        """`soon` gets a callable for each commit: run it at once, later, or step by step."""
        super().__init__()
        self.ids = IdAllocator(node, last_id)
        self.why_full: str | None = None
        """Set it to make the store full; set it to None and call `retry` to end that."""
        self.tables = tuple(MemoryTable() for _ in TABLES)
        self._soon = soon
        self._waiting: list[tuple[WriteBatch, Done | None]] = []

    @property
    def is_full(self) -> bool:
        """Should intake refuse? True until `why_full` is None again."""
        return self.why_full is not None

    def batch(self) -> WriteBatch:
        """An empty batch."""
        return WriteBatch()

    def commit_nowait(self, batch: Batch, done: Done | None = None) -> None:
        """Commit when `soon` says so; see `smsc.ports.Store`."""
        assert isinstance(batch, WriteBatch)
        if not batch.messages:
            self.fresh.note(batch)
        batch.encode()  # a transaction of its own: it says what is true now
        self._waiting.append((batch, done))
        self._soon(self.retry)

    def retry(self) -> None:
        """Commit all that waits, as the LMDB store does by itself."""
        taken, self._waiting = self._waiting, []
        answers: list[tuple[Done | None, CommitResult]] = []
        for batch, done in taken:
            if self.why_full is None:
                self._apply(batch)
                answers.append((done, COMMITTED))
            elif batch.messages:
                answers.append((done, StoreFull(self.why_full)))
            else:
                self._waiting.append((batch, done))
        for done, result in answers:
            if done is not None:
                done(result)

    def counts(self) -> Mapping[str, int]:
        """How many records each part of the store holds, committed."""
        return {name: len(table.keys) for name, table in zip(TABLES, self.tables, strict=True)}

    def _apply(self, batch: WriteBatch) -> None:
        for place, records in ((MESSAGE, batch.messages), (STATUS, batch.statuses)):
            for key, record in zip(batch.keys, records, strict=True):
                self.tables[place].put(key, record)
        for place, rows in batch.rows.items():
            table = self.tables[place]
            for key, changed in rows.items():
                if changed is None:
                    table.delete(key)
                else:
                    table.put(key, changed)

    def _unwritten(self) -> Sequence[Changes]:
        return [batch for batch, _ in self._waiting]

    def _get(self, table: int, wanted: Sequence[bytes]) -> list[bytes | None]:
        values = self.tables[table].values
        return [values.get(key) for key in wanted]

    def _scan(self, table: int, start: bytes, stop: bytes, limit: int) -> list[Row]:
        ordered = self.tables[table]
        first = bisect_left(ordered.keys, start)
        last = min(bisect_left(ordered.keys, stop), first + limit)
        return [(key, ordered.values[key]) for key in ordered.keys[first:last]]

    def _scan_back(self, table: int, start: bytes, stop: bytes, limit: int) -> list[Row]:
        ordered = self.tables[table]
        first = bisect_left(ordered.keys, start)
        last = bisect_left(ordered.keys, stop)
        wanted = ordered.keys[max(first, last - limit) : last]
        return [(key, ordered.values[key]) for key in reversed(wanted)]
