"""What callbacks with a style hear of a message: ends, and the steps before them.

*In*: messages with a `callback_style` and how they stand, from dispatch and receipts.
*Out*: Deliveries, parked in the batch that journals the step, for the events a style asks for.
*Never*: a message without a style (`receipts` writes for those); how a callback is spoken to.

Station of the flow: receipts | dispatch → **callbacks** → mailboxes.
"""

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

import attrs

from pdu.codec import encode_body
from pdu.message_pdus import DeliverSm
from pdu.tlvs import Tag
from smsc.flow.receipt_body import AS, receipt_body
from smsc.message import (
    DELIVERED,
    ENROUTE,
    QUEUED,
    Delivery,
    Mailbox,
    Message,
    MessageId,
    Progress,
    State,
)
from smsc.ports import Batch, CallbackEvent, EventsOf, Telling
from smsc.store.ids import IdAllocator

DELIVERY_KEEP_MS: Final = 7 * 24 * 3600 * 1000
"""How long a receipt waits for its account to bind, or for its callback."""
QUEUE: Final = "queue:"
"""How a callback URL begins that names a queue of a message broker."""
_HOST_LIMIT: Final = 261
"""Characters of a host name (RFC 1035 §2.3.4) with its port; a longer one will never resolve."""
_OCTETS: Final = 4
"""data_coding of 8-bit data."""
_SUCCESS: Final = frozenset({DELIVERED, State.ACCEPTED})
_REFUSED: Final = frozenset({State.REJECTED, State.UNDELIVERABLE, State.DELETED})
_ON_ITS_WAY: Final = CallbackEvent.NOTICE | CallbackEvent.BUFFERED


class Callbacks:
    """Parks deliveries for callbacks with a style.

    :ivar events_of: the events that a style asks for.
    """

    def __init__(self, ids: IdAllocator, now_ms: Callable[[], int]) -> None:
        self._ids = ids
        self._now_ms = now_ms
        self.events_of: EventsOf = lambda _style: CallbackEvent(0)

    def ended(
        self, batch: Batch, pieces: Sequence[tuple[Message, Progress, bytes]]
    ) -> list[Delivery]:
        """A message reached a final state: `pieces` is the whole of it, or one for each part.

        What no network took was "rejected"; who does not ask for that hears that it failed.
        """
        deliveries: list[Delivery] = []
        for message, progress, which_part in pieces:
            events = self.events_of(message.callback_style)
            kind = "receipt"
            if progress.state in _SUCCESS:
                is_asked = bool(events & CallbackEvent.DELIVERED)
            elif _was_refused(progress) and events & CallbackEvent.REJECTED:
                kind, is_asked = "rejected", True
            else:
                is_asked = bool(events & CallbackEvent.FAILED)
            if is_asked and message.is_readable:
                deliveries.append(self._park(batch, message, progress, kind, which_part))
        return deliveries

    def attempted(self, batch: Batch, message: Message, progress: Progress) -> list[Delivery]:
        """An outlet answered for each part: all were taken, or the message comes again."""
        if progress.state is QUEUED and progress.attempt == 1:
            event, kind = CallbackEvent.BUFFERED, "buffered"
        elif progress.state is ENROUTE or progress.state in _SUCCESS:
            event, kind = CallbackEvent.ACCEPTED, "accepted"
        else:
            return []
        if not self.events_of(message.callback_style) & event:
            return []
        return [self._park(batch, message, self._so_far(progress), kind)]

    def noticed(self, batch: Batch, message: Message, progress: Progress) -> list[Delivery]:
        """The network says that the message is on its way."""
        if self.events_of(message.callback_style) & _ON_ITS_WAY:
            return [self._park(batch, message, self._so_far(progress), "notice")]
        return []

    def told(self, batch: Batch, tellings: Sequence[Telling]) -> list[Delivery]:
        """Something that is no event of a message: its words travel as the body's 8-bit text."""
        now_ms = self._now_ms()
        ids = self._ids.take(len(tellings), now_ms)
        deliveries = [
            Delivery(
                id=MessageId(id_),
                mailbox=mailbox_for(one.account, one.callback_url),
                account=one.account,
                kind="told",
                created_ms=now_ms,
                expires_ms=now_ms + DELIVERY_KEEP_MS,
                body=encode_body(
                    DeliverSm(data_coding=_OCTETS, tlvs=((Tag.MESSAGE_PAYLOAD, one.words),))
                ),
                callback_url=one.callback_url,
                callback_style=one.callback_style,
            )
            for id_, one in zip(ids, tellings, strict=True)
        ]
        for delivery in deliveries:
            batch.park(delivery)
        return deliveries

    def _so_far(self, progress: Progress) -> Progress:
        return attrs.evolve(progress, state=ENROUTE, done_ms=self._now_ms())

    def _park(
        self, batch: Batch, message: Message, progress: Progress, kind: str, which_part: bytes = b""
    ) -> Delivery:
        now_ms = self._now_ms()
        delivery = Delivery(
            id=MessageId(self._ids.take(1, now_ms)[0]),
            mailbox=mailbox_for(message.account, message.callback_url),
            account=message.account,
            kind=kind,
            created_ms=now_ms,
            expires_ms=now_ms + DELIVERY_KEEP_MS,
            body=receipt_body(message, progress, AS[kind]) + which_part,
            message_id=message.id,
            state=progress.state,
            error=progress.error,
            callback_url=message.callback_url,
            reference=message.reference,
            callback_style=message.callback_style,
            outlet=progress.outlet,
            upstream_id=next(filter(None, progress.upstream_ids), ""),
        )
        batch.park(delivery)
        return delivery


def mailbox_for(account: str, callback_url: str | None) -> Mailbox:
    """The mailbox of a receipt or an MO message.

    `callback:scheme://host:port` for a callback, one for each host; `queue:NAME` for a queue;
    else the account's name.
    """
    if callback_url is None:
        return Mailbox(account)
    if callback_url.startswith(QUEUE):
        return Mailbox(callback_url)
    url = urlsplit(callback_url)
    host = url.netloc.rpartition("@")[2][:_HOST_LIMIT]
    return Mailbox(f"callback:{url.scheme}://{host}")


def _was_refused(progress: Progress) -> bool:
    """Did it end before any network took a part of it?"""
    return progress.state in _REFUSED and not any(progress.upstream_ids)
