"""Prefix tables from CSV files: which outlet a number goes by, or what it costs.

*In*: the octets of a file of lines `prefix,value,name`; the name may be left out, a first line
of headings, empty lines and lines that begin with "#" are passed over.
*Out*: a `PrefixTable` of `Route`, `Price` or `Rate`, or what is wrong, by line.
*Never*: opens the file itself; `routing.loader` is handed a reader.

A million lines take about a second on a quiet 2-core VM (`bench/routing.py`): the columns are
cut, checked and sorted in C, and each distinct pair (value, name) is made once.
"""

import csv
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from routing.amounts import amount_fault
from routing.prefixes import PrefixTable

T = TypeVar("T")

CLASS_CHARACTERS = 40
"""Of the name of a class of credit."""
_TOLD = 20
"""Mistakes told of one file; a file of another kind has one a line."""
_HEADING = "prefix"


class Route(NamedTuple):
    """An outlet for a prefix."""

    outlet: str
    name: str
    """What people call the network or the country."""


class Price(NamedTuple):
    """What one part to a prefix costs."""

    cost: Decimal
    name: str


class Rate(NamedTuple):
    """What one part to a prefix costs an account, and from which class of its credit."""

    credit_class: str
    unit: Decimal


class CsvError(NamedTuple):
    """One thing wrong with a file; line 0 is the file as a whole."""

    line: int
    why: str


RouteTable: TypeAlias = PrefixTable[Route]
PriceTable: TypeAlias = PrefixTable[Price]
RateTable: TypeAlias = PrefixTable[Rate]
_EVEN = re.compile(r"(?:[0-9]*+,[^,\"\n]*+,[^,\"\n]*+\n)++")
"""A file whose every line has three plain cells, as programs write it: it can be cut as a whole.
Possessive, so that a mistake on the last line costs nothing more."""


def read_routes(data: bytes) -> RouteTable | list[CsvError]:
    """Read `prefix,outlet,name`."""
    return _read(data, _route)


def read_prices(data: bytes) -> PriceTable | list[CsvError]:
    """Read `prefix,cost,name`; a cost is a decimal number of at least 0, for one part."""
    return _read(data, _price)


def read_rates(data: bytes) -> RateTable | list[CsvError]:
    """Read `prefix,class,price`; a price is a decimal number of at least 0, for one part."""
    return _read(data, _rate)


def _route(value: str, name: str) -> Route | str:
    return Route(value, name) if value else "expected an outlet behind the prefix"


def _price(value: str, name: str) -> Price | str:
    try:
        cost = Decimal(value)
    except InvalidOperation:
        return f"expected a cost like 0.045, found {value!r}"
    if cost.is_finite() and cost >= 0:
        return Price(cost, name)
    return f"expected a cost of at least 0, found {value!r}"


def _rate(value: str, name: str) -> Rate | str:
    price = _price(name, "")
    if isinstance(price, str):
        return price
    fault = amount_fault(price.cost)
    if fault or len(value) > CLASS_CHARACTERS:
        return fault or f"expected a class of at most {CLASS_CHARACTERS} characters"
    return Rate(value, price.cost)


def _read(data: bytes, make: Callable[[str, str], T | str]) -> PrefixTable[T] | list[CsvError]:
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        return [CsvError(data.count(b"\n", 0, error.start) + 1, "not UTF-8")]
    even = text[text.find("\n") + 1 :] if _has_heading(text) else text
    if _EVEN.fullmatch(even):
        cells = even.replace("\n", ",").split(",")
        try:
            pairs = zip(cells[1::3], cells[2::3], strict=True)
            return PrefixTable.from_columns(
                cells[0:-1:3], list(map(_Made(make).__getitem__, pairs))
            )
        except ValueError:  # a value that does not fit, or a prefix given twice: find its line
            pass
    return _read_by_line(text.split("\n"), make)


class _Made(dict[tuple[str, str], T], Generic[T]):
    """Each distinct (value, name), made once. Raises ValueError for one that does not fit."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[str, str], T | str]) -> None:
        self._make = make

    def __missing__(self, cell: tuple[str, str]) -> T:
        value, name = cell
        made = self._make(value.strip(), name.strip())
        if isinstance(made, str):
            raise ValueError(made)  # noqa: TRY004 - the value is wrong, not a type
        self[cell] = made
        return made


def _read_by_line(
    lines: list[str], make: Callable[[str, str], T | str]
) -> PrefixTable[T] | list[CsvError]:
    """The patient way: each line by itself, and every mistake with its line."""
    errors: list[CsvError] = []
    found: dict[str, T] = {}
    line_of: dict[str, int] = {}
    made: dict[tuple[str, str], T | str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        if number == 1 and _has_heading(line):
            continue
        cells, why = _cells(line)
        why = why or _row_fault(cells, line_of)
        if why is None:
            value, name = cells[1], cells[2] if len(cells) > 2 else ""
            one = made.get((value, name))
            if one is None:
                one = made[value, name] = make(value, name)
            if not isinstance(one, str):
                found[cells[0]] = one
                line_of[cells[0]] = number
                continue
            why = one
        errors.append(CsvError(number, why))
        if len(errors) == _TOLD:
            errors.append(CsvError(0, "and perhaps more: only the first mistakes are told"))
            return errors
    if not errors and not found:
        return [CsvError(0, "holds no prefix")]
    return errors or PrefixTable(found.items())


def _has_heading(text: str) -> bool:
    return text[: len(_HEADING)].casefold() == _HEADING


def _cells(line: str) -> tuple[list[str], str | None]:
    """The cells of a line, and why it has none."""
    try:
        return [cell.strip() for cell in next(csv.reader([line]), [])], None
    except csv.Error as error:  # a cell beyond csv.field_size_limit, a NUL
        return [], f"not CSV: {error}; see whether the line is damaged"


def _row_fault(cells: list[str], line_of: dict[str, int]) -> str | None:
    if not 2 <= len(cells) <= 3:
        return f"expected prefix, value and name, found {len(cells)} cells"
    prefix = cells[0]
    if prefix and not (prefix.isascii() and prefix.isdigit()):
        return f"expected a prefix of digits, found {prefix!r}"
    if prefix in line_of:
        return f"prefix {prefix!r} stands on line {line_of[prefix]} too"
    return None
