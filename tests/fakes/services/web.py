"""A small web server in the hands of a test: it notes requests and answers what it is told.

It can also do what services do when they are ill: hang before or after it read the request, cut
the connection, answer nonsense.
"""

import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import parse_qsl, urlsplit

import attrs
import h11
import orjson
import trio

PATIENCE_S = 10.0


@attrs.frozen
class Seen:
    """A request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def json(self) -> dict[str, object]:
        value = orjson.loads(self.body)
        assert isinstance(value, dict)
        return value


@attrs.frozen
class Say:
    """An answer."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@attrs.frozen
class Hang:
    """No answer."""


@attrs.frozen
class Cut:
    """The connection is closed instead of an answer; `octets` are written before."""

    octets: bytes = b""


Answer = Say | Hang | Cut
Handler = Callable[[Seen], Answer]


def say_json(value: object, status: int = 200) -> Say:
    return Say(status, orjson.dumps(value), (("Content-Type", "application/json"),))


@attrs.define
class FakeWeb:
    """The server; `answer` may be changed at any time."""

    answer: Handler
    delay_s: float = 0.0
    seen: list[Seen] = attrs.Factory(list)
    connections: int = 0
    open: int = 0
    most_open: int = 0
    port: int = 0
    tls: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    async def serve(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        listeners = await trio.open_tcp_listeners(self.port, host="127.0.0.1")
        self.port = listeners[0].socket.getsockname()[1]
        async with trio.open_nursery() as nursery:
            await nursery.start(trio.serve_listeners, self._connection, listeners)
            task_status.started()

    async def _connection(self, plain: trio.SocketStream) -> None:
        self.connections += 1
        try:
            if self.tls is None:
                await self._talk(plain)
            else:
                stream = trio.SSLStream(plain, self.tls, server_side=True, https_compatible=True)
                await self._talk(stream)
        except (trio.BrokenResourceError, h11.RemoteProtocolError):
            pass
        finally:
            await trio.aclose_forcefully(plain)

    async def _talk(self, stream: trio.SocketStream | trio.SSLStream[trio.SocketStream]) -> None:
        machine = h11.Connection(h11.SERVER)
        while True:
            seen = await self._read(machine, stream)
            if seen is None:
                return
            self.seen.append(seen)
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            try:
                if self.delay_s:
                    await trio.sleep(self.delay_s)
                answer = self.answer(seen)
                if isinstance(answer, Hang):
                    await trio.sleep_forever()
                if isinstance(answer, Cut):
                    if answer.octets:
                        await stream.send_all(answer.octets)
                    return
            finally:
                self.open -= 1
            headers = [("Content-Length", str(len(answer.body))), *answer.headers]
            octets = machine.send(h11.Response(status_code=answer.status, headers=headers)) or b""
            octets += machine.send(h11.Data(data=answer.body)) or b""
            octets += machine.send(h11.EndOfMessage()) or b""
            await stream.send_all(octets)
            if machine.our_state is h11.MUST_CLOSE:
                return
            machine.start_next_cycle()

    async def _read(
        self,
        machine: h11.Connection,
        stream: trio.SocketStream | trio.SSLStream[trio.SocketStream],
    ) -> Seen | None:
        request: h11.Request | None = None
        body = b""
        while True:
            event = machine.next_event()
            if event is h11.NEED_DATA:
                machine.receive_data(bytes(await stream.receive_some()))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                assert request is not None
                headers = {name.decode(): value.decode() for name, value in request.headers}
                return Seen(request.method.decode(), request.target.decode(), headers, body)
            else:
                return None


@asynccontextmanager
async def serving(answer: Handler, **more: object) -> AsyncIterator[FakeWeb]:
    """A server in this loop."""
    web = FakeWeb(answer, **more)  # type: ignore[arg-type]  # named by the caller
    async with trio.open_nursery() as nursery:
        await nursery.start(web.serve)
        yield web
        nursery.cancel_scope.cancel()


@contextmanager
def serving_aside(answer: Handler, **more: object) -> Iterator[FakeWeb]:
    """A server in a loop of its own thread, for tests that block."""
    web = FakeWeb(answer, **more)  # type: ignore[arg-type]  # named by the caller
    ready = threading.Event()
    scope: list[trio.CancelScope] = []
    token: list[trio.lowlevel.TrioToken] = []

    async def live() -> None:
        with trio.CancelScope() as ours:
            async with trio.open_nursery() as nursery:
                await nursery.start(web.serve)
                scope.append(ours)
                token.append(trio.lowlevel.current_trio_token())
                ready.set()

    thread = threading.Thread(target=trio.run, args=(live,), daemon=True)
    thread.start()
    assert ready.wait(PATIENCE_S)
    try:
        yield web
    finally:
        trio.from_thread.run_sync(scope[0].cancel, trio_token=token[0])
        thread.join(PATIENCE_S)
