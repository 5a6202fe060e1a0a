"""Black and white lists: many numbers or senders, one a line.

*In*: the octets of a file; empty lines and lines that begin with "#" are passed over.
*Out*: `NumberList`, which says whether a number or a name stands in it.
*Never*: changed after it was built: a reload reads the whole file again and swaps the list.

Lean before quick, for only rules that name a list ask it. A number is eight octets of a sorted
array, found in about 1 µs; a name is its UTF-8 in one long string and four octets that say where
it starts, found in about 3 µs. Names are compared without regard to case, numbers without "+".
"""

from array import array
from bisect import bisect_left
from itertools import accumulate
from pathlib import Path
from typing import Self

_NUMBER_DIGITS = 18
"""With a 1 before it, which keeps leading zeros, a longer number does not fit 64 bits."""


class NumberList:
    """A set of numbers and names that only answers `in`."""

    __slots__ = ("_names", "_numbers", "_starts")

    def __init__(self, data: bytes) -> None:
        """Read the lines of a file. Raises UnicodeDecodeError when they are not UTF-8."""
        lines = data.decode("utf-8-sig").split("\n")
        numbers = set(map(_number, lines)) if _all_numbers(lines) else None
        names: set[str] = set()
        if numbers is None:
            numbers, names = _sort_out(lines)
        self._numbers = array("Q", sorted(numbers))
        encoded = sorted(name.encode() for name in names)
        self._names = b"".join(encoded)
        self._starts = array("I", accumulate(map(len, encoded), initial=0))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file. Raises OSError, and UnicodeDecodeError when it is not UTF-8."""
        return cls(path.read_bytes())

    def __len__(self) -> int:
        return len(self._numbers) + len(self._starts) - 1

    def __contains__(self, address: str) -> bool:
        plain = address.removeprefix("+")
        if _is_number(plain):
            number = _number(plain)
            at = bisect_left(self._numbers, number)
            return at < len(self._numbers) and self._numbers[at] == number
        name = address.strip().casefold().encode()
        count = len(self._starts) - 1
        at = bisect_left(range(count), name, key=self._name)
        return at < count and self._name(at) == name

    @property
    def memory_octets(self) -> int:
        """What the entries take."""
        numbers, starts = self._numbers, self._starts
        own = len(numbers) * numbers.itemsize + len(starts) * starts.itemsize
        return own + len(self._names)

    def _name(self, at: int) -> bytes:
        return self._names[self._starts[at] : self._starts[at + 1]]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS


def _number(text: str) -> int:
    return int("1" + text)


def _all_numbers(lines: list[str]) -> bool:
    """The usual file: nothing but digits, a line feed behind each line. Drops the last end."""
    if lines and not lines[-1]:
        lines.pop()
    text = "".join(lines)
    widths = set(map(len, lines)) or {1}
    return text.isascii() and text.isdigit() and min(widths) > 0 and max(widths) <= _NUMBER_DIGITS


def _sort_out(lines: list[str]) -> tuple[set[int], set[str]]:
    numbers: set[int] = set()
    names: set[str] = set()
    for line in map(str.strip, lines):
        if not line or line.startswith("#"):
            continue
        plain = line.removeprefix("+")
        if _is_number(plain):
            numbers.add(_number(plain))
        else:
            names.add(line.casefold())
    return numbers, names
