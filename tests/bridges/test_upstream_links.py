"""How an upstream link reaches its carrier, keeps its pace, and is controlled, over real sockets."""

import gc
import random
import socket
import ssl
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from bridges import REGISTRY
from bridges.backoff import Backoff
from bridges.smpp_upstream import NO_ANSWER, UpstreamLink
from bridges.upstream_config import UpstreamConfig
from bridges.upstream_dial import Dialler, open_socket
from pdu.codec import pack
from pdu.commands import RESPONSE
from pdu.status import Status
from pdu.tlvs import Tag, pack_tlv
from smsc.config import Config, load
from smsc.config_fields import HostPort
from smsc.message import MessageId
from smsc.ports import Held, Sent, TryLater
from tests.fakes.house import eventually
from tests.fakes.log import FakeLog
from tests.fakes.upstream import (
    NAME,
    PATIENCE_S,
    SUBMIT_RESP,
    Carrier,
    FakeFlow,
    House,
    outgoing,
    running,
)
from tests.fakes.wire import C, pdu


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridges.smpp_upstream._TICK_S", 0.02)
    monkeypatch.setattr("bridges.smpp_upstream._UNBIND_S", 0.05)
    monkeypatch.setattr("smsc.link._LAST_WORDS_S", 0.05)


def errors_of(toml: str) -> list[str]:
    text = f'[node]\ndata_dir = "/x"\n[outlets.c]\nkind = "smpp"\nsystem_id = "gw"\n{toml}\n'
    config = load(text, {name: kind.config for name, kind in REGISTRY.items()}, {})
    return [] if isinstance(config, Config) else [str(error) for error in config]


# --- settings ---------------------------------------------------------------------------------


V33 = 'version = "3.3"\nbind = "pair"\n'


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ("", "either host or hosts"),
        ('host = "a"\nhosts = ["b:1"]', "either host or hosts"),
        ('hosts = ["b:0"]', "outlets.c.hosts"),
        ("hosts = []", "outlets.c.hosts"),
        ('host = "a"\nsource = "here"', "outlets.c.source"),
        ('hosts = ["a"]\nport = 5', "outlets.c.port: expected no port beside hosts, found 5"),
        ("hosts = [1]", "outlets.c.hosts"),
        ('hosts = ["a..b:1"]', "outlets.c.hosts"),
        ('host = "a:2775"', "outlets.c.host: expected a host name or an address"),
        ('host = " "', "outlets.c.host:"),
        ('host = ".foo"', "outlets.c.host:"),
        (f'host = "{"x" * 64}"', "outlets.c.host:"),
        ('host = "a"\nlink_window = -5', "outlets.c.link_window"),
        ('host = "a"\nreconnect_s = 61', "outlets.c.reconnect_s"),
        ('host = "a"\nversion = "3.3"', 'outlets.c.bind: expected "pair"'),
        (f'host = "a"\n{V33}quirks.long_text = "sar"', "outlets.c.quirks: long_text: expected"),
        (f'host = "a"\n{V33}quirks.tlvs = {{ 5120 = "" }}', "outlets.c.quirks: tlvs: expected"),
        ('host = "a"\ntls_cert = "x.pem"', "tls_cert and tls_key go together"),
        ('host = "a"\ntls_verify = false', "outlets.c.tls_verify: expected tls = true"),
        ('host = "a"\ntls_server_name = "a"', "outlets.c.tls_server_name: expected tls = true"),
        ('host = "a"\ntls = true\ntls_server_name = "a..b"', "outlets.c.tls_server_name:"),
        ('host = "a"\ntls = true\ntls_ca = "/nowhere/x"', "tls_ca: cannot read '/nowhere/x'"),
        ('host = "a"\nambiguous = "ask"', "outlets.c.ambiguous"),
    ],
)
def test_a_mistake_is_told(toml: str, why: str) -> None:
    assert any(why in error for error in errors_of(toml))


def test_hosts_as_they_are_written() -> None:
    for host in ("::1", "192.0.2.7", "smsc.example.", "a_b", "bücher.example"):
        assert not errors_of(f'host = "{host}"')
    assert not errors_of('hosts = ["a:2776", "b", "[::1]:2777"]\nspread = "share"')
    hosts = (HostPort("a", 2776), HostPort("b", 2775))
    config = UpstreamConfig(hosts=hosts, spread="share", system_id="gw")
    assert Dialler(config, 1).host == hosts[0]
    assert Dialler(config, 2).host == hosts[1]
    ordered = Dialler(UpstreamConfig(hosts=hosts, system_id="gw"), 2)
    assert ordered.host == hosts[0]
    assert not ordered.failed()
    assert ordered.host == hosts[1]
    assert ordered.failed()
    assert ordered.host == hosts[0]
    ordered.failed()
    ordered.succeeded()
    assert ordered.host == hosts[0]


def test_the_binds_of_a_pair_share_a_host() -> None:
    hosts = (HostPort("a", 2775), HostPort("b", 2775))
    config = UpstreamConfig(hosts=hosts, spread="share", bind="pair", binds=3, system_id="gw")
    called = [Dialler(config, number).host.host for number in range(1, 7)]
    assert "".join(called) == "aabbaa"


# --- connecting -------------------------------------------------------------------------------


async def test_the_second_host_takes_over_at_once_and_the_first_is_called_first_again() -> None:
    async with running(reconnect_s=0.01) as house:
        port = house.listener.socket.getsockname()[1]
        with socket.create_server(("127.0.0.1", 0)) as closed:
            dead = HostPort("127.0.0.1", closed.getsockname()[1])
        config = UpstreamConfig(
            hosts=(dead, HostPort("127.0.0.1", port)), system_id="gw", reconnect_s=30.0
        )
        house.life.cancel()
        log = FakeLog()
        outlet = UpstreamLink(NAME, config, log=log.log, draw=random.Random(1))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(outlet.run, FakeFlow())
            carrier = await house.connected()
            while (await carrier.read())[0] != C.BIND_TRANSCEIVER:
                pass
            assert log.events.count("link.unreachable") == 1
            nursery.cancel_scope.cancel()


async def test_who_takes_the_bind_and_closes_is_no_success(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[int] = []

    def next_s(backoff: Backoff) -> float:
        pauses.append(backoff._failures)
        backoff._failures += 1
        return 0.0

    monkeypatch.setattr("bridges.upstream_bind.Backoff.next_s", next_s)
    async with running() as house:
        for _ in range(3):
            carrier = await house.bound()
            await carrier.stream.aclose()
        carrier = await house.bound()
        house.outlet.send([outgoing(7)])
        await carrier.answer((await carrier.submits(1))[0])
        await house.outcomes(1)
        await carrier.stream.aclose()
        await house.bound()
        assert pauses == [0, 1, 2, 0]


async def test_a_session_that_lived_for_a_while_was_a_success(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bridges.upstream_bind._PROOF_S", 0.0)
    proven: list[Backoff] = []

    def succeeded(backoff: Backoff) -> None:
        proven.append(backoff)

    monkeypatch.setattr("bridges.upstream_bind.Backoff.succeeded", succeeded)
    async with running() as house:
        await house.bound()
        await eventually(lambda: len(proven) == 1)


@pytest.mark.parametrize("name", ["a..b", "x" * 70 + ".example"])
async def test_a_name_that_can_be_none_is_unreachable(name: str) -> None:
    with pytest.raises(OSError, match=r"is not the name of a host: correct host$"):
        await open_socket(HostPort(name, 2775))


@pytest.mark.parametrize("name", [".foo", "a..b", "x" * 70, "a\0b"])
async def test_a_tls_name_that_can_be_none_is_unreachable(name: str) -> None:
    config = UpstreamConfig(host="127.0.0.1", tls=True, system_id="gw")
    object.__setattr__(config, "tls_server_name", name)  # whatever the file's check lets pass
    with pytest.raises(OSError, match=r"is not the name of a host: correct tls_server_name$"):
        await Dialler(config, 1).connect()


async def test_the_next_host_is_called_when_one_takes_the_bind_and_closes() -> None:
    async with running() as house:
        port = house.listener.socket.getsockname()[1]
        house.life.cancel()
        hosts = (HostPort("127.0.0.1", port), HostPort("localhost", port))
        config = UpstreamConfig(hosts=hosts, system_id="gw", reconnect_s=PATIENCE_S * 2)
        outlet = UpstreamLink(NAME, config, log=house.log.log, draw=random.Random(1))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(outlet.run, FakeFlow())
            while (await (carrier := await house.connected()).read())[0] != C.BIND_TRANSCEIVER:
                pass
            await carrier.send(pdu(C.BIND_TRANSCEIVER | RESPONSE, 1, b"carrier\0"))
            await carrier.stream.aclose()
            assert (await (await house.connected()).read())[0] == C.BIND_TRANSCEIVER
            nursery.cancel_scope.cancel()


async def test_it_calls_from_the_address_it_is_told() -> None:
    async with running(source="127.0.0.2") as house:
        carrier = await house.bound()
        assert carrier.stream.socket.getpeername()[0] == "127.0.0.2"


@pytest.mark.parametrize(("version", "octet"), [("3.3", 0x33), ("3.4", 0x34), ("5.0", 0x50)])
async def test_it_binds_with_its_version(version: str, octet: int) -> None:
    async with running(version=version, bind="transmitter") as house:
        carrier = await house.connected()
        asked = await carrier.accept(C.BIND_TRANSMITTER)
        assert asked[3][-4] == octet
        await eventually(lambda: house.outlet.room() == 100)
        house.outlet.send([outgoing(7, octets=400)])
        bodies = [(await carrier.read())[3] for _ in range(3)]
        assert all(len(body) < 200 for body in bodies)


async def test_a_pair_sends_on_one_and_hears_on_the_other() -> None:
    async with running(bind="pair", window=10) as house:
        kinds: dict[int, Carrier] = {}
        for _ in range(2):
            carrier = await house.connected()
            asked = await carrier.read()
            await carrier.send(pdu(asked[0] | RESPONSE, asked[2], b"carrier\0"))
            kinds[asked[0]] = carrier
        assert kinds.keys() == {C.BIND_TRANSMITTER, C.BIND_RECEIVER}
        await eventually(lambda: house.outlet.statistics()["bound"] == 2)
        assert house.outlet.room() == 10
        house.outlet.send([outgoing(7)])
        (number,) = await kinds[C.BIND_TRANSMITTER].submits(1)
        await kinds[C.BIND_TRANSMITTER].answer(number)
        assert await house.outcomes(1) == [Sent(MessageId(7), "up")]
        await kinds[C.BIND_TRANSMITTER].stream.aclose()
        await eventually(lambda: not house.outlet.is_up)
        assert house.outlet.statistics()["bound"] == 1
        assert house.outlet.statistics()["state"] == "down"


def make_certificates(place: Path) -> None:
    """An authority, and a server certificate of it for the name smsc.test."""
    run = partial(subprocess.run, check=True, capture_output=True, cwd=place)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    run(["openssl", "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca"])
    request = ["-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=smsc.test"]
    run(["openssl", "req", *key, *request])
    (place / "ext").write_text("subjectAltName=DNS:smsc.test")
    signer = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "ext"]
    run(["openssl", "x509", "-req", "-in", "server.csr", *signer, "-out", "server.pem"])


@pytest.mark.parametrize(
    ("name", "ca", "is_good"),
    [("smsc.test", True, True), ("other.test", True, False), ("smsc.test", False, False)],
)
async def test_tls_with_the_right_name_only(
    tmp_path: Path, name: str, ca: bool, is_good: bool
) -> None:
    make_certificates(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    trusted = {"tls_ca": tmp_path / "ca.pem"} if ca else {}
    async with running(tls=True, tls_server_name=name, **trusted) as house:
        stream = trio.SSLStream(await house.listener.accept(), context, server_side=True)
        if is_good:
            carrier = Carrier(stream)  # type: ignore[arg-type]  # it reads and writes alike
            await carrier.accept()
            await eventually(lambda: house.outlet.is_up)
            house.outlet.send([outgoing(7)])
            (number,) = await carrier.submits(1)
            await carrier.answer(number)
            assert await house.outcomes(1) == [Sent(MessageId(7), "up")]
        else:
            with pytest.raises(trio.BrokenResourceError):
                await Carrier(stream).read()  # type: ignore[arg-type]
            await eventually(lambda: "link.unreachable" in house.log.events)
            assert "certificate" in house.log.named("link.unreachable")[0]["why"].lower()
        house.life.cancel()
        await trio.aclose_forcefully(stream)


async def test_a_key_with_a_passphrase_is_told_and_asks_nobody(tmp_path: Path) -> None:
    make_certificates(tmp_path)
    run = partial(subprocess.run, check=True, capture_output=True, cwd=tmp_path)
    lock = ["-aes256", "-passout", "pass:x"]
    run(["openssl", "pkey", "-in", "server.key", *lock, "-out", "locked.key"])
    ours = {"tls_cert": tmp_path / "server.pem", "tls_key": tmp_path / "locked.key"}
    async with running(tls=True, tls_verify=False, **ours) as house:
        await eventually(lambda: "link.unreachable" in house.log.events)
        assert "passphrase" in house.log.named("link.unreachable")[0]["why"]


async def cut_again_and_again(house: House, times: int) -> None:
    for _ in range(times):
        carrier = await house.bound()
        house.outlet.send([outgoing(7)])
        await carrier.submits(1)
        linger = b"\1\0\0\0\0\0\0\0"
        carrier.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        await carrier.stream.aclose()
        await eventually(lambda: house.outlet.statistics()["bound"] == 0)


def possessions() -> tuple[int, int, int]:
    """Open files, tasks, sessions of this process."""
    gc.collect()
    sessions = sum(type(one).__name__ in {"Session", "Link"} for one in gc.get_objects())
    tasks = trio.lowlevel.current_statistics().tasks_living
    return len(list(Path("/proc/self/fd").iterdir())), tasks, sessions


@pytest.mark.timeout(110)
async def test_a_storm_of_500_cuts_leaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.fakes.upstream.PATIENCE_S", 100.0)
    monkeypatch.setattr("bridges.upstream_bind.Backoff.next_s", lambda _: 0.0)
    async with running() as house:
        await cut_again_and_again(house, 5)
        before = possessions()
        await cut_again_and_again(house, 495)
        house.streams.pop_all()
        assert possessions() <= (before[0] + 2, before[1] + 1, before[2])
        assert house.log.events.count("link.down") == 500
        assert len(house.flow.outcomes) == 500


async def test_never_two_sockets_for_one_bind() -> None:
    """A carrier that takes the connection and says nothing gets no second one meanwhile."""
    async with running(response_timeout_s=0.3) as house:
        first = await house.connected()
        assert (await first.read())[0] == C.BIND_TRANSCEIVER
        with trio.move_on_after(0.15):
            await house.connected()
            raise AssertionError("a second connection beside the first")
        second = await house.connected()
        assert (await second.read())[0] == C.BIND_TRANSCEIVER
        assert await first.stream.receive_some() == b""
        assert house.log.named("link.down")[0]["why"] == "no bind within the session_init timer"


# --- pace -------------------------------------------------------------------------------------


async def test_what_the_carrier_was_too_busy_for_comes_again_first_and_in_order() -> None:
    async with running(window=3) as house:
        carrier = await house.bound()
        house.outlet.send([outgoing(n) for n in range(3)])
        numbers = await carrier.submits(3)
        # Refused in another order, in two reads; the window is free, new ones wait behind.
        await carrier.answer(numbers[2], Status.ESME_RTHROTTLED)
        await eventually(lambda: house.outlet.statistics()["throttled"] == 1)
        await carrier.answer(numbers[0], Status.ESME_RMSGQFUL)
        await carrier.answer(numbers[1], id_=b"1")
        await eventually(lambda: house.outlet.statistics()["throttled"] == 2)
        assert house.outlet.statistics()["slowed"]
        for id_ in (b"0", b"2"):
            (number,) = await carrier.submits(1)
            await carrier.answer(number, id_=id_)
        assert await house.outcomes(3) == [
            Sent(MessageId(1), "1"),
            Sent(MessageId(0), "0"),
            Sent(MessageId(2), "2"),
        ]
        assert house.outlet.statistics()["errors"] == {"ESME_RTHROTTLED": 1, "ESME_RMSGQFUL": 1}


async def test_patience_ends() -> None:
    async with running(throttle_patience_s=0.0) as house:
        carrier = await house.bound()
        house.outlet.send([outgoing(7)])
        (number,) = await carrier.submits(1)
        await carrier.answer(number, Status.ESME_RTHROTTLED)
        assert await house.outcomes(1) == [TryLater(MessageId(7), Status.ESME_RTHROTTLED)]


async def test_patience_ends_for_those_whose_turn_does_not_come() -> None:
    async with running(throttle_patience_s=0.2) as house:
        carrier = await house.bound()
        house.outlet.send([outgoing(n) for n in range(5)])
        for number in await carrier.submits(5):
            await carrier.answer(number, Status.ESME_RMSGQFUL)
        # The next leaves after a second: the pace is at its slowest.
        outcomes = await house.outcomes(5)
        assert outcomes == [TryLater(MessageId(n), Status.ESME_RMSGQFUL) for n in range(5)]
        assert house.outlet.statistics()["waiting_here"] == 0
        assert await carrier.is_quiet()


@pytest.mark.parametrize("setting", ["rate", "bind_rate"])
async def test_a_rate_holds_messages_back(setting: str) -> None:
    async with running(**{setting: 20.0}) as house:
        carrier = await house.bound()
        began = trio.current_time()
        for id_ in range(5):
            await eventually(lambda: house.outlet.room() > 0)
            house.outlet.send([outgoing(id_)])
        await carrier.submits(5)
        assert trio.current_time() - began > 0.1


async def test_a_silent_bind_does_not_hold_up_the_rate_of_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bridges.smpp_upstream._TICK_S", PATIENCE_S * 2)
    async with running(binds=2, window=1, bind_rate=20.0) as house:
        silent, busy = [await house.connected(), await house.connected()]
        for carrier in (silent, busy):
            await carrier.accept()
        await eventually(lambda: house.outlet.statistics()["bound"] == 2)
        house.outlet.send([outgoing(1), outgoing(2)])
        await silent.submits(1)
        await busy.answer((await busy.submits(1))[0])
        await eventually(lambda: house.outlet.room() == 1)
        # Now the silent one has a full window and a full bucket: it waits for neither.
        house.outlet.send([outgoing(id_) for id_ in (3, 4, 5)])
        for _ in range(3):
            await busy.answer((await busy.submits(1))[0])


@pytest.mark.parametrize("place", [0, 1])
async def test_congestion_state_in_any_response_slows_a_link_of_5_0(place: int) -> None:
    async with running(version="5.0") as house:
        carrier = await house.bound()
        house.outlet.send([outgoing(7), outgoing(8)])
        numbers = await carrier.submits(2)
        bodies = [b"up\0", b"up\0"]
        bodies[place] += pack_tlv(Tag.CONGESTION_STATE, b"\x5f")
        answers = zip(numbers, bodies, strict=True)
        await carrier.send(b"".join(pack(SUBMIT_RESP, 0, *answer) for answer in answers))
        assert await house.outcomes(2) == [Sent(MessageId(7), "up"), Sent(MessageId(8), "up")]
        assert house.outlet.statistics()["slowed"]


async def test_a_response_of_5_0_whose_tlvs_cannot_be_read_is_an_answer() -> None:
    async with running(version="5.0") as house:
        carrier = await house.bound()
        house.outlet.send([outgoing(7), outgoing(8)])
        numbers = await carrier.submits(2)
        await carrier.send(pack(SUBMIT_RESP, 0, numbers[0], b"up\0\x04\x28\0"))
        await carrier.answer(numbers[1])
        assert await house.outcomes(2) == [Sent(MessageId(7), "up"), Sent(MessageId(8), "up")]
        assert not house.outlet.statistics()["slowed"]


async def test_the_link_window_is_shared_by_its_binds() -> None:
    async with running(binds=2, window=10, link_window=3) as house:
        for _ in range(2):
            carrier = await house.connected()
            await carrier.accept()
        await eventually(lambda: house.outlet.statistics()["bound"] == 2)
        assert house.outlet.room() == 3


async def test_a_silent_carrier_is_left_within_two_intervals() -> None:
    async with running(enquire_link_s=0.2, window=2) as house:
        carrier = await house.bound()
        house.outlet.send([outgoing(7), outgoing(8)])
        assert house.outlet.room() == 0
        began = trio.current_time()
        await eventually(lambda: "link.down" in house.log.events)
        assert 0.3 < trio.current_time() - began < 0.2 * 2 + 0.3
        assert [(await carrier.read())[0] for _ in range(3)][-1] == C.ENQUIRE_LINK
        assert house.flow.outcomes == [TryLater(MessageId(n), NO_ANSWER) for n in (7, 8)]


# --- in doubt ---------------------------------------------------------------------------------


async def test_with_hold_the_attempt_is_journalled_before_the_first_octet() -> None:
    async with running(ambiguous="hold", window=4) as house:
        carrier = await house.bound()
        house.outlet.send([outgoing(7, octets=300)])
        assert house.flow.attempts == [(7, 2)]
        assert house.outlet.room() == 2
        assert await carrier.is_quiet()
        house.flow.release()
        numbers = await carrier.submits(2)
        await carrier.answer(numbers[0])
        await house.outcomes(1)
        await carrier.stream.aclose()
        outcomes = await house.outcomes(2)
        assert outcomes == [Sent(MessageId(7), "up", 0, 2), Held(MessageId(7), NO_ANSWER, 1, 2)]
        assert house.outlet.statistics()["held"] == 1


async def test_what_was_not_written_is_in_no_doubt() -> None:
    async with running(ambiguous="hold") as house:
        carrier = await house.bound()
        house.outlet.send([outgoing(7)])
        await carrier.stream.aclose()
        await eventually(lambda: not house.outlet.is_up)
        house.flow.release()
        (outcome,) = await house.outcomes(1)
        assert outcome == TryLater(MessageId(7), NO_ANSWER)
        assert isinstance(outcome, TryLater)
        assert not outcome.is_answer


# --- control ----------------------------------------------------------------------------------


async def test_a_link_is_stopped_and_started() -> None:
    async with running(window=1) as house:
        carrier = await house.bound()
        house.outlet.send([outgoing(7, octets=300)])
        await carrier.submits(1)
        told = house.flow.room_told
        house.outlet.control("stop")
        assert house.flow.room_told > told
        assert not house.outlet.is_up
        assert house.outlet.room() == 0
        assert (await carrier.read())[0] == C.UNBIND  # which it does not answer
        assert len(await house.outcomes(2)) == 2
        await eventually(lambda: house.outlet.statistics()["bound"] == 0)
        assert house.outlet.statistics()["state"] == "stopped"
        with trio.move_on_after(0.1):
            await house.connected()
            raise AssertionError("it called while it was stopped")
        house.outlet.control("start")
        await house.bound()
        assert house.outlet.statistics()["state"] == "up"


async def test_a_start_beside_an_unanswered_unbind_binds_again() -> None:
    async with running() as house:
        carrier = await house.bound()
        house.outlet.control("stop")
        house.outlet.control("start")
        assert not house.outlet.is_up
        assert house.outlet.statistics()["state"] == "down"
        assert (await carrier.read())[0] == C.UNBIND  # which it does not answer
        again = await house.bound()
        house.outlet.send([outgoing(7)])
        await again.submits(1)


async def test_a_stop_ends_a_tls_handshake_that_stalls() -> None:
    async with running(tls=True, tls_verify=False) as house:
        carrier = await house.connected()
        assert await carrier.stream.receive_some()
        house.outlet.control("stop")
        began = trio.current_time()
        while await carrier.stream.receive_some():
            pass
        assert trio.current_time() - began < 1
        house.outlet.control("start")
        await house.connected()


async def test_a_drain_waits_for_all_answers() -> None:
    async with running() as house:
        carrier = await house.bound()
        house.outlet.send([outgoing(7)])
        (number,) = await carrier.submits(1)
        house.outlet.control("drain")
        assert (house.outlet.room(), house.outlet.is_up) == (0, False)
        assert house.outlet.statistics()["state"] == "draining"
        assert await carrier.is_quiet()
        await carrier.answer(number)
        assert await house.outcomes(1) == [Sent(MessageId(7), "up")]
        asked = await carrier.read()
        assert asked[0] == C.UNBIND
        await carrier.send(pdu(C.UNBIND | RESPONSE, asked[2]))
        await eventually(lambda: house.outlet.statistics()["state"] == "stopped")


def written_s_ago(house: House) -> Any:
    return house.outlet.statistics()["written_s_ago"]


async def test_all_that_is_written_counts_as_written() -> None:
    async with running() as house:
        assert written_s_ago(house) is None
        carrier = await house.bound()
        assert written_s_ago(house) is not None
        bind = house.outlet._binds[0]
        bind.written_at = 0.0
        assert written_s_ago(house) is None
        await carrier.send(pdu(C.ENQUIRE_LINK, 9))
        assert (await carrier.read())[0] == C.ENQUIRE_LINK | RESPONSE
        assert written_s_ago(house) is not None


async def test_who_never_said_a_word_was_not_heard() -> None:
    async with running() as house:
        carrier = await house.connected()
        assert (await carrier.read())[0] == C.BIND_TRANSCEIVER
        assert house.outlet.statistics()["heard_s_ago"] is None
        await carrier.send(pdu(C.BIND_TRANSCEIVER | RESPONSE, 1, b"carrier\0"))
        await eventually(lambda: house.outlet.statistics()["heard_s_ago"] is not None)
        await carrier.stream.aclose()
        carrier = await house.connected()
        assert house.outlet.statistics()["heard_s_ago"] is not None


async def test_a_drain_of_a_stopped_link_does_not_bind_it() -> None:
    async with running() as house:
        await house.bound()
        house.outlet.control("stop")
        house.outlet.control("drain")
        assert not house.outlet.may_bind
        assert house.outlet.statistics()["state"] == "stopped"


async def test_what_people_see_of_a_link() -> None:
    async with running() as house:
        assert house.outlet.statistics()["state"] == "down"
        carrier = await house.bound()
        house.outlet.send([outgoing(7)])
        (number,) = await carrier.submits(1)
        await carrier.answer(number, Status.ESME_RINVDSTADR)
        await house.outcomes(1)
        facts: dict[str, Any] = dict(house.outlet.statistics())
        assert facts["state"] == "up"
        assert 0 <= facts["uptime_s"] < PATIENCE_S
        assert 0 <= facts["heard_s_ago"] <= facts["uptime_s"] + 0.1
        assert facts["written_s_ago"] is not None
        assert (facts["window_used"], facts["window"], facts["waiting_here"]) == (0, 100, 0)
        assert facts["errors"] == {"ESME_RINVDSTADR": 1}
        assert (facts["rate_limit"], facts["ids"]) == (None, "same")
