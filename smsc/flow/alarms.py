"""Wakes messages when their schedule, their retry or the end of their validity falls due.

*In*: the store's `due` table. *Out*: calls of `Dispatch.wake`, at most a batch at a time.
*Never*: a timer for a message: one task sleeps until the earliest alarm of all.
"""

from collections.abc import Callable, Sequence
from typing import Final

import trio

from smsc.ports import Alarm, Store

_BATCH: Final = 200
_LONGEST_NAP_S: Final = 10.0
"""The wall clock may be set while we sleep; an alarm is late by this much at most."""
_FAR_MS: Final = 2**62


class Alarms:
    """One task for all alarms."""

    def __init__(
        self,
        store: Store,
        wake: Callable[[Sequence[Alarm]], None],
        now_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._wake = wake
        self._now_ms = now_ms
        self._next_ms = 0
        self._moved = trio.Event()

    def moved(self, at_ms: int) -> None:
        """There is an alarm at `at_ms`; look again if that is before what we sleep for."""
        if at_ms < self._next_ms:
            self._next_ms = at_ms
            self._moved.set()

    async def run(self) -> None:
        """Live until cancelled."""
        while True:
            self._moved = trio.Event()
            due = self._store.due(self._now_ms(), _BATCH)
            if due:
                self._wake(due)
                await trio.lowlevel.checkpoint()
                continue
            ahead = self._store.due(_FAR_MS, 1)
            self._next_ms = ahead[0].due_ms if ahead else _FAR_MS
            nap_s = min((self._next_ms - self._now_ms()) / 1000, _LONGEST_NAP_S)
            with trio.move_on_after(max(nap_s, 0.001)):
                await self._moved.wait()
