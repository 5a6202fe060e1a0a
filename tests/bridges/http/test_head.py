"""HEAD asks and changes nothing: no message, no credit, no key; RFC 9110 §9.2.1 and §15.5.6."""

import urllib.parse
from typing import Any

import pytest
import structlog

from bridges.http.connector_routes import ConnectorRoute
from bridges.http.dialects.connector import ConnectorConfig
from bridges.http.endpoint import House
from bridges.http.exact_route import ExactRoute
from bridges.http.registry import DIALECTS
from bridges.http.server import build_app
from smsc.message import AccountId
from tests.bridges.http.dialect_house import DialectHouse

LOGIN = {"username": "demo", "password": "demo"}
KANNEL = "/cgi-bin/sendsms?" + urllib.parse.urlencode(
    LOGIN | {"to": "41791234567", "from": "Shop", "text": "hi"}
)
JASMIN = "/send?" + urllib.parse.urlencode(LOGIN | {"to": "41791234567", "content": "hi"})
PLAYSMS = "/index.php?app=ws&op=pv&u=demo&to=41791234567&msg=hi&h="


def stored(house: DialectHouse) -> tuple[int, str]:
    credits_ = house.gateway.credits
    left = house.call(lambda: str(credits_.balances(AccountId("poor"))))
    return house.stored(), left


@pytest.mark.parametrize("url", [KANNEL, JASMIN, PLAYSMS])
def test_a_head_sends_nothing_where_a_get_does(house: DialectHouse, url: str) -> None:
    if url is PLAYSMS:
        url += house.token("demo")
    before = stored(house)
    answer = house.client.head(url)
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "POST"}
    assert answer.content == b""
    assert stored(house) == before
    assert house.client.get(url).status_code in {200, 202}
    assert stored(house)[0] == before[0] + 1


def test_a_head_uses_no_login_key_up(house: DialectHouse) -> None:
    demo, directory = AccountId("demo"), house.gateway.directory
    key = house.await_(lambda: directory.new_login_key(demo, by=demo))
    assert isinstance(key, str)
    url = f"/index.php?app=ws&op=ws_login&u=demo&login_key={key}"
    assert house.client.head(url).status_code == 405
    assert house.await_(lambda: directory.use_login_key(demo, key))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/health",
        "/v1/docs",
        "/v1/messages",
        "/v1/contacts",
        "/ping",
        "/balance?username=demo&password=demo",
        "/smshub/?wsdl",
        "/smshub.wsdl",
    ],
)
def test_a_head_is_as_its_get_where_that_only_looks(house: DialectHouse, path: str) -> None:
    got = house.client.get(path, auth=("demo", "demo"))
    answer = house.client.head(path, auth=("demo", "demo"))
    assert answer.status_code == got.status_code == 200
    assert answer.headers["content-type"] == got.headers["content-type"]
    assert answer.content == b""


@pytest.mark.parametrize("path", ["/v1/preview", "/api2/", "/json.php", "/secure/send"])
def test_a_head_of_a_path_that_takes_none(house: DialectHouse, path: str) -> None:
    before = stored(house)
    answer = house.client.head(path)
    assert answer.status_code == 405
    assert answer.headers["allow"]
    assert stored(house) == before


def test_no_route_lets_starlette_add_a_head() -> None:
    configs: dict[str, Any] = {name: kind.config() for name, kind in DIALECTS.items()}
    configs["connector"] = ConnectorConfig(outlet="sim")
    gateway: Any = None
    house = House(gateway, structlog.get_logger(), lambda: 0, dialects=configs)
    *routes, last = build_app(house).routes
    assert {type(one) for one in routes} == {ExactRoute}
    assert type(last) is ConnectorRoute  # refuses it itself
