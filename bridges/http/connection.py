"""One HTTP connection: Trio's socket below, anycorn's HTTP/1.1 protocol above.

*In*: octets of one client. *Out*: octets to it; one application task for each request.
*Never*: ends anything but itself; what a request means.

anycorn's own driver keeps a closed connection until its idle timer ends, shields sends from
cancellation, and switches to HTTP/2 when asked; a server that must bound what a client can hold
wants none of these. So the driver is ours, and of anycorn only the protocol is used.

One cancel scope holds every deadline: while the client owes a request header, `idle_s`; while a
request is being answered, none (`endpoint.py` bounds the body); after the answer that ends the
connection, `LINGER_S`, in which the rest of the request is read and forgotten, because closing
with unread octets would reset the connection and could take the answer with it (RFC 9112 §9.6).
"""

import math

import h11
import trio
from anycorn import Config
from anycorn.events import Closed, Event, RawData, Updated
from anycorn.protocol.h11 import H11Protocol
from anycorn.task_group import TaskGroup
from anycorn.typing import AppWrapper, ConnectionState
from anycorn.worker_context import WorkerContext

from bridges.http.endpoint import Limits

READ_OCTETS = 65536
LINGER_S = 2.0
_READ = frozenset({h11.DONE, h11.MUST_CLOSE, h11.CLOSED})
"""States of the client's side in which nothing of its request is still to come."""


class _Http1(H11Protocol):
    """anycorn's HTTP/1.1 without the ways out of it; RFC 9110 §7.8 lets a server ignore them."""

    async def _check_protocol(self, event: h11.Request) -> None:
        """Stay with HTTP/1.1 whatever the Upgrade header wishes."""


class Connection:
    """An accepted connection; `run` lives as long as it does."""

    def __init__(
        self,
        stream: trio.SocketStream,
        app: AppWrapper,
        config: Config,
        context: WorkerContext,
        limits: Limits,
    ) -> None:
        self._stream = stream
        self._app = app
        self._config = config
        self._context = context
        self._limits = limits
        self._reading = trio.CancelScope()
        self._sending = trio.Lock()
        self._is_idle = True
        self._is_ending = False
        self._protocol: _Http1 | None = None

    async def run(self) -> None:
        """Answer requests until the client is gone, silent for too long, or sent away."""
        try:
            client, server = _name(self._stream, peer=True), _name(self._stream, peer=False)
            async with TaskGroup() as tasks:
                self._protocol = _Http1(
                    self._app,
                    self._config,
                    self._context,
                    tasks,
                    ConnectionState({}),
                    client,
                    server,
                    self._send,
                    None,
                )
                await self._read(self._protocol)
        finally:
            self._stream.socket.close()

    def stop_when_idle(self) -> None:
        """Close now unless a request is being answered; then that answer is the last."""
        if self._is_idle:
            self._reading.cancel()

    async def _read(self, protocol: _Http1) -> None:
        self._set_idle(is_idle=True)
        with self._reading:
            while data := await self._receive():
                if not self._is_ending:
                    await protocol.handle(RawData(bytes(data)))
        self._is_ending = True
        await protocol.handle(Closed())

    async def _receive(self) -> bytes | bytearray:
        try:
            return await self._stream.receive_some(READ_OCTETS)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return b""

    async def _send(self, event: Event) -> None:
        """What the protocol wants done with the socket."""
        match event:
            case RawData(data=data):
                if data:
                    await self._send_octets(data)
            case Updated(idle=is_idle):
                self._set_idle(is_idle=is_idle)
            case Closed():
                await self._end()
            case _:
                raise AssertionError(f"no answer here is a file: {event!r}")

    async def _send_octets(self, data: bytes) -> None:
        async with self._sending:
            try:
                with trio.fail_after(self._limits.write_s):
                    await self._stream.send_all(data)
            except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
                # Half of it may have left: nothing sensible can follow on this stream.
                self._is_ending = True
                self._stream.socket.close()

    async def _end(self) -> None:
        """The last answer left: say so, and wait a little if the request is still coming in."""
        if self._is_ending or self._protocol is None:
            return
        self._is_ending = True
        is_read = self._protocol.connection.their_state in _READ
        self._reading.deadline = trio.current_time() + (0.0 if is_read else LINGER_S)
        try:
            async with (
                self._sending
            ):  # what follows a last request may be read while it is answered
                await self._stream.send_eof()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._stream.socket.close()

    def _set_idle(self, *, is_idle: bool) -> None:
        if self._is_ending:
            return
        self._is_idle = is_idle
        wait_s = self._limits.idle_s if is_idle else math.inf
        self._reading.deadline = trio.current_time() + wait_s


def _name(stream: trio.SocketStream, *, peer: bool) -> tuple[str, int] | None:
    """(host, port) of either end; None if the peer is gone already."""
    try:
        name = stream.socket.getpeername() if peer else stream.socket.getsockname()
    except OSError:
        return None
    host, port = name[:2]
    return host, port
