"""Reload after reload while messages flow over real sockets and a real disk: nothing is lost."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from smsc.gateway.reloading import NotReloaded, Reloaded
from smsc.message import MessageId, OutletName, State
from tests.fakes.house import StartGateway
from tests.fakes.reloadable import ReloadableGateway
from tests.foreign.esme import Esme
from tests.smsc.gateway.test_reloading import only_session

LINKS = ("steady", "changing", "extra")
CARRIER = (
    "".join(f'[accounts.{name}]\npassword = "x"\nwindow = 1000\n' for name in LINKS)
    + """
[outlets.net]
kind = "simulator"
delay_s = 0.0
[[routes]]
outlets = ["net"]
"""
)
"""Each link has an account of its own there: a carrier sends receipts to whoever is bound for it."""
ACCOUNTS = """
[accounts.one]
password = "demo"
window = {window}
[accounts.two]
password = "demo"
[accounts.other]
password = "other"
rate = {rate}
"""
WAYS = """
[[routes]]
to = ["41"]
outlets = ["steady", "changing"]
choose = {{by = "weight", weights = [{weight}, 5]}}
[[routes]]
outlets = [{extra}"steady"]
"""


class Load:
    """A transceiver that submits all the time, and counts what comes home."""

    def __init__(self, port: int, account: str, destination: str) -> None:
        self.ids: list[MessageId] = []
        self.errors: list[int] = []
        self.receipts: list[bytes] = []
        self._destination = destination
        self._esme = Esme(port)
        self._esme.bind(name=account)
        self._is_over = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Submit no more; return when every receipt is home."""
        self._is_over = True
        self._thread.join(60)
        assert not self._thread.is_alive(), (len(self.ids), len(self.receipts))
        if self._failure is not None:
            raise self._failure
        self._esme.close()

    def _run(self) -> None:
        try:
            sent = 0
            while not self._is_over:
                for _ in range(20):
                    self._esme.submit(to=self._destination)
                sent += 20
                self._esme.read_until(responses=sent)
            self.ids = [MessageId(int(one.message_id)) for one in self._esme.responses]
            self.errors = [one.status for one in self._esme.responses if one.status]
            self._esme.read_until(delivered=sent)
            self.receipts = [one.receipted_message_id for one in self._esme.delivered]
        except BaseException as error:  # noqa: BLE001 - raised again in the test
            self._failure = error


@pytest.fixture
def load(
    start_gateway: StartGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[ReloadableGateway, Load, Load, int]]:
    """A gateway between two clients and a carrier."""
    monkeypatch.setattr("smsc.link._LAST_WORDS_S", 0.05)
    monkeypatch.setattr("tests.fakes.house.PATIENCE_S", 60.0)
    carrier = start_gateway(CARRIER, "carrier")
    gateway = ReloadableGateway(tmp_path, configuration(carrier.port, 0))
    gateway.wait_for_event("link.bound", 2)
    try:
        one = Load(gateway.port, "one", "41791234567")
        two = Load(gateway.port, "two", "436641234567")
        yield gateway, one, two, carrier.port
    finally:
        gateway.kill()


def link(name: str, port: int, more: str = "") -> str:
    return (
        f'[outlets.{name}]\nkind = "smpp"\nhost = "127.0.0.1"\nport = {port}\n'
        f'system_id = "{name}"\npassword = "x"\nreconnect_s = 0.01\n{more}\n'
    )


def configuration(port: int, turn: int) -> str:
    """Each turn changes some of: a link, rules, an account, another link that comes and goes."""
    is_extra = turn % 4 > 1
    return (
        ACCOUNTS.format(window=50 + turn % 3, rate=turn % 5)
        + link("steady", port)
        + link("changing", port, f"window = {10 + turn // 2 % 7}")
        + (link("extra", port) if is_extra else "")
        + WAYS.format(weight=1 + turn % 9, extra='"extra", ' if is_extra else "")
    )


@pytest.mark.timeout(300)
@pytest.mark.parametrize("reloads", [24, pytest.param(100, marks=pytest.mark.slow)])
def test_nothing_is_lost(load: tuple[ReloadableGateway, Load, Load, int], reloads: int) -> None:
    gateway, one, two, port = load
    session = only_session(gateway, "steady")
    for turn in range(1, reloads + 1):
        if turn % 10 == 5:
            refused = gateway.reload(configuration(port, turn) + "[nonsense]\n")
            assert isinstance(refused, NotReloaded)
        assert isinstance(gateway.reload(configuration(port, turn)), Reloaded)
    one.finish()
    two.finish()
    ids = one.ids + two.ids
    assert one.errors == two.errors == []
    assert len(set(ids)) == len(ids) > reloads * 20, "there was load all the time"
    found = gateway.call(lambda: gateway.gateway.store.progresses(ids))
    assert {progress.state for progress in found if progress is not None} == {State.DELIVERED}
    assert None not in found
    for client in (one, two):
        assert sorted(client.receipts) == sorted(b"%d" % id_ for id_ in client.ids)
    used = {progress.outlet for progress in found if progress is not None}
    assert used == {"steady", "changing", "extra"}
    assert only_session(gateway, "steady") is session, "an unchanged link keeps its bind"
    downs = [entry["outlet"] for entry in gateway.log.named("link.down")]
    assert OutletName("steady") not in downs
    assert downs.count("changing") >= reloads // 4
    assert downs.count("extra") >= reloads // 8
    assert gateway.log.events.count("config.reloaded") == reloads
    assert gateway.gateway.dispatch.outlets.keys() >= {"steady", "changing"}
