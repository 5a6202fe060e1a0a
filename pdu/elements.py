"""The elements of counted groups: destinations of submit_multi, refusals in its response.

*In*: a body, an offset, a count.
*Out*: the element objects and the offset behind them; None where the slow twin will say why.
*Never*: words an error.

SMPP 3.4 §4.5.1.1, §4.5.2.1.
"""

from collections.abc import Callable
from typing import Any

from pdu.fields import ELEMENTS, Group
from pdu.pieces import run_matcher, value_reader

ReadElements = Callable[[bytes, int, int], tuple[tuple[Any, ...], int] | None]


def element_reader(group: Group, *, tolerant: bool) -> ReadElements:
    """The reader of one group: (body, offset, count) → (elements, offset behind)."""
    readers = {
        b"" if flag is None else bytes((flag,)): _one_reader(cls, tolerant=tolerant)
        for flag, cls in group.variants.items()
    }
    flag_octets = 0 if None in group.variants else 1
    at_least = 0 if tolerant else group.at_least

    def read(body: bytes, at: int, count: int) -> tuple[tuple[Any, ...], int] | None:
        if count < at_least:
            return None
        elements = []
        for _ in range(count):
            reader = readers.get(body[at : at + flag_octets])
            found = None if reader is None else reader(body, at + flag_octets)
            if found is None:
                return None
            part, at = found
            elements.append(part)
        return tuple(elements), at

    return read


def _one_reader(
    cls: type[Any], *, tolerant: bool
) -> Callable[[bytes, int], tuple[Any, int] | None]:
    match = run_matcher(ELEMENTS[cls], tolerant=tolerant).match
    read_values = value_reader(ELEMENTS[cls])

    def read_one(body: bytes, at: int) -> tuple[Any, int] | None:
        found = match(body, at)
        if found is None:
            return None
        return cls(*read_values(found.groups())), found.end()

    return read_one
