"""Group commit (HOT): many batches, one transaction, one fsync, one answer to all.

*In*: batches from the event loop. *Out*: groups for a `Disk`, answers to every `done`.
*Never*: LMDB, encoding; a `Committed` for what is not on disk.

Invariants:
1. One dedicated thread owns every transaction. The loop waits while that thread puts the records
   (about 1 µs each) and goes on when the fsync begins, which needs no interpreter.
2. All state here belongs to the loop's thread; the two meet in three queues only.
3. Whole batches, in the order they were handed in, each in one transaction.
4. `layers` holds every group that is not on disk yet, oldest first. It is replaced, not changed.
5. All answers of a commit are given in one call in the loop, in order, each exactly once.
6. An error that is not "full" trips the latch: nothing is written or answered from then on,
   because after a failed fsync nobody can say what is on disk.

Why the loop waits (1): py-lmdb gives up the interpreter at each put, and beside a loop that
computes it waits up to the switch interval (5 ms) to get it back: a commit of 1000 messages
took 112 ms, alone 1.7 ms (2 × AMD EPYC, CPython 3.11, 2026-11-22; figures: bench/commit.py).
Putting in the loop's own thread would need LMDB without locks, and so without hot backups.

A commit starts at the end of the loop's turn, so all reads of a turn share it.
While it runs the next group collects; a group closes at `CAP` changes, or when it is put. Until
then progress stays an object (see `Changes`), so a message that moved on twice is written once.
"""

import queue
import threading
from collections.abc import Callable
from typing import Literal, Protocol

from smsc.ports import CommitResult, Committed, StoreFull
from smsc.store.batch import Changes, WriteBatch
from smsc.store.keys import id_of

CAP = 4000
"""A group with this many changes takes no further batch: bounds the time of one commit.

A message that goes all its way makes five changes. With a cap of 1000 a commit held 180 messages
of a full load, and what each commit costs the loop (answers, writes, wake-ups) was a fifth of all.
"""

Done = Callable[[CommitResult], None]
Soon = Callable[[Callable[[], None]], None]
"""Runs a callable in the event loop, soon, in order; callable from any thread."""

COMMITTED = Committed()

Result = Exception | Literal["committed", "rested"]
"""What the thread reports."""


class FullError(Exception):
    """There is no room on disk; nothing of the transaction was written."""


class Group(Changes):
    """Batches that share one transaction, merged.

    :ivar size: changes handed in, overwritten ones too.
    :ivar is_closed: takes no further batch.
    """

    __slots__ = ("batches", "is_closed", "size")

    def __init__(self) -> None:
        super().__init__()
        self.size = 0
        self.is_closed = False
        self.batches: list[tuple[WriteBatch | None, Done | None]] = []  # None: had new messages

    def add(self, batch: WriteBatch, done: Done | None) -> None:
        """Put a batch behind those that are here; its overwrites win."""
        self.progresses.update(batch.progresses)
        self.names.update(batch.names)
        self.size += len(batch.progresses) + len(batch.names)
        for table, rows in batch.rows.items():
            self.rows[table].update(rows)
            self.size += len(rows)
        if batch.messages:
            self.keys += batch.keys
            self.messages += batch.messages
            self.statuses += batch.statuses
            self.size += len(batch.messages)
            self.highest_id = max(self.highest_id, id_of(batch.keys[-1]))
            self.batches.append((None, done))
        else:
            self.batches.append((batch, done))
        self.highest_id = max(self.highest_id, batch.highest_id)

    def close(self) -> None:
        """What changes from now on is for the next group: write down what objects say now."""
        self.is_closed = True
        self.encode()

    def forget_new(self) -> None:
        """New messages are in the transaction: nobody needs them here any more."""
        self.keys, self.messages, self.statuses = [], [], []


class Disk(Protocol):
    """Where groups go; both verbs are called in the writer thread."""

    def put(self, group: Group) -> None:
        """Begin a transaction and put the group into it.

        `FullError` if there is no room, anything else if the disk is broken; both roll back.
        """

    def commit(self) -> None:
        """Make it durable: return after fsync. Errors as for `put`."""


class GroupCommit:
    """The groups that wait for the disk, and the writer thread."""

    def __init__(
        self,
        disk: Disk,
        *,
        soon: Soon,
        failed: Callable[[Exception], None],
        retry_s: float = 1.0,
    ) -> None:
        """Start the thread.

        `failed`: called in the loop with what tripped the latch, or with what a `done` raised.
        `retry_s`: how long changes that found no room wait for the next try.
        """
        self.layers: tuple[Group, ...] = ()
        self.latched = False
        self._disk = disk
        self._soon = soon
        self._failed = failed
        self._retry_s = retry_s
        self._called = False  # `_start` is on its way
        self._busy = False  # the thread has layer 0, or rests because there was no room
        self._closed = False
        self._jobs: queue.SimpleQueue[Group | Literal["rest", "end"]] = queue.SimpleQueue()
        self._puts: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._hurry = threading.Event()  # closing: do not rest, do not try again
        self._thread = threading.Thread(target=self._write, name="store-writer", daemon=True)
        self._thread.start()

    def commit_nowait(self, batch: WriteBatch, done: Done | None) -> None:
        """Hand in a batch; it must not be changed afterwards."""
        if self.latched:
            return
        if self._closed:
            raise RuntimeError("the store is closed")
        layers = self.layers
        if layers and not layers[-1].is_closed:
            group = layers[-1]
        else:
            group = Group()
            self.layers = (*layers, group)
        group.add(batch, done)
        # A read may set a corrupt record aside in the midst of a step that has changed objects and
        # not yet handed them in. Nobody waits for such a batch; it closes no group.
        if group.size >= CAP and done is not None:
            group.close()
        if not self._busy and not self._called:
            self._called = True
            self._soon(self._start)

    def close(self) -> None:
        """Write and answer all that was handed in, then end the thread. Blocks the loop.

        What the answers hand in is written too. Changes that find no room now are given up.
        """
        self._hurry.set()
        while self._busy or (self.layers and not self.latched):
            if self._busy:
                self._settle(self._results.get())
            else:
                self._start()
        self._closed = True
        self._jobs.put("end")
        self._thread.join()

    def _start(self) -> None:
        """Let the thread put layer 0, and wait until the fsync begins."""
        self._called = False
        if self._busy or self.latched or not self.layers:
            return
        self._busy = True
        self.layers[0].close()
        self._jobs.put(self.layers[0])
        self._puts.get()

    def _finish(self) -> None:
        """The thread left a result; `close` may have been quicker."""
        try:
            result = self._results.get_nowait()
        except queue.Empty:
            return
        self._settle(result)

    def _settle(self, result: Result) -> None:
        self._busy = False
        if result == "rested":
            self._start()
        elif result == "committed":
            group, self.layers = self.layers[0], self.layers[1:]
            self._start()  # the disk works on while the answers are given
            self._answer(group.batches, COMMITTED)
        elif isinstance(result, FullError):
            self._shed(str(result))
        else:
            self.latched = True
            self._failed(result)

    def _shed(self, why: str) -> None:
        """No room: refuse the batches with new messages, keep the others for another try."""
        batches = [pair for group in self.layers for pair in group.batches]
        refused = [pair for pair in batches if pair[0] is None]
        if self._hurry.is_set() and not refused:  # that was the last try
            self.layers = ()
            self._answer(batches, StoreFull(why))
            return
        kept = Group()
        for batch, done in batches:
            if batch is not None:
                kept.add(batch, done)
        self.layers = (kept,) if kept.batches else ()
        if refused:
            self._start()  # without them it may fit
        else:
            self._busy = True
            self._jobs.put("rest")
        self._answer(refused, StoreFull(why))

    def _answer(
        self, batches: list[tuple[WriteBatch | None, Done | None]], result: CommitResult
    ) -> None:
        for _, done in batches:
            if done is not None:
                try:
                    done(result)
                except Exception as error:  # noqa: BLE001 - a caller's bug must not cost the others their answers
                    self._failed(error)

    def _write(self) -> None:
        """The thread."""
        while (job := self._jobs.get()) != "end":
            result: Result = "committed"
            if job == "rest":
                self._hurry.wait(self._retry_s)
                result = "rested"
            else:
                try:
                    try:
                        self._disk.put(job)
                    finally:
                        self._puts.put(None)
                    self._disk.commit()
                except Exception as error:  # noqa: BLE001 - whatever it is, the disk is in doubt
                    result = error
            self._results.put(result)
            self._soon(self._finish)
