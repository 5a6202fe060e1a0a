"""The HTTP server: starlette's routes on anycorn's protocols, in our own nursery.

*In*: TCP connections. *Out*: responses; log events `http.…`.
*Never*: what a request means; the dialects know.

anycorn's own `serve` runs all connections in one nursery without a guard, so that one exception
ends the server. Here the nursery is ours: whatever happens on a connection is logged and ends
that connection only. Memory is bounded: `Limits` caps connections, headers, bodies and the time
each may take. HTTP/1.1 only.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, cast

import structlog
import trio
from anycorn import Config
from anycorn.utils import wrap_app
from anycorn.worker_context import WorkerContext
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from structlog.typing import FilteringBoundLogger

from bridges.http import connector_routes, rest_routes
from bridges.http.connection import Connection
from bridges.http.endpoint import MESSAGE_OCTETS, Failure, House, Limits, to_response
from bridges.http.gateway import Gateway
from bridges.http.registry import DIALECTS

GRACE_S = 25.0
"""How long requests in flight may take to finish once the server was asked to stop."""


async def serve(
    listen: Sequence[str],
    gateway: Gateway,
    *,
    stop: trio.Event | None = None,
    grace_s: float = GRACE_S,
    limits: Limits | None = None,
    log: FilteringBoundLogger | None = None,
    dialects: Mapping[str, Any] = MappingProxyType({}),
    message_octets: int = MESSAGE_OCTETS,
    receiver_at: connector_routes.Find = connector_routes.nobody,
    task_status: trio.TaskStatus[list[tuple[str, int]]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve HTTP on each "host:port" of `listen` until stopped.

    Started with `nursery.start`, it answers with the bound addresses: (host, port) in the order
    of `listen`, once for each address that a host name stands for; port 0 picks a free one.
    Setting `stop` closes the listeners, lets requests in flight finish for up to `grace_s`
    seconds, and returns. Cancelling ends everything at once. An address that cannot be bound
    raises OSError before anything is served. `dialects` are those of `registry.DIALECTS` that
    are switched on, with their settings; `message_octets` is the longest message of the native API,
    `receiver_at` finds the
    connector that an online service calls by a path.
    """
    log = log or structlog.get_logger()
    house = House(
        gateway,
        log,
        gateway.now_ms,
        limits or Limits(),
        dialects,
        receiver_at,
        message_octets,
    )
    listeners = await _open_listeners(listen)
    server = _Server(house)
    addresses: list[tuple[str, int]] = [each.socket.getsockname()[:2] for each in listeners]
    async with trio.open_nursery() as connections:
        async with trio.open_nursery() as accepting:
            accept = partial(
                trio.serve_listeners, server.handle, listeners, handler_nursery=connections
            )
            await accepting.start(accept)
            house.log.info("http.started", listen=[join_address(*each) for each in addresses])
            task_status.started(addresses)
            if stop is None:
                await trio.sleep_forever()
            else:
                await stop.wait()
            accepting.cancel_scope.cancel()
        connections.cancel_scope.deadline = trio.current_time() + grace_s
        await server.finish()
    house.log.info("http.stopped", cut=connections.cancel_scope.cancelled_caught)


def build_app(house: House) -> Starlette:
    """The routes of every dialect; unknown paths and methods answer with problem+json."""

    async def refuse(_request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        why = {404: "there is nothing at this path", 405: "the path does not take this method"}
        detail = why.get(error.status_code, error.detail)
        return to_response(rest_routes.wording(Failure(error.status_code, detail)), error.headers)

    routes: list[BaseRoute] = [*rest_routes.routes(house)]
    for name, settings in house.dialects.items():
        routes += DIALECTS[name].routes(house, settings)
    routes.append(connector_routes.ConnectorRoute(house))
    app = Starlette(routes=routes, exception_handlers={HTTPException: refuse})
    app.router.redirect_slashes = False  # a redirect would repeat the Host that a client made up
    return app


def split_address(address: str) -> tuple[str, int]:
    """("::1", 8080) of "[::1]:8080"; raises ValueError naming the address."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{address!r} is not of the form host:port")
    return host.removeprefix("[").removesuffix("]"), int(port)


def join_address(host: str, port: int) -> str:
    """Join host and port, an IPv6 host in brackets; the inverse of `split_address`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _open_listeners(listen: Sequence[str]) -> list[trio.SocketListener]:
    listeners: list[trio.SocketListener] = []
    try:
        for address in listen:
            host, port = split_address(address)
            try:
                listeners += await trio.open_tcp_listeners(port, host=host)
            except OSError as error:
                why = f"cannot listen on {address}: {error.strerror}"
                raise OSError(error.errno, why) from error
    except BaseException:
        for listener in listeners:
            listener.socket.close()
        raise
    return listeners


def _config(limits: Limits) -> Config:
    config = Config()
    config.accesslog = None
    config.errorlog = None  # what matters is logged here, in our own form
    config.include_server_header = False
    config.h11_max_incomplete_size = limits.header_octets
    config.keep_alive_max_requests = 1_000_000
    return config


class _Server:
    """The connections, and what they share."""

    def __init__(self, house: House) -> None:
        self._log = house.log
        self._limits = house.limits
        self._config = _config(house.limits)
        self._app = wrap_app(cast(Any, build_app(house)), 0, "asgi")
        self._context = WorkerContext(None)
        self._open: set[Connection] = set()
        self._is_crowded = False

    async def handle(self, stream: trio.SocketStream) -> None:
        """Serve one connection; never raises but when cancelled."""
        if len(self._open) >= self._limits.connections:
            stream.socket.close()
            self._tell_crowded()
            return
        self._is_crowded = False
        connection = Connection(stream, self._app, self._config, self._context, self._limits)
        self._open.add(connection)
        try:
            await connection.run()
        except* Exception as group:  # noqa: BLE001 what a client provokes ends its connection only
            errors = [repr(error) for error in group.exceptions]
            self._log.warning("http.connection.failed", errors=errors)
        finally:
            self._open.discard(connection)

    async def finish(self) -> None:
        """Close idle connections; the others close after the answer they are at."""
        await self._context.terminated.set()
        for connection in self._open:
            connection.stop_when_idle()

    def _tell_crowded(self) -> None:
        if not self._is_crowded:  # once for each time the limit is reached, not for each client
            self._is_crowded = True
            self._log.warning("http.connections.exhausted", limit=self._limits.connections)
