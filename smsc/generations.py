"""HOT: things of a moment ago, by key: a cache that forgets by the thousand.

*In*: things by key; none of them is false. *Out*: the same, as long as they are young.
*Never*: more than two generations; an older thing where a newer one was taken out or dropped.

Two generations instead of a list of uses: when the young one is full it becomes the old one,
and the old one is dropped whole. Who knows that a thing will not be asked for again takes it out:
objects that go soon go while they are in the processor's cache, which is most of what they cost.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Generations(Generic[K, V]):
    """See the module.

    :param limit: things of one generation.
    """

    __slots__ = ("_limit", "_old", "_young")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def update(self, things: Mapping[K, V]) -> None:
        """These are young now; the newest of a key counts."""
        if len(self._young) >= self._limit:
            self._old, self._young = self._young, {}
        self._young.update(things)

    def get(self, key: K) -> V | None:
        """One of them."""
        return self._young.get(key) or self._old.get(key)

    def many(self, keys: Sequence[K]) -> list[V | None]:
        """Those with these keys, in order."""
        found = [*map(self._young.get, keys)]
        if all(found):
            return found
        return [one or self._old.get(key) for one, key in zip(found, keys, strict=True)]

    def take(self, keys: Sequence[K]) -> list[V | None]:
        """As `many`, and they are here no longer."""
        young = [*map(self._young.pop, keys, repeat(None))]
        old = [*map(self._old.pop, keys, repeat(None))]
        return young if all(young) else [one or two for one, two in zip(young, old, strict=True)]

    def drop(self, keys: Sequence[K]) -> None:
        """Those with these keys are here no longer."""
        for things in (self._young, self._old):
            deque(map(things.pop, keys, repeat(None)), maxlen=0)  # a loop, in C
