"""The doors to other worlds, as the command line or a test hands them in.

*In*: nothing. *Out*: the types of what is handed in, and of the addresses that come back.
*Never*: a bridge itself; the roof alone knows them.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs

from smsc.callback_desk import CallbackBridge
from smsc.config import OutletConfig
from smsc.flow.mailboxes import Mailboxes
from smsc.message import OutletName
from smsc.ports import CallbackEvent, CallbackTerms, EventsOf, Outlet


@attrs.frozen
class Bridges:
    """The doors to other worlds, chosen by the command line."""

    outlet: Callable[[OutletName, OutletConfig, Any], Outlet]
    callbacks: Callable[
        [Mailboxes, Callable[[], int], Any, CallbackTerms], Mapping[str, CallbackBridge]
    ] = lambda *_: {}
    """Those that take from mailboxes that begin so: "callback:", "queue:", "mail:"."""
    serve_http: Callable[..., Awaitable[None]] | None = None
    """(listen, gateway, *, stop, log, dialects, message_octets, receiver_at, task_status): serves until `stop`."""
    callback_events: EventsOf = lambda _style: CallbackEvent(0)
    """The events that each callback style asks for."""


@attrs.frozen
class Addresses:
    """Where a running gateway listens."""

    smpp: tuple[tuple[str, int], ...]
    http: tuple[tuple[str, int], ...]
    smpp_tls: tuple[tuple[str, int], ...] = ()
