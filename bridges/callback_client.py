"""The HTTP client of callbacks: connects to an address that was checked, and to no other.

*In*: a `CallbackRequest`. *Out*: what the host answered, or in a few words why it did not.
*Never*: redirects, proxies, cookies; an exception for what a host does; more than `ANSWER_OCTETS`
of an answer.

A name is resolved once for each connection; the addresses are judged (`callback_address`) and the
connection goes to one of those. Nobody asks the resolver a second time, so that a name which
changes its mind in between (DNS rebinding) gains nothing. TLS still checks the name.
"""

import base64
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import httpcore2
import trio

from bridges.callback_address import may_call
from bridges.callbacks.retry import Answered, Unanswered
from bridges.callbacks.style import CallbackRequest, CallbackResponse

TIMEOUT_S: Final = 15.0
"""From connecting to the end of the answer."""
CONNECT_S: Final = 5.0
"""For each address of a host."""
MAX_ADDRESSES: Final = 4
ANSWER_OCTETS: Final = 16 * 1024
ANSWER_S: Final = 1.0
"""How much of an answer's body is read, and for how long; a longer one is cut."""
KEEP_ALIVE_S: Final = 15.0
_LOOKUPS: Final = 64
"""Names looked up at a time. A resolver that hangs must not use up the threads of others."""

Networks = Sequence[IPv4Network | IPv6Network]
Resolve = Callable[[str, int], Awaitable[list[str]]]
"""From a host's name and a port to its addresses, in the order to try."""


class ForbiddenAddressError(Exception):
    """All addresses of a host lie in networks that callbacks may not reach."""


class CallbackClient:
    """Sends requests and keeps connections; see `make_client`."""

    def __init__(self, pool: httpcore2.AsyncConnectionPool, timeout_s: float) -> None:
        self._pool = pool
        self._timeout_s = timeout_s

    async def send(self, request: CallbackRequest) -> Answered | Unanswered:
        """One exchange, within the client's time."""
        target = _target(request)
        if isinstance(target, Unanswered):
            return target
        try:
            with trio.fail_after(self._timeout_s):
                return await self._exchange(request, *target)
        except trio.TooSlowError:
            return Unanswered(f"no answer within {self._timeout_s:g} s")
        except ForbiddenAddressError as error:
            return Unanswered(str(error), is_final=True)
        except _TROUBLE as error:
            return Unanswered(type(error).__name__)

    async def _exchange(
        self, request: CallbackRequest, url: str, headers: list[tuple[str, str]]
    ) -> Answered:
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), self._timeout_s)
        async with self._pool.stream(
            request.method,
            url,
            headers=headers,
            content=request.body,
            extensions={"timeout": timeouts},
        ) as response:
            chunks: list[bytes] = []
            octets = 0
            # Styles look at the status, some at a word in the body. The rest is read only so
            # that the connection can be used again; a scope ends that, because the client's
            # generators unwind well only when they are cancelled from within.
            with trio.move_on_after(ANSWER_S) as reading:
                async for chunk in response.aiter_stream():
                    chunks.append(chunk)
                    octets += len(chunk)
                    if octets > ANSWER_OCTETS:
                        reading.cancel()
            answer = CallbackResponse(response.status, b"".join(chunks)[:ANSWER_OCTETS])
            return Answered(answer, _retry_after_s(response.headers))


@asynccontextmanager
async def make_client(
    networks: Callable[[], Networks] = tuple,
    *,
    timeout_s: float = TIMEOUT_S,
    resolve: Resolve | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[CallbackClient]:
    """A client; `networks` are allowed besides public addresses, as they are when it is asked."""
    pool = httpcore2.AsyncConnectionPool(
        ssl_context=tls or ssl.create_default_context(),
        max_connections=None,
        max_keepalive_connections=256,
        keepalive_expiry=KEEP_ALIVE_S,
        network_backend=CheckedBackend(networks, resolve or make_resolver()),
    )
    try:
        yield CallbackClient(pool, timeout_s)
    finally:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + 1.0):
            await pool.aclose()


class CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Resolves, judges, connects: one after the other, with the same address."""

    def __init__(self, networks: Callable[[], Networks], resolve: Resolve) -> None:
        self._networks = networks
        self._resolve = resolve
        self._tcp = httpcore2.TrioBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 the signature is the library's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A connection to the first of the host's permitted addresses that takes one."""
        try:
            addresses = await self._resolve(host, port)
        except OSError as error:
            raise httpcore2.ConnectError(error) from error
        allowed = self._networks()
        permitted = [one for one in addresses if may_call(one, allowed)][:MAX_ADDRESSES]
        if not permitted:
            raise ForbiddenAddressError(
                f"{host} is at {', '.join(addresses[:2]) or 'no address'}, where callbacks may "
                "not go unless [http] callback_networks allows it"
            )
        last: Exception | None = None
        for address in permitted:
            try:
                return await self._tcp.connect_tcp(
                    address,
                    port,
                    min(CONNECT_S, timeout or CONNECT_S),
                    local_address,
                    socket_options or (),
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                last = error
        assert last is not None
        raise last

    async def sleep(self, seconds: float) -> None:
        """Part of the library's interface; nothing here asks it to retry."""
        await trio.sleep(seconds)


def make_resolver() -> Resolve:
    """The system's resolver, in threads of its own number."""
    limiter = trio.CapacityLimiter(_LOOKUPS)

    def look_up(host: str, port: int) -> list[str]:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))

    async def resolve(host: str, port: int) -> list[str]:
        return await trio.to_thread.run_sync(
            look_up, host, port, abandon_on_cancel=True, limiter=limiter
        )

    return resolve


def _target(request: CallbackRequest) -> tuple[str, list[tuple[str, str]]] | Unanswered:
    """The URL without user and fragment, and all headers; or why it cannot be called."""
    try:
        url = urlsplit(request.url)
        host, _ = url.hostname or "", url.port
    except ValueError:
        return Unanswered("the URL is not valid", is_final=True)
    if url.scheme not in {"http", "https"} or not host or not _is_clean(request.url):
        return Unanswered("the URL is not valid", is_final=True)
    headers = [("User-Agent", "smsc-gateway"), ("Accept", "*/*"), *request.headers]
    user, at, place = url.netloc.rpartition("@")
    if at:
        name, _, password = user.partition(":")
        credentials = f"{unquote(name)}:{unquote(password)}".encode()
        headers.append(("Authorization", "Basic " + base64.b64encode(credentials).decode()))
    return url._replace(netloc=place, fragment="").geturl(), headers


def _is_clean(url: str) -> bool:
    """Printable ASCII without spaces, as RFC 3986 has it."""
    return url.isascii() and url.isprintable() and " " not in url


def _retry_after_s(headers: Sequence[tuple[bytes, bytes]]) -> float:
    """Seconds of Retry-After (RFC 9110 §10.2.3); a date counts from the Date beside it.

    So neither clock has to be right, and none is read here.
    """
    told = {name.lower(): value for name, value in headers}
    wish = told.get(b"retry-after", b"")
    if wish.isdigit():
        return float(wish[:9])
    try:
        until, now = (
            parsedate_to_datetime(value.decode("ascii")) for value in (wish, told.get(b"date", b""))
        )
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):  # no date; or only one of the two names a zone
        return 0.0


_TROUBLE: Final = (
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.TimeoutException,
    httpcore2.UnsupportedProtocol,
    ssl.SSLError,
    OSError,
)
