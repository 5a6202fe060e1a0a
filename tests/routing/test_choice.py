"""Ways to find the first outlet; the order of the others."""

from collections import Counter
from decimal import Decimal
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from routing.choice import ByTable, Choice, Choose, make_choice
from routing.prefix_csv import Price, Route
from routing.prefixes import PrefixTable

ABC = ("a", "b", "c")
ROTATIONS = {("a", "b", "c"), ("b", "c", "a"), ("c", "a", "b")}


def never() -> float:
    raise AssertionError("draws nothing")


def choice(**how: object) -> Choice:
    made = make_choice(Choose(**how), ABC, {})  # type: ignore[arg-type]
    assert made is not None
    return made


def test_order_needs_no_choice() -> None:
    assert make_choice(Choose(), ABC, {}) is None


def test_weights_are_shares() -> None:
    weighted = choice(by="weight", weights=(5, 3, 2))
    rng = Random(7)
    firsts = Counter(weighted.order("41", rng.random)[0] for _ in range(10_000))
    assert [round(firsts[name] / 1000) for name in ABC] == [5, 3, 2]


def test_a_draw_decides_by_weight_and_nothing_else() -> None:
    weighted = choice(by="weight", weights=(5, 3, 2))
    assert weighted.order("41", lambda: 0.0) == ("a", "b", "c")
    assert weighted.order("41", lambda: 0.499) == ("a", "b", "c")
    assert weighted.order("41", lambda: 0.5) == ("b", "c", "a")
    assert weighted.order("41", lambda: 0.8) == ("c", "a", "b")
    assert weighted.order("41", lambda: 0.999_999) == ("c", "a", "b")


def test_no_weight_is_last_resort() -> None:
    weighted = choice(by="weight", weights=(0, 1, 0))
    rng = Random(1)
    assert {weighted.order("41", rng.random) for _ in range(50)} == {("b", "c", "a")}


def test_in_turn() -> None:
    turn = choice(by="turn")
    assert [turn.order("41", never)[0] for _ in range(7)] == list("abcabca")
    assert {turn.order("41", never) for _ in range(3)} == ROTATIONS


@given(st.text("0123456789", max_size=12))
def test_a_destination_keeps_its_outlet(digits: str) -> None:
    sticky = choice(by="destination")
    assert sticky.order(digits, never) in ROTATIONS
    assert sticky.order(digits, never) == choice(by="destination").order(digits, never)


def test_destinations_spread_evenly_and_move_little() -> None:
    numbers = [str(41790000000 + n) for n in range(9000)]
    three = choice(by="destination")
    two = make_choice(Choose(by="destination"), ("a", "b"), {})
    assert two is not None
    before = {number: three.order(number, never)[0] for number in numbers}
    assert all(2700 < count < 3300 for count in Counter(before.values()).values())
    moved = [n for n in numbers if two.order(n, never)[0] != before[n]]
    assert all(before[number] == "c" for number in moved)  # only those of the outlet that went


def test_least_cost_puts_outlets_without_a_price_last() -> None:
    def table(**costs: str) -> PrefixTable[Price]:
        return PrefixTable((prefix[1:], Price(Decimal(cost), "")) for prefix, cost in costs.items())

    prices = {"x": table(_41="0.05", _4179="0.01"), "y": table(_41="0.03"), "z": table(_49="0")}
    cheap = make_choice(Choose(by="cost", prices=("x", "y", "z")), ABC, prices)
    assert cheap is not None
    assert cheap.order("4178", never) == ("b", "a", "c")
    assert cheap.order("4179", never) == ("a", "b", "c")
    assert cheap.order("49", never) == ("c", "a", "b")
    assert cheap.order("1", never) == ("a", "b", "c")


def test_equal_prices_keep_the_order_written() -> None:
    same: PrefixTable[Price] = PrefixTable([("", Price(Decimal(1), ""))])
    cheap = make_choice(Choose(by="cost", prices=("x", "x", "x")), ABC, {"x": same})
    assert cheap is not None
    assert cheap.order("41", never) == ABC


def test_a_table_names_the_first_and_the_rule_the_others() -> None:
    table = PrefixTable([("41", Route("b", "")), ("42", Route("z", ""))])
    assert ByTable(table, ABC).order("4179", never) == ("b", "a", "c")
    assert ByTable(table, ABC).order("42", never) == ("z", "a", "b", "c")
    assert ByTable(table, ()).order("42", never) == ("z",)
