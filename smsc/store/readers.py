"""Other processes that read the store: a backup, a check, an operator's tool.

*In*: an LMDB environment, looked at once a minute. *Out*: slots of the dead freed, a warning.
*Never*: ends a process; touches a reader that lives.

LMDB cannot use a page again while a reader may still see it. A reader that died without a word,
or hangs, so makes the file grow with every commit, up to the limit of the map.
"""

from typing import Any

import structlog

_log = structlog.get_logger("smsc.store")


class Readers:
    """The reader table of one environment."""

    def __init__(self, env: Any) -> None:
        self._env = env
        self._seen: set[tuple[int, int]] = set()
        self._told: set[tuple[int, int]] = set()

    def clear_dead(self) -> int:
        """Free the slots of readers whose process died; how many they were."""
        return int(self._env.reader_check())

    def look(self) -> None:
        """Free what the dead hold, and warn once of who reads the same snapshot as last time."""
        self.clear_dead()
        now = set(reading(self._env.readers()))
        self._told &= now
        for pid, snapshot in sorted((now & self._seen) - self._told):
            behind = self._env.info()["last_txnid"] - snapshot
            if behind:
                _log.warning("store.reader_stale", pid=pid, commits_behind=behind)
                self._told.add((pid, snapshot))
        self._seen = now


def reading(table: str) -> list[tuple[int, int]]:
    """(pid, snapshot) of everyone who reads now, by the text that LMDB gives of its table."""
    found: list[tuple[int, int]] = []
    for line in table.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[0].isdecimal() and fields[2].isdecimal():
            found.append((int(fields[0]), int(fields[2])))
    return found
