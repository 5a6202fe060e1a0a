"""From what a network says of a part to what the client hears of its message.

*In*: upstream receipts; messages that reached a final state in dispatch.
*Out*: journalled progress; a Delivery in the account's mailbox when one was asked for.
*Never*: a final state overwritten; a receipt acknowledged before it is on disk.

Station of the flow: outlet → **receipts** → mailboxes. SMPP 3.4 §5.2.17, appendix B.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from typing import Any, Final
from urllib.parse import urlsplit

from pdu.codec import encode_body, peek_submit_sm
from pdu.message_pdus import DeliverSm
from pdu.receipt_text import MessageState, format_receipt
from pdu.status import Status
from pdu.tlvs import Tag, find_tlv
from smsc.flow.parts import aggregate, with_part
from smsc.message import (
    FINAL,
    LIVE,
    AccountId,
    Delivery,
    Mailbox,
    Message,
    MessageId,
    OutletName,
    Progress,
    State,
)
from smsc.ports import Batch, CommitResult, Store, UpstreamReceipt
from smsc.store.ids import IdAllocator

DELIVERY_KEEP_MS: Final = 7 * 24 * 3600 * 1000
"""How long a receipt waits for its account to bind."""
EARLY_KEEP_MS: Final = 3600 * 1000
"""How long a receipt waits for the response that names its message."""
_HOST_LIMIT: Final = 261
"""Characters of a host name (RFC 1035 §2.3.4) with its port; a longer one will never resolve."""
_EARLY_LIMIT: Final = 100_000
_RECEIPT: Final = 0x04  # esm_class of deliver_sm: MC delivery receipt
_WANTED_ON: Final = {
    # registered_delivery bits 1-0: is the receipt wanted (on success, on failure)?
    0: (False, False),
    1: (True, True),
    2: (False, True),
    3: (True, False),
}
_SMPP_ERROR: Final = b"\x07"  # network_error_code octet 1: the code is an SMPP command_status


class Receipts:
    """Matches receipts and writes those of our own.

    A receipt that overtook the response with its upstream id is *early*: it is parked in a
    mailbox of the outlet's own until `responded` names that id.

    :param arrived: told of receipts for clients once they are on disk.
    """

    def __init__(
        self,
        store: Store,
        ids: IdAllocator,
        arrived: Callable[[Sequence[Delivery]], None],
        now_ms: Callable[[], int],
        log: Any,
    ) -> None:
        self._store = store
        self._ids = ids
        self._arrived = arrived
        self._now_ms = now_ms
        self._log = log
        self._early: dict[tuple[OutletName, str], Delivery] = {}  # oldest first
        self.progress: Callable[[MessageId], Progress | None] = store.progress
        """How far a message is; dispatch knows better of those in flight."""
        self.duplicates = 0
        self.unmatched = 0

    # --- from the network ----------------------------------------------------------------------

    def restore(self, outlets: Iterable[OutletName]) -> None:
        """Take up the early receipts of an earlier run.

        It may have ended between journalling a response and matching the receipt.
        """
        for outlet in outlets:
            for early in self._store.parked(early_mailbox(outlet), MessageId(0), _EARLY_LIMIT):
                self._early[outlet, early.reference or ""] = early
        for outlet, upstream_id in list(self._early):
            if self._store.upstream(outlet, upstream_id) is not None:
                self.responded(outlet, (upstream_id,))

    def receipts_nowait(
        self, receipts: Sequence[UpstreamReceipt], done: Callable[[list[int]], None]
    ) -> None:
        """Match receipts; `done` gets a status for each after fsync (see `smsc.ports.Flow`)."""
        batch = self._store.batch()
        deliveries: list[Delivery] = []
        changed: dict[MessageId, Progress] = {}
        answers = [self._match(batch, receipt, changed, deliveries) for receipt in receipts]

        def committed(_result: CommitResult) -> None:
            self._arrived(deliveries)
            done(answers)

        self._store.commit_nowait(batch, committed)

    def responded(self, outlet: OutletName, upstream_ids: Iterable[str]) -> None:
        """Responses named these parts: their early receipts, if any, can be matched now."""
        if not self._early:
            return
        found = [
            early
            for upstream_id in upstream_ids
            if (early := self._early.pop((outlet, upstream_id), None)) is not None
        ]
        if not found:
            return
        batch = self._store.batch()
        deliveries: list[Delivery] = []
        changed: dict[MessageId, Progress] = {}
        for early in found:
            batch.unpark(early.mailbox, early.id)
            self._match(batch, _receipt_of(outlet, early), changed, deliveries)
        self._store.commit_nowait(batch, lambda _: self._arrived(deliveries))

    def forget_old(self) -> None:
        """Drop early receipts that no response ever named; called by the sweeper."""
        now_ms = self._now_ms()
        old = list(takewhile(lambda entry: entry[1].expires_ms <= now_ms, self._early.items()))
        if not old:
            return
        batch = self._store.batch()
        for key, early in old:
            del self._early[key]
            batch.unpark(early.mailbox, early.id)
            self.unmatched += 1
            self._log.info("receipt.unmatched", outlet=key[0], upstream_id=key[1])
        self._store.commit_nowait(batch)

    def _match(
        self,
        batch: Batch,
        receipt: UpstreamReceipt,
        changed: dict[MessageId, Progress],
        deliveries: list[Delivery],
    ) -> int:
        """Enter a receipt where it belongs; the status to answer the network with.

        `changed` holds what the batch says already: the store cannot know it yet.
        """
        if receipt.state in LIVE or receipt.state is State.ACCEPTED:
            return Status.ESME_ROK  # the network says that it is on its way; that is known
        hit = self._store.upstream(receipt.outlet, receipt.upstream_id)
        if hit is None:
            return self._park_early(batch, receipt)
        id_, part = hit
        progress = changed.get(id_) or self.progress(id_)
        if progress is not None:
            changed[id_] = progress
            deliveries += self._enter(batch, receipt, id_, part, progress)
        return Status.ESME_ROK

    def _park_early(self, batch: Batch, receipt: UpstreamReceipt) -> int:
        """Keep a receipt until a response names its upstream id."""
        key = (receipt.outlet, receipt.upstream_id)
        if key in self._early:
            self.duplicates += 1
            return Status.ESME_ROK
        if len(self._early) >= _EARLY_LIMIT:
            return Status.ESME_RX_T_APPN
        now_ms = self._now_ms()
        early = Delivery(
            id=MessageId(self._ids.take(1, now_ms)[0]),
            mailbox=early_mailbox(receipt.outlet),
            account=AccountId(""),
            kind="early",
            created_ms=receipt.done_ms or now_ms,
            expires_ms=now_ms + EARLY_KEEP_MS,
            body=b"",
            state=receipt.state,
            error=receipt.error,
            reference=receipt.upstream_id,
        )
        batch.park(early)
        self._early[key] = early
        return Status.ESME_ROK

    def _enter(
        self,
        batch: Batch,
        receipt: UpstreamReceipt,
        id_: MessageId,
        part: int,
        progress: Progress,
    ) -> list[Delivery]:
        """Write one receipt into the progress of its message; the client's receipt, if any."""
        parts = progress.parts
        if progress.state in FINAL or part >= len(parts) or parts[part] != State.ENROUTE:
            self.duplicates += 1
            return []
        progress.parts = parts = with_part(parts, part, receipt.state)
        if receipt.error:
            progress.error = receipt.error
        deliveries: list[Delivery] = []
        state = aggregate(parts)
        if progress.state is State.ENROUTE and state in FINAL:
            progress.state = state
            progress.done_ms = receipt.done_ms or self._now_ms()
            message = self._store.message(id_)
            if message is not None:
                deliveries = self.write(batch, message, progress)
        batch.progress(id_, progress)
        return deliveries

    # --- to the client -------------------------------------------------------------------------

    def write(self, batch: Batch, message: Message, progress: Progress) -> list[Delivery]:
        """Park the receipt of a message in a final state, if it was asked for."""
        on_success, on_failure = _WANTED_ON[message.registered_delivery & 0x03]
        wanted = on_success if progress.state is State.DELIVERED else on_failure
        if not wanted:
            return []
        now_ms = self._now_ms()
        delivery = Delivery(
            id=MessageId(self._ids.take(1, now_ms)[0]),
            mailbox=mailbox_of(message),
            account=message.account,
            kind="receipt",
            created_ms=now_ms,
            expires_ms=now_ms + DELIVERY_KEEP_MS,
            body=receipt_body(message, progress),
            message_id=message.id,
            state=progress.state,
            error=progress.error,
            callback_url=message.callback_url,
            reference=message.reference,
        )
        batch.park(delivery)
        return [delivery]


def early_mailbox(outlet: OutletName) -> Mailbox:
    """Where receipts of an outlet wait for the response that names them."""
    return Mailbox(f"early:{outlet}")


def _receipt_of(outlet: OutletName, early: Delivery) -> UpstreamReceipt:
    return UpstreamReceipt(
        outlet, early.reference or "", early.state, early.error, early.created_ms
    )


def mailbox_of(message: Message) -> Mailbox:
    """Where receipts of a message wait: its callback's host, or the account's bound receivers."""
    return mailbox_for(message.account, message.callback_url)


def mailbox_for(account: str, callback_url: str | None) -> Mailbox:
    """`callback:scheme://host:port` for a callback, one for each host; else the account's name."""
    if callback_url is None:
        return Mailbox(account)
    url = urlsplit(callback_url)
    host = url.netloc.rpartition("@")[2][:_HOST_LIMIT]
    return Mailbox(f"callback:{url.scheme}://{host}")


def receipt_body(message: Message, progress: Progress) -> bytes:
    """The deliver_sm body of a receipt: addresses swapped, standard text, and the TLVs."""
    peek = peek_submit_sm(message.body)
    parts = progress.parts or b"\0"
    dlvrd = parts.count(State.DELIVERED)
    state = MessageState(progress.state)
    text = format_receipt(
        str(message.id),
        submitted_ms=message.accepted_ms,
        done_ms=progress.done_ms,
        state=state,
        error=f"{progress.error % 1000:03d}",
        sub=len(parts),
        dlvrd=dlvrd,
    )
    tlvs = [
        (int(Tag.RECEIPTED_MESSAGE_ID), str(message.id).encode() + b"\0"),
        (int(Tag.MESSAGE_STATE), bytes((state,))),
    ]
    if progress.error:
        code = min(progress.error, 0xFFFF).to_bytes(2, "big")
        tlvs.append((int(Tag.NETWORK_ERROR_CODE), _SMPP_ERROR + code))
    reference = find_tlv(message.body, peek.tlvs_at, Tag.USER_MESSAGE_REFERENCE)
    if reference is not None:
        tlvs.append((int(Tag.USER_MESSAGE_REFERENCE), reference))
    return encode_body(
        DeliverSm(
            source_addr_ton=peek.dest_addr_ton,
            source_addr_npi=peek.dest_addr_npi,
            source_addr=peek.destination_addr,
            dest_addr_ton=peek.source_addr_ton,
            dest_addr_npi=peek.source_addr_npi,
            destination_addr=peek.source_addr,
            esm_class=_RECEIPT,
            short_message=text,
            tlvs=tuple(tlvs),
        )
    )
