"""What a reload can take over, and what it cannot."""

from typing import Any

import attrs
import pytest

from bridges.simulator import SimulatorConfig
from smsc.config import Config, OutletConfig, load
from smsc.config_flow import OutletFlowConfig, RetryConfig
from smsc.config_mail import MailConfig
from smsc.gateway.changes import OutletNames, fixed, outlet_names

DEFAULTS = Config()


def read(toml: str) -> Config:
    config = load(toml, {"simulator": SimulatorConfig}, {})
    assert isinstance(config, Config), config
    return config


@pytest.mark.parametrize(
    "toml",
    [
        "[node]\nwatch_config = true\n",
        "[store]\nhistory_keep_s = 5\n",
        '[smpp]\nsystem_id = "x"\nwindow = 5\n',
        '[log]\nlevel = "debug"\n',
        '[accounts.x]\npassword = "x"\n',
        "[credit]\ndefault_price = 2\n",
        "[inbox]\nsandbox = true\n",
        '[distribution_lists]\nx = ["41791234567"]\n',
        '[outlets.x]\nkind = "simulator"\n[[routes]]\noutlets = ["x"]\n[guards.g]\nlimit = 5\n',
        '[http]\ncallback_networks = ["127.0.0.0/8"]\n',
    ],
)
def test_what_is_taken_over(toml: str) -> None:
    assert fixed(DEFAULTS, read(toml)) == []


@pytest.mark.parametrize(
    ("toml", "sentences"),
    [
        (
            "[node]\nid = 2\n",
            [
                "node.id cannot change while the gateway runs (from 1 to 2): restart it, or put it back"
            ],
        ),
        (
            '[http]\nlisten = ["127.0.0.1:80", "[::1]:80"]\n',
            [
                (
                    "http.listen cannot change while the gateway runs "
                    "(from nothing to 127.0.0.1:80, [::1]:80): restart it, or put it back"
                )
            ],
        ),
        (
            '[log]\nformat = "console"\nlevel = "debug"\n[store]\nmap_growth_mb = 7\n',
            [
                (
                    "store.map_growth_mb cannot change while the gateway runs (from 1024 to 7): "
                    "restart it, or put it back"
                ),
                (
                    "log.format cannot change while the gateway runs (from json to console): "
                    "restart it, or put it back"
                ),
            ],
        ),
    ],
)
def test_what_needs_a_restart(toml: str, sentences: list[str]) -> None:
    assert fixed(DEFAULTS, read(toml)) == sentences


def test_sections_that_nobody_taught_it_need_a_restart() -> None:
    new = attrs.evolve(DEFAULTS, dialects={"kannel": 1})
    (sentence,) = fixed(DEFAULTS, new)
    assert sentence.startswith("[dialects] cannot change while the gateway runs: restart it")


def test_a_section_that_goes_needs_a_restart_as_one_that_comes_does() -> None:
    there = attrs.evolve(DEFAULTS, ldap=MailConfig(host="h", sender="a@b"))  # type: ignore[arg-type]
    for old, new in ((there, DEFAULTS), (DEFAULTS, there)):
        (sentence,) = fixed(old, new)
        assert sentence.startswith("[ldap] cannot change while the gateway runs: restart it")


def outlets(**some: Any) -> Config:
    return attrs.evolve(DEFAULTS, outlets=some)


def test_outlets_are_told_apart() -> None:
    def made(delay_s: float = 0.1, **flow: Any) -> OutletConfig:
        return OutletConfig("simulator", SimulatorConfig(delay_s=delay_s), OutletFlowConfig(**flow))

    before = outlets(same=made(), other=made(), retry=made(), limit=made(), gone=made())
    after = outlets(
        same=made(),
        other=made(0.2),
        retry=made(retry=RetryConfig(max_attempts=3)),
        limit=made(per_destination=3, retry=RetryConfig(max_attempts=3)),
        new=made(),
    )
    assert outlet_names(before, after) == OutletNames(
        added=("new",),  # type: ignore[arg-type]
        replaced=("other", "limit"),  # type: ignore[arg-type]
        retuned=("retry",),  # type: ignore[arg-type]
        removed=("gone",),  # type: ignore[arg-type]
    )
