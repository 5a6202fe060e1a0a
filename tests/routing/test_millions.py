"""A million prefixes: how long a table takes to load, in time of the processor, and to ask."""

import random
import time
from typing import Any

import pytest

from routing.number_list import NumberList, read_list
from routing.prefix_csv import read_prices, read_routes
from routing.prefixes import PrefixTable

MILLION = 1_000_000
LOAD_S = 2.0
LOOK_UP_US = 1.0
"""Twice what is promised (`bench.routing` says what it is): caches here are others' as well."""


def prefixes() -> list[str]:
    draw = random.Random(1)
    found: set[str] = set()
    while len(found) < MILLION:
        length = draw.choice((4, 5, 6, 7, 7, 8, 8, 9))
        found.update(
            str(draw.randrange(10 ** (length - 1), 10**length)) for _ in range(MILLION // 20)
        )
    return sorted(found)[:MILLION]


@pytest.mark.slow
def test_a_million_prefixes() -> None:
    some = prefixes()
    table: Any = None
    for read, value in ((read_prices, "0.0{}"), (read_routes, "out{}")):
        lines = (f"{one},{value.format(n % 9 + 1)},net {n % 900}\n" for n, one in enumerate(some))
        data = "".join(lines).encode()
        began = time.process_time()
        table = read(data)
        took_s = time.process_time() - began
        assert isinstance(table, PrefixTable)
        assert took_s < LOAD_S
    numbers = [one + "0000" for one in random.Random(2).sample(some, 50)]
    assert all(table.get(number) is not None for number in numbers)
    began = time.process_time()
    for _ in range(2000):
        for number in numbers:
            table.get(number)
    assert (time.process_time() - began) / (2000 * len(numbers)) * 1e6 < LOOK_UP_US


@pytest.mark.slow
def test_a_list_of_a_million_numbers() -> None:
    data = "".join(f"{41790000000 + 7 * n}\n" for n in range(MILLION)).encode()
    began = time.process_time()
    numbers = read_list(data)
    assert time.process_time() - began < LOAD_S
    assert isinstance(numbers, NumberList)
    assert "41790000007" in numbers
    assert "41790000008" not in numbers
