"""Deliveries home: receipts and MO messages, and those who take them.

*Never*: behaviour; see `smsc.ports`.
"""

from collections.abc import Sequence
from typing import Protocol

import attrs

from smsc.message import (
    Delivery,
    Mailbox,
    MessageId,
)


@attrs.define(slots=True)
class Done:
    """The receiver took the delivery; it may be forgotten once that is journalled."""

    id: MessageId


@attrs.define(slots=True)
class Again:
    """The receiver could not take it now; offer it again after `delay_s`."""

    id: MessageId
    delay_s: float
    why: str = ""


@attrs.define(slots=True)
class Dropped:
    """The receiver refused it for good."""

    id: MessageId
    why: str


@attrs.define(slots=True)
class SetAside:
    """The receiver tried enough; it is kept apart, where people see it and may ask it back."""

    id: MessageId
    why: str


DeliveryOutcome = Done | Again | Dropped | SetAside


class Receiver(Protocol):
    """Something that takes deliveries of a mailbox: a bound session, the webhook."""

    def room(self) -> int:
        """How many more deliveries it takes now."""

    def deliver(self, batch: Sequence[Delivery]) -> None:
        """Take the batch; each is answered once through `Mailboxes.delivered`."""


class Mailboxes(Protocol):
    """Parked deliveries and those who take them."""

    def attach(self, mailbox: Mailbox, receiver: Receiver) -> None:
        """The receiver is there for this mailbox from now on."""

    def detach(self, mailbox: Mailbox, receiver: Receiver) -> None:
        """The receiver is gone; what it had not answered is offered again."""

    def delivered(self, mailbox: Mailbox, outcomes: Sequence[DeliveryOutcome]) -> None:
        """What became of deliveries; also the sign that the receiver has room again."""

    def taken(self, mailbox: Mailbox, ids: Sequence[MessageId]) -> None:
        """As `delivered` with `Done` for each."""
