"""TLS on the SMPP listener: handshakes, large writes, certificates that change under way."""

import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any

import pytest
import trio

from pdu.commands import RESPONSE
from smsc.tls import TlsFiles
from tests.fakes.certificates import Authority
from tests.fakes.house import eventually, read_config
from tests.fakes.ports import delivery
from tests.fakes.server import BIND_RESP, Peer, ServedHouse, bind, serving
from tests.fakes.wire import DELIVER, SUBMIT, C, pdu
from tests.flow.process import GatewayProcess, write_config

ACCOUNT = '[accounts.demo]\npassword = "demo"\nwindow = 2000\n'
ENQUIRE_RESP = C.ENQUIRE_LINK | RESPONSE
Start = Callable[..., AbstractAsyncContextManager[ServedHouse]]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def start(tmp_path: Path, authority: Authority) -> Start:
    cert, key = authority.issue("server")

    def running(smpp: str = "") -> AbstractAsyncContextManager[ServedHouse]:
        tls = f'listen_tls = ["127.0.0.1:0"]\ntls_cert = "{cert}"\ntls_key = "{key}"\n{smpp}'
        return serving(read_config(ACCOUNT, tmp_path, smpp=tls))

    return running


async def bound(house: ServedHouse, context: ssl.SSLContext) -> Peer:
    peer = await house.connect_tls(context)
    assert await peer.ask(bind("demo", "demo")) == (BIND_RESP, 0, 1)
    return peer


def test_a_key_with_a_passphrase_is_told_and_asks_nobody(authority: Authority) -> None:
    cert, key = authority.issue("server")
    locked = key.with_name("locked.key")
    command = f"openssl pkey -in {key} -aes256 -passout pass:x -out {locked}"
    subprocess.run(command.split(), check=True)
    with pytest.raises(OSError, match="passphrase"):
        TlsFiles(cert, locked, None, "none").context()


async def test_a_session_over_tls(start: Start, authority: Authority) -> None:
    async with start() as house:
        peer = await bound(house, authority.client_context())
        await peer.send(b"".join(pdu(C.SUBMIT_SM, n, SUBMIT) for n in (2, 3)))
        assert [(await peer.read())[:3] for _ in range(2)] == [
            (C.SUBMIT_SM | RESPONSE, 0, n) for n in (2, 3)
        ]
        # The plain listener is beside it.
        assert (await (await house.connect()).ask(bind("demo", "demo")))[1] == 0


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_more_than_a_socket_takes_arrives_whole_both_ways(
    start: Start, authority: Authority, version: ssl.TLSVersion
) -> None:
    context = authority.client_context()
    context.minimum_version = context.maximum_version = version
    count = 2000
    async with start() as house:
        peer = await bound(house, context)
        _, receiver = house.mailboxes.attached[0]
        body = DELIVER + b"\x14\x01\x02\x00" + bytes(512)
        for first in range(0, count, 500):
            receiver.deliver([delivery(first + n, body) for n in range(500)])

        async def answer() -> None:
            for _ in range(count):
                asked = await peer.read()
                assert asked[0::3] == (C.DELIVER_SM, body)
            await peer.send(
                b"".join(pdu(C.DELIVER_SM | RESPONSE, n, b"\0") for n in range(1, count + 1))
            )

        await answer()
        await eventually(lambda: len(house.mailboxes.outcomes) == count)


@pytest.mark.parametrize(
    ("demand", "name", "may"),
    [
        ("none", None, True),
        ("optional", None, True),
        ("optional", "client", True),
        ("required", "client", True),
        ("required", None, False),
        ("required", "stranger", False),
        ("optional", "stranger", False),
    ],
)
async def test_client_certificates(
    start: Start, authority: Authority, tmp_path: Path, demand: str, name: str | None, may: bool
) -> None:
    context = authority.client_context("client" if name == "client" else None)
    if name == "stranger":
        (tmp_path / "other").mkdir()
        context.load_cert_chain(*Authority(tmp_path / "other").issue("stranger"))
    smpp = f'tls_ca = "{authority.cert}"\ntls_client_certificates = "{demand}"'
    async with start(smpp=smpp) as house:
        if may:
            await bound(house, context)
            return
        # In TLS 1.3 the client has finished before it hears that it is refused.
        with pytest.raises((trio.BrokenResourceError, AssertionError)):
            await bound(house, context)
        await eventually(lambda: "tls.failed" in house.log.events)


async def test_nothing_below_1_2_and_nothing_in_clear(start: Start, authority: Authority) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(authority.cert)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with start() as house:
        with pytest.raises(trio.BrokenResourceError):
            await house.connect_tls(old)
        plain = Peer(await trio.open_tcp_stream(*house.addresses[-1]))
        async with plain.stream:
            await plain.send(bind("demo", "demo"))
            with suppress(trio.BrokenResourceError):
                assert (await plain.stream.receive_some())[:1] == b"\x15"  # a TLS alert
        await eventually(lambda: house.log.events.count("tls.failed") == 2)
        assert len(house.bindings) == 0


async def test_a_handshake_that_does_not_come_is_not_waited_for(start: Start) -> None:
    async with start(smpp="session_init_s = 0.1") as house:
        stream = await trio.open_tcp_stream(*house.addresses[-1])
        async with stream:
            assert await stream.receive_some() == b""


async def test_unbind_ends_with_a_goodbye_that_is_no_cut(
    start: Start, authority: Authority
) -> None:
    context = authority.client_context()
    async with start() as house:
        plain = await trio.open_tcp_stream(*house.addresses[-1])
        # Without https_compatible a missing close_notify is an error.
        stream = trio.SSLStream(plain, context, server_hostname="localhost")
        house.peers.push_async_callback(trio.aclose_forcefully, stream)
        peer = Peer(stream)
        assert await peer.ask(bind("demo", "demo")) == (BIND_RESP, 0, 1)
        assert await peer.ask(pdu(C.UNBIND, 2)) == (C.UNBIND | RESPONSE, 0, 2)
        assert await peer.stream.receive_some() == b""


def serial(peer: Peer) -> Any:
    assert isinstance(peer.stream, trio.SSLStream)
    return peer.stream.getpeercert()["serialNumber"]


@pytest.mark.parametrize("is_asked", [True, False], ids=["asked", "files changed"])
async def test_new_certificates_are_for_new_handshakes_and_drop_nobody(
    start: Start, authority: Authority, is_asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsc.server._TICK_S", 0.02)
    context = authority.client_context()
    async with start() as house:
        early = await bound(house, context)
        authority.issue("server")
        if is_asked:
            house.server.reload_certificates()
        await eventually(lambda: "tls.reloaded" in house.log.events)
        late = await bound(house, context)
        assert serial(late) != serial(early)
        for peer in (early, late):
            assert await peer.ask(pdu(C.ENQUIRE_LINK, 2)) == (ENQUIRE_RESP, 0, 2)


async def test_files_that_do_not_fit_leave_the_old_ones(
    start: Start, authority: Authority, tmp_path: Path
) -> None:
    context = authority.client_context()
    async with start() as house:
        (tmp_path / "server.key").write_text("no key")
        house.server.reload_certificates()
        assert house.log.events.count("tls.not_reloaded") == 1
        (tmp_path / "server.key").unlink()
        house.server.reload_certificates()
        assert house.log.events.count("tls.not_reloaded") == 2
        await bound(house, context)


def test_a_start_with_unusable_files_fails_and_says_so(tmp_path: Path) -> None:
    files = TlsFiles(tmp_path / "none.pem", tmp_path / "none.key", None, "none")
    with pytest.raises(OSError, match="No such file"):
        files.context()


def test_a_gateway_that_gets_sighup_reads_its_certificates_again_and_lives(
    tmp_path: Path, authority: Authority
) -> None:
    cert, key = authority.issue("server")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = write_config(tmp_path)
    listen = f'listen_tls = ["127.0.0.1:{port}"]\ntls_cert = "{cert}"\ntls_key = "{key}"\n'
    config.write_text(config.read_text().replace("[http]", listen + "[http]"))
    context = authority.client_context()

    def shown() -> bytes | None:
        with (
            socket.create_connection(("127.0.0.1", port), 10) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as stream,
        ):
            return stream.getpeercert(binary_form=True)

    with GatewayProcess(config) as gateway:
        first = shown()
        authority.issue("server")
        os.kill(gateway._process.pid, signal.SIGHUP)
        until = time.monotonic() + 8  # before the gateway would look by itself
        while shown() == first:
            assert time.monotonic() < until
        assert gateway.stop() == 0
