"""Destinations as rules write them: prefixes, and ranges of numbers.

*In*: "41", or "41791000000-41791999999". *Out*: prefixes for the index, bounds for the check.
*Never*: a range that is not of one length: 79-8000 has no meaning between numbers.
"""

from collections.abc import Iterator, Sequence

import attrs

DIGITS_LIMIT = 20
"""Digits in a destination address (SMPP 3.4 §5.2.9: 21 octets with the NUL)."""


@attrs.frozen
class NumberRange:
    """Numbers of one length from `first` to `last`, both included."""

    first: str
    last: str

    def __contains__(self, digits: str) -> bool:
        """As strings of one length, numbers compare as numbers do."""
        return len(digits) == len(self.first) and self.first <= digits <= self.last

    def prefixes(self) -> Iterator[str]:
        """The fewest prefixes that together cover the range: at most 18 a digit."""
        low, last = int(self.first), int(self.last)
        width = len(self.first)
        while low <= last:
            step = 1
            while (
                low % (step * 10) == 0 and low + step * 10 - 1 <= last and step < 10 ** (width - 1)
            ):
                step *= 10
            zeros = len(str(step)) - 1
            yield str(low).zfill(width)[: width - zeros]
            low += step


@attrs.frozen
class Destinations:
    """What `to` of a rule says, read; both empty = every number."""

    prefixes: tuple[str, ...] = ()
    ranges: tuple[NumberRange, ...] = ()

    def __contains__(self, digits: str) -> bool:
        """Linear: the slow twin of the index."""
        if not self.prefixes and not self.ranges:
            return True
        return digits.startswith(self.prefixes) or any(digits in one for one in self.ranges)

    def covering(self) -> tuple[str, ...]:
        """Distinct prefixes for the index; a number that begins with one may still not fit."""
        spread = (prefix for one in self.ranges for prefix in one.prefixes())
        return tuple(dict.fromkeys((*self.prefixes, *spread)))


def read_destinations(written: Sequence[str]) -> Destinations:
    """Part prefixes from ranges; what is neither stays among the prefixes (`destination_fault`)."""
    ranges = {one: _read_range(one) for one in written if "-" in one}
    return Destinations(
        tuple(one for one in written if not ranges.get(one)),
        tuple(found for found in ranges.values() if found is not None),
    )


def destination_fault(written: str) -> str | None:
    """Why this is neither a prefix nor a range; None when it is one."""
    if "-" in written:
        if _read_range(written) is not None:
            return None
        return (
            "expected a range of numbers with the same number of digits, "
            f'like "41791000000-41791999999", found {written!r}'
        )
    if _is_digits(written):
        return None
    return f"expected 1 to {DIGITS_LIMIT} digits, found {written!r}{_hint(written)}"


def _read_range(written: str) -> NumberRange | None:
    first, _, last = written.partition("-")
    if _is_digits(first) and _is_digits(last) and len(first) == len(last) and first <= last:
        return NumberRange(first, last)
    return None


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= DIGITS_LIMIT


def _hint(prefix: str) -> str:
    digits = prefix.removeprefix("+").removesuffix("*")
    if digits != prefix and digits.isascii() and digits.isdigit():
        return f"; write {digits!r}"
    return "" if digits else "; leave the key out to match every number"
