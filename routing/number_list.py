"""Black and white lists: many numbers or senders, one a line.

*In*: the octets of a file; empty lines and lines that begin with "#" are passed over, so is what
stands behind " #".
*Out*: `NumberList`, which says whether a number or a name stands in it; or the lines that are
neither, for an entry that matches nothing is a message that should not have passed.
*Never*: changed after it was built: a reload reads the whole file again and swaps the list.

Lean before quick, for only rules that name a list ask it. A number is eight octets of a sorted
array, found in about 1 µs; a name is its UTF-8 in one long string and four octets that say where
it starts, found in about 3 µs. Names are compared without regard to case, numbers without "+",
without "00" and without what separates their digits.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from typing import Final

from pdu.address import MAX_ALPHANUMERIC_SEPTETS, MAX_DIGITS, guess_source, source_fault
from routing.prefix_csv import CsvError

_NUMBER_DIGITS = 18
"""With a 1 before it, which keeps leading zeros, a longer number does not fit 64 bits."""
_E164_DIGITS: Final = range(7, 16)
_WRITTEN: Final = re.compile(r"\+?[0-9(][0-9 ()./\-\u00a0]*", re.ASCII)
_SEPARATORS: Final = str.maketrans("", "", " ()./-\u00a0")
_TRUNK: Final = "(0)"
"""Whether it is dialled, only a number plan knows."""
_CELLS: Final = re.compile(r"""["']?\+?[0-9][0-9 ]*["']?\s*[,;|\t]""", re.ASCII)
"""A number with another cell behind it."""
_COMMENT: Final = re.compile(r"\s#")
_MAX_ERRORS: Final = 20


class NumberList:
    """A set of numbers and names that only answers `in`; `read_list` makes it."""

    __slots__ = ("_names", "_numbers", "_starts")

    def __init__(self, numbers: Iterable[int], names: Iterable[str]) -> None:
        self._numbers = array("Q", sorted(numbers))
        encoded = sorted(name.encode() for name in names)
        self._names = b"".join(encoded)
        self._starts = array("I", accumulate(map(len, encoded), initial=0))

    def __len__(self) -> int:
        return len(self._numbers) + len(self._starts) - 1

    def __contains__(self, address: str) -> bool:
        plain = _plain(address)
        if _is_number(plain):
            number = _number(plain)
            at = bisect_left(self._numbers, number)
            return at < len(self._numbers) and self._numbers[at] == number
        name = plain.strip().casefold().encode()
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


def read_list(data: bytes) -> NumberList | list[CsvError]:
    """Read the lines of a file. Raises UnicodeDecodeError when they are not UTF-8."""
    text = data.decode("utf-8-sig")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    if _all_numbers(lines) and not text.startswith("00") and "\n00" not in text:
        return NumberList(set(map(_number, lines)), ())
    return _sort_out(lines)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS


def _number(text: str) -> int:
    return int("1" + text)


def _plain(address: str) -> str:
    """A number without what says that it is international; all else as it is."""
    if address.startswith("+"):
        digits = address[1:]
        return digits if digits.isascii() and digits.isdigit() else address
    digits = address[2:]
    is_abroad = (
        address.startswith("00")
        and len(digits) in _E164_DIGITS
        and digits[0] != "0"
        and digits.isascii()
        and digits.isdigit()
    )
    return digits if is_abroad else address


def _all_numbers(lines: list[str]) -> bool:
    """The usual file: nothing but digits, a line feed behind each line. Drops the last end."""
    if lines and not lines[-1]:
        lines.pop()
    text = "".join(lines)
    widths = set(map(len, lines)) or {1}
    return text.isascii() and text.isdigit() and min(widths) > 0 and max(widths) <= _NUMBER_DIGITS


def _sort_out(lines: list[str]) -> NumberList | list[CsvError]:
    numbers: set[int] = set()
    names: set[str] = set()
    errors: list[CsvError] = []
    for place, line in enumerate(map(str.strip, lines), 1):
        if not line or line.startswith("#"):
            continue
        entry = _entry(line)
        if not entry:
            why = f"{line!r} is no number and no sender; write +41791234567, or Shop, one a line"
            errors.append(CsvError(place, why))
            if len(errors) == _MAX_ERRORS:
                break
        elif _is_number(entry):
            numbers.add(_number(entry))
        else:
            names.add(entry)
    return errors or NumberList(numbers, names)


def _entry(line: str) -> str:
    """What a message's address is compared with; "" when none could be it."""
    if line.isascii() and line.isalnum():  # the usual ones, quickly
        limit = MAX_DIGITS if line.isdigit() else MAX_ALPHANUMERIC_SEPTETS
        return _plain(line).casefold() if len(line) <= limit else ""
    if "#" in line:
        line = _COMMENT.split(line, 1)[0].rstrip()
    if _WRITTEN.fullmatch(line):
        digits = _plain(line.translate(_SEPARATORS))
        fits = digits.isdigit() and len(digits) <= MAX_DIGITS and _TRUNK not in line
        return digits if fits else ""
    if _CELLS.match(line) or source_fault(*guess_source(line)) is not None:
        return ""
    return line.casefold()
