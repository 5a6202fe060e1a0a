"""The way to an LDAP server: what it says before TLS, what it does not, and who may listen."""

import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import unquote

import pytest
import trio
import trio.testing

from smsc.directory.ldap_tunnel import tunnel
from tests.fakes.certificates import Authority

Serve = Callable[[trio.SocketStream], Awaitable[None]]
ACCEPTED = bytes.fromhex("300c02010178070a010004000400")
REFUSED = bytes.fromhex("300c02010178070a013404000400")
LONG = (
    bytes.fromhex("3081cb020101") + bytes.fromhex("7881c50a01000400") + b"\x04\x81\xbd" + 189 * b"x"
)


async def listening(nursery: trio.Nursery, serve: Serve) -> int:
    """A server on a free port; the port."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    nursery.start_soon(trio.serve_listeners, serve, [listener])
    return int(listener.socket.getsockname()[1])


async def echo(stream: trio.abc.Stream) -> None:
    async for octets in stream:
        await stream.send_all(octets.upper())


async def said(url: str, context: ssl.SSLContext | None, words: bytes = b"hello") -> bytes:
    """What the server answers through the tunnel."""
    async with tunnel(url, context) as door:
        place = Path(unquote(door.removeprefix("ldapi://")))
        assert place.parent.stat().st_mode & 0o777 == 0o700
        async with await trio.open_unix_socket(str(place)) as stream:
            await stream.send_all(words)
            answer = bytes(await stream.receive_some(100))
    assert not place.parent.exists()
    return answer


async def test_octets_go_there_and_back(tmp_path: Path, nursery: trio.Nursery) -> None:
    port = await listening(nursery, echo)
    assert await said(f"ldap://127.0.0.1:{port}", None) == b"HELLO"
    inside = trio.socket.socket(trio.socket.AF_UNIX)
    await inside.bind(str(tmp_path / "ldapi"))
    inside.listen(1)
    nursery.start_soon(trio.serve_listeners, echo, [trio.SocketListener(inside)])
    assert await said(f"ldapi://{str(tmp_path / 'ldapi').replace('/', '%2F')}", None) == b"HELLO"


@pytest.mark.parametrize("answer", [ACCEPTED, LONG, b""])
async def test_tls_is_asked_for_or_there_from_the_start(
    tmp_path: Path, nursery: trio.Nursery, answer: bytes
) -> None:
    authority = Authority(tmp_path)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(*authority.issue("server"))

    async def serve(stream: trio.SocketStream) -> None:
        if answer:
            asked = await stream.receive_some(100)
            assert asked == bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
            for octet in answer:  # as slowly as it may come
                await stream.send_all(bytes((octet,)))
        await echo(trio.SSLStream(stream, server, server_side=True))

    port = await listening(nursery, serve)
    scheme = "ldap" if answer else "ldaps"
    url = f"{scheme}://localhost:{port}"
    assert await said(url, ssl.create_default_context(cafile=str(authority.cert))) == b"HELLO"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (REFUSED, "refuses StartTLS"),
        (ACCEPTED + b"x", "refuses StartTLS"),  # said in the clear, behind the answer
        (bytes.fromhex("300c02010177070a010004000400"), "refuses StartTLS"),
        (bytes.fromhex("040c02010178070a010004000400"), "refuses StartTLS"),
        (bytes.fromhex("3003020101"), "refuses StartTLS"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n" + 80 * b"x", "refuses StartTLS"),
        (b"\x30\xff" + 200 * b"x", "does not speak LDAP"),
        (b"", "ended the connection"),
    ],
)
async def test_a_server_that_does_not_start_tls_gets_no_password(
    nursery: trio.Nursery, answer: bytes, why: str
) -> None:
    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some(100)
        await stream.send_all(answer)
        await stream.send_eof()
        assert b"hello" not in await stream.receive_some(100)

    port = await listening(nursery, serve)
    with pytest.raises(OSError, match=why):
        await said(f"ldap://127.0.0.1:{port}", ssl.create_default_context())


async def test_a_certificate_that_nobody_vouches_for_ends_it(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(*Authority(tmp_path).issue("server"))

    async def serve(stream: trio.SocketStream) -> None:
        with pytest.raises(trio.BrokenResourceError):
            await trio.SSLStream(stream, server, server_side=True).do_handshake()

    port = await listening(nursery, serve)
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        await said(f"ldaps://localhost:{port}", ssl.create_default_context())


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
async def test_who_waits_for_a_server_that_falls_silent_can_be_called_off(
    nursery: trio.Nursery, scheme: str, autojump_clock: trio.testing.MockClock
) -> None:
    async def serve(stream: trio.SocketStream) -> None:
        if scheme == "ldap":
            await stream.receive_some(100)
            await stream.send_all(ACCEPTED)
        await stream.receive_some(4096)
        await trio.sleep_forever()

    port = await listening(nursery, serve)
    with trio.move_on_after(5) as patience:
        await said(f"{scheme}://127.0.0.1:{port}", ssl.create_default_context())
    assert patience.cancelled_caught


async def test_nobody_there_is_said_at_once() -> None:
    with pytest.raises(OSError):
        await said("ldap://127.0.0.1:1", None)
