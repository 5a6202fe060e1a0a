"""The routing sections of the configuration file, and mistakes in them by key."""

from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from routing.actions import Actions, Do
from routing.choice import Choose
from routing.key import RouteKey
from routing.loader import FileConfig, RoutingConfig
from routing.rule import Rule
from routing.table import Decision
from routing.velocity import Guard
from routing.when import When
from smsc.config import Config, load, render_errors
from smsc.config_report import describe

EXAMPLE = Path(__file__).parents[2] / "examples" / "routing" / "routing.toml"


@attrs.frozen
class Simulator:
    delay_s: float = 0.05


KINDS = {"simulator": Simulator}
BASE = """
[accounts.shop]
password = "p"
group = "retail"
region = "CH"
[outlets.a]
kind = "simulator"
[outlets.b]
kind = "simulator"
"""


def good(text: str) -> Config:
    config = load(BASE + text, KINDS, {})
    assert isinstance(config, Config), render_errors(config)
    return config


def bad(text: str) -> list[str]:
    errors = load(BASE + text, KINDS, {})
    assert isinstance(errors, list)
    return list(map(str, errors))


def test_the_example_is_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLE.parents[2])
    config = load(EXAMPLE, KINDS, {})
    assert isinstance(config, Config), render_errors(config)
    key = RouteKey("shop", "smpp", "41790000000", "41791234567", group="retail")
    assert config.routing_table().match(key) == Decision("swiss", ("alpha", "beta"))
    told = describe(config)
    assert "ported          every number" in told
    assert "table ported → alpha" in told
    assert "alpha 70, beta 30 by weight" in told
    assert "rejected, ESME_RINVDSTADR" in told
    assert "(goes on)" in told
    assert "note:" not in told.replace("note: nothing listens", "")
    assert "flood  500 in 60 s" in told
    assert "lists.dnd" in told


def test_every_key_of_a_rule() -> None:
    config = good("""
        [[routes]]
        name = "all"
        to = ["41", "420-429"]
        accounts = ["shop"]
        outlets = ["a", "b"]
        choose = { by = "weight", weights = [2, 1] }
        [routes.when]
        groups = ["retail"]
        sources = ["smpp"]
        senders = ["Shop*"]
        sender_kinds = ["alphanumeric"]
        alphabets = ["gsm7", "ucs2"]
        min_parts = 1
        max_parts = 3
        class0 = false
        esm_class = 0x40
        priorities = [0, 1]
        tags = ["x"]
        without_tags = ["y"]
        hours = ["08:00-18:00"]
        days = ["mon", "fri"]
        zone = "Europe/Zurich"
        text = "x"
        [routes.do]
        tags = ["z"]
        to_prefix = ["00", ""]
        sender = "Brand"
        sender_prefix = ["0", "41"]
        validity_s = 60
        transliterate = "lossy"
        footer = "bye"
        charge = 0.05
    """)
    assert config.routes == (
        Rule(
            name="all",
            to=("41", "420-429"),
            accounts=("shop",),
            outlets=("a", "b"),
            choose=Choose(by="weight", weights=(2, 1)),
            when=When(
                groups=("retail",),
                sources=("smpp",),
                senders=("Shop*",),
                sender_kinds=("alphanumeric",),
                alphabets=("gsm7", "ucs2"),
                min_parts=1,
                max_parts=3,
                class0=False,
                esm_class=0x40,
                priorities=(0, 1),
                tags=("x",),
                without_tags=("y",),
                hours=("08:00-18:00",),
                days=("mon", "fri"),
                zone="Europe/Zurich",
                text="x",
            ),
            do=Do(
                tags=("z",),
                to_prefix=("00", ""),
                sender="Brand",
                sender_prefix=("0", "41"),
                validity_s=60.0,
                transliterate="lossy",
                footer="bye",
                charge=Decimal("0.05"),
            ),
        ),
    )
    assert config.routing_table().needs == {"details", "parts", "text"}


def test_files_guards_and_accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.csv").write_text("41,0.05,Swiss\n")
    Path("l.txt").write_text("41791111111\n")
    Path("r.csv").write_text("4176,b,x\n")
    config = good("""
        [price_tables.p]
        file = "p.csv"
        [lists.l]
        file = "l.txt"
        [route_tables.r]
        file = "r.csv"
        [guards.g]
        limit = 5
        accounts = ["shop"]
        [[routes]]
        table = "r"
        when = { to_not_in = ["l"] }
    """)
    assert config.routing == RoutingConfig(
        routes=(Rule(table="r", when=When(to_not_in=("l",))),),
        route_tables={"r": FileConfig(file=Path("r.csv"))},
        price_tables={"p": FileConfig(file=Path("p.csv"))},
        lists={"l": FileConfig(file=Path("l.txt"))},
        guards={"g": Guard(limit=5, accounts=("shop",))},
        outlets=frozenset({"a", "b"}),
        accounts=frozenset({"shop"}),
        groups=frozenset({"retail"}),
    )
    key = RouteKey("shop", "smpp", "x", "41761234567")
    assert config.routing_table().match(key) == Decision("routes[0]", ("b",))
    assert config.routing_table() is config.routing_table()
    assert config.routing.files() == {Path("r.csv"), Path("p.csv"), Path("l.txt")}
    assert config.normalisers()["shop"].digits("0791234567") == "41791234567"
    assert len(config.velocity().count("shop", "41", 0.0)) == 0
    assert good("") == good("")  # equal although each has a table of its own


def test_a_configuration_made_by_hand_builds_its_table() -> None:
    rule = Rule(outlets=("a",), do=Do(footer="!"))
    routing = RoutingConfig(routes=(rule,), outlets=frozenset({"a"}))
    decision = Config(routing=routing).routing_table().match(RouteKey("x", "smpp", "", "1"))
    assert decision == Decision("routes[0]", ("a",), Actions(footer="!"))
    with pytest.raises(ValueError, match="unknown outlet 'a'"):
        Config(routing=RoutingConfig(routes=(rule,))).routing_table()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            '[[routes]]\noutlets = ["a"]\nwhen = { zone = "Mars" }',
            (
                "routes[0].when.zone: expected an IANA zone like \"Europe/Zurich\", found 'Mars' "
                '(time zone of hours and days, like "Europe/Zurich")'
            ),
        ),
        (
            '[[routes]]\noutlets = ["a"]\nwhen = { days = ["monday"] }',
            (
                "routes[0].when.days[0]: expected one of 'mon', 'tue', 'wed', 'thu', 'fri', 'sat', "
                "'sun', found 'monday' (days of the week)"
            ),
        ),
        (
            '[[routes]]\noutlets = ["a"]\nwhen = { tag = ["x"] }',
            "routes[0].when.tag: unknown key; did you mean 'tags'?",
        ),
        (
            '[[routes]]\noutlets = ["a"]\nwhen = { class0 = 1 }',
            (
                "routes[0].when.class0: expected true or false, found 1 "
                "(true = only class 0 (flash), false = only others)"
            ),
        ),
        (
            '[[routes]]\noutlets = ["a"]\ndo = { charge = "much" }',
            (
                "routes[0].do.charge: expected a number of at least 0, found 'much' "
                "(what one part costs the account)"
            ),
        ),
        (
            '[[routes]]\noutlets = ["a"]\ndo = { charge = -1 }',
            (
                "routes[0].do.charge: expected a number of at least 0, found -1 "
                "(what one part costs the account)"
            ),
        ),
        (
            '[[routes]]\ndo = { reject = "NO" }',
            (
                "routes[0].do.reject: expected a status like \"ESME_RINVDSTADR\", found 'NO' "
                '(status to refuse the message with, like "ESME_RINVDSTADR")'
            ),
        ),
        (
            '[[routes]]\noutlets = ["a"]\nchoose = { by = "luck" }',
            (
                "routes[0].choose.by: expected one of 'order', 'weight', 'turn', 'cost', "
                "'destination', found 'luck' "
                '("order" as written, by "weight", in "turn", least "cost", or always the same one '
                'for a "destination")'
            ),
        ),
        (
            '[lists."a.b"]\nfile = "gone.txt"',
            'lists."a.b": expected a name of 1 to 32 letters, digits, "_" or "-"',
        ),
        (
            '[lists.ab]\nfile = "gone.txt"',
            (
                "lists.ab.file: cannot read 'gone.txt': No such file or directory "
                "(the file, from the working directory)"
            ),
        ),
        (
            "[guards.g]\nlimit = 0",
            (
                "guards.g.limit: expected a whole number of at least 1, found 0 "
                "(messages in a window that are still normal)"
            ),
        ),
        (
            '[guards.g]\nlimit = 1\naccounts = ["who"]',
            (
                "guards.g.accounts: unknown account 'who'; there are: shop "
                "(accounts it watches; none = every account)"
            ),
        ),
        (
            "[price_tables.p]",
            "price_tables.p.file: required, but missing (the file, from the working directory)",
        ),
        ("lists = 3", "lists: expected a table, found 3"),
    ],
)
def test_every_mistake_names_its_key(text: str, error: str) -> None:
    if "=" in text.split("\n", 1)[0]:  # a key at the top, before any table
        errors = load(text, KINDS, {})
        assert isinstance(errors, list)
        assert list(map(str, errors)) == [error]
    else:
        assert bad(text) == [error]


@pytest.mark.parametrize("region", ['"ch"', '"XX"', "41"])
def test_a_region_is_a_country(region: str) -> None:
    errors = load(f'[accounts.x]\npassword = "p"\nregion = {region}', KINDS, {})
    assert isinstance(errors, list)
    assert errors[0].key == "accounts.x.region"
    assert 'expected a country like "CH"' in errors[0].why


def test_mistakes_in_a_file_stand_beside_the_others(tmp_path: Path) -> None:
    prices = tmp_path / "p.csv"
    prices.write_text("41,dear,x\n")
    assert [
        line.split(" (")[0]
        for line in bad(f"""
        [price_tables.p]
        file = "{prices}"
        [[routes]]
        outlets = ["c"]
        when = {{ to_in = ["l"] }}
    """)
    ] == [
        "routes[0].outlets: unknown outlet 'c'; there are: a, b",
        "routes[0].when.to_in: unknown list 'l'; there are: none",
        f"price_tables.p.file: {prices}, line 1: expected a cost like 0.045, found 'dear'",
    ]
