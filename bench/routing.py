"""What routing costs: `python -m bench.routing`.

*In*: nothing; tables are drawn with a fixed seed.
*Out*: one line a figure, with the wanted limit beside it.
"""

import random
import time
import tracemalloc
from collections.abc import Callable, Sequence

from routing.key import RouteKey
from routing.prefixes import PrefixTable
from routing.rule import Rule
from routing.table import RoutingTable

PREFIXES = 100_000
LOOKUPS = 20_000


def main() -> None:
    """Print all figures; takes about five seconds."""
    rng = random.Random(1)
    prefixes = _prefixes(rng)
    numbers = [_number(rng, prefix) for prefix in rng.sample(prefixes, LOOKUPS)]
    few = numbers[:50] * (LOOKUPS // 50)

    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    table = PrefixTable((prefix, "outlet") for prefix in prefixes)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    started = time.perf_counter()
    PrefixTable((prefix, "outlet") for prefix in prefixes)
    built_s = time.perf_counter() - started
    _line("prefixes: build, 100 k", built_s / PREFIXES * 1e6, "µs a prefix")
    _line("prefixes: memory, 100 k", (after - before) / PREFIXES, "octets a prefix")
    _line("prefixes: look-up, repeating numbers", _cost_us(table.get, few), "µs (≤ 0.3)")
    _line("prefixes: look-up, all over the table", _cost_us(table.get, numbers), "µs")

    _choose(rng, prefixes, numbers, few)


def _choose(rng: random.Random, prefixes: list[str], numbers: list[str], few: list[str]) -> None:
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
            cost = _cost_us(table.choose, keys, _up)
            _line(f"choose: {said}, {order}", cost, "µs (≤ 0.6)" if listed is few else "µs")
    keys = [RouteKey("demo", "smpp", "Shop", number) for number in few]
    cost = _cost_us(table.choose, keys, lambda outlet: outlet not in down)
    _line("choose: with an outlet down", cost, "µs")
    cost = _cost_us(lambda number: RouteKey("demo", "smpp", "Shop", number), few)
    _line("key: build", cost, "µs")


def _up(_: str) -> bool:
    return True


def _prefixes(rng: random.Random) -> list[str]:
    """Lengths as in numbering plans: most prefixes have five to seven digits."""
    drawn: set[str] = set()
    while len(drawn) < PREFIXES:
        length = rng.choice([3, 4, 5, 6, 6, 7, 7, 7, 8, 8])
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
    for argument in arguments:
        call(argument, *more)
    return time.perf_counter() - started


def _line(what: str, figure: float, unit: str) -> None:
    print(f"{what:<48}{figure:10.2f} {unit}")


if __name__ == "__main__":
    main()
