"""Mistakes in rules become values that name the key."""

from routing.loader import RoutingError, check_routes, load_mo_routes, load_routes, unreachable
from routing.mo import MoTable
from routing.rule import MoRule, Rule
from routing.table import RoutingTable


def test_good_rules_become_a_table() -> None:
    table = load_routes([Rule(to=("41",), outlets=("sim",))], outlets={"sim"}, accounts=())
    assert isinstance(table, RoutingTable)
    assert isinstance(load_mo_routes([MoRule(account="demo")], accounts={"demo"}), MoTable)


def test_every_mistake_is_told_at_once() -> None:
    rules = [
        Rule(name="a", outlets=("sim", "carier", "sim")),
        Rule(name="a", outlets=(), accounts=("nobody",)),
        Rule(name="b", outlets=("sim",), to=("+41", "*", "4l", "49", "49", "1" * 21)),
    ]
    assert load_routes(rules, outlets=("sim", "carrier"), accounts=()) == [
        RoutingError("routes[0].outlets", "outlet 'sim' is named 2 times"),
        RoutingError("routes[0].outlets", "unknown outlet 'carier'; there are: carrier, sim"),
        RoutingError("routes[1].outlets", "expected at least one outlet"),
        RoutingError("routes[1].accounts", "unknown account 'nobody'; there are: none"),
        RoutingError("routes[1].name", "expected a name of its own, 'a' is routes[0]"),
        RoutingError("routes[2].to", "expected 1 to 20 digits, found '+41'; write '41'"),
        RoutingError(
            "routes[2].to",
            "expected 1 to 20 digits, found '*'; leave the key out to match every number",
        ),
        RoutingError("routes[2].to", "expected 1 to 20 digits, found '4l'"),
        RoutingError("routes[2].to", "prefix '49' is given 2 times"),
        RoutingError("routes[2].to", f"expected 1 to 20 digits, found '{'1' * 21}'"),
    ]


def test_mistakes_in_mo_rules() -> None:
    rules = [MoRule(account="who"), MoRule(account="demo", to=("abc",), keyword="two words")]
    assert load_mo_routes(rules, accounts=("demo",)) == [
        RoutingError("mo_routes[0].account", "unknown account 'who'; there are: demo"),
        RoutingError("mo_routes[1].to", "expected 1 to 20 digits, found 'abc'"),
        RoutingError(
            "mo_routes[1].keyword", "expected one word, or \"*\" for any, found 'two words'"
        ),
    ]


def test_rules_keep_their_place_when_others_did_not_parse() -> None:
    errors = check_routes({3: Rule(outlets=("x",))}, outlets=("sim",), accounts=())
    assert [error.key for error in errors] == ["routes[3].outlets"]


def test_rules_behind_a_catch_all_are_pointed_out() -> None:
    rules = [
        Rule(outlets=("a",), accounts=("shop", "bank")),
        Rule(outlets=("a",), accounts=("bank",), to=("41",)),
        Rule(outlets=("a",), accounts=("bank", "club")),
        Rule(outlets=("a",)),
        Rule(outlets=("a",), to=("41",)),
    ]
    assert unreachable(rules) == [(1, 0), (4, 3)]
