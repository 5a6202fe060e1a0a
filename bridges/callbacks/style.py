"""What a callback style is: from a delivery to one request, from its answer to what it means.

*In*: nothing; protocols and values only. *Out*: the same.
*Never*: I/O, a clock, a host's health; the webhook sends, waits and tries again.

`Draft.callback_style` names a style, "STYLE" or "STYLE:REST"; `registry.STYLES` holds them.
REST is the style's own: "kannel:31" a dlr-mask, "jasmin:3:POST" a level and a method.
"""

from collections.abc import Sequence
from typing import Protocol

import attrs

from smsc.message import Delivery
from smsc.ports import Again, CallbackEvent, DeliveryOutcome, Done

ITS_OWN_TIME = 0.0
"""`Again.delay_s` of a style that leaves it to the webhook when the next attempt comes."""


@attrs.frozen
class CallbackRequest:
    """One HTTP request, ready to be sent but for the host's own headers."""

    url: str
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@attrs.frozen
class CallbackResponse:
    """What the host answered: a status from 100 to 599, and the beginning of its body."""

    status: int
    body: bytes = b""


@attrs.frozen
class QueueMessage:
    """A text message for a queue, and its JMS type."""

    body: str
    jms_type: str


class QueueStyle(Protocol):
    """A style that can speak to a queue of a message broker (a callback URL "queue:NAME")."""

    def queue_message(self, delivery: Delivery, rest: str) -> QueueMessage | None:
        """The message for a delivery, the same at each attempt; None if there is nothing to say."""


class CallbackStyle(Protocol):
    """One way to tell a client; pure, so one instance serves all."""

    def events(self, rest: str) -> CallbackEvent:
        """What of a message's life it tells. Asked at each step, so it must be quick."""

    def request(
        self, delivery: Delivery, rest: str, now_ms: int, keys: Sequence[bytes]
    ) -> CallbackRequest | None:
        """The request for a delivery with a callback URL; None if it has nothing to say of it.

        `now_ms`: of this attempt, UTC. `keys`: the account's secrets to sign with, newest first.
        The request of a second attempt differs in nothing but what says when it was made.
        """

    def judge(self, delivery: Delivery, response: CallbackResponse) -> DeliveryOutcome:
        """What an answer means: `Done`, `Again` with `ITS_OWN_TIME` or `Dropped`.

        `Dropped` is for answers by which the client says that it never wants it.
        """


def judge_status(delivery: Delivery, response: CallbackResponse) -> DeliveryOutcome:
    """For styles that look at the status alone: 2xx is done."""
    if 200 <= response.status < 300:
        return Done(delivery.id)
    return Again(delivery.id, ITS_OWN_TIME, f"HTTP {response.status}")
