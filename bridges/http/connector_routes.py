"""Paths that online services call with receipts and messages: `receipts_path` of each connector.

*In*: any request that no other route takes. *Out*: what the connector of its path answers, once
its news are on disk. *Never*: the path in a log: it holds the secret that keeps strangers out.

Connectors come and go with reloads, so the one of a path is looked for at each request.
"""

from collections.abc import Callable
from typing import Protocol

from starlette.requests import Request
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from bridges.connectors.service import Callback
from bridges.http.dialects.base import Reply
from bridges.http.endpoint import Auth, Call, Failure, Handler, House, endpoint, to_response

_BODY_OCTETS = 256 * 1024
_METHODS = frozenset({"GET", "POST"})
_ALLOW = {"Allow": "GET, POST"}


class Receiver(Protocol):
    """A connector."""

    receipts_url: str
    """Its path as its service was told it, with the host that the service knows."""

    async def called(self, callback: Callback) -> Reply:
        """Take what a service tells; never raises."""


Find = Callable[[str], Receiver | None]


def nobody(_path: str) -> Receiver | None:
    """No connector is called by any path."""
    return None


class ConnectorRoute(BaseRoute):
    """The last route: takes a request if a connector has its path."""

    def __init__(self, house: House) -> None:
        self._house = house

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Does a connector have this path?"""
        if scope["type"] != "http":
            return Match.NONE, {}
        receiver = self._house.receiver_at(scope["path"])
        return (Match.NONE, {}) if receiver is None else (Match.FULL, {"receiver": receiver})

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the connector answer."""
        if scope["method"] not in _METHODS:
            response = to_response(wording(Failure(405, "send GET or POST")), _ALLOW)
        else:
            handler = _handler(scope["receiver"])
            answer = endpoint(self._house, handler, wording, Auth.OWN, _BODY_OCTETS)
            response = await answer(Request(scope, receive))
        await response(scope, receive, send)


def wording(failure: Failure) -> Reply:
    """A failure as services read it: the status."""
    return Reply(failure.status, failure.why.encode(), "text/plain")


def _handler(receiver: Receiver) -> Handler:
    async def handle(call: Call) -> Reply:
        url = f"{receiver.receipts_url}?{call.query}" if call.query else receiver.receipts_url
        return await receiver.called(Callback(call.method, url, call.headers, call.body))

    return handle
