"""Prefix tables from CSV files: which outlet a number goes by, or what it costs.

*In*: the octets of a file of lines `prefix,value,name`; the name may be left out, a line of
headings before all others, empty lines and lines that begin with "#" are passed over.
*Out*: a `PrefixTable` of `Route`, `Price` or `Rate`, or what is wrong, by line.
*Never*: opens the file itself; `routing.loader` is handed a reader.

A million lines take about a second on a quiet 2-core VM (`bench/routing.py`): the columns are
cut, checked and sorted in C, and each distinct pair (value, name) is made once.
"""

import csv
import re
from collections.abc import Callable, Collection
from decimal import Decimal, InvalidOperation
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from routing.amounts import CEILING, amount_fault
from routing.prefixes import PrefixTable

T = TypeVar("T")

CLASS_CHARACTERS = 40
"""Of the name of a class of credit."""
_TOLD = 20
"""Mistakes told of one file; a file of another kind has one a line."""
_SHOWN = 60
"""Characters of a line that is shown with its mistake."""


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
_HEAD = re.compile(r"(?:[ \t]*\n|#.*\n)*+(?:[ \t]*\"?[ \t]*prefix.*(?:\n|\Z))?", re.IGNORECASE)
"""What stands before the first prefix: comments, empty lines, then headings, quoted or not."""


def read_routes(data: bytes, outlets: Collection[str] | None = None) -> RouteTable | list[CsvError]:
    """Read `prefix,outlet,name`; another outlet than these is a mistake, where they are given."""

    def route(value: str, name: str) -> Route | str:
        if not value:
            return "expected an outlet behind the prefix"
        if outlets is not None and value not in outlets:
            there_are = ", ".join(sorted(outlets)) or "none"
            return f"unknown outlet {value!r}; there are: {there_are}"
        return Route(value, name)

    return _read(data, route)


def read_prices(data: bytes) -> PriceTable | list[CsvError]:
    """Read `prefix,cost,name`; a cost is a decimal number of at least 0, for one part."""
    return _read(data, _price)


def read_rates(data: bytes) -> RateTable | list[CsvError]:
    """Read `prefix,class,price`; a price is a decimal number of at least 0, for one part."""
    return _read(data, _rate)


def _price(value: str, name: str) -> Price | str:
    try:
        # Decimal takes what Python takes: 1_000, and digits of every script.
        cost = Decimal(value if value.isascii() and "_" not in value else "")
    except InvalidOperation:
        return f"expected a cost like 0.045, found {value!r}"
    if cost.is_finite() and 0 <= cost <= CEILING:
        return Price(cost, name)
    return f"expected a cost from 0 to {CEILING:f}, found {value!r}"


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
    head = _HEAD.match(text)
    assert head is not None, "it matches nothing, too"
    even = text[head.end() :]
    if _EVEN.fullmatch(even):
        cells = even.replace("\n", ",").split(",")
        try:
            pairs = zip(cells[1::3], cells[2::3], strict=True)
            return PrefixTable.from_columns(
                cells[0:-1:3], list(map(_Made(make).__getitem__, pairs))
            )
        except ValueError:  # a value that does not fit, or a prefix given twice: find its line
            pass
    return _read_by_line(even.split("\n"), text.count("\n", 0, head.end()) + 1, make)


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
    lines: list[str], first: int, make: Callable[[str, str], T | str]
) -> PrefixTable[T] | list[CsvError]:
    """The patient way: each line by itself, and every mistake with its line."""
    errors: list[CsvError] = []
    found: dict[str, T] = {}
    line_of: dict[str, int] = {}
    made: dict[tuple[str, str], T | str] = {}
    for number, line in enumerate(lines, first):
        if not line.strip() or line.startswith("#"):
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


def _cells(line: str) -> tuple[list[str], str | None]:
    """The cells of a line, and why they are none."""
    try:
        cells = [cell.strip() for cell in next(csv.reader([line]), [])]
    except csv.Error as error:  # a cell beyond csv.field_size_limit, a NUL
        return [], f"not CSV: {error}; see whether the line is damaged"
    if 2 <= len(cells) <= 3:
        return cells, None
    shown = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
    return cells, f"expected prefix, value and name, found {len(cells)} cells: {shown!r}"


def _row_fault(cells: list[str], line_of: dict[str, int]) -> str | None:
    prefix = cells[0]
    if prefix and not (prefix.isascii() and prefix.isdigit()):
        return f"expected a prefix of digits, found {prefix!r}"
    if prefix in line_of:
        return f"prefix {prefix!r} stands on line {line_of[prefix]} too"
    return None
