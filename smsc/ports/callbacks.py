"""What a callback may hear of a message, and who knows which of it a style asks for.

*Never*: behaviour; see `smsc.ports`. Styles are bridges: the flow asks them through `EventsOf`.
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Any

import attrs

from smsc.config_mail import MailConfig
from smsc.message import AccountId


class CallbackEvent(enum.IntFlag):
    """One moment in a message's life; the bits are those of Kannel's dlr-mask."""

    DELIVERED = 1
    """It ended well."""
    FAILED = 2
    """It ended otherwise; also by rejection, for those who do not ask for that by itself."""
    BUFFERED = 4
    """The first attempt failed, more will follow; or its network says that it is on its way."""
    ACCEPTED = 8
    """Its network took all of its parts."""
    REJECTED = 16
    """It ended, and no network ever took it."""
    NOTICE = 32
    """Its network says that it is on its way."""


EventsOf = Callable[[str], CallbackEvent]
"""The events that a callback style ("STYLE:REST") asks for; called for each, so it is quick."""


@attrs.frozen
class CallbackTerms:
    """What the configuration says of callbacks; asked each time, for it may be read anew."""

    networks: Callable[[], Sequence[IPv4Network | IPv6Network]]
    """Those that callbacks may go to, besides public ones."""
    keys_of: Callable[[AccountId], Sequence[bytes]]
    """The secrets that an account's callbacks are signed with, the newest first."""
    look_again: Callable[[], None]
    """Asks for `open` of every mailbox that has deliveries, for those that were turned away."""
    dialects: Mapping[str, Any]
    """The settings of the HTTP dialects that are on: one of them names a message broker."""
    mail: Callable[[], MailConfig | None]
    """The mail server, if there is one."""


@attrs.frozen
class Telling:
    """What a client asked to hear by HTTP besides receipts, in words that its style knows."""

    account: AccountId
    callback_url: str
    callback_style: str
    words: bytes = attrs.field(repr=False)
