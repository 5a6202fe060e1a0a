"""Two whole gateways in a row: ours as the ESME of a carrier that is ours too, over TCP."""

import socket
from collections.abc import Callable, Iterator

import pytest

from smsc.message import State
from tests.fakes.house import RunningGateway, StartGateway
from tests.fakes.proxy import Proxy
from tests.foreign.esme import Esme

Connect = Callable[[int], Esme]

CARRIER = """
[accounts.gw]
password = "gwpass"
window = 1000
[outlets.net]
kind = "simulator"
delay_s = 0.0
[[routes]]
outlets = ["net"]
"""
NODE = """
[accounts.demo]
password = "demo"
window = 1000
{outlets}
[[routes]]
outlets = [{order}]
"""
LINK = """
[outlets.{name}]
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "gw"
password = "{password}"
window = {window}
reconnect_s = 0.02
retry.schedule_s = [0.02]
"""
GSM = b"Hello from far away"


def link(port: int, name: str = "carrier", window: int = 100, password: str = "gwpass") -> str:
    return LINK.format(name=name, port=port, window=window, password=password)


def node(*outlets: str) -> str:
    names = [one.split("[outlets.")[1].split("]")[0] for one in outlets]
    order = ", ".join(f'"{name}"' for name in names)
    return NODE.format(outlets="".join(outlets), order=order)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps come within milliseconds."""
    monkeypatch.setattr("bridges.smpp_upstream._TICK_S", 0.05)


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def proxied() -> Iterator[Callable[[RunningGateway], Proxy]]:
    proxies: list[Proxy] = []

    def start(gateway: RunningGateway) -> Proxy:
        proxies.append(Proxy(gateway.port))
        return proxies[-1]

    yield start
    for one in proxies:
        one.close()


def wait_until_bound(gateway: RunningGateway, times: int = 1) -> None:
    gateway.wait_for_event("link.bound", times)


def at_carrier(node: RunningGateway, carrier: RunningGateway, id_: bytes) -> list[bytes]:
    """The bodies under which the carrier took the parts of a message."""
    _, progress = node.message(id_)
    return [carrier.message(int(one))[0].body for one in progress.upstream_ids]


def test_a_message_crosses_two_gateways_and_its_receipt_comes_all_the_way_back(
    start_gateway: StartGateway, esme: Connect
) -> None:
    carrier = start_gateway(CARRIER, "carrier")
    gateway = start_gateway(node(link(carrier.port)), "node")
    client = esme(gateway.port)
    client.bind()
    client.submit(GSM)
    client.read_until(responses=1, delivered=1)
    id_ = client.responses[0].message_id
    receipt = client.delivered[0]
    assert receipt.receipted_message_id.rstrip(b"\0") == id_
    assert receipt.message_state == State.DELIVERED
    message, progress = gateway.message(id_)
    assert (progress.state, progress.outlet) == (State.DELIVERED, "carrier")
    # What the client wrote arrived as it was.
    assert at_carrier(gateway, carrier, id_) == [message.body]
    assert carrier.message(int(progress.upstream_ids[0]))[0].account == "gw"


def test_a_long_text_is_parted_for_the_carrier_and_comes_back_as_one_receipt(
    start_gateway: StartGateway, esme: Connect
) -> None:
    carrier = start_gateway(CARRIER, "carrier")
    gateway = start_gateway(node(link(carrier.port, window=2)), "node")
    client = esme(gateway.port)
    client.bind()
    payload = b"0123456789" * 70
    for _ in range(2):
        client.submit(b"", message_payload=payload)
    client.read_until(responses=2, delivered=2)
    references = set()
    for response, receipt in zip(client.responses, client.delivered, strict=True):
        assert b"sub:005 dlvrd:005" in receipt.short_message
        bodies = at_carrier(gateway, carrier, response.message_id)
        texts = [body.split(b"\x05\0\x03", 1)[1] for body in bodies]
        assert b"".join(text[3:] for text in texts) == payload
        assert [tuple(text[1:3]) for text in texts] == [(5, n) for n in range(1, 6)]
        references |= {text[0] for text in texts}
    # A handset that gets both keeps them apart.
    assert len(references) == 2


def test_messages_wait_for_a_carrier_that_is_down_at_start(
    start_gateway: StartGateway, esme: Connect, free_port: int
) -> None:
    gateway = start_gateway(node(link(free_port)), "node")
    client = esme(gateway.port)
    client.bind()
    for _ in range(5):
        client.submit()
    client.read_until(responses=5)
    gateway.wait_for_event("link.unreachable", 3)
    assert gateway.call(gateway.gateway.dispatch.waiting) == {"carrier": 5}
    start_gateway(CARRIER, "carrier", smpp_port=free_port)
    client.read_until(responses=5, delivered=5)


def test_a_refused_bind_is_logged_and_tried_again(
    start_gateway: StartGateway, esme: Connect
) -> None:
    carrier = start_gateway(CARRIER, "carrier")
    gateway = start_gateway(node(link(carrier.port, password="wrong")), "node")
    client = esme(gateway.port)
    client.bind()
    client.submit()
    client.read_until(responses=1)
    gateway.wait_for_event("link.bind_failed", 2)
    assert gateway.log.named("link.bind_failed")[0]["status"] == "ESME_RINVPASWD"
    assert gateway.call(gateway.gateway.dispatch.waiting) == {"carrier": 1}


def test_nothing_is_lost_when_the_link_is_cut_with_a_full_window(
    start_gateway: StartGateway, esme: Connect, proxied: Callable[[RunningGateway], Proxy]
) -> None:
    """The carrier took a window of messages, and none of its answers arrived."""
    carrier = start_gateway(CARRIER, "carrier")
    proxy = proxied(carrier)
    gateway = start_gateway(node(link(proxy.port, window=20)), "node")
    wait_until_bound(gateway)
    client = esme(gateway.port)
    client.bind()
    proxy.hold()
    for _ in range(50):
        client.submit()
    client.read_until(responses=50)
    outlet = gateway.gateway.outlets["carrier"]  # type: ignore[index]
    gateway.wait_until(lambda: outlet.statistics()["window_used"] == 20)
    proxy.cut()
    client.read_until(responses=50, delivered=50)
    ids = {one.message_id for one in client.responses}
    assert {one.receipted_message_id.rstrip(b"\0") for one in client.delivered} == ids
    assert gateway.log.named("link.down")
    # At least once, and not more often than the window was deep.
    assert 50 <= carrier.call(lambda: carrier.gateway.store.counts()["message"]) <= 70


def test_a_carrier_that_crashes_and_comes_back_loses_nothing(
    start_gateway: StartGateway, esme: Connect
) -> None:
    carrier = start_gateway(CARRIER, "carrier")
    gateway = start_gateway(node(link(carrier.port, window=10)), "node")
    client = esme(gateway.port)
    client.bind()
    for _ in range(300):
        client.submit()
    client.read_until(responses=100)
    carrier.kill()
    start_gateway(CARRIER, "carrier", smpp_port=carrier.port)
    client.read_until(responses=300, delivered=300)
    ids = {one.message_id for one in client.responses}
    assert {one.receipted_message_id.rstrip(b"\0") for one in client.delivered} == ids
    assert gateway.call(lambda: gateway.gateway.dispatch.in_flight) == 0


def test_a_gateway_that_crashes_between_submit_and_receipt_finds_it_again(
    start_gateway: StartGateway, esme: Connect
) -> None:
    slow = CARRIER.replace("delay_s = 0.0", "delay_s = 0.3")
    carrier = start_gateway(slow, "carrier")
    gateway = start_gateway(node(link(carrier.port)), "node")
    client = esme(gateway.port)
    client.bind()
    client.submit()
    client.read_until(responses=1)
    id_ = client.responses[0].message_id
    gateway.wait_until(lambda: gateway.gateway.store.counts()["upstream"] == 1)
    gateway.kill()
    again = start_gateway(node(link(carrier.port)), "node")
    receiver = esme(again.port)
    receiver.bind("receiver")
    receiver.read_until(delivered=1)
    assert receiver.delivered[0].receipted_message_id.rstrip(b"\0") == id_
    assert carrier.call(lambda: carrier.gateway.store.counts()["message"]) == 1


def test_the_second_outlet_takes_over_and_gives_back(
    start_gateway: StartGateway, esme: Connect, free_port: int
) -> None:
    second = start_gateway(CARRIER, "second")
    outlets = (link(free_port, "first"), link(second.port, "second"))
    gateway = start_gateway(node(*outlets), "node")
    wait_until_bound(gateway)
    client = esme(gateway.port)
    client.bind()
    client.submit()
    client.read_until(responses=1, delivered=1)
    start_gateway(CARRIER, "first", smpp_port=free_port)
    wait_until_bound(gateway, 2)
    client.submit()
    client.read_until(responses=2, delivered=2)
    took = [gateway.message(one.message_id)[1].outlet for one in client.responses]
    assert took == ["second", "first"]


def test_what_the_first_outlet_lost_the_second_one_sends(
    start_gateway: StartGateway, esme: Connect, proxied: Callable[[RunningGateway], Proxy]
) -> None:
    first, second = start_gateway(CARRIER, "first"), start_gateway(CARRIER, "second")
    proxy = proxied(first)
    outlets = (link(proxy.port, "first"), link(second.port, "second"))
    gateway = start_gateway(node(*outlets), "node")
    wait_until_bound(gateway, 2)
    client = esme(gateway.port)
    client.bind()
    proxy.hold()
    client.submit()
    client.read_until(responses=1)
    outlet = gateway.gateway.outlets["first"]  # type: ignore[index]
    gateway.wait_until(lambda: outlet.statistics()["window_used"] == 1)
    first.kill()
    proxy.cut()
    client.read_until(responses=1, delivered=1)
    assert gateway.message(client.responses[0].message_id)[1].outlet == "second"


@pytest.mark.parametrize(
    ("bind", "can_send"), [("transmitter", True), ("receiver", False), ("transceiver", True)]
)
def test_each_kind_of_bind(
    start_gateway: StartGateway, esme: Connect, bind: str, can_send: bool
) -> None:
    carrier = start_gateway(CARRIER, "carrier")
    gateway = start_gateway(node(link(carrier.port) + f'bind = "{bind}"\nbinds = 2\n'), "node")
    wait_until_bound(gateway, 2)
    outlet = gateway.gateway.outlets["carrier"]  # type: ignore[index]
    facts = gateway.call(outlet.statistics)
    assert (facts["bound"], facts["up"], facts["window"]) == (2, can_send, 200)
    kinds = {line["kind"] for line in carrier.log.named("session.bound")}
    assert kinds == {f"bind_{bind}"}


def test_a_stop_unbinds_from_the_carrier(start_gateway: StartGateway) -> None:
    carrier = start_gateway(CARRIER, "carrier")
    gateway = start_gateway(node(link(carrier.port)), "node")
    wait_until_bound(gateway)
    assert gateway.stop() == 0
    carrier.wait_for_event("session.closed")
    assert carrier.log.named("session.closed")[0]["why"] == "unbound by the peer"


def test_a_carrier_that_stops_is_left_politely_and_found_again(
    start_gateway: StartGateway, esme: Connect
) -> None:
    carrier = start_gateway(CARRIER, "carrier")
    gateway = start_gateway(node(link(carrier.port)), "node")
    wait_until_bound(gateway)
    assert carrier.stop() == 0
    gateway.wait_for_event("link.down")
    assert gateway.log.named("link.down")[0]["why"] == "unbound by the peer"
    client = esme(gateway.port)
    client.bind()
    client.submit()
    client.read_until(responses=1)
    start_gateway(CARRIER, "carrier", smpp_port=carrier.port)
    client.read_until(responses=1, delivered=1)
