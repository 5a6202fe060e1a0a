"""Group commit (HOT): many batches, one transaction, one fsync, one crossing back to the loop.

*In*: batches from the event loop. *Out*: groups for a `write` callable, answers to every `done`.
*Never*: LMDB, encoding; a `Committed` for what is not on disk.

Invariants:
1. One dedicated thread writes. It takes whole groups, oldest first, so the disk sees batches
   in the order they were handed in, and each batch lies in one transaction.
2. `layers` holds every group that is not on disk yet, oldest first; layer 0 may be the one
   being written. It is replaced, never changed in place: reads take it without the lock.
   A group leaves it only after its commit, so who reads layers first and the disk second
   misses nothing.
3. All answers of a commit are given in one call in the loop, in order, each exactly once.
4. An error that is not "full" trips the latch: nothing is written or answered from then on,
   because after a failed fsync nobody can say what is on disk.

While a commit runs, the next group collects; it closes at `CAP` changes.
Figures and how to repeat them: bench/commit.py.
"""

import queue
import threading
from collections.abc import Callable, Iterable

from smsc.ports import CommitResult, Committed, StoreFull
from smsc.store.batch import Rows, WriteBatch

CAP = 1000
"""A group with this many changes takes no further batch: bounds the time of one commit."""

Done = Callable[[CommitResult], None]
Soon = Callable[[Callable[[], None]], None]
"""Runs a callable in the event loop, soon, in order; callable from any thread."""

COMMITTED = Committed()


class FullError(Exception):
    """There is no room on disk; nothing of the transaction was written."""


class Group:
    """Batches that share one transaction, merged."""

    __slots__ = ("batches", "highest_id", "messages", "rows", "size", "statuses")

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, bytes]] = []
        self.statuses: list[tuple[bytes, bytes]] = []
        self.rows: Rows = ({}, {}, {}, {}, {}, {})
        self.highest_id = 0
        self.size = 0  # changes handed in, overwritten ones too
        self.batches: list[tuple[WriteBatch, Done | None]] = []

    def add(self, batch: WriteBatch, done: Done | None) -> None:
        """Put a batch behind those that are here; its overwrites win."""
        self.messages += batch.messages
        self.statuses += batch.statuses
        size = len(batch.messages)
        for mine, theirs in zip(self.rows, batch.rows, strict=True):
            if theirs:
                mine.update(theirs)
                size += len(theirs)
        self.size += size
        self.highest_id = max(self.highest_id, batch.highest_id)
        self.batches.append((batch, done))


class GroupCommit:
    """The writer thread and the groups that wait for it."""

    def __init__(
        self,
        write: Callable[[Group], None],
        *,
        soon: Soon,
        failed: Callable[[Exception], None],
        retry_s: float = 1.0,
    ) -> None:
        """Nothing runs until `start`.

        `write`: puts a group on disk, in one transaction, fsynced; called in the thread.
        It raises `FullError` if there is no room, anything else if the disk is broken.
        `failed`: called in the loop, once, with what tripped the latch.
        `retry_s`: how long changes that found no room wait for the next try.
        """
        self._write = write
        self._soon = soon
        self._failed = failed
        self._retry_s = retry_s
        self._lock = threading.Lock()
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._idle = False  # the thread waits for `_wake`
        self._closing = False
        self._open: Group | None = None  # the youngest layer, while it still takes batches
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self.layers: tuple[Group, ...] = ()
        self.latched = False

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def commit_nowait(self, batch: WriteBatch, done: Done | None) -> None:
        """Hand in a batch, in the loop's thread; the batch must not be changed afterwards."""
        with self._lock:
            if self.latched:
                return
            if self._closing:
                raise RuntimeError("the store is closed")
            group = self._open
            if group is None or group.size >= CAP:
                group = self._open = Group()
                self.layers = (*self.layers, group)
            group.add(batch, done)
            wake, self._idle = self._idle, False
        if wake:
            self._wake.put(None)

    def close(self) -> None:
        """Write all that was handed in, then end the thread. Blocks; call it off the loop."""
        with self._lock:
            self._closing = True
        self._wake.put(None)
        self._thread.join()

    # in the writer thread …

    def _run(self) -> None:
        while (group := self._next()) is not None:
            try:
                self._write(group)
            except FullError as full:
                self._shed(str(full))
            except Exception as error:  # noqa: BLE001 - whatever it is, the disk is in doubt
                self.latched = True
                self._soon(lambda error=error: self._failed(error))  # type: ignore[misc]
                return
            else:
                with self._lock:
                    self.layers = self.layers[1:]
                self._answer(group.batches, COMMITTED)

    def _next(self) -> Group | None:
        while True:
            with self._lock:
                if self.layers:
                    group = self.layers[0]
                    if group is self._open:
                        self._open = None
                    return group
                if self._closing:
                    return None
                self._idle = True
            self._wake.get()

    def _shed(self, why: str) -> None:
        """No room: refuse the batches with new messages, keep the others for another try."""
        with self._lock:
            batches = [pair for group in self.layers for pair in group.batches]
            refused = [pair for pair in batches if pair[0].messages]
            last_try = self._closing and not refused
            if last_try:
                refused = batches
            kept = Group()
            for batch, done in batches:
                if not batch.messages and not last_try:
                    kept.add(batch, done)
            self.layers = (kept,) if kept.batches else ()
            self._open = None
        self._answer(refused, StoreFull(why))
        if not refused:
            try:
                self._wake.get(timeout=self._retry_s)
            except queue.Empty:
                return

    def _answer(
        self, batches: Iterable[tuple[WriteBatch, Done | None]], result: CommitResult
    ) -> None:
        dones = [done for _, done in batches if done is not None]
        if dones:
            self._soon(lambda: self._answer_now(dones, result))

    # … and back in the loop

    def _answer_now(self, dones: list[Done], result: CommitResult) -> None:
        for done in dones:
            try:
                done(result)
            except Exception as error:  # noqa: BLE001 - one caller's bug must not cost the others their answers
                self._failed(error)
