"""The configuration file: what it may say, and what is said when it does not."""

import json
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridges.http.registry import DIALECTS
from pdu.address import Address
from routing.key import RouteKey
from routing.rule import MoRule, Rule
from routing.table import Decision
from smsc.config import Config, OutletConfig, load, render_errors
from smsc.config_accounts import AccountConfig, address_allowed, sender_allowed
from smsc.config_errors import ConfigError, Secret
from smsc.config_fields import HostPort, about
from smsc.config_report import describe
from smsc.directory.passwords import StoredPassword, hash_password

DEMO = Path(__file__).parents[2] / "examples" / "demo.toml"


@attrs.frozen
class Simulator:
    delay_s: float = 0.05
    fail: float = attrs.field(default=0.0, metadata=about("share that fails", minimum=0, maximum=1))


@attrs.frozen(kw_only=True)
class Upstream:
    kind: Literal["smpp"]
    host: str
    port: int = attrs.field(metadata=about("TCP port of the carrier", minimum=1, maximum=65535))
    password: Secret = attrs.field(factory=lambda: Secret(""))
    hosts: tuple[str, ...] = attrs.field(factory=tuple)
    low: int = attrs.field(default=0, validator=attrs.validators.ge(-5))
    high: int = 9

    def __attrs_post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("expected low to be at most high")


KINDS = {"simulator": Simulator, "smpp": Upstream}


def good(text: str, **environ: str) -> Config:
    config = load(text, KINDS, environ)
    assert isinstance(config, Config), render_errors(config)
    return config


def bad(text: str, **environ: str) -> list[str]:
    """Errors without their meanings in brackets."""
    errors = load(text, KINDS, environ)
    assert isinstance(errors, list)
    return [f"{error.key}: {error.why}" for error in errors]


def test_the_example_is_good() -> None:
    config = load(DEMO, KINDS, {}, {name: kind.config for name, kind in DIALECTS.items()})
    assert isinstance(config, Config)
    assert config.smpp.listen == (HostPort("127.0.0.1", 2775),)
    assert config.accounts["demo"].password == StoredPassword("demo")
    assert config.outlets == {"sim": OutletConfig("simulator", Simulator())}
    choice = config.routing_table().choose(RouteKey("demo", "smpp", "x", "49"), lambda _: True)
    assert choice == Decision("default", ("sim",))
    assert config.mo_table().choose("12345", "hello") == "demo"


def test_an_empty_file_is_all_defaults() -> None:
    config = good("")
    assert config == Config()
    assert config.node.id == 1
    assert config.smpp.enquire_link_s == 30
    assert config.log.texts is False


def test_every_key_of_an_account() -> None:
    config = good("""
        [smpp]
        window = 7
        [accounts.shop]
        password = "pw"
        max_binds = 0
        rate = 2.5
        senders = ["Shop", "4179*"]
        networks = ["10.0.0.0/8", "192.0.2.7", "::1/128"]
        credit = 12.30
        admin = true
        [accounts.bank]
        password = "pw"
        window = 50
        credit = "unlimited"
    """)
    assert config.accounts["shop"] == AccountConfig(
        password=StoredPassword("pw"),
        max_binds=0,
        window=7,
        rate=2.5,
        senders=("Shop", "4179*"),
        networks=(ip_network("10.0.0.0/8"), ip_network("192.0.2.7/32"), ip_network("::1/128")),
        credit={"": Decimal("12.3")},
        admin=True,
    )
    assert config.accounts["bank"].window == 50
    assert config.accounts["bank"].credit is None


def test_outlets_and_rules() -> None:
    config = good("""
        [accounts.shop]
        password = "pw"
        [outlets.sim]
        kind = "simulator"
        delay_s = 1
        [outlets.carrier]
        kind = "smpp"
        host = "127.0.0.1"
        port = 2776
        password = "gwpass"
        hosts = ["a", "b"]
        [[routes]]
        name = "swiss"
        to = ["41"]
        accounts = ["shop"]
        outlets = ["carrier", "sim"]
        [[mo_routes]]
        to = ["12345"]
        keyword = "STOP"
        account = "shop"
    """)
    assert config.outlets == {
        "sim": OutletConfig("simulator", Simulator(delay_s=1.0)),
        "carrier": OutletConfig(
            "smpp",
            Upstream(
                kind="smpp",
                host="127.0.0.1",
                port=2776,
                password=Secret("gwpass"),
                hosts=("a", "b"),
            ),
        ),
    }
    assert isinstance(config.outlets["sim"].settings.delay_s, float)
    assert config.routes == (
        Rule(name="swiss", to=("41",), accounts=("shop",), outlets=("carrier", "sim")),
    )
    assert config.mo_routes == (MoRule(to=("12345",), keyword="STOP", account="shop"),)


A_TEXT = 'expected a number from 1 to 255 and a text, as in { 1 = "Hello" }'


def test_distribution_lists_and_canned_texts() -> None:
    config = good("""
        [smpp]
        default_messages = { 1 = "Your order is ready", 255 = "Готово" }
        transaction_timeout_s = 2.5
        [distribution_lists]
        staff = ["41791110001", "+41 79 111 00 02"]
        night-shift = ["12345"]
        [accounts.shop]
        password = "pw"
        deliver_with = "data_sm"
    """)
    assert config.smpp.default_messages == {1: "Your order is ready", 255: "Готово"}
    assert config.smpp.transaction_timeout_s == 2.5
    assert config.distribution_lists == {
        "staff": (Address(1, 1, "41791110001"), Address(1, 1, "41791110002")),
        "night-shift": (Address(3, 0, "12345"),),
    }
    assert config.accounts["shop"].deliver_with == "data_sm"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (
            "[distribution_lists]\nstaff = []",
            "distribution_lists.staff: expected a list of numbers, found a list without any",
        ),
        (
            '[distribution_lists]\nstaff = "417"',
            "distribution_lists.staff: expected a list of numbers, found '417'",
        ),
        (
            '[distribution_lists]\nstaff = ["417", "Bank"]',
            "distribution_lists.staff[1]: expected a number like \"41791234567\", found 'Bank'",
        ),
        (
            f'[distribution_lists]\n{"x" * 21} = ["417"]',
            f"distribution_lists.{'x' * 21}: expected a dl_name: 1 to 20 ASCII characters without spaces",
        ),
        (
            '[smpp]\ndefault_messages = { 0 = "x" }',
            f"smpp.default_messages: {A_TEXT}, found 0 = 'x'",
        ),
        (
            "[smpp]\ndefault_messages = { 1 = 2 }",
            f"smpp.default_messages: {A_TEXT}, found 1 = 2",
        ),
        (
            "[smpp]\ndefault_messages = 7",
            "smpp.default_messages: expected a table of texts, found 7",
        ),
    ],
)
def test_mistakes_with_lists_and_canned_texts(text: str, error: str) -> None:
    assert bad(text) == [error]


def test_all_errors_are_told_at_once() -> None:
    assert bad("""
        [node]
        id = 1024
        [nodes]
        [smpp]
        windw = 3
        [accounts.demo]
        rate = "12"
        [outlets.carrier]
        kind = "smpp"
        port = "2775x"
        [[routes]]
        outlets = ["carrier", "sim"]
    """) == [
        "nodes: unknown key; did you mean 'node'?",
        "node.id: expected a whole number from 0 to 1023, found 1024",
        "smpp.windw: unknown key; did you mean 'window'?",
        (
            "accounts.demo.password: required: give one of password, password_hash, password_file, "
            "password_env"
        ),
        "accounts.demo.rate: expected a number of at least 0, found '12'",
        "outlets.carrier.host: required, but missing",
        "outlets.carrier.port: expected a whole number from 1 to 65535, found '2775x'",
        "routes[0].outlets: unknown outlet 'sim'; there are: carrier",
    ]


ACCOUNT = '[accounts.a]\npassword = "p"\n'
OUTLET = '[outlets.o]\nkind = "smpp"\nhost = "h"\nport = 1\n'


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("node = 3", "node: expected a table, found 3"),
        ("[node]\nid = true", "node.id: expected a whole number from 0 to 1023, found true"),
        ("[node]\nid = 1.0", "node.id: expected a whole number from 0 to 1023, found 1.0"),
        (
            f"[node]\nid = 0x{'f' * 5000}",
            "node.id: expected a whole number from 0 to 1023, found a huge number",
        ),
        (
            "[node]\ndata_dir = ''",
            "node.data_dir: expected a string of at least 1 characters, found 0",
        ),
        (
            "[node]\nid = 1979-05-27",
            "node.id: expected a whole number from 0 to 1023, found a date",
        ),
        (
            "[smpp]\nsession_init_s = 0",
            "smpp.session_init_s: expected a number of at least 0.1, found 0",
        ),
        (
            "[smpp]\nsession_init_s = nan",
            "smpp.session_init_s: expected a number of at least 0.1, found nan",
        ),
        (
            f"[smpp]\nsession_init_s = 0x{'f' * 500}",
            "smpp.session_init_s: expected a number of at least 0.1, found a huge number",
        ),
        ("[smpp]\nlisten = 2775", "smpp.listen: expected a list, found 2775"),
        (
            "[smpp]\nlisten = ['localhost']",
            (
                'smpp.listen[0]: expected "host:port" as in "127.0.0.1:2775" or "[::1]:2775", '
                "found 'localhost'"
            ),
        ),
        (
            "[smpp]\nlisten = ['[::1]:2775', '::1:65536']",
            (
                'smpp.listen[1]: expected "host:port" as in "127.0.0.1:2775" or "[::1]:2775", '
                "found '::1:65536'"
            ),
        ),
        (
            "[smpp]\nlisten = ['127.0.0.1:1']\n[http]\nlisten = ['127.0.0.1:1']",
            "http.listen[0]: 127.0.0.1:1 is already taken by smpp.listen[0]",
        ),
        ("[smpp]\nsystem_id = 5", "smpp.system_id: expected a string, found 5"),
        (
            "[store]\nmap_size_mb = 64\nmap_limit_mb = 32",
            "store.map_limit_mb: expected at least map_size_mb = 64, found 32",
        ),
        (
            "[log]\nformat = 'xml'",
            "log.format: expected one of 'json', 'console', found 'xml'",
        ),
        ("[log]\ntexts = 1", "log.texts: expected true or false, found 1"),
        ("[log]\nzzz = 1", "log.zzz: unknown key; known here: format, level, texts"),
        ("accounts = []", "accounts: expected a table, found a list"),
        ("[accounts]\na = 'x'", "accounts.a: expected a table, found 'x'"),
        (
            f'[accounts."{"x" * 16}"]\npassword = "p"',
            f"accounts.{'x' * 16}: expected a system_id: 1 to 15 ASCII characters without spaces",
        ),
        (
            '[accounts."a b"]\npassword = "p"',
            'accounts."a b": expected a system_id: 1 to 15 ASCII characters without spaces',
        ),
        (
            '[accounts."queue:a"]\npassword = "p"',
            (
                'accounts."queue:a": expected a system_id that does not begin with queue:, which '
                "mailboxes do"
            ),
        ),
        (
            ACCOUNT + "senders = ['a*b']",
            'accounts.a.senders: expected senders like "Shop", "4179*" or "*", found \'a*b\'',
        ),
        (ACCOUNT + "senders = '*'", "accounts.a.senders: expected a list, found '*'"),
        (
            ACCOUNT + "networks = ['10.0.0.1/8']",
            (
                'accounts.a.networks[0]: expected a network like "10.0.0.0/8", found '
                "'10.0.0.1/8': 10.0.0.1/8 has host bits set"
            ),
        ),
        (
            ACCOUNT + "credit = 'lots'",
            "accounts.a.credit: expected \"unlimited\" or a number of at least 0, found 'lots'",
        ),
        (
            ACCOUNT + "credit = inf",
            'accounts.a.credit: expected "unlimited" or a number of at least 0, found inf',
        ),
        ("[outlets]\no = 5", "outlets.o: expected a table, found 5"),
        ("[outlets.o]", "outlets.o.kind: expected one of 'simulator', 'smpp', but it is missing"),
        (
            "[outlets.o]\nkind = 'simulater'",
            "outlets.o.kind: expected one of 'simulator', 'smpp', found 'simulater'",
        ),
        (
            "[outlets.o]\nkind = ['smpp']",
            "outlets.o.kind: expected one of 'simulator', 'smpp', found a list",
        ),
        (
            "[outlets.'a/b']\nkind = 'simulator'",
            'outlets."a/b": expected a name of 1 to 32 letters, digits, "_", "-" or "."',
        ),
        (
            "[outlets.o]\nkind = 'simulator'\nfail = 2",
            "outlets.o.fail: expected a number from 0 to 1, found 2",
        ),
        (OUTLET + "low = -9", "outlets.o: 'low' must be >= -5: -9"),
        (OUTLET + "low = 10", "outlets.o: expected low to be at most high"),
        (OUTLET + "hosts = ['a', 1]", "outlets.o.hosts[1]: expected a string, found 1"),
        ("[routes]", "routes: expected a list of tables, each headed [[routes]]"),
        ("routes = [5]", "routes[0]: expected a table, found 5"),
        (
            OUTLET + "[[routes]]\nto = [41]\noutlets = ['o']",
            "routes[0].to[0]: expected a string, found 41",
        ),
        (
            OUTLET + "[[routes]]\nto = ['+41']\noutlets = ['o']",
            "routes[0].to: expected 1 to 20 digits, found '+41'; write '41'",
        ),
        (
            OUTLET + "[[routes]]\naccounts = ['nobody']\noutlets = ['o']",
            "routes[0].accounts: unknown account 'nobody'; there are: none",
        ),
        (
            "[[mo_routes]]\naccount = 'nobody'",
            "mo_routes[0].account: unknown account 'nobody'; there are: none",
        ),
        ("[[mo_routes]]\n", "mo_routes[0].account: required, but missing"),
    ],
)
def test_one_mistake_one_error_that_names_the_key(text: str, error: str) -> None:
    assert bad(text) == [error]


def test_names_in_a_rule_are_checked_beside_its_other_mistakes() -> None:
    text = (
        OUTLET
        + """
        [[routes]]
        to = "41"
        colour = "red"
        outlets = ["o", "p"]
        [[routes]]
        outlets = ["q"]
    """
    )
    assert bad(text) == [
        "routes[0].to: expected a list, found '41'",
        "routes[0].colour: unknown key; known here: accounts, choose, do, name, outlets, table, to, when",
        "routes[0].outlets: unknown outlet 'p'; there are: o",
        "routes[1].outlets: unknown outlet 'q'; there are: o",
    ]


def test_an_error_tells_what_the_key_is_for() -> None:
    errors = load(OUTLET.replace("port = 1", "port = 0") + "[[routes]]\noutlets=['x']", KINDS, {})
    assert isinstance(errors, list)
    assert render_errors(errors).splitlines() == [
        "outlets.o.port: expected a whole number from 1 to 65535, found 0 (TCP port of the carrier)",
        "routes[0].outlets: unknown outlet 'x'; there are: o (the outlets to try, in fail-over order)",
    ]


def test_a_long_wrong_value_is_cut() -> None:
    (error,) = bad(f"[log]\nlevel = '{'x' * 500}'")
    assert len(error) < 150


@pytest.mark.parametrize(
    ("line", "stored"),
    [
        ('password = "pw"', StoredPassword("pw")),
        ('password_env = "PW"', StoredPassword("from env")),
        ("password_file = 'FILE'", StoredPassword("from file")),
        ("password_hash = 'HASH'", hash_password("pw")),
    ],
)
def test_ways_to_give_a_password(line: str, stored: StoredPassword, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from file\n", "utf-8")
    text = line.replace("FILE", str(file)).replace("HASH", stored.text)
    assert good(f"[accounts.a]\n{text}", PW="from env").accounts["a"].password == stored


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        (
            "password = 'a'\npassword_env = 'B'",
            "password: expected one way to give it, found password and password_env",
        ),
        ("password = 12", "password: expected a string, found a value of type int"),
        ("password = ''", "password: expected a password, found nothing"),
        ("password_env = 'NONE'", "password_env: the environment has no variable 'NONE'"),
        ("password_env = 'EMPTY'", "password_env: expected a password, found nothing"),
        (
            "password_file = '/no/such'",
            "password_file: cannot read '/no/such': No such file or directory",
        ),
        ("password_file = '/'", "password_file: cannot read '/': Is a directory"),
        (
            "password_hash = 'pw'",
            'password_hash: expected an argon2 hash ("$argon2id$…"), found something else',
        ),
    ],
)
def test_mistakes_with_passwords(lines: str, error: str) -> None:
    assert bad(f"[accounts.a]\n{lines}", EMPTY="") == [f"accounts.a.{error}"]


def test_a_secret_of_an_outlet_has_no_hash() -> None:
    errors = bad(OUTLET + "password_hash = 'x'")
    assert errors == ["outlets.o.password_hash: unknown key; did you mean 'password'?"]
    config = good(OUTLET + "password_env = 'PW'", PW="gwpass")
    assert config.outlets["o"].settings.password == Secret("gwpass")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    missing, broken = tmp_path / "none.toml", tmp_path / "broken.toml"
    broken.write_bytes(b"[node]\n# \xff")
    assert load(missing, KINDS, {}) == [ConfigError("", f"{missing}: No such file or directory")]
    assert load(broken, KINDS, {}) == [ConfigError("", f"{broken}: not UTF-8 at octet 9")]
    assert load(tmp_path, KINDS, {}) == [ConfigError("", f"{tmp_path}: Is a directory")]


def test_text_that_is_not_toml_is_told_with_its_line() -> None:
    (error,) = bad("[node]\nid = [}")
    assert error.startswith(": not TOML: ")
    assert "line 2" in error
    assert bad("a = " + "[" * 100_000)[0].startswith(": not TOML")
    assert bad("a = " + "1" * 5000)[0].startswith(": not TOML")


keys = st.sampled_from(
    [
        "node",
        "smpp",
        "http",
        "log",
        "store",
        "accounts",
        "outlets",
        "routes",
        "mo_routes",
        "id",
        "listen",
        "dialects",
        "level",
        "password",
        "password_env",
        "password_file",
        "password_hash",
        "senders",
        "networks",
        "credit",
        "kind",
        "port",
        "to",
        "account",
        "keyword",
        "name",
        "host",
        "x",
    ]
)
scalars = (
    st.integers()
    | st.floats()
    | st.booleans()
    | st.sampled_from(["simulator", "smpp", "o", "41", "127.0.0.1:1", "unlimited", "info", ""])
    | st.text(st.characters(codec="ascii", exclude_characters="\x7f"), max_size=5)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


def toml(value: Any) -> str:
    """Write a value the way TOML reads it."""
    match value:
        case bool() | str():
            return json.dumps(value)
        case dict():
            return "{" + ", ".join(f"{name} = {toml(one)}" for name, one in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case _:
            return repr(value)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(keys, values, max_size=5))
def test_no_file_makes_load_raise(content: dict[str, Any]) -> None:
    text = "\n".join(f"{name} = {toml(value)}" for name, value in content.items())
    answer = load(text, KINDS, {"o": "secret"})
    if isinstance(answer, Config):
        assert describe(answer)
    else:
        assert all(error.key and error.why for error in answer), render_errors(answer)


def test_the_report_shows_what_would_start_and_no_password() -> None:
    config = good("""
        [smpp]
        listen = ["[::1]:2775"]
        [accounts.shop]
        password = "geheim"
        rate = 10
        credit = 5
        [outlets.sim]
        kind = "simulator"
        fail = 0.5
        [outlets.carrier]
        kind = "smpp"
        host = "h"
        port = 1
        password = "geheim"
        [[routes]]
        outlets = ["sim"]
        [[routes]]
        name = "late"
        to = ["1", "2", "3", "4", "5", "6"]
        outlets = ["sim"]
        [[mo_routes]]
        account = "shop"
        keyword = "JOIN"
    """)
    report = describe(config)
    assert "geheim" not in report
    assert "geheim" not in repr(config)
    lines = [" ".join(line.split()) for line in report.splitlines()]
    for line in (
        "node 1, data in var",
        "SMPP [::1]:2775",
        "HTTP off, dialects besides the native API: none",
        "shop 10 100 10 5 * any",
        "sim simulator fail=0.5",
        "carrier smpp host=h, port=1",
        "routes[0] every number every account sim",
        "late 1, 2, 3, 4 and 2 more every account sim",
        "every number JOIN every outlet shop receivers",
        "note: no route uses outlet carrier",
        "note: routes[1] never matches: routes[0] takes everything first",
    ):
        assert line in lines
    assert sum(line.startswith("note:") for line in lines) == 2


def test_the_report_of_an_empty_file_says_what_is_missing() -> None:
    report = describe(Config())
    assert "note: nothing listens" in report
    assert "note: there is no account" in report
    assert "note: there is no route" in report


@pytest.mark.parametrize(
    ("ip", "allowed"),
    [
        ("127.0.0.1", True),
        ("10.9.8.7", True),
        ("11.0.0.1", False),
        ("::1", True),
        ("::2", False),
        ("::ffff:10.0.0.1", True),
        ("::ffff:11.0.0.1", False),
        ("fe80::1%eth0", True),
        ("", False),
        ("localhost", False),
    ],
)
def test_addresses_an_account_may_come_from(ip: str, allowed: bool) -> None:
    networks = tuple(map(ip_network, ["127.0.0.0/8", "10.0.0.0/8", "::1/128", "fe80::/10"]))
    account = AccountConfig(password=StoredPassword("p"), networks=networks)
    assert address_allowed(account, ip) is allowed
    assert address_allowed(AccountConfig(password=StoredPassword("p")), ip)


@pytest.mark.parametrize(
    ("senders", "sender", "allowed"),
    [
        (("*",), "anything", True),
        (("Shop", "4179*"), "Shop", True),
        (("Shop", "4179*"), "41791234567", True),
        (("Shop", "4179*"), "4179", True),
        (("Shop", "4179*"), "4178", False),
        (("Shop", "4179*"), "Shopper", False),
        ((), "Shop", False),
    ],
)
def test_senders_an_account_may_use(senders: tuple[str, ...], sender: str, allowed: bool) -> None:
    account = AccountConfig(password=StoredPassword("p"), senders=senders)
    assert sender_allowed(account, sender) is allowed
