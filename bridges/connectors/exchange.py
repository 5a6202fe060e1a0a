"""One HTTP exchange with a service, and what is known when it fails: was the request sent?

*In*: a `Request`. *Out*: a `Response`, `NotSent` (it cannot have the message: safe to try again)
or `NoAnswer` (it may). *Never*: redirects, cookies, the environment's proxies, an exception.

httpx2's transport is used without its client: requests come ready from the services, and the
client costs as much again as the transport (bench/connectors.py). Whether a request left is known
by its body: the transport asks for it once the headers are written, and only then.
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Final, Self

import attrs
import httpx2
import trio

from bridges.connectors.service import Request, Response
from bridges.connectors.settings import ConnectorConfig

ANSWER_OCTETS: Final = 256 * 1024
"""An answer longer than this is none of an SMS service."""
_IDLE_S: Final = 30.0
"""How long an idle connection is kept; many servers close theirs after a minute."""

_OF_CONNECTING: Final = 0.45
"""The transport times TCP and TLS each. Both must end before the whole time does: it closes what
it gives up on, but not what is cancelled in a handshake."""


@attrs.frozen
class NotSent:
    """The service has nothing of it."""

    why: str
    is_hopeless: bool = False
    """The request itself cannot be made; another attempt would end in the same way."""


@attrs.frozen
class NoAnswer:
    """The request left, and no whole answer came."""

    why: str


Exchanged = Response | NotSent | NoAnswer


class _Body(httpx2.AsyncByteStream):
    """The octets of a request; remembers if they were asked for."""

    __slots__ = ("_octets", "is_sent")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.is_sent = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.is_sent = True
        if self._octets:
            yield self._octets


class Exchanger:
    """The connections of one connector, kept open: `async with` it, then `exchange`.

    Each connection is a transport of its own, taken from the top of a stack: the transport's pool
    looks through all its connections for each request, which at 50 of them costs a third of a
    message. The stack keeps the newest in use, and grows to as many as exchanges run at a time.
    """

    def __init__(self, config: ConnectorConfig) -> None:
        self._tls = _tls_context(config)
        self._proxy = httpx2.Proxy(config.proxy.value) if config.proxy.value else None
        self._free: list[httpx2.AsyncHTTPTransport] = []
        self._transports = AsyncExitStack()
        self._total_s = config.timeout_s
        self._extensions: dict[str, object] = {
            "timeout": {
                "connect": min(config.connect_timeout_s, config.timeout_s) * _OF_CONNECTING,
                "read": config.read_timeout_s,
                "write": config.read_timeout_s,
                "pool": config.timeout_s,
            }
        }
        if config.tls_name:
            self._extensions["sni_hostname"] = config.tls_name
        self._urls: dict[str, tuple[httpx2.URL, str]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + 1.0):
            await self._transports.aclose()

    async def exchange(self, request: Request) -> Exchanged:
        """Send one request and read its answer, within the time that the settings give."""
        body = _Body(request.body)
        try:
            prepared = self._prepare(request, body)
        except (httpx2.InvalidURL, ValueError) as error:
            return NotSent(f"no request can be made: {error}", is_hopeless=True)
        transport = self._free.pop() if self._free else await self._opened()
        try:
            return await self._within_time(transport, prepared, body)
        finally:
            self._free.append(transport)

    async def _opened(self) -> httpx2.AsyncHTTPTransport:
        """One connection more; it is made when first used."""
        transport = httpx2.AsyncHTTPTransport(
            verify=self._tls,
            trust_env=False,
            limits=httpx2.Limits(max_connections=1, keepalive_expiry=_IDLE_S),
            proxy=self._proxy,
        )
        return await self._transports.enter_async_context(transport)

    async def _within_time(
        self, transport: httpx2.AsyncHTTPTransport, prepared: httpx2.Request, body: _Body
    ) -> Exchanged:
        with trio.move_on_after(self._total_s):
            try:
                return await _answer(transport, prepared)
            except httpx2.LocalProtocolError as error:
                return NotSent(f"no request can be made: {error}", is_hopeless=True)
            except httpx2.ProxyError as error:
                return NotSent(f"the proxy refused: {error}")
            except httpx2.TransportError as error:
                why = _why(error)
                return NoAnswer(why) if body.is_sent else NotSent(why)
        why = f"no answer within {self._total_s:g} s"
        return NoAnswer(why) if body.is_sent else NotSent(why)

    def _prepare(self, request: Request, body: _Body) -> httpx2.Request:
        known = self._urls.get(request.url)
        if known is None:
            url = httpx2.URL(request.url)
            if url.scheme not in {"http", "https"} or not url.host:
                raise ValueError("its URL is not absolute")  # which may hold a secret
            known = url, url.netloc.decode("ascii")
            if len(self._urls) < 100:  # those of a GET differ each time
                self._urls[request.url] = known
        headers = [("Host", known[1]), ("User-Agent", "smsc-gateway"), ("Accept", "*/*")]
        headers += request.headers
        if request.body or request.method not in {"GET", "DELETE"}:
            headers.append(("Content-Length", str(len(request.body))))
        return httpx2.Request(
            request.method, known[0], headers=headers, stream=body, extensions=self._extensions
        )


async def _answer(transport: httpx2.AsyncHTTPTransport, request: httpx2.Request) -> Exchanged:
    response = await transport.handle_async_request(request)
    chunks: list[bytes] = []
    octets = 0
    try:
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        # A scope ends a long answer: the transport's generators unwind well only from within.
        with trio.CancelScope() as reading:
            async for chunk in response.stream:
                chunks.append(chunk)
                octets += len(chunk)
                if octets > ANSWER_OCTETS:
                    reading.cancel()
    finally:
        await response.aclose()
    if octets > ANSWER_OCTETS:
        return NoAnswer(f"the answer is longer than {ANSWER_OCTETS} octets")
    headers = {
        name.decode("ascii", "replace").lower(): value.decode("latin-1")
        for name, value in response.headers.raw
    }
    return Response(response.status_code, headers, b"".join(chunks))


def _why(error: BaseException) -> str:
    """The name of an error, and the sentence of the first one beneath it that has one."""
    beneath: BaseException | None = error
    while beneath is not None:
        if str(beneath):
            return f"{type(error).__name__}: {beneath}"
        beneath = beneath.__cause__ or beneath.__context__
    return type(error).__name__


def _tls_context(config: ConnectorConfig) -> ssl.SSLContext:
    """Always verified, by name and chain; against `tls_ca` alone where it is given.

    Raises OSError (ssl.SSLError is one) for files that cannot be used.
    """
    context = ssl.create_default_context(cafile=str(config.tls_ca) if config.tls_ca else None)
    if config.tls_cert is not None:
        context.load_cert_chain(config.tls_cert, config.tls_key)
    return context
