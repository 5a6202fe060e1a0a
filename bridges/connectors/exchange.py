"""One HTTP exchange with a service, and what is known when it fails: was the request sent?

*In*: a `Request`. *Out*: a `Response`, `NotSent` (it cannot have the message: safe to try again)
or `NoAnswer` (it may). *Never*: redirects, cookies, the environment's proxies, an exception.

Whether a request left is known by its body: httpcore2 asks for it once the headers are written,
and only then. httpcore2's connections are used without its pool and without httpx2 above it:
requests come ready from the services, and each of the two costs as much as our whole driver
(bench/connectors.py).
"""

import ssl
from collections.abc import AsyncIterable, AsyncIterator
from typing import Final, Self

import attrs
import httpcore2
import httpx2
import trio

from bridges.connectors.service import Request, Response
from bridges.connectors.settings import ConnectorConfig
from smsc.tls import no_passphrase

ANSWER_OCTETS: Final = 256 * 1024
"""An answer longer than this is none of an SMS service."""
_IDLE_S: Final = 30.0
"""How long an idle connection is kept; many servers close theirs after a minute."""

_KNOWN_URLS: Final = 100
_ALWAYS: Final = ((b"User-Agent", b"smsc-gateway"), (b"Accept", b"*/*"))
_TROUBLE: Final = (
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.TimeoutException,
    httpcore2.UnsupportedProtocol,
    OSError,
)
_OF_CONNECTING: Final = 0.45
"""httpcore2 times TCP and TLS each. Both must end before the whole time does: it closes what it
gives up on, but not what is cancelled in a handshake."""


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


class _Body:
    """The octets of a request; remembers if they were asked for."""

    __slots__ = ("_octets", "is_sent")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.is_sent = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.is_sent = True
        if self._octets:
            yield self._octets


_Line = httpcore2.AsyncHTTPConnection | httpcore2.AsyncConnectionPool
"""A connection, or the way through a proxy."""


class Exchanger:
    """The connections of one connector, kept open: `async with` it, then `exchange`.

    They lie on a stack for each origin, so the newest are used again. It grows to as many as
    exchanges run at a time; a connection that the service closed meanwhile is not used.
    """

    def __init__(self, config: ConnectorConfig) -> None:
        self._tls = _tls_context(config)
        self._proxy = _proxy(config)
        self._free: dict[tuple[bytes, bytes, int | None], list[_Line]] = {}
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
        self._urls: dict[str, tuple[httpcore2.URL, bytes]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + 1.0):
            for lines in self._free.values():
                for line in lines:
                    await line.aclose()

    async def exchange(self, request: Request) -> Exchanged:
        """Send one request and read its answer, within the time that the settings give."""
        body = _Body(request.body)
        try:
            prepared = self._prepare(request, body)
        except (httpx2.InvalidURL, ValueError) as error:
            return NotSent(f"no request can be made: {error}", is_hopeless=True)
        url = prepared.url
        free = self._free.setdefault((url.scheme, url.host, url.port), [])
        line = await self._line(free, url)
        try:
            return await self._within_time(line, prepared, body)
        finally:
            if isinstance(line, httpcore2.AsyncConnectionPool) or not line.is_closed():
                free.append(line)

    async def _line(self, free: list[_Line], url: httpcore2.URL) -> _Line:
        """The newest connection that is still there, or one that is made when it is used."""
        while free:
            line = free.pop()
            if _is_usable(line):
                return line
            await line.aclose()
        if self._proxy is not None:
            return httpcore2.AsyncConnectionPool(
                ssl_context=self._tls,
                proxy=self._proxy,
                max_connections=1,
                keepalive_expiry=_IDLE_S,
            )
        return httpcore2.AsyncHTTPConnection(
            url.origin, ssl_context=self._tls, keepalive_expiry=_IDLE_S
        )

    async def _within_time(
        self, line: _Line, prepared: httpcore2.Request, body: _Body
    ) -> Exchanged:
        with trio.move_on_after(self._total_s):
            try:
                return await _answer(line, prepared)
            except httpcore2.LocalProtocolError as error:
                return NotSent(f"no request can be made: {error}", is_hopeless=True)
            except httpcore2.ProxyError as error:
                return NotSent(f"the proxy refused: {error}")
            except _TROUBLE as error:
                why = _why(error)
                return NoAnswer(why) if body.is_sent else NotSent(why)
        why = f"no answer within {self._total_s:g} s"
        return NoAnswer(why) if body.is_sent else NotSent(why)

    def _prepare(self, request: Request, body: _Body) -> httpcore2.Request:
        known = self._urls.get(request.url)
        if known is None:
            known = _parsed(request.url)
            if len(self._urls) < _KNOWN_URLS:  # those of a GET differ each time
                self._urls[request.url] = known
        url, host = known
        headers = [(b"Host", host), *_ALWAYS]
        headers += [(name.encode(), value.encode()) for name, value in request.headers]
        if request.body or request.method not in {"GET", "DELETE"}:
            headers.append((b"Content-Length", b"%d" % len(request.body)))
        return httpcore2.Request(
            request.method, url, headers=headers, content=body, extensions=self._extensions
        )


def _is_usable(line: _Line) -> bool:
    if isinstance(line, httpcore2.AsyncConnectionPool):
        return True  # it looks after its connection itself
    return line.is_available() and not line.has_expired()


async def _answer(line: _Line, request: httpcore2.Request) -> Exchanged:
    response = await line.handle_async_request(request)
    chunks: list[bytes] = []
    octets = 0
    try:
        assert isinstance(response.stream, AsyncIterable)
        # A scope ends a long answer: the library's generators unwind well only from within.
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
        for name, value in response.headers
    }
    return Response(response.status, headers, b"".join(chunks))


def _parsed(text: str) -> tuple[httpcore2.URL, bytes]:
    """The URL as httpcore2 wants it, and what stands in Host; httpx2 knows how URLs are written."""
    url = httpx2.URL(text)
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError("its URL is not absolute")  # which may hold a secret
    parsed = httpcore2.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )
    return parsed, url.netloc


def _proxy(config: ConnectorConfig) -> httpcore2.Proxy | None:
    if not config.proxy.value:
        return None
    proxy = httpx2.Proxy(config.proxy.value)  # takes the password out of the URL
    url, auth = proxy.url, proxy.raw_auth
    return httpcore2.Proxy(
        httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=b"/"),
        auth=auth,
    )


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
        context.load_cert_chain(config.tls_cert, config.tls_key, password=no_passphrase)
    return context
