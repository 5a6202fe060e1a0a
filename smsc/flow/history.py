"""Forgets finished messages when nobody may ask for them any more.

*In*: the store, how long a finished message is kept, the time.
*Out*: deletions, oldest first, a little at a time.
*Never*: a message that is not final; one that ended less than `keep_s` ago, however old it is;
more than a sixteenth of the loop's time, unless the store is full.

A message goes with its progress and the upstream ids that its networks gave it. As ids ascend
in time, the deletions eat the front of the tables, so the file stays flat: LMDB gives the freed
pages to the messages that come in at the other end.
"""

from collections.abc import Callable
from typing import Any, Final

import trio

from smsc.message import MessageId
from smsc.ports import CommitResult
from smsc.store.batch import WriteBatch
from smsc.store.ids import first_id_at
from smsc.store.reads import Reads

_ROWS: Final = 100
"""Records looked at in one go: half a millisecond of the loop."""
_COMMIT: Final = 1000
"""Messages that are forgotten in one commit. A commit of a few would cost clients as much."""
_REST: Final = 15
"""The loop is left alone so many times as long as a go took."""
_REST_WHEN_FULL: Final = 1
"""While intake refuses for want of room, making room comes first."""
_SHORTEST_REST_S: Final = 0.001
_PAUSE_S: Final = 60.0
"""Between two walks over the history."""


class History:
    """One task that walks over the finished messages again and again.

    :ivar keep_s: how long a finished message can be asked for.
    """

    def __init__(self, store: Reads, keep_s: float, now_ms: Callable[[], int], log: Any) -> None:
        self._store = store
        self.keep_s = keep_s
        self._now_ms = now_ms
        self._log = log
        self.forgotten = 0
        """Messages forgotten since the start."""

    async def run(self) -> None:
        """Live until cancelled."""
        while True:
            await self.walk()
            await trio.sleep(_PAUSE_S)

    async def walk(self) -> None:
        """Forget all that is old enough now."""
        before_ms = self._now_ms() - int(self.keep_s * 1000)
        end = first_id_at(before_ms)  # who was accepted later cannot have ended before
        after: MessageId | None = MessageId(0)
        batch, entered, forgotten = WriteBatch(), 0, 0
        while after is not None:
            began = trio.current_time()
            finished, after = self._store.finished(after, end, before_ms, _ROWS)
            self._store.forget(batch, finished)
            entered += len(finished)
            rest = _REST_WHEN_FULL if self._store.is_full else _REST
            await trio.sleep(max((trio.current_time() - began) * rest, _SHORTEST_REST_S))
            if entered >= _COMMIT or (after is None and entered):
                await self._commit(batch)
                forgotten += entered
                batch, entered = WriteBatch(), 0
        if forgotten:
            self.forgotten += forgotten
            self._log.info("history.forgotten", messages=forgotten)

    async def _commit(self, batch: WriteBatch) -> None:
        """Return when it is on disk: a slow disk, or one without room, sets the pace."""
        written = trio.Event()

        def done(_result: CommitResult) -> None:
            written.set()

        self._store.commit_nowait(batch, done)
        await written.wait()
