"""Settings of every kind of connector: what is read, what is refused, what is never shown."""

from pathlib import Path
from typing import Any

import pytest

from bridges import REGISTRY
from bridges.connectors import kinds
from bridges.connectors.connector import Connector
from smsc.config import Config, load
from smsc.config_report import describe
from smsc.message import OutletName
from tests.fakes.log import FakeLog

EXAMPLE = Path("examples/connectors/connectors.toml")
GOOD: dict[str, str] = {
    "clickatell": 'key = "k1secret"',
    "clickatell classic": 'api = "classic"\napi_id = "1"\nuser = "u"\npassword = "k1secret"',
    "aql": 'username = "u"\npassword = "k1secret"',
    "aql v2": 'api = "v2"\ntoken = "k1secret"',
    "ovh": 'account = "a"\napplication_key = "k"\napplication_secret = "k1secret"\nconsumer_key = "c"',
    "ovh http2sms": 'api = "http2sms"\naccount = "a"\nlogin = "u"\npassword = "k1secret"',
    "twilio": 'account_sid = "AC"\nauth_token = "k1secret"',
    "mpulse": 'url = "https://m.example/"\npassword = "k1secret"',
    "template": 'url = "https://t.example/{to}"\npassword = "k1secret"',
}
PATH = 'receipts_path = "/receipts/x7Kq2mN9vB4t"'
PUBLIC = 'public_url = "https://gw.example"'


def read(toml: str) -> Config | list[Any]:
    return load(toml, {name: one.config for name, one in REGISTRY.items()}, {"ENV": "k1secret"})


def outlet(kind: str, more: str = "", name: str = "x") -> str:
    return f'[outlets.{name}]\nkind = "{kind.split(maxsplit=1)[0]}"\n{GOOD[kind]}\n{more}\n'


@pytest.mark.parametrize("kind", GOOD)
async def test_each_kind_is_read_and_built(kind: str) -> None:
    config = read(outlet(kind))
    assert isinstance(config, Config), config
    settings = config.outlets["x"]
    built = kinds.build(settings.kind)(OutletName("x"), settings.settings, FakeLog().log)
    assert isinstance(built, Connector)
    assert not built.is_up
    assert built.statistics()["kind"] == settings.kind
    assert built.policy.final == "accepted", "nothing tells of ends"
    assert read(outlet(kind)) == config, "a reload finds no change"


@pytest.mark.parametrize("kind", GOOD)
def test_no_secret_is_shown(kind: str) -> None:
    config = read(outlet(kind, 'proxy = "http://u:k1secret@proxy.example:1"'))
    assert isinstance(config, Config), config
    assert "k1secret" not in describe(config)
    assert "k1secret" not in repr(config)


def test_secrets_may_come_from_the_environment() -> None:
    config = read('[outlets.x]\nkind = "clickatell"\nkey_env = "ENV"\n')
    assert isinstance(config, Config), config
    assert config.outlets["x"].settings.key.value == "k1secret"


@pytest.mark.parametrize(
    ("kind", "more", "final"),
    [
        ("clickatell", f"{PATH}\n{PUBLIC}", "receipt"),
        ("clickatell classic", "poll_s = 30", "receipt"),
        ("twilio", 'final = "never"\npoll_s = 30', "never"),
        ("aql v2", "", "accepted"),
    ],
)
def test_what_ends_a_message(kind: str, more: str, final: str) -> None:
    config = read(outlet(kind, more))
    assert isinstance(config, Config), config
    assert config.outlets["x"].settings.policy.final == final


@pytest.mark.parametrize(
    ("kind", "more", "told"),
    [
        ("clickatell", 'receipts_path = "/r"\n' + PUBLIC, "a path that nobody guesses"),
        ("clickatell", 'receipts_path = "/re?x=aaaaaaaaaaaaa"\n' + PUBLIC, "nobody guesses"),
        ("clickatell", 'receipts_path = "/v1/messages/aaaaaa"\n' + PUBLIC, "under /v1"),
        ("clickatell", PATH, "receipts_path needs public_url"),
        ("clickatell", 'public_url = "gw.example"', "expected a URL"),
        ("clickatell", 'public_url = "https://gw.example/x"', "expected no path"),
        ("clickatell", 'tls_cert = "/a"', "tls_cert and tls_key go together"),
        ("clickatell", 'proxy = "socks5://p:1"', "proxy: expected a URL"),
        ("clickatell", 'url = "ftp://x/"', "expected a URL such as https://host/path"),
        ("clickatell", "concurrency = 0", "from 1 to 1000"),
        ("clickatell", 'api = "old"', "expected one of 'platform', 'one', 'classic'"),
        ("clickatell", 'api = "classic"', 'api_id: required with api = "classic"'),
        ("aql", "poll_s = 30", "AQL cannot be asked"),
        ("aql v2", f"{PATH}\n{PUBLIC}", "documents no receipts"),
        ("aql", 'api = "v2"', 'token: required with api = "v2"'),
        ("ovh", 'api = "http2sms"', 'login: required with api = "http2sms"'),
        ("ovh http2sms", "poll_s = 30", "cannot be asked"),
        ("twilio", 'api_key = "SK"', "api_key and api_secret go together"),
        ("twilio", 'sendr = "x"', "did you mean 'sender'?"),
    ],
)
def test_what_does_not_go_together_is_named(kind: str, more: str, told: str) -> None:
    toml = outlet(kind, more)
    if 'api = "' in more and 'api = "' in GOOD[kind]:
        pytest.fail("the case gives api twice")
    errors = read(toml)
    assert isinstance(errors, list), errors
    assert any(told in str(error) for error in errors), [str(error) for error in errors]
    assert "k1secret" not in str(errors)


def test_one_path_is_one_connectors() -> None:
    more = f"{PATH}\n{PUBLIC}"
    errors = read(outlet("clickatell", more, "a") + outlet("twilio", more, "b"))
    assert isinstance(errors, list)
    assert str(errors[0]) == (
        "outlets.b.receipts_path: it is that of outlet 'a' as well; give each its own"
    )


def test_a_path_that_nothing_serves_is_pointed_out() -> None:
    toml = outlet("clickatell", f"{PATH}\n{PUBLIC}")
    hint = "note: nothing serves receipts_path of outlet x; give http.listen"
    config, heard = read(toml), read(toml + '[http]\nlisten = ["127.0.0.1:0"]\n')
    assert isinstance(config, Config)
    assert isinstance(heard, Config)
    assert hint in describe(config)
    assert hint not in describe(heard)


def test_the_example_has_each_kind_and_no_mistake() -> None:
    config = read(EXAMPLE.read_text())
    assert isinstance(config, Config), [str(error) for error in config]
    assert {one.kind for one in config.outlets.values()} == {*kinds.CONFIGS, "smpp"}
    used = {name for rule in config.routes for name in rule.outlets}
    assert used == set(config.outlets)
    assert "secret" not in describe(config)
