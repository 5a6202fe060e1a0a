"""Decisions, fail-over order and explanations."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdu.address import Address, Npi, Ton
from pdu.status import Status
from routing.actions import NOTHING, Actions, Do, perform
from routing.choice import Choose
from routing.compiled import NO_RESOURCES, Resources, compile_rule
from routing.key import RouteKey
from routing.prefix_csv import Price, Route
from routing.prefixes import PrefixTable
from routing.rule import Rule
from routing.table import Decision, NoRoute, RoutingTable
from routing.when import When

SWISS = Rule(name="swiss", to=("41",), outlets=("carrier", "sim"))
BANK = Rule(name="bank", accounts=("bank",), outlets=("gold",))
DEFAULT = Rule(name="default", outlets=("sim",))


def key(to: str = "41791234567", account: str = "shop", **facts: Any) -> RouteKey:
    return RouteKey(account, "smpp", facts.pop("source_addr", "Shop"), to, **facts)


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
    with pytest.raises(ValueError, match="needs an outlet or something to do"):
        RoutingTable([Rule(outlets=())])


def test_explain_gives_a_reason_for_every_rule() -> None:
    table = RoutingTable([BANK, Rule(name="uk", to=("44",), outlets=("uk",)), SWISS, DEFAULT])
    assert table.explain(key(), without("carrier")).lines() == [
        "- bank: account shop is not among bank",
        "- uk: 41791234567 begins with none of 44",
        "+ swiss: 41791234567 begins with 41, every account",
        "+ default: would match, but swiss came first",
        "= swiss: sim (up), carrier (down)",
    ]


def test_explain_shows_a_refusal_and_shortens_long_lists() -> None:
    many = Rule(name="many", to=tuple(str(number) for number in range(100, 120)), outlets=("a",))
    lines = RoutingTable([many]).explain(key(), up).lines()
    assert lines == [
        "- many: 41791234567 begins with none of 100, 101, 102, 103, 104 and 15 more",
        "= refused: no rule matches the account and the destination",
    ]


def test_rules_with_conditions_stand_in_their_order() -> None:
    flash = Rule(name="flash", to=("41",), outlets=("fast",), when=When(class0=True))
    table = RoutingTable([BANK, flash, SWISS, DEFAULT])
    assert table.match(key(data_coding=0xF0)) == Decision("flash", ("fast",))
    assert table.match(key()) == Decision("swiss", ("carrier", "sim"))
    assert table.match(key("44", data_coding=0xF0)) == Decision("default", ("sim",))
    assert table.match(key(account="bank", data_coding=0xF0)) == Decision("bank", ("gold",))


def test_a_range_takes_numbers_of_its_length_only() -> None:
    block = Rule(name="block", to=("41791230000-41791239999",), outlets=("block",))
    table = RoutingTable([block, DEFAULT])
    assert table.match(key("41791235555")) == Decision("block", ("block",))
    assert table.match(key("417912355556")) == Decision("default", ("sim",))
    assert table.match(key("41791240000")) == Decision("default", ("sim",))


def test_reject_and_drop() -> None:
    table = RoutingTable(
        [
            Rule(name="no", to=("41",), do=Do(reject="ESME_RSUBMITFAIL")),
            Rule(name="hush", to=("42",), do=Do(drop=True)),
        ]
    )
    refused = table.match(key())
    assert refused == NoRoute(
        "rule no rejects it with ESME_RSUBMITFAIL", Status.ESME_RSUBMITFAIL, "no"
    )
    assert table.match(key("42")) == Decision("hush", (), Actions(drop=True))
    assert table.explain(key("42"), up).lines()[-1] == "= hush: dropped, nothing is sent"


def test_actions_of_the_rule_that_wins() -> None:
    do = Do(footer=" bye", transliterate="lossy", validity_s=60, charge=Decimal("0.05"))
    table = RoutingTable([Rule(name="all", outlets=("a",), do=do)])
    actions = Actions(footer=" bye", transliterate="lossy", validity_s=60, charge=Decimal("0.05"))
    assert table.match(key()) == Decision("all", ("a",), actions)
    assert table.match(key()) is table.match(key("44"))  # made in advance


def test_rules_that_go_on_change_what_the_next_ones_see() -> None:
    table = RoutingTable(
        [
            Rule(name="early", to=("41",), accounts=("other",), outlets=("x",)),
            Rule(name="mark", to=("0041",), do=Do(tags=("abroad",), to_prefix=("00", ""))),
            Rule(name="name", when=When(tags=("abroad",)), do=Do(sender="Brand", footer="!")),
            Rule(name="swiss", to=("41",), outlets=("s",), when=When(senders=("Brand",))),
            DEFAULT,
        ]
    )
    decision = table.match(key("0041791234567"))
    assert decision == Decision(
        "swiss",
        ("s",),
        Actions(
            tags=("abroad",),
            destination_addr="41791234567",
            source=Address(Ton.ALPHANUMERIC, Npi.UNKNOWN, "Brand"),
            footer="!",
        ),
    )
    assert table.match(key("44")) == Decision("default", ("sim",))
    assert table.explain(key("0041791234567"), up).lines() == [
        "- early: account shop is not among other",
        "+ mark: 0041791234567 begins with 0041, every account; goes on",
        "+ name: takes every number, every account, tags abroad; goes on",
        "+ swiss: 41791234567 begins with 41, every account, sender 'Brand'",
        "+ default: would match, but swiss came first",
        "~ tagged abroad",
        "~ recipient becomes 41791234567",
        "~ sender becomes Brand",
        "~ footer '!'",
        "= swiss: s (up)",
    ]


def test_a_changed_number_does_not_go_back_to_earlier_rules() -> None:
    table = RoutingTable(
        [
            Rule(name="first", to=("41",), outlets=("x",)),
            Rule(name="mark", do=Do(to_prefix=("00", ""))),
            Rule(name="second", to=("41",), outlets=("y",)),
        ]
    )
    answer = table.match(key("0041"))
    assert isinstance(answer, Decision)
    assert (answer.rule, answer.outlets) == ("second", ("y",))
    assert table.match(key("41")) == Decision("first", ("x",))


def test_a_sender_is_rewritten_from_its_beginning() -> None:
    table = RoutingTable([Rule(outlets=("a",), do=Do(sender_prefix=("0", "41")))])
    answer = table.match(key(source_addr="0791234567", source_addr_ton=2))
    assert isinstance(answer, Decision)
    assert answer.actions.source == Address(Ton.INTERNATIONAL, Npi.E164, "41791234567")
    untouched = table.match(key(source_addr="0shop", source_addr_ton=5))
    assert untouched == Decision("routes[0]", ("a",))


def test_weights_draw_from_the_source_given() -> None:
    rule = Rule(outlets=("a", "b"), choose=Choose(by="weight", weights=(1, 1)))
    table = RoutingTable([rule], draw=iter([0.1, 0.9, 0.4]).__next__)
    firsts = [one.outlets[0] for _ in range(3) if isinstance(one := table.match(key()), Decision)]
    assert firsts == ["a", "b", "a"]
    same = [RoutingTable([rule]), RoutingTable([rule])]  # the seed is fixed
    assert [same[0].match(key()) for _ in range(20)] == [same[1].match(key()) for _ in range(20)]


def test_a_table_says_which_facts_it_needs() -> None:
    assert RoutingTable([SWISS, BANK]).needs == frozenset()
    assert RoutingTable([Rule(outlets=("a",), when=When(text="x"))]).needs == {"details", "text"}
    assert RoutingTable([Rule(outlets=("a",), when=When(max_parts=1))]).needs == {
        "details",
        "parts",
    }
    assert RoutingTable([Rule(do=Do(sender="x")), DEFAULT]).needs == {"details"}


def test_explain_tells_what_is_known_of_health() -> None:
    table = RoutingTable([Rule(name="all", outlets=("a", "b"))])
    told = table.explain(key(), lambda name: None if name == "a" else False)
    assert told.lines()[-1] == "= all: a (health unknown), b (down)"


digits = st.text("12", min_size=1, max_size=3)
spans = st.tuples(digits, digits).map(
    lambda pair: "-".join(sorted((pair[0][:1] + "1", pair[1][:1] + "2")))
)
whens = st.builds(
    When,
    tags=st.sampled_from([(), (), ("x",), ("y", "z")]),
    priorities=st.sampled_from([(), (), (1,), (0, 2)]),
    senders=st.sampled_from([(), (), ("Shop",), ("1*",)]),
)
dos = st.builds(
    Do,
    tags=st.sampled_from([("x",), ("z",)]),
    to_prefix=st.sampled_from([(), ("1", "2"), ("22", "1"), ("", "2")]),
    sender=st.sampled_from(["", "111111", "Shop"]),
    footer=st.sampled_from(["", "!", "?"]),
)
common = {
    "to": st.lists(digits | spans, max_size=2, unique=True).map(tuple),
    "accounts": st.lists(st.sampled_from(["x", "y"]), max_size=1).map(tuple),
}
plain_rules = st.builds(Rule, outlets=st.just(("a", "b")), **common)
rules = (
    plain_rules
    | st.builds(Rule, outlets=st.just(("c",)), when=whens, do=dos | st.just(Do()), **common)
    | st.builds(Rule, when=whens, do=dos, **common)
)
keys = st.builds(
    RouteKey,
    account=st.sampled_from(["x", "y", "z"]),
    source=st.just("smpp"),
    source_addr=st.sampled_from(["Shop", "123456", ""]),
    destination_addr=st.text("12", max_size=4),
    tags=st.sampled_from([(), ("x",), ("y", "x")]),
    priority_flag=st.integers(0, 2),
)


def walk(some: list[Rule], seen: RouteKey) -> tuple[str | None, Actions]:
    """The slow twin, from the rules alone."""
    before = NOTHING
    for position, rule in enumerate(some):
        compiled = compile_rule(rule, position, NO_RESOURCES)
        if compiled.mismatch(seen) is not None:
            continue
        before, seen = perform(rule.do, seen, before)
        if not rule.goes_on:
            return compiled.name, before
    return None, NOTHING


@settings(max_examples=400)
@given(st.lists(rules, max_size=7), keys)
def test_match_is_the_walk_over_all_rules(some: list[Rule], asked: RouteKey) -> None:
    answer = RoutingTable(some).match(asked)
    if isinstance(answer, NoRoute):
        assert walk(some, asked) == (None, NOTHING)
    else:
        assert walk(some, asked) == (answer.rule, answer.actions)


@given(st.lists(rules, max_size=6), keys)
def test_choose_agrees_with_the_reasons_given(some: list[Rule], asked: RouteKey) -> None:
    table = RoutingTable(some)
    told = table.explain(asked, up)
    first = next(
        (one.rule for one in told.tried if one.matched and not one.why.endswith("goes on")), None
    )
    answer = table.choose(asked, up)
    assert answer == told.answer
    assert (answer.rule if isinstance(answer, Decision) else None) == first


MOVED = Do(to_prefix=("41", "0041"))


def test_a_table_is_asked_for_the_number_that_the_rule_matched() -> None:
    routes = PrefixTable([("41", Route("a", "Swiss"))])
    table = RoutingTable([Rule(table="t", do=MOVED)], Resources(routes={"t": routes}))
    answer = table.match(key())
    assert isinstance(answer, Decision)
    assert answer.outlets == ("a",)
    assert answer.actions.destination_addr == "004179" + key().destination_addr[4:]


def test_costs_are_those_of_the_number_that_the_rule_matched() -> None:
    cheap = PrefixTable([("41", Price(Decimal(1), "")), ("00", Price(Decimal(9), ""))])
    dear = PrefixTable([("41", Price(Decimal(5), "")), ("00", Price(Decimal(2), ""))])
    rule = Rule(outlets=("dear", "cheap"), choose=Choose(by="cost", prices=("d", "c")), do=MOVED)
    table = RoutingTable([rule], Resources(prices={"d": dear, "c": cheap}))
    answer = table.match(key())
    assert isinstance(answer, Decision)
    assert answer.outlets == ("cheap", "dear")
    assert table.explain(key(), up).prices == {"cheap": Decimal(1), "dear": Decimal(5)}


def test_a_key_is_a_value() -> None:
    assert key() == key()
    assert len({key(), key(), key("44")}) == 2
