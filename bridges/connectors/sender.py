"""How a connector sends one message: by HTTP to a service, or by code of its own.

*In*: an `Sms`. *Out*: what became of the attempt, as a value.
*Never*: another attempt; that is for the flow.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import trio

from bridges.connectors.exchange import Exchanged, Exchanger, NoAnswer, NotSent
from bridges.connectors.service import Declined, Request, Response, Service, Verdict, by_http_status
from bridges.connectors.settings import ConnectorConfig
from bridges.connectors.sms import Sms

Attempted = Verdict | NotSent | NoAnswer
Step = Request | Response | NotSent | NoAnswer
"""What `HttpSender.tell` is told, in this order."""


class Sender(Protocol):
    """What a connector drives."""

    def opened(self) -> AbstractAsyncContextManager[None]:
        """Get ready: connections, files. Raises OSError or ValueError where settings forbid it."""

    async def attempt(self, sms: Sms) -> Attempted:
        """Send one message, once, within the time that the settings give."""


class HttpSender:
    """The `Sender` of every service that is spoken to by HTTP."""

    def __init__(self, service: Service, config: ConnectorConfig) -> None:
        self.service = service
        self.tell: Callable[[Step], None] | None = None
        """Told each step, for people who test a connector."""
        self._config = config
        self._exchanger: Exchanger | None = None
        self._preparing = trio.Lock()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """See `Sender`."""
        async with Exchanger(self._config) as exchanger:
            self._exchanger = exchanger
            try:
                yield
            finally:
                self._exchanger = None

    async def attempt(self, sms: Sms) -> Attempted:
        """See `Sender`."""
        not_ready = await self._prepare()
        if not_ready is not None:
            return not_ready
        request = self.service.request(sms, time.time())
        if isinstance(request, Declined):
            return request
        answer = await self.exchange(request)
        return self.service.verdict(sms, answer) if isinstance(answer, Response) else answer

    async def ask(self, request: Callable[[float], Request | None]) -> Exchanged | Declined | None:
        """A question beside the stream: a poll, the balance; `request` gets the time."""
        not_ready = await self._prepare()
        if not_ready is not None:
            return not_ready
        made = request(time.time())
        return None if made is None else await self.exchange(made)

    async def exchange(self, request: Request) -> Exchanged:
        """One exchange, each step of it told."""
        assert self._exchanger is not None, "the connector is not open"
        if self.tell is not None:
            self.tell(request)
        answer = await self._exchanger.exchange(request)
        if self.tell is not None:
            self.tell(answer)
        return answer

    async def _prepare(self) -> Declined | NotSent | None:
        """What a service asks for before messages, made once for all that wait for it."""
        service = self.service
        if service.preparation(time.time()) is None:
            return None
        async with self._preparing:
            request = service.preparation(time.time())
            if request is None:
                return None
            answer = await self.exchange(request)
            if not isinstance(answer, Response):
                return NotSent(f"before it: {answer.why}")
            if answer.status // 100 != 2:
                refused = by_http_status(answer)
                return refused if isinstance(refused, Declined) else NotSent(refused.why)
            return service.prepared(answer, time.time())
