"""Looks whether the configuration file, or a file that it names, was changed.

*In*: the files' dates. *Out*: a reload, once the files have been the same for one look.
*Never*: a file that is being written taken for a finished one, when it changes in between; the
same bad file told of twice.

It looks, instead of being told by the operating system: that works on every file system, and when
a directory or a link is replaced as a whole, as deployments do. A look costs microseconds.
"""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

import trio

from smsc.config import Config, files_named

LOOK_S: Final = 1.0
Stamp = tuple[int, int, int] | None
Stamps = Mapping[Path, Stamp]


class Watching:
    """See the module; `[node] watch_config` may change at any time.

    :param config: the configuration in force.
    :param reload: what to do about a change.
    """

    def __init__(
        self,
        path: Path,
        config: Callable[[], Config],
        reload: Callable[[], Awaitable[object]],
    ) -> None:
        self._path = path
        self._config = config
        self._reload = reload
        self._stamp: Stamp = None
        self._named: frozenset[Path] = frozenset()

    async def run(self) -> None:
        """Live until cancelled."""
        done = last = self._look()
        while True:
            await trio.sleep(LOOK_S)
            now = self._look()
            if not self._config().node.watch_config:
                done = now
            elif now == last and now != done:
                await self._reload()
                # As it was before it was read: what changed meanwhile, and files that are named
                # no more, make one more reload, which does no harm.
                done = now
            last = now

    def _look(self) -> Stamps:
        """The dates of the configuration file and of those that it names.

        Those of the file as it is now, too: what it names may be why it was refused.
        """
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._stamp, self._named = stamp, files_named(self._path)
        files = {self._path, *self._named, *self._config().files()}
        return {file: _stamp(file) for file in files}


def _stamp(file: Path) -> Stamp:
    try:
        seen = file.stat()
    except OSError:  # gone, or between two names: the next look tells
        return None
    return seen.st_mtime_ns, seen.st_size, seen.st_ino
