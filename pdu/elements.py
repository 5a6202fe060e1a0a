"""The elements of counted groups: destinations of submit_multi, refusals in its response.

*In*: text of a body, an offset, a count.
*Out*: the element objects and the offset behind them; None where the slow twin will say why.
*Never*: words an error.

SMPP 3.4 §4.5.1.1, §4.5.2.1.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from pdu.fields import ELEMENTS, Group, Integer
from pdu.pieces import field_pattern

_NO_FLAG: Final = ""

ReadElements = Callable[[str, int, int], tuple[tuple[Any, ...], int] | None]


def element_reader(group: Group, *, tolerant: bool) -> ReadElements:
    """The reader of one group: (text, offset, count) → (elements, offset behind)."""
    readers = {
        _NO_FLAG if flag is None else chr(flag): _one_reader(cls, tolerant=tolerant)
        for flag, cls in group.variants.items()
    }
    flag_octets = 0 if None in group.variants else 1
    at_least = 0 if tolerant else group.at_least

    def read(text: str, at: int, count: int) -> tuple[tuple[Any, ...], int] | None:
        if count < at_least:
            return None
        elements = []
        for _ in range(count):
            reader = readers.get(text[at : at + flag_octets])
            found = None if reader is None else reader(text, at + flag_octets)
            if found is None:
                return None
            part, at = found
            elements.append(part)
        return tuple(elements), at

    return read


def _one_reader(cls: type[Any], *, tolerant: bool) -> Callable[[str, int], tuple[Any, int] | None]:
    fields = ELEMENTS[cls]
    pattern = ""
    for field in fields:
        if isinstance(field.kind, Integer):
            valid = None if tolerant else field.kind.valid
            pattern += f"({field_pattern(field.kind, valid)})"
        else:
            pattern += f"({field_pattern(field.kind, None)[:-2]})\\0"
    match = re.compile(pattern, re.DOTALL).match
    numbers = tuple(isinstance(field.kind, Integer) for field in fields)

    def read_one(text: str, at: int) -> tuple[Any, int] | None:
        found = match(text, at)
        if found is None:
            return None
        values = [
            int.from_bytes(part.encode("latin-1"), "big") if number else part
            for number, part in zip(numbers, found.groups(), strict=True)
        ]
        return cls(*values), found.end()

    return read_one
