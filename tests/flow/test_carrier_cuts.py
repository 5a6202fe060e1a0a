"""Two whole gateways in a row, and the link between them cut again and again under load."""

import time
from collections.abc import Callable, Iterator

import pytest

from smsc.message import Draft, Mailbox, MessageId, State
from smsc.ports import Admitted
from tests.fakes.house import RunningGateway, StartGateway
from tests.fakes.proxy import Proxy
from tests.flow.house import DEMO, body_to

WINDOW = 50
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
NODE = f"""
[accounts.demo]
password = "demo"
[outlets.carrier]
kind = "smpp"
host = "127.0.0.1"
port = {{port}}
system_id = "gw"
password = "gwpass"
window = {WINDOW}
reconnect_s = 0.01
ambiguous = "{{ambiguous}}"
[outlets.carrier.retry]
schedule_s = [0.02]
[[routes]]
outlets = ["carrier"]
"""


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smsc.link._LAST_WORDS_S", 0.05)
    monkeypatch.setattr("tests.fakes.house.PATIENCE_S", 100.0)


@pytest.fixture
def proxied() -> Iterator[Callable[[RunningGateway], Proxy]]:
    proxies: list[Proxy] = []

    def start(gateway: RunningGateway) -> Proxy:
        proxies.append(Proxy(gateway.port))
        return proxies[-1]

    yield start
    for one in proxies:
        one.close()


def submit(gateway: RunningGateway, count: int) -> list[MessageId]:
    drafts = [Draft(DEMO, "smpp", body_to()) for _ in range(count)]
    answers = gateway.await_(lambda: gateway.gateway.http.submit.submit_many(drafts))
    return [one.id for one in answers if isinstance(one, Admitted)]


def states(gateway: RunningGateway, ids: list[MessageId]) -> list[State]:
    found = gateway.call(lambda: gateway.gateway.store.progresses(ids))
    return [one.state for one in found if one is not None]


def load_and_cut(node: RunningGateway, proxy: Proxy, cuts: int) -> list[MessageId]:
    """Load all the time; every cut hits a link that is bound and busy."""
    ids: list[MessageId] = []
    for cut in range(cuts):
        node.wait_for_event("link.bound", cut + 1)
        ids += submit(node, WINDOW)
        time.sleep(0.001 * (cut % 7))  # some cuts find answers on their way, some do not
        proxy.cut()
        node.wait_for_event("link.down", cut + 1)
    return ids


@pytest.mark.parametrize(
    "cuts", [20, pytest.param(500, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_nothing_is_lost_however_often_the_link_is_cut(
    start_gateway: StartGateway, proxied: Callable[[RunningGateway], Proxy], cuts: int
) -> None:
    carrier = start_gateway(CARRIER, "carrier")
    proxy = proxied(carrier)
    node = start_gateway(NODE.format(port=proxy.port, ambiguous="resend"), "node")
    ids = load_and_cut(node, proxy, cuts)
    assert len(ids) == cuts * WINDOW
    node.wait_until(
        lambda: (
            not (node.gateway.dispatch.in_flight or sum(node.gateway.dispatch.waiting().values()))
        )
    )
    node.wait_until(lambda: len(node.gateway.store.parked(Mailbox("demo"), MessageId(0), 10**6)) == len(ids))  # fmt: skip
    assert set(states(node, ids)) == {State.DELIVERED}
    taken = carrier.call(lambda: carrier.gateway.store.counts()["message"])
    assert len(ids) <= taken <= len(ids) + cuts * WINDOW
    # Receipts of parts that were sent twice are parked; each was answered, none is lost.
    unmatched = node.call(lambda: node.gateway.receipts.early)
    assert unmatched <= taken - len(ids)


def test_with_hold_nothing_is_sent_twice(
    start_gateway: StartGateway, proxied: Callable[[RunningGateway], Proxy]
) -> None:
    carrier = start_gateway(CARRIER, "carrier")
    proxy = proxied(carrier)
    node = start_gateway(NODE.format(port=proxy.port, ambiguous="hold"), "node")
    ids = load_and_cut(node, proxy, 10)
    holding = node.gateway.dispatch.holding
    dispatch = node.gateway.dispatch
    node.wait_until(
        # An attempt that was just journalled is HELD on disk, too.
        lambda: not dispatch.in_flight and states_now(node, ids) <= {State.DELIVERED, State.HELD}
    )
    held = states(node, ids).count(State.HELD)
    assert held == node.call(lambda: len(holding)) <= 10 * WINDOW
    taken = carrier.call(lambda: carrier.gateway.store.counts()["message"])
    assert len(ids) - held <= taken <= len(ids)
    assert node.await_(lambda: node.gateway.http.control_outlet("carrier", "fail")) is None
    node.wait_until(lambda: states_now(node, ids) <= {State.DELIVERED, State.UNDELIVERABLE})
    node.wait_until(lambda: len(node.gateway.store.parked(Mailbox("demo"), MessageId(0), 10**6)) == len(ids))  # fmt: skip


def states_now(node: RunningGateway, ids: list[MessageId]) -> set[State]:
    """As `states`, for use within the gateway's loop."""
    found = node.gateway.store.progresses(ids)
    return {one.state for one in found if one is not None}


def test_people_control_one_outlet(start_gateway: StartGateway) -> None:
    carrier = start_gateway(CARRIER, "carrier")
    node = start_gateway(NODE.format(port=carrier.port, ambiguous="resend"), "node")
    node.wait_for_event("link.bound")

    def control(outlet: str, action: str) -> str | None:
        return node.await_(lambda: node.gateway.http.control_outlet(outlet, action))

    assert control("carrier", "stop") is None
    node.wait_for_event("link.down")
    ids = submit(node, 3)
    assert set(states(node, ids)) == {State.QUEUED}
    assert control("carrier", "start") is None
    node.wait_until(lambda: states_now(node, ids) == {State.DELIVERED})
    assert "unknown" in (control("nobody", "stop") or "")
    assert "unknown" in (control("carrier", "jump") or "")
    assert control("carrier", "resend") is None
    assert "no connection" in (
        carrier.await_(lambda: carrier.gateway.http.control_outlet("net", "stop")) or ""
    )
