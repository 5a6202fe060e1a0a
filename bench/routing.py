"""What routing costs: `python -m bench.routing`.

*In*: nothing; tables are drawn with a fixed seed. `--million` adds the tables of a million.
*Out*: one line a figure, with the wanted limit beside it.
"""

import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence

from routing.actions import Do
from routing.choice import Choose
from routing.key import RouteKey
from routing.number_list import NumberList, read_list
from routing.prefix_csv import read_prices
from routing.prefixes import PrefixTable
from routing.rule import Rule
from routing.table import RoutingTable
from routing.velocity import Guard, Velocity
from routing.when import When

PREFIXES = 100_000
MILLION = 1_000_000
LOOKUPS = 20_000


def main() -> None:
    """Print all figures; takes about ten seconds, and half a minute more with --million."""
    rng = random.Random(1)
    prefixes = _prefixes(rng, PREFIXES, [3, 4, 5, 6, 6, 7, 7, 7, 8, 8])
    numbers = [_number(rng, prefix) for prefix in rng.sample(prefixes, LOOKUPS)]
    few = numbers[:50] * (LOOKUPS // 50)
    _csv("100 k", rng, prefixes, numbers, few, limit="(≤ 0.32)")
    _match(rng, prefixes, numbers, few)
    _conditions(few)
    _guards(few)
    if "--million" in sys.argv[1:]:
        many = _prefixes(rng, MILLION, [3, 4, 5, 6, 6, 7, 7, 7, 8, 8, 8, 9])
        numbers = [_number(rng, prefix) for prefix in rng.sample(many, LOOKUPS)]
        few = numbers[:50] * (LOOKUPS // 50)
        _csv("1 M", rng, many, numbers, few, limit="(≤ 0.5)")
        _list(rng)


def _csv(
    size: str,
    rng: random.Random,
    prefixes: list[str],
    numbers: list[str],
    few: list[str],
    limit: str,
) -> None:
    """A price list as carriers send them: sorted, a name and a cost for each of 900 networks."""
    costs = [f"{rng.randrange(1, 99) / 1000},network {n}" for n in range(900)]
    data = "".join(f"{prefix},{rng.choice(costs)}\n" for prefix in prefixes).encode()
    count = len(prefixes)
    started = time.perf_counter()
    table = read_prices(data)
    loaded_s = time.perf_counter() - started
    assert isinstance(table, PrefixTable)
    _line(f"price list: load, {size}", loaded_s, f"s ({loaded_s / count * 1e6:.2f} µs a prefix)")
    _line(f"price list: look-up, repeating, {size}", _cost_us(table.get, few), f"µs {limit}")
    started = time.perf_counter()
    for number in numbers:
        table.get(number)
    first_us = (time.perf_counter() - started) / len(numbers) * 1e6
    _line(f"price list: first look-up behind a head, {size}", first_us, "µs, once")
    cost = _cost_us(table.get, numbers)
    _line(f"price list: look-up, all over the table, {size}", cost, "µs (≤ 0.5)")
    tracemalloc.start()
    table = read_prices(data)
    assert isinstance(table, PrefixTable)
    _line(f"price list: memory, {size}", _held() / count, "octets a prefix")
    for prefix in prefixes:
        table.get(prefix + "0000")
    _line(f"price list: memory after use, {size}", _held() / count, "octets a prefix")
    tracemalloc.stop()


def _match(rng: random.Random, prefixes: list[str], numbers: list[str], few: list[str]) -> None:
    groups: list[list[str]] = [[] for _ in range(100)]
    for prefix in prefixes:
        rng.choice(groups).append(prefix)
    rules = [Rule(name=f"r{n}", to=tuple(to), outlets=("a", "b")) for n, to in enumerate(groups)]
    own = Rule(name="own", accounts=("shop",), to=("999999",), outlets=("a",))
    table = RoutingTable([own, *rules, Rule(name="default", outlets=("a",))])
    down = {"a"}
    for account, said in (("demo", "general rules"), ("shop", "own and general rules")):
        for listed, order in ((few, "repeating numbers"), (numbers, "all over the table")):
            keys = [RouteKey(account, "smpp", "Shop", number) for number in listed]
            unit = "µs (≤ 0.6)" if listed is few else "µs"
            _line(f"match: {said}, {order}", _cost_us(table.match, keys), unit)
    keys = [RouteKey("demo", "smpp", "Shop", number) for number in few]
    _line("choose: all up", _cost_us(table.choose, keys, _up), "µs")
    cost = _cost_us(table.choose, keys, lambda outlet: outlet not in down)
    _line("choose: with an outlet down", cost, "µs")
    cost = _cost_us(lambda number: RouteKey("demo", "smpp", "Shop", number), few)
    _line("key: build, five facts", cost, "µs")
    cost = _cost_us(_whole_key, few)
    _line("key: build, all facts", cost, "µs")


def _whole_key(number: str) -> RouteKey:
    return RouteKey("demo", "smpp", "Shop", number, (), "retail", 5, 0, 0, 0, 1_700_000_000_000)


def _conditions(few: list[str]) -> None:
    """Tables whose first rule has a condition, or something to do for each message."""
    rest = Rule(name="rest", outlets=("a", "b"))
    keys = [_whole_key(number) for number in few]
    for what, rule in (
        ("a tag", Rule(outlets=("a",), when=When(tags=("x",)))),
        ("hours in a zone", Rule(outlets=("a",), when=When(hours=("08:00-18:00",)))),
        ("a text pattern", Rule(outlets=("a",), when=When(text="(?i)win.*prize"))),
        ("a weighted choice", Rule(outlets=("a", "b"), choose=Choose(by="weight", weights=(2, 1)))),
        ("a sticky choice", Rule(outlets=("a", "b"), choose=Choose(by="destination"))),
        ("a rewritten sender", Rule(outlets=("a",), do=Do(sender="Brand"))),
    ):
        table = RoutingTable([rule, rest])
        _line(f"match: {what}", _cost_us(table.match, keys), "µs")
    countries = [
        Rule(to=(str(prefix),), outlets=("a",), when=When(tags=("x",))) for prefix in range(10, 99)
    ]
    table = RoutingTable([*countries, rest])
    _line("match: 89 rules with conditions, by country", _cost_us(table.match, keys), "µs")


def _guards(few: list[str]) -> None:
    guards = Velocity([("ait", Guard(limit=10**9, digits=6))])
    _line("guard: count one message", _cost_us(lambda n: guards.count("demo", n, 1.0), few), "µs")


def _list(rng: random.Random) -> None:
    numbers = [str(rng.randrange(10**10, 10**11)) for _ in range(MILLION)]
    for what, lines in (("numbers", numbers), ("names", [f"S{number[1:]}" for number in numbers])):
        data = "\n".join(lines).encode()
        started = time.perf_counter()
        listed = read_list(data)
        assert isinstance(listed, NumberList), listed
        _line(f"list of a million {what}: load", time.perf_counter() - started, "s")
        octets = listed.memory_octets / len(listed)
        _line(f"list of a million {what}: memory", octets, "octets an entry")
        cost = _cost_us(listed.__contains__, lines[:LOOKUPS])
        _line(f"list of a million {what}: look-up", cost, "µs")


def _up(_: str) -> bool:
    return True


def _held() -> int:
    return tracemalloc.get_traced_memory()[0]


def _prefixes(rng: random.Random, count: int, lengths: list[int]) -> list[str]:
    """Lengths as in numbering plans: most prefixes have five to seven digits."""
    drawn: set[str] = set()
    while len(drawn) < count:
        length = rng.choice(lengths)
        drawn.add(str(rng.randrange(10 ** (length - 1), 10**length)))
    return sorted(drawn)


def _number(rng: random.Random, prefix: str) -> str:
    return (prefix + str(rng.randrange(10**8, 10**9)))[:11]


def _cost_us(call: Callable[..., object], arguments: Sequence[object], *more: object) -> float:
    """Best of seven rounds over the arguments, per call; the loop itself is part of it."""
    return min(_round_s(call, arguments, more) for _ in range(7)) / len(arguments) * 1e6


def _round_s(
    call: Callable[..., object], arguments: Sequence[object], more: tuple[object, ...]
) -> float:
    started = time.perf_counter()
    if more:
        for argument in arguments:
            call(argument, *more)
    else:  # apart: to spread no arguments costs a quarter of a look-up
        for argument in arguments:
            call(argument)
    return time.perf_counter() - started


def _line(what: str, figure: float, unit: str) -> None:
    print(f"{what:<52}{figure:10.2f} {unit}")


if __name__ == "__main__":
    main()
