"""Settings of the dialects, as the configuration file writes them."""

from typing import Any

import pytest

from bridges.http.registry import DIALECTS
from smsc.config import Config, load

HEAD = """
[node]
data_dir = "var"
[smpp]
listen = ["127.0.0.1:0"]
[http]
listen = ["127.0.0.1:0"]
dialects = ["NAME"]
[accounts.demo]
password = "demo"
[dialects.NAME]
"""


def read(name: str, line: str) -> Any:
    kinds = {name: kind.config for name, kind in DIALECTS.items()}
    found = load(HEAD.replace("NAME", name) + line, {}, {}, kinds)
    return found.dialects[name] if isinstance(found, Config) else [one.key for one in found]


@pytest.mark.parametrize(
    ("name", "line", "field", "value"),
    [
        ("subito", 'path = "/sms/json.php"', "path", "/sms/json.php"),
        ("subito", "body_octets = 4096", "body_octets", 4096),
        ("kannel", "tlvs = {my_tag = 0x1501}", "tlvs", {"my_tag": 0x1501}),
        ("kannel", "immediate_reply = true", "immediate_reply", True),
        ("jasmin", 'rest_path = "/jasmin"', "rest_path", "/jasmin"),
    ],
)
def test_a_setting_is_read(name: str, line: str, field: str, value: object) -> None:
    assert getattr(read(name, line), field) == value


@pytest.mark.parametrize(
    ("name", "line", "key"),
    [
        ("subito", 'path = "json.php"', "dialects.subito.path"),
        ("subito", 'path = "/{x}"', "dialects.subito.path"),
        ("subito", "path = 7", "dialects.subito.path"),
        ("subito", "body_octets = 10", "dialects.subito.body_octets"),
        ("subito", "max_parts = 0", "dialects.subito.max_parts"),
        ("kannel", 'path = "/a b"', "dialects.kannel.path"),
        ("kannel", 'tlvs = {my_tag = "x"}', "dialects.kannel.tlvs"),
        ("jasmin", "nonsense = 1", "dialects.jasmin.nonsense"),
    ],
)
def test_a_wrong_setting_is_named(name: str, line: str, key: str) -> None:
    (found,) = read(name, line)
    assert found.startswith(key)


def test_every_dialect_has_defaults_and_a_path_of_its_own() -> None:
    paths = [
        value
        for kind in DIALECTS.values()
        for name, value in vars_of(kind.config()).items()
        if name.endswith("path")
    ]
    assert len(paths) == len(set(paths))


def vars_of(settings: Any) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in type(settings).__annotations__}
