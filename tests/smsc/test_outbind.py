"""Outbind: the gateway dials an account for which deliveries wait."""

import itertools
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio
import trio.testing

from pdu.codec import encode_body
from pdu.commands import RESPONSE
from pdu.message_pdus import SubmitSm
from smsc.config_accounts import OutbindConfig
from smsc.message import AccountId, Mailbox
from smsc.outbind import Outbind
from tests.fakes.house import SIMULATOR, StartGateway, eventually, read_config
from tests.fakes.log import FakeLog
from tests.fakes.server import Peer, ServedHouse, bind, serving
from tests.fakes.wire import C, pdu

ACCOUNTS = """
[accounts.demo]
password = "demo"
[accounts.demo.outbind]
host = "127.0.0.1"
port = {port}
system_id = "gw"
password = "gwpass"
[accounts.other]
password = "other"
"""
RECEIVER_RESP = C.BIND_RECEIVER | RESPONSE


@attrs.define
class Esme:
    """An ESME that waits to be dialled."""

    house: ServedHouse
    listener: trio.SocketListener
    waits: set[Mailbox]

    async def dialled(self) -> Peer:
        return Peer(await self.house.peers.enter_async_context(await self.listener.accept()))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smsc.outbind._LOOK_S", 0.01)
    monkeypatch.setattr("smsc.outbind._FIRST_S", 0.01)


@asynccontextmanager
async def dialling(tmp_path: Path) -> AsyncIterator[Esme]:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    async with listener, serving(read_config(ACCOUNTS.format(port=port), tmp_path)) as house:
        waits: set[Mailbox] = set()
        house.server.has_waiting = waits.__contains__
        yield Esme(house, listener, waits)


async def test_the_account_is_dialled_asked_and_served(tmp_path: Path) -> None:
    async with dialling(tmp_path) as esme:
        esme.waits.add(Mailbox("demo"))
        peer = await esme.dialled()
        assert await peer.read() == (C.OUTBIND, 0, 1, b"gw\0gwpass\0")
        assert await peer.ask(bind("demo", "demo", C.BIND_RECEIVER)) == (RECEIVER_RESP, 0, 1)
        ((mailbox, _),) = esme.house.mailboxes.attached
        assert mailbox == "demo"
        # While it is bound it is not dialled again.
        with trio.move_on_after(0.1) as scope:
            await esme.listener.accept()
        assert scope.cancelled_caught
        await peer.stream.aclose()
        again = await esme.dialled()
        assert (await again.read())[0] == C.OUTBIND


async def test_who_is_bound_by_itself_or_has_nothing_waiting_is_not_dialled(tmp_path: Path) -> None:
    async with dialling(tmp_path) as esme:
        with trio.move_on_after(0.1) as scope:
            await esme.listener.accept()
        assert scope.cancelled_caught
        peer = await esme.house.bound()
        esme.waits.add(Mailbox("demo"))
        with trio.move_on_after(0.1) as scope:
            await esme.listener.accept()
        assert scope.cancelled_caught
        await peer.stream.aclose()
        await esme.dialled()


async def test_a_transmitter_does_not_take_what_waits(tmp_path: Path) -> None:
    async with dialling(tmp_path) as esme:
        await esme.house.bound(C.BIND_TRANSMITTER)
        esme.waits.add(Mailbox("demo"))
        peer = await esme.dialled()
        assert (await peer.read())[0] == C.OUTBIND


async def test_no_other_account_binds_where_we_dialled(tmp_path: Path) -> None:
    async with dialling(tmp_path) as esme:
        esme.waits.add(Mailbox("demo"))
        peer = await esme.dialled()
        await peer.read()
        answer = await peer.ask(bind("other", "other", C.BIND_RECEIVER))
        assert answer == (RECEIVER_RESP, 0x0D, 1)
        assert "outbind for demo" in esme.house.log.named("bind.refused")[0]["why"]
        answer = await peer.ask(bind("demo", "demo", C.BIND_RECEIVER, 2))
        assert answer == (RECEIVER_RESP, 0, 2)


async def test_who_hangs_up_is_dialled_again_and_it_is_said(tmp_path: Path) -> None:
    async with dialling(tmp_path) as esme:
        esme.waits.add(Mailbox("demo"))
        for _ in range(2):
            peer = await esme.dialled()
            await peer.read()
            await peer.stream.aclose()
        await eventually(lambda: len(esme.house.log.named("outbind.failed")) == 2)
        why = esme.house.log.named("outbind.failed")[0]["why"]
        assert why == "the account did not bind"


async def test_a_stop_dials_no_more(tmp_path: Path) -> None:
    async with dialling(tmp_path) as esme:
        esme.house.server.stop_listening()
        await trio.testing.wait_all_tasks_blocked()
        esme.waits.add(Mailbox("demo"))
        with trio.move_on_after(0.1) as scope:
            await esme.listener.accept()
        assert scope.cancelled_caught


async def test_a_host_that_is_no_name_is_a_failure_like_any_other(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def serve(*_: object) -> bool:
        raise AssertionError("nobody to serve")

    log = FakeLog()
    config = OutbindConfig(host="a..b" + "c" * 70, port=2775)
    with trio.move_on_after(5):
        await Outbind(AccountId("demo"), config, lambda: True, serve, log.log).run()
    assert log.named("outbind.failed")


async def test_failures_are_farther_and_farther_apart(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsc.outbind._LOOK_S", 1.0)
    monkeypatch.setattr("smsc.outbind._FIRST_S", 2.0)
    tries: list[float] = []

    async def refuse(*_: object, **__: object) -> None:
        tries.append(trio.current_time())
        await trio.lowlevel.checkpoint()
        raise OSError("connection refused")

    async def serve(*_: object) -> bool:
        raise AssertionError("nobody to serve")

    monkeypatch.setattr(trio, "open_tcp_stream", refuse)
    log = FakeLog()
    config = OutbindConfig(host="192.0.2.1", port=2775)
    one = Outbind(AccountId("demo"), config, lambda: True, serve, log.log, random.Random(1))
    with trio.move_on_after(3600):
        await one.run()
    gaps = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert 2.0 <= gaps[0] <= 3.0
    assert max(gaps) <= 301.0
    assert gaps[7] > 100.0
    assert len(log.named("outbind.failed")) == len(tries)


def test_a_gateway_dials_for_receipts_that_wait(start_gateway: StartGateway) -> None:
    """Everything together: a receipt waits on disk, nobody is bound, the account is dialled."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        toml = ACCOUNTS.format(port=listener.getsockname()[1]) + SIMULATOR
        gateway = start_gateway(toml)
        wish = encode_body(SubmitSm(destination_addr="4179", registered_delivery=1))
        with socket.create_connection(gateway.smpp) as sender:
            sender.settimeout(10)
            sender.sendall(bind("demo", "demo", C.BIND_TRANSMITTER))
            sender.recv(1000)
            sender.sendall(pdu(C.SUBMIT_SM, 2, wish))
            dialled, _ = listener.accept()
        with dialled:
            dialled.settimeout(10)
            assert dialled.recv(1000)[4:8] == b"\0\0\0\x0b"
            dialled.sendall(bind("demo", "demo", C.BIND_RECEIVER))
            heard = b""
            while b"stat:DELIVRD" not in heard:
                heard += dialled.recv(1000)
