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

import attrs

from pdu.receipt_text import MessageState, format_receipt
from pdu.status import Status
from pdu.tlvs import Tag, find_tlv, pack_tlv
from smsc.flow.parts import aggregate, with_part
from smsc.flow.recent import Recent
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
# esm_class: MC delivery receipt, or intermediate notification; then protocol_id up to
# sm_default_msg_id, times empty.
_AS: Final = {"receipt": b"\x04" + bytes(8), "notice": b"\x20" + bytes(8)}
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
        recent: Recent,
        arrived: Callable[[Sequence[Delivery]], None],
        now_ms: Callable[[], int],
        log: Any,
    ) -> None:
        self._store = store
        self._ids = ids
        self._recent = recent
        self._arrived = arrived
        self._now_ms = now_ms
        self._log = log
        self._early: dict[tuple[OutletName, str], Delivery] = {}  # oldest first
        self.progresses: Callable[[Sequence[MessageId]], list[Progress | None]] = store.progresses
        """How far messages are; dispatch knows better of those in flight."""
        self.ended: Callable[[Sequence[tuple[Message, Progress]]], None] = lambda _finals: None
        """Told of every message that reaches a final state; see `smsc.flow.finals`."""
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
        if not receipts:
            done([])
            return
        batch = self._store.batch()
        answers, deliveries = self._match(batch, receipts)

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
        for early in found:
            batch.unpark(early.mailbox, early.id)
        _, deliveries = self._match(batch, [_receipt_of(outlet, early) for early in found])
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
        self, batch: Batch, receipts: Sequence[UpstreamReceipt]
    ) -> tuple[list[int], list[Delivery]]:
        """Enter receipts of one outlet where they belong.

        Returns the status to answer the network with for each, and the receipts for clients.
        """
        hits = self._store.upstreams(receipts[0].outlet, [one.upstream_id for one in receipts])
        known = [hit[0] for hit in hits if hit is not None]
        # One Progress for each message: a second receipt in the same read sees the first.
        progresses = dict(zip(known, self.progresses(known), strict=True))
        answers: list[int] = []
        finals: list[tuple[Message, Progress]] = []
        for receipt, hit in zip(receipts, hits, strict=True):
            if receipt.state in LIVE or receipt.state is State.ACCEPTED:
                # The network says that it is on its way; that is known.
                answers.append(Status.ESME_ROK)
                continue
            if hit is None:
                answers.append(self._park_early(batch, receipt))
                continue
            id_, part = hit
            progress = progresses[id_]
            if progress is not None and self._enter(receipt, progress, part):
                batch.progress(id_, progress)
                message = self._recent.get(id_) if progress.state in FINAL else None
                if message is not None:
                    finals.append((message, progress))
            answers.append(Status.ESME_ROK)
        return answers, self.write(batch, finals)

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

    def _enter(self, receipt: UpstreamReceipt, progress: Progress, part: int) -> bool:
        """Write one receipt into the progress of its message; False if it says nothing new."""
        parts = progress.parts
        if progress.state in FINAL or part >= len(parts) or parts[part] != State.ENROUTE:
            self.duplicates += 1
            return False
        progress.parts = parts = with_part(parts, part, receipt.state)
        if receipt.error:
            progress.error = receipt.error
        state = aggregate(parts)
        if progress.state is State.ENROUTE and state in FINAL:
            progress.state = state
            progress.done_ms = receipt.done_ms or self._now_ms()
        return True

    # --- to the client -------------------------------------------------------------------------

    def write(self, batch: Batch, finals: Sequence[tuple[Message, Progress]]) -> list[Delivery]:
        """Park the receipts of messages in a final state, where they were asked for."""
        self.ended(finals)
        return self._park(batch, [one for one in finals if is_wanted(*one)], "receipt")

    def write_notice(self, batch: Batch, message: Message, progress: Progress) -> list[Delivery]:
        """Park an intermediate notification: it is on its way (SMPP 3.4 §5.2.17).

        Callbacks know no such thing.
        """
        if message.callback_url is not None:
            return []
        so_far = attrs.evolve(progress, state=State.ENROUTE, done_ms=self._now_ms())
        return self._park(batch, [(message, so_far)], "notice")

    def _park(
        self, batch: Batch, wanted: Sequence[tuple[Message, Progress]], kind: str
    ) -> list[Delivery]:
        now_ms = self._now_ms()
        deliveries = [
            Delivery(
                id=MessageId(id_),
                mailbox=mailbox_for(message.account, message.callback_url),
                account=message.account,
                kind=kind,
                created_ms=now_ms,
                expires_ms=now_ms + DELIVERY_KEEP_MS,
                body=receipt_body(message, progress, _AS[kind]),
                message_id=message.id,
                state=progress.state,
                error=progress.error,
                callback_url=message.callback_url,
                reference=message.reference,
                session=message.session,
            )
            for id_, (message, progress) in zip(
                self._ids.take(len(wanted), now_ms), wanted, strict=True
            )
        ]
        for delivery in deliveries:
            batch.park(delivery)
        return deliveries


def is_wanted(message: Message, progress: Progress) -> bool:
    """Did the client ask to hear of this final state (SMPP 5.0 §4.7.21)? Callback or not."""
    on_success, on_failure = _WANTED_ON[message.registered_delivery & 0x03]
    is_asked = on_success if progress.state is State.DELIVERED else on_failure
    # What cannot be read was set aside, and nobody can be told where it was to go.
    return is_asked and message.is_readable


def early_mailbox(outlet: OutletName) -> Mailbox:
    """Where receipts of an outlet wait for the response that names them."""
    return Mailbox(f"early:{outlet}")


def _receipt_of(outlet: OutletName, early: Delivery) -> UpstreamReceipt:
    return UpstreamReceipt(
        outlet, early.reference or "", early.state, early.error, early.created_ms
    )


def mailbox_for(account: str, callback_url: str | None) -> Mailbox:
    """`callback:scheme://host:port` for a callback, one for each host; else the account's name."""
    if callback_url is None:
        return Mailbox(account)
    url = urlsplit(callback_url)
    host = url.netloc.rpartition("@")[2][:_HOST_LIMIT]
    return Mailbox(f"callback:{url.scheme}://{host}")


def client_id(message: Message) -> MessageId:
    """What the client calls the message: those of one submit_multi share the id of the first."""
    shares_id = message.batch is not None and message.source == "smpp"
    return MessageId(message.batch or message.id) if shares_id else message.id


def receipt_body(message: Message, progress: Progress, head: bytes = _AS["receipt"]) -> bytes:
    """The deliver_sm body of a receipt: addresses swapped, standard text, and the TLVs.

    Written octet by octet, since one is made for each message; `encode_body` of a `DeliverSm`
    gives the same (tests compare them).
    """
    peek = message.peek
    id_ = b"%d" % client_id(message)
    text = format_receipt(
        id_.decode(),
        submitted_ms=message.accepted_ms,
        done_ms=progress.done_ms,
        state=MessageState(progress.state),
        error=f"{progress.error % 1000:03d}",
        sub=len(progress.parts) or 1,
        dlvrd=progress.parts.count(State.DELIVERED),
    )
    pieces = [
        b"\0%c%c%b\0" % (peek.dest_addr_ton, peek.dest_addr_npi, _octets(peek.destination_addr)),
        b"%c%c%b\0" % (peek.source_addr_ton, peek.source_addr_npi, _octets(peek.source_addr)),
        head,
        b"%c%b" % (len(text), text),
        pack_tlv(Tag.RECEIPTED_MESSAGE_ID, id_ + b"\0"),
        pack_tlv(Tag.MESSAGE_STATE, b"%c" % progress.state),
    ]
    if progress.error:
        code = min(progress.error, 0xFFFF).to_bytes(2, "big")
        pieces.append(pack_tlv(Tag.NETWORK_ERROR_CODE, _SMPP_ERROR + code))
    reference = find_tlv(message.body, peek.tlvs_at, Tag.USER_MESSAGE_REFERENCE)
    if reference is not None:
        pieces.append(pack_tlv(Tag.USER_MESSAGE_REFERENCE, reference))
    return b"".join(pieces)


def _octets(address: str) -> bytes:
    return address.encode("latin-1")
