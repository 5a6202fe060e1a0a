"""Decisions, fail-over order and explanations."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.key import RouteKey
from routing.rule import Rule
from routing.table import Decision, NoRoute, RoutingTable

SWISS = Rule(name="swiss", to=("41",), outlets=("carrier", "sim"))
BANK = Rule(name="bank", accounts=("bank",), outlets=("gold",))
DEFAULT = Rule(name="default", outlets=("sim",))


def key(to: str = "41791234567", account: str = "shop") -> RouteKey:
    return RouteKey(account, "smpp", "Shop", to)


def up(_: str) -> bool:
    return True


def without(*down: str) -> Callable[[str], bool]:
    return lambda outlet: outlet not in down


def test_the_first_rule_that_matches_wins() -> None:
    table = RoutingTable([SWISS, BANK, DEFAULT])
    assert table.choose(key(), up) == Decision("swiss", ("carrier", "sim"))
    assert table.choose(key("4479"), up) == Decision("default", ("sim",))
    assert table.choose(key("4479", "bank"), up) == Decision("bank", ("gold",))
    assert table.choose(key(account="bank"), up) == Decision("swiss", ("carrier", "sim"))


def test_no_rule_is_an_answer_with_a_reason() -> None:
    answer = RoutingTable([SWISS]).choose(key("4479"), up)
    assert isinstance(answer, NoRoute)
    assert "no rule" in answer.why


@pytest.mark.parametrize(
    ("down", "order"),
    [
        ((), ("a", "b", "c")),
        (("a",), ("b", "c", "a")),
        (("b",), ("a", "c", "b")),
        (("a", "b"), ("c", "a", "b")),
        (("a", "b", "c"), ("a", "b", "c")),
    ],
)
def test_healthy_outlets_come_first_and_none_is_left_out(
    down: tuple[str, ...], order: tuple[str, ...]
) -> None:
    table = RoutingTable([Rule(name="all", outlets=("a", "b", "c"))])
    assert table.choose(key(), without(*down)) == Decision("all", order)


def test_a_rule_without_a_name_is_called_by_its_place() -> None:
    table = RoutingTable([SWISS, Rule(outlets=("sim",))])
    assert table.choose(key("4479"), up) == Decision("routes[1]", ("sim",))


def test_a_rule_without_outlets_is_refused() -> None:
    with pytest.raises(ValueError, match="needs an outlet"):
        RoutingTable([Rule(outlets=())])


def test_explain_gives_a_reason_for_every_rule() -> None:
    table = RoutingTable([BANK, Rule(name="uk", to=("44",), outlets=("uk",)), SWISS, DEFAULT])
    assert table.explain(key(), without("carrier")).lines() == [
        "- bank: account shop is not among bank",
        "- uk: 41791234567 begins with none of 44",
        "+ swiss: 41791234567 begins with 41, every account",
        "+ default: would match, but swiss came first",
        "= swiss: sim, carrier (down)",
    ]


def test_explain_shows_a_refusal_and_shortens_long_lists() -> None:
    many = Rule(name="many", to=tuple(str(number) for number in range(100, 120)), outlets=("a",))
    lines = RoutingTable([many]).explain(key(), up).lines()
    assert lines == [
        "- many: 41791234567 begins with none of 100, 101, 102, 103, 104 and 15 more",
        "= refused: no rule matches the account and the destination",
    ]


rules = st.builds(
    Rule,
    outlets=st.just(("a", "b")),
    to=st.lists(st.text("12", min_size=1, max_size=3), max_size=2).map(tuple),
    accounts=st.lists(st.sampled_from(["x", "y"]), max_size=1).map(tuple),
)


@given(st.lists(rules, max_size=6), st.sampled_from(["x", "y", "z"]), st.text("12", max_size=4))
def test_choose_agrees_with_the_reasons_given(some: list[Rule], account: str, number: str) -> None:
    table = RoutingTable(some)
    told = table.explain(key(number, account), up)
    first = next((one.rule for one in told.tried if one.matched), None)
    answer = table.choose(key(number, account), up)
    assert answer == told.answer
    assert (answer.rule if isinstance(answer, Decision) else None) == first


def test_a_key_is_a_value() -> None:
    assert key() == key()
    assert len({key(), key(), key("44")}) == 2
