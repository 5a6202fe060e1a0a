"""Mistakes in rules and files become values that name the key."""

from decimal import Decimal
from pathlib import Path

from routing.actions import Do
from routing.checks import Names, RoutingError, check_guards, check_routes, unreachable
from routing.choice import Choose
from routing.key import RouteKey
from routing.loader import FileConfig, RoutingConfig, build, load_mo_routes
from routing.mo import MoTable
from routing.rule import MoRule, Rule
from routing.table import Decision, NoRoute, RoutingTable
from routing.velocity import Guard
from routing.when import When

SIM = Names(outlets={"sim", "carrier"})


def key(to: str, sender: str = "Shop") -> RouteKey:
    return RouteKey("demo", "smpp", sender, to)


def told(rule: Rule, names: Names = SIM) -> list[str]:
    return [f"{error.key}: {error.why}" for error in check_routes({0: rule}, names)]


def test_good_rules_become_a_table() -> None:
    config = RoutingConfig(routes=(Rule(to=("41",), outlets=("sim",)),), outlets=frozenset({"sim"}))
    assert isinstance(build(config), RoutingTable)
    assert isinstance(load_mo_routes([MoRule(account="x")], accounts=frozenset({"x"})), MoTable)


def test_every_mistake_is_told_at_once() -> None:
    rules = [
        Rule(name="a", outlets=("sim", "carier", "sim")),
        Rule(name="a", outlets=(), accounts=("nobody",)),
        Rule(name="b", outlets=("sim",), to=("+41", "*", "4l", "49", "49", "1" * 21)),
    ]
    assert check_routes(dict(enumerate(rules)), SIM) == [
        RoutingError("routes[0].outlets", "outlet 'sim' is named 2 times"),
        RoutingError("routes[0].outlets", "unknown outlet 'carier'; there are: carrier, sim"),
        RoutingError("routes[1].outlets", "expected at least one outlet, or something to do"),
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


def test_mistakes_in_conditions_name_their_key() -> None:
    when = When(
        groups=("gold",),
        senders=("a*b",),
        min_parts=3,
        max_parts=2,
        hours=("8-9", "25:00-26:00", "08:00-08:00"),
        zone="Europe/Zuerich",
        text="(",
        to_in=("dnd",),
    )
    assert told(Rule(outlets=("sim",), when=when)) == [
        "routes[0].when.groups: unknown group 'gold'; there are: none",
        "routes[0].when.to_in: unknown list 'dnd'; there are: none",
        'routes[0].when.senders: expected senders like "Shop" or "4179*", found \'a*b\'',
        "routes[0].when.max_parts: expected at least min_parts = 3",
        "routes[0].when.hours: expected a span like \"08:00-18:30\", found '8-9'",
        "routes[0].when.hours: expected a span like \"08:00-18:30\", found '25:00-26:00'",
        "routes[0].when.hours: expected a span like \"08:00-18:30\", found '08:00-08:00'",
        "routes[0].when.zone: expected an IANA zone like \"Europe/Zurich\", found 'Europe/Zuerich'",
        "routes[0].when.text: expected a pattern of RE2 syntax, found '(': missing ): (",
    ]


def test_patterns_that_backtrack_are_no_patterns() -> None:
    assert "invalid perl operator" in told(Rule(outlets=("sim",), when=When(text="(?=x)y")))[0]


def test_mistakes_in_actions_name_their_key() -> None:
    do = Do(reject="ESME_ROK", drop=True, to_prefix=("00",), sender="far too long a name")
    assert told(Rule(outlets=("sim",), do=do)) == [
        "routes[0].outlets: expected none where the rule rejects or drops",
        "routes[0].do.reject: expected a status like \"ESME_RINVDSTADR\", found 'ESME_ROK'",
        "routes[0].do.drop: expected one of reject and drop, found both",
        "routes[0].do.to_prefix: expected two strings, old and new beginning, found 1",
        (
            "routes[0].do.sender: 'far too long a name' cannot be a sender: "
            "more characters than an address carries"
        ),
    ]


def test_mistakes_in_ways_to_choose_name_their_key() -> None:
    both = ("sim", "carrier")
    assert told(Rule(outlets=both, choose=Choose(by="weight", weights=(1,)))) == [
        "routes[0].choose.weights: expected one for each of the 2 outlets, found 1"
    ]
    assert told(Rule(outlets=both, choose=Choose(by="weight", weights=(0, 0)))) == [
        "routes[0].choose.weights: expected numbers of at least 0, not all of them 0"
    ]
    assert told(Rule(outlets=both, choose=Choose(weights=(1, 2)))) == [
        'routes[0].choose.weights: expected only with by = "weight"'
    ]
    assert told(Rule(outlets=both, choose=Choose(by="cost", prices=("world", "world")))) == [
        "routes[0].choose.prices: unknown price table 'world'; there are: none"
    ]
    assert told(Rule(table="ported", outlets=("sim",), choose=Choose(by="turn"))) == [
        "routes[0].table: unknown route table 'ported'; there are: none",
        "routes[0].choose.by: expected nothing here where a table names the outlet",
    ]


def test_mistakes_in_mo_rules() -> None:
    rules = [MoRule(account="who"), MoRule(account="demo", to=("abc",), keyword="two words")]
    assert load_mo_routes(rules, accounts=frozenset({"demo"})) == [
        RoutingError("mo_routes[0].account", "unknown account 'who'; there are: demo"),
        RoutingError("mo_routes[1].to", "expected 1 to 20 digits, found 'abc'"),
        RoutingError(
            "mo_routes[1].keyword", "expected one word, or \"*\" for any, found 'two words'"
        ),
    ]
    ways = [
        MoRule(account="demo", outlets=("who",)),
        MoRule(account="demo", deliver="callback", callback="ftp://x"),
        MoRule(account="demo", callback="https://x"),
        MoRule(account="demo", deliver="callback", callback="https://x", outlets=("sim",)),
    ]
    assert load_mo_routes(ways, accounts=frozenset({"demo"}), outlets=frozenset({"sim"})) == [
        RoutingError("mo_routes[0].outlets", "unknown outlet 'who'; there are: sim"),
        RoutingError(
            "mo_routes[1].callback",
            "expected a URL like \"https://example.com/mo\", found 'ftp://x'",
        ),
        RoutingError("mo_routes[2].callback", 'expected only with deliver = "callback"'),
    ]
    assert load_mo_routes([MoRule(account="a", to=("1-2",))], accounts=frozenset({"a"})) == [
        RoutingError("mo_routes[0].to", "expected prefixes, found the range '1-2'")
    ]


def test_mistakes_in_guards() -> None:
    guards = {"ait": Guard(limit=1, accounts=("who",), status="busy")}
    assert check_guards(guards, accounts=()) == [
        RoutingError("guards.ait.accounts", "unknown account 'who'; there are: none"),
        RoutingError(
            "guards.ait.status", "expected a status like \"ESME_RTHROTTLED\", found 'busy'"
        ),
    ]


def test_rules_keep_their_place_when_others_did_not_parse() -> None:
    errors = check_routes({3: Rule(outlets=("x",))}, SIM)
    assert [error.key for error in errors] == ["routes[3].outlets"]


def test_rules_behind_a_catch_all_are_pointed_out() -> None:
    rules = [
        Rule(do=Do(tags=("x",))),
        Rule(outlets=("a",), when=When(tags=("x",))),
        Rule(outlets=("a",), table="t"),
        Rule(outlets=("a",), accounts=("shop", "bank")),
        Rule(outlets=("a",), accounts=("bank",), to=("41",)),
        Rule(outlets=("a",), accounts=("bank", "club")),
        Rule(outlets=("a",)),
        Rule(outlets=("a",), to=("41",)),
    ]
    assert unreachable(rules) == [(4, 3), (7, 6)]


FILES = {
    Path("ported.csv"): b"41766,carrier,ported\n",
    Path("sim.csv"): b"prefix,cost,name\n41,0.05,Swiss\n4179,0.02,Swisscom\n",
    Path("carrier.csv"): b"41,0.03,Swiss\n",
    Path("dnd.txt"): b"41791111111\nSpam\n",
}


def read(path: Path) -> bytes:
    if path not in FILES:
        raise FileNotFoundError(2, "No such file or directory")
    return FILES[path]


def config(**changed: str) -> RoutingConfig:
    """A configuration whose files lie in `FILES`, but for those that `changed` names."""
    return RoutingConfig(
        routes=(
            Rule(name="dnd", when=When(to_in=("dnd",)), do=Do(reject="ESME_RINVDSTADR")),
            Rule(name="spam", when=When(sender_in=("dnd",)), do=Do(drop=True)),
            Rule(name="ported", table="ported"),
            Rule(
                name="cheap",
                outlets=("sim", "carrier"),
                choose=Choose(by="cost", prices=("sim", "carrier")),
            ),
        ),
        route_tables={"ported": FileConfig(file=Path(changed.get("ported", "ported.csv")))},
        price_tables={
            "sim": FileConfig(file=Path(changed.get("sim", "sim.csv"))),
            "carrier": FileConfig(file=Path("carrier.csv")),
        },
        lists={"dnd": FileConfig(file=Path(changed.get("dnd", "dnd.txt")))},
        outlets=frozenset({"sim", "carrier"}),
    )


def test_files_become_tables_and_lists() -> None:
    table = build(config(), read=read)
    assert isinstance(table, RoutingTable)
    refused = table.match(key("41791111111"))
    assert isinstance(refused, NoRoute)
    assert refused.rule == "dnd"
    dropped = table.match(key("4479", "spam"))
    assert isinstance(dropped, Decision)
    assert dropped.actions.drop
    assert dropped.outlets == ()
    assert table.match(key("41766000000")) == Decision("ported", ("carrier",))
    assert table.match(key("41781234567")) == Decision("cheap", ("carrier", "sim"))
    assert table.match(key("41791234567")) == Decision("cheap", ("sim", "carrier"))
    assert table.match(key("4479")) == Decision("cheap", ("sim", "carrier"))
    prices = table.explain(key("41791234567"), lambda _: None).prices
    assert prices == {"sim": Decimal("0.02"), "carrier": Decimal("0.03")}


def test_a_table_may_be_built_again_and_shares_nothing() -> None:
    first, second = build(config(), read=read), build(config(), read=read)
    assert isinstance(first, RoutingTable)
    assert isinstance(second, RoutingTable)
    assert first is not second
    assert first.match(key("41766000000")) == second.match(key("41766000000"))


def test_mistakes_in_files_name_key_file_and_line() -> None:
    FILES[Path("bad.csv")] = b"41,0.05,Swiss\n4l,0.1,x\n41,0.1,x\n49,dear,x\n43,-1,x\n44\n"
    FILES[Path("odd.csv")] = b"417,elsewhere,x\n"
    FILES[Path("latin.txt")] = b"41\nCaf\xe9\n"
    errors = build(config(sim="bad.csv", ported="odd.csv", dnd="latin.txt"), read=read)
    assert errors == [
        RoutingError(
            "route_tables.ported.file",
            "odd.csv, line 1: unknown outlet 'elsewhere'; there are: carrier, sim",
        )
    ] + [
        RoutingError("price_tables.sim.file", f"bad.csv, line {line}: {why}")
        for line, why in (
            (2, "expected a prefix of digits, found '4l'"),
            (3, "prefix '41' stands on line 1 too"),
            (4, "expected a cost like 0.045, found 'dear'"),
            (5, "expected a cost from 0 to 1000000000000000, found '-1'"),
            (6, "expected prefix, value and name, found 1 cells: '44'"),
        )
    ] + [
        RoutingError("lists.dnd.file", "latin.txt: not UTF-8 at octet 6"),
    ]


def test_a_missing_file_is_a_mistake_beside_those_in_rules() -> None:
    changed = config(dnd="gone.txt")
    errors = build(RoutingConfig(routes=(Rule(),), lists=changed.lists), read=read)
    assert errors == [
        RoutingError("routes[0].outlets", "expected at least one outlet, or something to do"),
        RoutingError("lists.dnd.file", "cannot read 'gone.txt': No such file or directory"),
    ]
