"""Forgets finished messages when nobody may ask for them any more.

*In*: the store, how long a finished message is kept, the time.
*Out*: deletions, oldest first, a small batch for each commit.
*Never*: a message that is not final; one that ended less than `keep_s` ago, however old it is;
more than a tenth of the loop's time.

A message goes with its progress and the upstream ids that its networks gave it. As ids ascend
in time, the deletions eat the front of the tables, so the file stays flat: LMDB gives the freed
pages to the messages that come in at the other end.
"""

from collections.abc import Callable
from typing import Any, Final

import trio

from smsc.message import MessageId, Progress
from smsc.ports import CommitResult
from smsc.store.ids import first_id_at
from smsc.store.reads import Reads

_ROWS: Final = 200
"""Records looked at in one go: about 2 ms if all of them are deleted."""
_REST: Final = 9
"""The loop is left alone so many times as long as a go took."""
_SHORTEST_REST_S: Final = 0.001
_PAUSE_S: Final = 60.0
"""Between two walks over the history."""


class History:
    """One task that walks over the finished messages again and again.

    :param keep_s: how long a finished message can be asked for.
    """

    def __init__(self, store: Reads, keep_s: float, now_ms: Callable[[], int], log: Any) -> None:
        self._store = store
        self._keep_ms = int(keep_s * 1000)
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
        before_ms = self._now_ms() - self._keep_ms
        end = first_id_at(before_ms)  # who was accepted later cannot have ended before
        after: MessageId | None = MessageId(0)
        forgotten = 0
        while after is not None:
            began = trio.current_time()
            finished, after = self._store.finished(after, end, before_ms, _ROWS)
            written = self._forget(finished)
            rest_s = (trio.current_time() - began) * _REST
            await trio.sleep(max(rest_s, _SHORTEST_REST_S))
            await written.wait()  # a slow disk sets the pace
            forgotten += len(finished)
        if forgotten:
            self.forgotten += forgotten
            self._log.info("history.forgotten", messages=forgotten)

    def _forget(self, finished: list[tuple[MessageId, Progress]]) -> trio.Event:
        """Delete these; the event tells when that is on disk."""
        written = trio.Event()
        if not finished:
            written.set()
            return written

        def done(_result: CommitResult) -> None:
            written.set()

        self._store.commit_nowait(self._store.forgetting(finished), done)
        return written
