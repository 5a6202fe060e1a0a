"""The receipts of our own: what a client hears when its message has ended, or an attempt was none.

*In*: messages with their progress. *Out*: Deliveries, parked in the batch that journals the end.
*Never*: a receipt that nobody asked for; a commit of its own.

Station of the flow: receipts | dispatch → **receipt writer** → mailboxes. SMPP 3.4 §5.2.17.
"""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Final

import attrs

from pdu.tlvs import Tag, pack_tlv
from smsc.flow.callbacks import DELIVERY_KEEP_MS, Callbacks, mailbox_for
from smsc.flow.receipt_body import AS, receipt_body
from smsc.message import (
    DELIVERED,
    ENROUTE,
    FINAL,
    AccountId,
    Delivery,
    Mailbox,
    Message,
    OutletName,
    Progress,
    State,
)
from smsc.ports import ANY_NETWORK, Batch, OutletPolicy
from smsc.store.ids import IdAllocator

_SUCCESS: Final = frozenset({DELIVERED, State.ACCEPTED})
"""ACCEPTED ends messages whose network sends no receipts: nothing went wrong."""
_WANTED: Final[Sequence[Container[State]]] = (
    frozenset(),
    frozenset(State),
    frozenset(State) - _SUCCESS,
    _SUCCESS,
)
"""After which states a receipt is wanted, by bits 1-0 of registered_delivery."""


class ReceiptWriter:
    """See the module."""

    def __init__(self, ids: IdAllocator, now_ms: Callable[[], int]) -> None:
        self._ids = ids
        self._now_ms = now_ms
        self.policies: Mapping[OutletName, OutletPolicy] = {}
        """Of outlets whose network is unlike others."""
        self.per_part: set[AccountId] = set()
        """Accounts that get a receipt for each part of a long message."""
        self.ended: Callable[[Sequence[tuple[Message, Progress]]], None] = lambda _finals: None
        """Told of every message that reaches a final state; see `smsc.flow.finals`."""
        self.payers: Container[AccountId] = ()
        """Accounts that pay for messages; while there are none, `refund` is not called."""
        self.refund: Callable[[Batch, Sequence[tuple[Message, Progress]]], None] = lambda *_: None
        """Gives back, in the same batch, what messages cost that need not be paid for."""
        self.callbacks = Callbacks(ids, now_ms)
        """Writes for callbacks that have a style."""

    def write(self, batch: Batch, finals: Sequence[tuple[Message, Progress]]) -> list[Delivery]:
        """Park the receipts of messages in a final state, where they were asked for."""
        self.ended(finals)
        if self.payers:
            self.refund(batch, finals)
        wanted: list[tuple[Message, Progress, bytes]] = []
        styled: list[Delivery] = []
        for message, progress in finals:
            if message.callback_style:
                styled += self.callbacks.ended(batch, self._each_part(message, progress))
            elif len(progress.parts) > 1:
                each = self._each_part(message, progress)
                wanted += [one for one in each if is_wanted(message, one[1])]
            elif is_wanted(message, progress):
                wanted.append((message, progress, b""))
        deliveries = self._park(batch, wanted, "receipt")
        return styled + deliveries if styled else deliveries

    def write_notice(self, batch: Batch, message: Message, progress: Progress) -> list[Delivery]:
        """Park an intermediate notification: it is on its way (SMPP 3.4 §5.2.17).

        Callbacks know no such thing, unless they have a style: see `callbacks`.
        """
        if message.callback_url is not None:
            return []
        so_far = attrs.evolve(progress, state=ENROUTE, done_ms=self._now_ms())
        return self._park(batch, [(message, so_far, b"")], "notice")

    def _each_part(
        self, message: Message, progress: Progress
    ) -> Sequence[tuple[Message, Progress, bytes]]:
        """One final state for the whole, or for those who want it one for each part.

        The octets are TLVs that tell which part.
        """
        parts = progress.parts
        if len(parts) < 2 or not (
            message.account in self.per_part
            or self.policies.get(progress.outlet, ANY_NETWORK).receipts_per_part
        ):
            return ((message, progress, b""),)
        total = pack_tlv(Tag.SAR_TOTAL_SEGMENTS, b"%c" % min(len(parts), 255))
        return [
            (
                message,
                attrs.evolve(
                    progress,
                    state=State(octet) if octet in FINAL else progress.state,
                    # One error is kept for all parts; what went well has none.
                    error=0 if octet in _SUCCESS else progress.error,
                    parts=parts[place : place + 1],
                    upstream_ids=progress.upstream_ids[place : place + 1],
                ),
                total + pack_tlv(Tag.SAR_SEGMENT_SEQNUM, b"%c" % (place + 1)),
            )
            for place, octet in enumerate(parts)
        ]

    def _park(
        self, batch: Batch, wanted: Sequence[tuple[Message, Progress, bytes]], kind: str
    ) -> list[Delivery]:
        now_ms = self._now_ms()
        head, expires_ms = AS[kind], now_ms + DELIVERY_KEEP_MS
        deliveries: list[Delivery] = []
        ids = self._ids.take(len(wanted), now_ms)
        for id_, (message, progress, which_part) in zip(ids, wanted, strict=True):
            account, url = message.account, message.callback_url
            deliveries.append(
                Delivery(
                    id_,
                    Mailbox(account) if url is None else mailbox_for(account, url),
                    account,
                    kind,
                    now_ms,
                    expires_ms,
                    receipt_body(message, progress, head) + which_part,
                    message.id,
                    progress.state,
                    progress.error,
                    url,
                    message.reference,
                    0,
                    message.session,
                )
            )
        batch.park_many(deliveries)
        return deliveries


def is_wanted(message: Message, progress: Progress) -> bool:
    """Did the client ask to hear of this final state (SMPP 5.0 §4.7.21)? Callback or not."""
    # What cannot be read was set aside, and nobody can be told where it was to go.
    return progress.state in _WANTED[message.registered_delivery & 0x03] and message.is_readable
