"""Messages from a network, over two real gateways: to sessions, an inbox, a callback, the sandbox."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from smsc.message import AccountId
from smsc.ports import InboxKind, InboxQuery
from tests.fakes.house import RunningGateway, StartGateway
from tests.flow.house import DEMO
from tests.foreign.esme import Esme

CARRIER = """
[accounts.gw]
password = "gwpass"
[outlets.net]
kind = "simulator"
[[mo_routes]]
account = "gw"
"""
NODE = """
[http]
callback_networks = ["127.0.0.0/8"]
[inbox]
sandbox = {sandbox}
[accounts.demo]
password = "demo"
[accounts.boss]
password = "boss"
admin = true
[outlets.carrier]
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "gw"
password = "gwpass"
reconnect_s = 0.01
[outlets.sim]
kind = "simulator"
[[mo_routes]]
to = ["12345"]
keyword = "KEEP"
outlets = ["carrier"]
account = "demo"
deliver = "inbox"
[[mo_routes]]
to = ["12345"]
keyword = "POST"
account = "demo"
deliver = "callback"
callback = "{url}"
[[mo_routes]]
to = ["12345", "4179"]
account = "demo"
"""


class Shop:
    """An HTTP server that takes callbacks."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, object]] = []
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                shop.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/mo"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.close()


Send = Callable[..., str | None]


@pytest.fixture
def chain(start_gateway: StartGateway, shop: Shop) -> Callable[..., tuple[RunningGateway, Send]]:
    def start(sandbox: bool = False) -> tuple[RunningGateway, Send]:
        carrier = start_gateway(CARRIER, "carrier")
        toml = NODE.format(port=carrier.port, url=shop.url, sandbox=str(sandbox).lower())
        node = start_gateway(toml, "node")
        node.wait_for_event("link.bound")
        handset = carrier.gateway.http.simulate_mo

        def send(text: str, to: str = "12345") -> str | None:
            return carrier.await_(lambda: handset("net", "41791234567", to, text))

        return node, send

    return start


def kept(node: RunningGateway) -> list[tuple[str, str, str]]:
    found = node.call(lambda: node.gateway.inbox.received(DEMO, InboxQuery()))
    return [(one.keyword, one.text, one.outlet) for one in found]


def test_each_target(chain: Callable[..., tuple[RunningGateway, Send]], shop: Shop) -> None:
    node, send = chain()
    esme = Esme(node.port)
    try:
        esme.bind("receiver")
        assert send("keep this one") is None
        node.wait_until(lambda: bool(node.gateway.inbox.count(DEMO)))
        assert kept(node) == [("keep", "keep this one", "carrier")]
        assert send("POST this one") is None
        node.wait_until(lambda: len(shop.bodies) == 1)
        data = shop.bodies[0]["data"]
        assert isinstance(data, dict)
        assert data["text"] == "POST this one"
        assert send("anything else") is None
        assert send("hello", to="4179000") is None, "a long number, too"
        esme.read_until(delivered=2)
        texts = [one.short_message for one in esme.delivered]
        assert texts == [b"anything else", b"hello"]
        assert (len(shop.bodies), len(kept(node))) == (1, 1), "each went one way"
    finally:
        esme.close()


def test_a_rule_of_another_outlet_does_not_take_it(
    chain: Callable[..., tuple[RunningGateway, Send]],
) -> None:
    """The rule for KEEP is for the carrier: by the simulator it goes to the default."""
    node, _ = chain()
    handset = node.gateway.http.simulate_mo
    assert node.await_(lambda: handset("sim", "4179", "12345", "keep this one")) is None
    assert kept(node) == []
    esme = Esme(node.port)
    try:
        esme.bind("receiver")
        esme.read_until(delivered=1)
        assert esme.delivered[0].short_message == b"keep this one"
    finally:
        esme.close()


@pytest.mark.parametrize("sandbox", [True, False])
def test_what_no_rule_takes(
    chain: Callable[..., tuple[RunningGateway, Send]], sandbox: bool
) -> None:
    node, send = chain(sandbox)
    send("lost", to="999")
    if sandbox:
        node.wait_until(lambda: bool(node.gateway.inbox.count(AccountId(""))))
        (one,) = node.call(lambda: node.gateway.inbox.sandbox(InboxQuery()))
        assert (one.kind, one.text, one.destination) == (InboxKind.SANDBOX, "lost", "999")
    else:
        node.wait_for_event("mo.unrouted")
        assert node.call(lambda: node.gateway.inbox.sandbox(InboxQuery())) == []


def test_an_inbox_survives_a_restart(
    chain: Callable[..., tuple[RunningGateway, Send]], start_gateway: StartGateway
) -> None:
    node, send = chain()
    assert send("keep this one") is None
    node.wait_until(lambda: bool(node.gateway.inbox.count(DEMO)))
    node.kill()
    again = start_gateway('[accounts.demo]\npassword = "demo"\n', "node")
    assert kept(again) == [("keep", "keep this one", "carrier")]
