"""What was handed in a moment ago, as it was handed in: receipts mostly speak of that.

*In*: progress and upstream ids of batches. *Out*: the same objects, without a look at the disk.
*Never*: stale: every batch passes here before it is written; a batch that can be refused does not.
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar, cast

from smsc.generations import Generations
from smsc.message import MessageId, Progress
from smsc.store.batch import Changes

K = TypeVar("K")
V = TypeVar("V")

_GENERATION: Final = 20_000


class Fresh:
    """The newest progress of messages that are not final, and what upstream keys stand for."""

    __slots__ = ("_names", "_progresses")

    def __init__(self) -> None:
        self._progresses: Generations[MessageId, Progress] = Generations(_GENERATION)
        self._names: Generations[bytes, tuple[MessageId, int]] = Generations(_GENERATION)

    def note(self, batch: Changes) -> None:
        """What a batch says; the newest wins."""
        _note(self._progresses, batch.progresses)
        self._progresses.drop(batch.ended)
        _note(self._names, batch.names)

    def progresses(self, ids: Sequence[MessageId]) -> list[Progress | None]:
        """The newest progress of each; None when it is not here."""
        return self._progresses.many(ids)

    def take_names(self, keys: Sequence[bytes]) -> list[tuple[MessageId, int] | None]:
        """Which message and part each key stands for, told once; None when it is not here."""
        return self._names.take(keys)


def _note(here: Generations[K, V], changed: Mapping[K, V | None]) -> None:
    if all(changed.values()):
        here.update(cast("Mapping[K, V]", changed))
        return
    here.update({key: one for key, one in changed.items() if one is not None})
    here.drop([key for key, one in changed.items() if one is None])
