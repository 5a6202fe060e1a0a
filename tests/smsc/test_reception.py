"""Who may connect at all: PROXY headers, limits, and strangers that are a nuisance."""

import socket
import struct
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, ExitStack, suppress
from pathlib import Path

import pytest
import trio

from pdu.commands import RESPONSE
from tests.fakes.house import eventually, read_config
from tests.fakes.server import BIND_RESP, Peer, ServedHouse, bind, serving
from tests.fakes.wire import SUBMIT, C, pdu
from tests.smsc.test_proxy_protocol import LOCAL, header

ACCOUNTS = """
[accounts.demo]
password = "demo"
[accounts.near]
password = "near"
networks = ["192.0.2.0/24"]
"""
TRUSTED = 'proxy_networks = ["127.0.0.0/8"]'
ENQUIRE_RESP = C.ENQUIRE_LINK | RESPONSE
Start = Callable[..., AbstractAsyncContextManager[ServedHouse]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    def running(smpp: str = "", more: str = "") -> AbstractAsyncContextManager[ServedHouse]:
        return serving(read_config(ACCOUNTS + more, tmp_path, smpp=smpp))

    return running


async def is_served(peer: Peer, number: int = 9) -> bool:
    return await peer.ask(pdu(C.ENQUIRE_LINK, number)) == (ENQUIRE_RESP, 0, number)


# --- PROXY ------------------------------------------------------------------------------------


async def test_the_client_behind_a_trusted_proxy_counts(start: Start) -> None:
    async with start(smpp=TRUSTED) as house:
        peer = await house.connect()
        octets = header("192.0.2.7") + bind("near", "near")
        for octet in octets:  # however it is cut
            await peer.send(bytes((octet,)))
        assert (await peer.read())[:3] == (BIND_RESP, 0, 1)
        assert house.log.named("session.bound")[0]["peer"] == "192.0.2.7"
        other = await house.connect()
        await other.send(header("198.51.100.1") + bind("near", "near"))
        assert (await other.read())[1] != 0


async def test_a_proxy_that_speaks_for_itself_keeps_its_address(start: Start) -> None:
    async with start(smpp=TRUSTED) as house:
        peer = await house.connect()
        await peer.send(header(command=LOCAL) + bind("demo", "demo"))
        assert (await peer.read())[:3] == (BIND_RESP, 0, 1)
        assert house.log.named("session.bound")[0]["peer"] == "127.0.0.1"


@pytest.mark.parametrize(
    "octets",
    [b"PROXY TCP4 192.0.2.7 192.0.2.1 5000 2775\r\n", bind("demo", "demo"), b"GET / HTTP/1.1\r\n"],
)
async def test_from_a_proxy_nothing_but_a_header_of_version_2(start: Start, octets: bytes) -> None:
    async with start(smpp=TRUSTED) as house:
        peer = await house.connect()
        await peer.send(octets)
        assert await peer.is_closed()
        assert len(house.log.named("proxy.refused")) == 1


async def test_a_header_that_ends_early(start: Start) -> None:
    async with start(smpp=TRUSTED) as house:
        peer = await house.connect()
        await peer.send(header()[:20])
        assert isinstance(peer.stream, trio.SocketStream)
        await peer.stream.send_eof()
        assert await peer.is_closed()
        assert "within the PROXY header" in house.log.named("proxy.refused")[0]["why"]


async def test_a_header_that_does_not_come_is_not_waited_for(start: Start) -> None:
    async with start(smpp=TRUSTED + "\nsession_init_s = 0.1") as house:
        assert await (await house.connect()).is_closed()


@pytest.mark.parametrize("smpp", ["", 'proxy_networks = ["10.0.0.0/8"]'])
async def test_from_anyone_else_a_header_is_no_smpp(start: Start, smpp: str) -> None:
    async with start(smpp=smpp) as house:
        peer = await house.connect()
        await peer.send(header("192.0.2.7") + bind("near", "near"))
        answer = await peer.read()
        assert answer[0] == C.GENERIC_NACK
        assert len(house.bindings) == 0


async def test_a_bug_met_in_a_greeting_leaves_the_others(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(smpp=TRUSTED) as house:
        served = await house.connect()
        await served.send(header() + bind("demo", "demo"))
        assert (await served.read())[1] == 0

        def broken(*_: object) -> bool:
            raise ZeroDivisionError

        monkeypatch.setattr("smsc.reception.in_networks", broken)
        assert await (await house.connect()).is_closed()
        assert len(house.log.named("session.crashed")) == 1
        assert await is_served(served)


# --- limits -----------------------------------------------------------------------------------


async def test_no_more_connections_from_one_address(start: Start) -> None:
    async with start(smpp=TRUSTED + "\nmax_connections_per_address = 1") as house:
        first, second, other = [await house.connect() for _ in range(3)]
        await first.send(header("192.0.2.7") + bind("demo", "demo"))
        assert (await first.read())[1] == 0
        await second.send(header("192.0.2.7"))
        assert await second.is_closed()
        await other.send(header("192.0.2.8") + bind("demo", "demo"))
        assert (await other.read())[1] == 0
        await first.stream.aclose()
        await eventually(lambda: len(house.server.clients) == 1)
        again = await house.connect()
        await again.send(header("192.0.2.7") + bind("demo", "demo"))
        assert (await again.read())[1] == 0


async def test_two_thousand_connections_that_never_bind_keep_nobody_out(start: Start) -> None:
    async with start(smpp="max_unbound = 50\nmax_connections = 100") as house:
        served = await house.bound()
        with ExitStack() as strangers:
            for number in range(2000):
                sock = strangers.enter_context(socket.socket())
                sock.setblocking(False)
                sock.connect_ex(house.address)
                if not number % 50:
                    assert await is_served(served, number + 1)
            await house.bound()
            assert len(house.server.unbound) <= 50
            assert await is_served(served)


# --- strangers that are a nuisance ----------------------------------------------------------------


async def test_ten_thousand_questions_and_no_reading(start: Start) -> None:
    async with start() as house:
        served, deaf = await house.bound(), await house.bound()
        asked = b"".join(pdu(C.ENQUIRE_LINK, number) for number in range(1, 10_001))
        await deaf.send(asked)
        for number in range(2, 20):
            assert await is_served(served, number)
        assert await served.ask(pdu(C.SUBMIT_SM, 99, SUBMIT)) == (C.SUBMIT_SM | RESPONSE, 0, 99)
        # Who begins to read at last gets all its answers.
        for number in range(1, 10_001):
            assert (await deaf.read())[2] == number


async def test_who_never_reads_is_given_up(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smsc.server._TICK_S", 0.02)
    monkeypatch.setattr("smsc.link._BUFFER_LIMIT_OCTETS", 1000)
    more = '[accounts.deaf]\npassword = "deaf"\nenquire_link_s = 0.1\nenquire_misses = 1\n'
    async with start(more=more) as house:
        served, deaf = await house.bound(), await house.bound(name="deaf")
        octets = b"".join(pdu(C.ENQUIRE_LINK, number) for number in range(1, 4000))
        assert isinstance(deaf.stream, trio.SocketStream)
        deaf.stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)

        async def ask() -> None:
            with suppress(trio.BrokenResourceError):
                while True:
                    await deaf.send(octets)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await eventually(lambda: "session.closed" in house.log.events)
        assert house.log.named("session.closed")[0]["account"] == "deaf"
        assert await is_served(served)


async def test_one_octet_at_a_time_is_not_waited_for_for_ever(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsc.server._TICK_S", 0.01)
    more = '[accounts.slow]\npassword = "slow"\npdu_read_s = 0.2\n'
    async with start(more=more) as house:
        served, slow = await house.bound(), await house.bound(name="slow")
        octets = pdu(C.SUBMIT_SM, 2, SUBMIT)
        with suppress(trio.BrokenResourceError):
            for octet in octets * 100:
                await slow.send(bytes((octet,)))
                await trio.sleep(0.02)
                assert await is_served(served)
        await eventually(lambda: "session.closed" in house.log.events)
        assert house.log.named("session.closed")[0]["why"] == (
            "a PDU was begun and not completed within the read timer"
        )
        assert house.intake.drafts == []


async def test_a_reset_in_the_middle_of_a_pdu(start: Start) -> None:
    async with start() as house:
        served, rude = await house.bound(), await house.bound()
        await rude.send(pdu(C.SUBMIT_SM, 2, SUBMIT)[:30])
        assert isinstance(rude.stream, trio.SocketStream)
        rude.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await rude.stream.aclose()
        await eventually(lambda: len(house.server.clients) == 1)
        assert "session.crashed" not in house.log.events
        assert await is_served(served)


# --- timers and windows of an account ---------------------------------------------------------


async def test_the_timers_of_an_account_are_its_own(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsc.server._TICK_S", 0.02)
    more = '[accounts.brisk]\npassword = "brisk"\nenquire_link_s = 0.1\nenquire_misses = 1\n'
    async with start(more=more) as house:
        served, brisk = await house.bound(), await house.bound(name="brisk")
        assert (await brisk.read())[0] == C.ENQUIRE_LINK
        assert await brisk.is_closed()
        await eventually(lambda: "session.closed" in house.log.events)
        assert house.log.named("session.closed")[0]["why"] == "the peer answered no enquire_link"
        assert await is_served(served)


async def test_windows_are_an_accounts_own_both_ways(start: Start) -> None:
    more = """
[accounts.wide]
password = "wide"
window = 3
deliver_window = 7
overflow = "throttle"
"""
    async with start(more=more) as house:
        await house.bound()
        wide = await house.bound(name="wide")
        assert [receiver.room() for _, receiver in house.mailboxes.attached] == [100, 7]
        house.intake.is_holding = True
        await wide.send(b"".join(pdu(C.SUBMIT_SM, n, SUBMIT) for n in (2, 3, 4, 5)))
        assert (await wide.read())[:3] == (C.SUBMIT_SM | RESPONSE, 0x58, 5)
        assert await is_served(wide)
        house.intake.release()
        assert [(await wide.read())[:3] for _ in range(3)] == [
            (C.SUBMIT_SM | RESPONSE, 0, n) for n in (2, 3, 4)
        ]


async def test_bind_types_and_kinds_of_an_account(start: Start) -> None:
    more = """
[accounts.tx]
password = "tx"
bind_types = ["transmitter"]
[accounts.rx]
password = "rx"
max_receivers = 1
"""
    async with start(more=more) as house:
        await house.bound(C.BIND_TRANSMITTER, "tx")
        assert (await (await house.connect()).ask(bind("tx", "tx")))[1] == 0x0D
        await house.bound(C.BIND_RECEIVER, "rx")
        second = await house.connect()
        assert (await second.ask(bind("rx", "rx", C.BIND_RECEIVER)))[1] == 0x0D
        await house.bound(C.BIND_TRANSMITTER, "rx")


async def test_congestion_is_told_to_5_0(start: Start) -> None:
    async with start() as house:
        peer = await house.bound(version=0x50)
        house.server.is_store_full = lambda: True
        await peer.send(pdu(C.SUBMIT_SM, 2, SUBMIT))
        assert (await peer.read())[3].endswith(b"\0\x04\x28\x00\x01\x64")
        assert not house.server.fair.in_hand
