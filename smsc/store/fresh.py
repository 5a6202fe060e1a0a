"""What was handed in a moment ago, as it was handed in: receipts mostly speak of that.

*In*: progress and upstream ids of batches. *Out*: the same objects, without a look at the disk.
*Never*: stale: every batch passes here before it is written; a batch that can be refused does not.

Two generations, as in `smsc.flow.recent`: when the young one is full the old one is dropped whole.
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from smsc.message import MessageId, Progress

K = TypeVar("K")
V = TypeVar("V")

_GENERATION: Final = 20_000


class Fresh:
    """The newest progress by id, and what an upstream key stands for.

    None stands for "look on disk": it hides what an older generation says.
    """

    __slots__ = ("_limit", "_old_names", "_old_progress", "_young_names", "_young_progress")

    def __init__(self, limit: int = _GENERATION) -> None:
        self._limit = limit
        self._young_progress: dict[MessageId, Progress | None] = {}
        self._old_progress: dict[MessageId, Progress | None] = {}
        self._young_names: dict[bytes, tuple[MessageId, int] | None] = {}
        self._old_names: dict[bytes, tuple[MessageId, int] | None] = {}

    def note(
        self,
        progress: dict[MessageId, Progress | None],
        names: dict[bytes, tuple[MessageId, int] | None],
    ) -> None:
        """What a batch says; the newest wins."""
        if len(self._young_progress) >= self._limit:
            self._old_progress, self._young_progress = self._young_progress, {}
        if len(self._young_names) >= self._limit:
            self._old_names, self._young_names = self._young_names, {}
        self._young_progress.update(progress)
        self._young_names.update(names)

    def progresses(self, ids: Sequence[MessageId]) -> list[Progress | None]:
        """The newest progress of each; None when it is not here."""
        return _found(ids, self._young_progress, self._old_progress)

    def names(self, keys: Sequence[bytes]) -> list[tuple[MessageId, int] | None]:
        """Which message and part each upstream key stands for; None when it is not here."""
        return _found(keys, self._young_names, self._old_names)


def _found(
    keys: Sequence[K], young: Mapping[K, V | None], old: Mapping[K, V | None]
) -> list[V | None]:
    found = [*map(young.get, keys)]
    if all(found):
        return found
    return [young[key] if key in young else old.get(key) for key in keys]
