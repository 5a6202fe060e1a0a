"""The way to an LDAP server that never blocks: names, connections and TLS are Trio's.

*In*: the server's URL, whether StartTLS is wanted. *Out*: the URL of a Unix socket of ours, behind
which octets go to the server and back, for one connection of libldap.
*Never*: libldap near a network: it looks names up, connects and shakes hands for TLS in the
calling thread with the interpreter locked, so a server that falls silent in a handshake would stop
the whole gateway (tried with bonsai 1.5 and OpenLDAP 2.5, 2026-11-28: also from a thread).
"""

import shutil
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

import trio

_PORTS: Final = {"ldap": 389, "ldaps": 636}
_CHUNK: Final = 16 * 1024
_START_TLS: Final = bytes.fromhex("301d020101771880") + b"\x161.3.6.1.4.1.1466.20037"
"""LDAPMessage 1, ExtendedRequest 1.3.6.1.4.1.1466.20037 (RFC 4511 §4.14)."""
_LONGEST_ANSWER: Final = 64 * 1024
_SUCCESS: Final = 0
_EXTENDED_RESPONSE: Final = 0x78


@asynccontextmanager
async def tunnel(url: str, context: ssl.SSLContext | None) -> AsyncIterator[str]:
    """Connect, and give the URL to use instead within the block.

    :param context: for ldaps, or for StartTLS; None = neither.
    :raises OSError: there is no way to the server, or no trust in it.
    """
    server = await _connected(url, context)
    caught: Exception | None = None
    place = Path(tempfile.mkdtemp(prefix="smsc-ldap-"))  # 0700: nobody else comes in
    try:
        with trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM) as door:
            await door.bind(str(place / "door"))
            door.listen(1)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_relay, door, server)
                try:
                    yield f"ldapi://{quote(str(place / 'door'), safe='')}"
                except Exception as error:  # noqa: BLE001 - raised again below, out of a group
                    caught = error
                nursery.cancel_scope.cancel()
        if caught is not None:
            raise caught
    finally:
        shutil.rmtree(place, ignore_errors=True)
        await trio.aclose_forcefully(server)


async def _connected(url: str, context: ssl.SSLContext | None) -> trio.abc.Stream:
    parts = urlsplit(url)
    if parts.scheme == "ldapi":
        return await trio.open_unix_socket(unquote(parts.netloc + parts.path).rstrip("/"))
    host = parts.hostname or "localhost"
    stream = await trio.open_tcp_stream(host, parts.port or _PORTS[parts.scheme])
    if context is None:
        return stream
    try:
        if parts.scheme == "ldap":
            await _start_tls(stream)
        secured = trio.SSLStream(stream, context, server_hostname=host)
        await secured.do_handshake()
    except (trio.BrokenResourceError, OSError) as error:
        await trio.aclose_forcefully(stream)
        raise ConnectionError(f"TLS failed: {error.__cause__ or error}") from error
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return secured


async def _start_tls(stream: trio.abc.Stream) -> None:
    """Ask for TLS in the clear, before anything else is said.

    What comes behind the answer and before the handshake is not ours to trust, so nothing may.
    """
    await stream.send_all(_START_TLS)
    told = b""
    while (end := _end_of_element(told)) is None or len(told) < end:
        octets = await stream.receive_some(_CHUNK)
        if not octets or len(told) > _LONGEST_ANSWER:
            raise ConnectionError("the server ended the connection instead of an answer")
        told += octets
    if len(told) > end or _result_of(told) != _SUCCESS:
        raise ConnectionError("the server refuses StartTLS")


def _end_of_element(octets: bytes, at: int = 0) -> int | None:
    """Where the BER element at `at` ends (X.690 §8.1.3); None while its length is not there."""
    body = _body_of(octets, at)
    return None if body is None else body[1]


def _body_of(octets: bytes, at: int) -> tuple[int, int] | None:
    """(first octet, end) of the content of the element at `at`."""
    if len(octets) < at + 2:
        return None
    length = octets[at + 1]
    if length < 0x80:
        return at + 2, at + 2 + length
    size = length & 0x7F
    if not 0 < size <= 4:
        raise ConnectionError("the server does not speak LDAP")
    if len(octets) < at + 2 + size:
        return None
    start = at + 2 + size
    return start, start + int.from_bytes(octets[at + 2 : start], "big")


def _result_of(message: bytes) -> int:
    """The resultCode of an ExtendedResponse; -1 if it is none (RFC 4511 §4.1.9, §4.12)."""
    sequence = _body_of(message, 0)
    if sequence is None or message[0] != 0x30:
        return -1
    response = _end_of_element(message, sequence[0])  # behind the message id
    if response is None or response >= len(message) or message[response] != _EXTENDED_RESPONSE:
        return -1
    code = _body_of(message, response)
    value = _body_of(message, code[0]) if code is not None else None
    if code is None or value is None or message[code[0]] != 0x0A:
        return -1
    return int.from_bytes(message[value[0] : value[1]], "big")


async def _relay(door: trio.socket.SocketType, server: trio.abc.Stream) -> None:
    """Octets of the one who comes in, to the server and back, until either ends."""
    sock, _ = await door.accept()
    client = trio.SocketStream(sock)
    async with client, trio.open_nursery() as nursery:

        async def pump(source: trio.abc.Stream, target: trio.abc.Stream) -> None:
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                while octets := await source.receive_some(_CHUNK):
                    await target.send_all(octets)
            nursery.cancel_scope.cancel()

        nursery.start_soon(pump, client, server)
        nursery.start_soon(pump, server, client)
