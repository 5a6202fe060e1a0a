"""Guards against artificially inflated traffic: too many messages to one stretch of numbers.

*In*: guards as an operator writes them; for each message its account, its number and the time.
*Out*: `Exceeded` when a guard is over its limit: to alarm about, or to refuse the message for.
*Never*: a clock, and memory without a bound: see `KEYS`.

Messages are counted for each account and each stretch of numbers (the first digits, as many
as the guard says). A window slides: the count of the last whole window fades out while the
present one fills, which needs two numbers a key and errs by little where traffic is steady.
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Literal

import attrs

from pdu.status import Status

KEYS = 100_000
"""Counters of one guard; beyond it the one that rested longest is forgotten."""


@attrs.frozen(kw_only=True)
class Guard:
    """`[guards.NAME]`: a threshold."""

    limit: int = attrs.field(
        metadata={"meaning": "messages in a window that are still normal", "minimum": 1}
    )
    window_s: float = attrs.field(
        default=60.0, metadata={"meaning": "length of the window, seconds", "minimum": 1}
    )
    accounts: tuple[str, ...] = attrs.field(
        default=(), metadata={"meaning": "accounts it watches; none = every account"}
    )
    to: tuple[str, ...] = attrs.field(
        default=(), metadata={"meaning": "destination prefixes it watches; none = every number"}
    )
    digits: int = attrs.field(
        default=0,
        metadata={
            "meaning": "leading digits that make a stretch of numbers of its own; "
            "0 = all numbers together",
            "minimum": 0,
            "maximum": 20,
        },
    )
    action: Literal["alarm", "block"] = attrs.field(
        default="alarm", metadata={"meaning": "tell the operator, or also refuse the message"}
    )
    status: str = attrs.field(
        default="ESME_RTHROTTLED", metadata={"meaning": "status that a blocked message gets"}
    )


@attrs.frozen
class Exceeded:
    """A guard is over its limit."""

    guard: str
    account: str
    stretch: str
    """Leading digits of the numbers counted together; "" = all."""
    count: int
    """Messages in the window, this one included."""
    limit: int
    is_new: bool
    """First time in this window: tell the operator now, and be silent until the next."""
    block: Status | None
    """Refuse the message with it; None = let it pass."""


@attrs.define
class _Count:
    window: int
    now: int = 0
    before: int = 0
    told: int = -1
    """The window in which the operator was told."""


class Velocity:
    """All guards of a node, with their counters.

    :param guards: names and guards, as checked by `routing.loader`.
    :param before: what a reload replaces: guards that are the same in it keep their counters.
    """

    __slots__ = ("_guards",)

    def __init__(
        self, guards: Iterable[tuple[str, Guard]], before: "Velocity | None" = None
    ) -> None:
        kept = {} if before is None else before.watches()
        self._guards = tuple(
            kept.get((name, guard)) or _Watch(name, guard) for name, guard in guards
        )

    def __bool__(self) -> bool:
        return bool(self._guards)

    def count(self, account: str, digits: str, now_s: float) -> list[Exceeded]:
        """Count one message; every guard that it takes over the limit, the blocking ones first.

        A blocked message is counted by no guard: a client that goes on trying gets through at
        the pace of the limit, and uses nothing up of what other guards allow.
        """
        counts: list[_Count] = []
        exceeded: list[Exceeded] = []
        for watch in self._guards:
            count = watch.find(account, digits, now_s)
            if count is None:
                continue
            counts.append(count)
            if (found := watch.judge(count, account, digits, now_s)) is not None:
                exceeded.append(found)
        if exceeded:
            exceeded.sort(key=lambda one: one.block is None)
            if exceeded[0].block is not None:
                return exceeded
        for count in counts:
            count.now += 1
        return exceeded

    def watches(self) -> "dict[tuple[str, Guard], _Watch]":
        """Guards with their counters, for the one that takes its place."""
        return {(one.name, one.guard): one for one in self._guards}

    def statistics(self) -> dict[str, int]:
        """Counters held, by guard."""
        return {watch.name: len(watch.counts) for watch in self._guards}


class _Watch:
    """One guard and its counters, those used last at the end."""

    __slots__ = ("_accounts", "_block", "counts", "guard", "name")

    def __init__(self, name: str, guard: Guard) -> None:
        self.name = name
        self.counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()
        self.guard = guard
        self._accounts = frozenset(guard.accounts)
        self._block = Status[guard.status] if guard.action == "block" else None

    def find(self, account: str, digits: str, now_s: float) -> _Count | None:
        """The counter of a message in the window of now; None when it is not watched."""
        guard = self.guard
        if self._accounts and account not in self._accounts:
            return None
        if guard.to and not digits.startswith(guard.to):
            return None
        return self._counter((account, digits[: guard.digits]), int(now_s // guard.window_s))

    def judge(self, count: _Count, account: str, digits: str, now_s: float) -> Exceeded | None:
        """Whether one more is too many."""
        guard = self.guard
        fading = count.before * (1 - now_s % guard.window_s / guard.window_s)
        total = int(fading) + count.now + 1
        if total <= guard.limit:
            return None
        stretch = digits[: guard.digits]
        is_new = count.told < count.window
        count.told = count.window
        return Exceeded(self.name, account, stretch, total, guard.limit, is_new, self._block)

    def _counter(self, key: tuple[str, str], window: int) -> _Count:
        count = self.counts.get(key)
        if count is None:
            count = self.counts[key] = _Count(window)
            if len(self.counts) > KEYS:
                self.counts.popitem(last=False)
            return count
        self.counts.move_to_end(key)
        if window > count.window:  # a clock that steps back counts on in the present window
            count.before = count.now if window == count.window + 1 else 0
            count.now = 0
            count.window = window
        return count
