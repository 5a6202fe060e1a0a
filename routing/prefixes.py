"""HOT. Longest-prefix look-up over digits.

*In*: pairs (prefix, value), or two columns of them, once; then one number a look-up.
*Out*: the value of the longest prefix the number begins with, or None.
*Never*: changed after it was built; a reload builds a new table and swaps it.

How: sorted as strings, the prefixes cut the number line into intervals; a number belongs to
the last interval that starts at or before it. Nesting is resolved when a part of the table is
first asked for, so that one `bisect` answers from then on. A dict on the first digits, the head,
makes the bisected list short: a handful of strings. They are the digits behind the head, at most
three in most tables, and one string serves all heads: there are so few of them that they stay in
the processor's cache, where numbers that go all over the table would miss strings of their own.

Building only sorts and checks, all of it in C. The intervals behind one head are cut at its
first look-up (about 30 µs, once); traffic touches a small part of a world-wide price list.

Figures: `bench/routing.py`. Tried and slower when numbers repeat: a dict for each prefix length
(0.08 µs a length), an array indexed by the first digits (0.1 µs, for `int` and the check that
they are digits). Tried and slower all over the table: strings of their own for each head (twice
the time); sixteen prefixes behind a head, whose four digits make ten times as many strings (twice
the time for a million); starts and values in tuples of their own (half as much again, once all
heads are in use). `tests/routing/test_prefixes.py` holds the linear scan that it must equal.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from itertools import islice
from operator import eq, lt
from sys import intern
from typing import Any, Generic, Self, TypeVar

T = TypeVar("T")

_BUCKET = 8
"""Wanted mean number of prefixes behind one head, at most; measured flat from 4 to 8."""
_SAMPLES = 512
"""Prefixes looked at to choose the length of a head."""
_AFTER_DIGITS = ":"
"""The character after "9": what begins with a prefix sorts before the prefix and this."""

_SHARED = 4
"""Digits behind a head up to which a string is shared with other heads: 11 110 are possible."""

_Intervals = tuple[Any, ...]
"""Where intervals start, in order; behind those the values: one before the first start, and one
from each. A single object, since each object of its own is a place of its own in memory."""


class PrefixTable(Generic[T]):
    """Immutable map from digit prefixes to values.

    A prefix is a string of ASCII digits; the empty one matches every number. Raises
    ValueError for anything else, or for a prefix given twice.
    """

    __slots__ = ("_buckets", "_head", "_prefixes", "_short", "_strangers", "_values")

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        """Build from pairs in any order."""
        pairs = list(entries)
        self._fill([prefix for prefix, _ in pairs], [value for _, value in pairs])

    @classmethod
    def from_columns(cls, prefixes: list[str], values: list[T]) -> Self:
        """Build from two lists of one length, in any order; quickest when already sorted."""
        table = cls.__new__(cls)
        table._fill(prefixes, values)  # noqa: SLF001 - another way to construct it
        return table

    def _fill(self, prefixes: list[str], values: list[T]) -> None:
        if not all(map(lt, prefixes, islice(prefixes, 1, None))):
            order = sorted(range(len(prefixes)), key=prefixes.__getitem__)
            prefixes = [prefixes[at] for at in order]
            values = [values[at] for at in order]
        _check(prefixes)
        self._prefixes = prefixes
        self._values = values
        self._head = head = _head_length(prefixes)
        # What a number shorter than a head matches, or one whose head no prefix begins with.
        at_short = [at for at, size in enumerate(map(len, prefixes)) if size < head]
        self._short: _Intervals = _intervals(((prefixes[at], values[at]) for at in at_short), None)
        self._buckets: dict[str, _Intervals] = {}
        # Strangers may send numbers with any head: so many without a prefix are kept.
        self._strangers = len(prefixes)

    def __len__(self) -> int:
        return len(self._prefixes)

    def __iter__(self) -> Iterator[tuple[str, T]]:
        """Every pair, ordered by prefix."""
        return zip(self._prefixes, self._values, strict=True)

    def get(self, digits: str) -> T | None:
        """Value of the longest prefix of `digits`; None when there is none.

        Any string is a legal number: one that begins with no prefix finds nothing.
        """
        head = self._head
        try:
            bucket = self._buckets[digits[:head]]
        except KeyError:
            return self._get_first(digits)
        starts = len(bucket) // 2
        value: T | None = bucket[starts + bisect_right(bucket, digits[head:], 0, starts)]
        return value

    def _get_first(self, digits: str) -> T | None:
        """`get` for a head that has no bucket yet: cut it, and keep it if it is one of digits."""
        length = self._head
        head, tail = digits[:length], digits[length:]
        outside: T | None = _value(self._short, head)
        prefixes = self._prefixes
        low = bisect_left(prefixes, head)
        high = bisect_left(prefixes, head + _AFTER_DIGITS, low)
        if len(head) < length or (low == high and not (self._strangers and _is_number(head))):
            return outside
        self._strangers -= low == high
        tails = (prefix[length:] for prefix in prefixes[low:high])
        bucket = _intervals(zip(tails, self._values[low:high], strict=True), outside)
        self._buckets[head] = bucket
        value: T | None = _value(bucket, tail)
        return value


def _value(intervals: _Intervals, digits: str) -> Any:
    starts = len(intervals) // 2
    return intervals[starts + bisect_right(intervals, digits, 0, starts)]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _check(prefixes: list[str]) -> None:
    text = "".join(prefixes)
    if text and not _is_number(text):
        wrong = next(one for one in prefixes if one and not _is_number(one))
        raise ValueError(f"a prefix is made of digits, not {wrong!r}")
    if any(map(eq, prefixes, islice(prefixes, 1, None))):
        pairs = zip(prefixes, islice(prefixes, 1, None), strict=False)
        twice = next(one for one, following in pairs if one == following)
        raise ValueError(f"prefix {twice!r} is given twice")


def _head_length(prefixes: list[str]) -> int:
    """Fewest leading digits that leave about `_BUCKET` prefixes behind a head, by samples."""
    longest = max(map(len, prefixes), default=0)
    samples = prefixes[:: len(prefixes) // _SAMPLES + 1]
    for length in range(1, longest):
        heads = [one[:length] for one in samples if len(one) >= length]
        behind = sum(
            bisect_left(prefixes, head + _AFTER_DIGITS) - bisect_left(prefixes, head)
            for head in heads
        )
        if behind <= _BUCKET * len(heads):
            return length
    return longest


def _intervals(pairs: Iterable[tuple[str, T]], outside: T | None) -> _Intervals:
    """See `_Intervals`.

    `pairs` is sorted, so a prefix comes directly before all that it contains. `outside` is
    the value around them.
    """
    starts: list[str] = []
    values: list[T | None] = [outside]
    open_prefixes: list[tuple[str, T]] = []

    def put(start: str, value: T | None) -> None:
        if starts and starts[-1] == start:
            starts.pop()
            values.pop()
        if values[-1] is not value:  # else the interval before only goes on
            starts.append(intern(start) if len(start) <= _SHARED else start)
            values.append(value)

    def close() -> None:
        prefix, _ = open_prefixes.pop()
        if prefix:  # the empty prefix ends nowhere
            put(_after(prefix), open_prefixes[-1][1] if open_prefixes else outside)

    for prefix, value in pairs:
        while open_prefixes and not prefix.startswith(open_prefixes[-1][0]):
            close()
        put(prefix, value)
        open_prefixes.append((prefix, value))
    while open_prefixes:
        close()
    return (*starts, *values)


def _after(prefix: str) -> str:
    """Smallest string greater than every string that begins with `prefix`."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
