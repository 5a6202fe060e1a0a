"""A route that takes the methods that were written down for it, and no others.

*In*: path, endpoint, methods. *Out*: a route of starlette.
*Never*: a HEAD that nobody asked for.

Starlette answers HEAD on every route that takes GET, by doing what GET does. Programs of our
dialects send, cancel and spend by GET, and whoever looks whether a link is alive asks by HEAD
(RFC 9110 §9.2.1: it must have no effect). So HEAD is refused with 405 and `Allow`, unless a route
names it beside a GET that only looks something up.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

LOOK: Final = ("GET", "HEAD")
"""The methods of what is only read."""


class ExactRoute(Route):
    """See the module."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[[Request], Awaitable[Response]],
        methods: Sequence[str],
    ) -> None:
        super().__init__(path, endpoint, methods=methods)
        self.methods = set(methods)
