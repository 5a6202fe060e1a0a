"""Messages from the network, on their way to an account.

*In*: deliver_sm bodies that outlets received.
*Out*: what a rule says: a Delivery parked for the account's receivers or for a callback, or a
message for its inbox; what no rule takes goes to the sandbox, if there is one.
*Never*: an answer OK before it is on disk.

Station of the flow: outlet → **inbound** → mailboxes | forwarding.
"""

from collections.abc import Callable, Container, Sequence
from typing import Any, Final

from pdu.codec import SubmitPeek, peek_deliver_sm
from pdu.errors import BodyError
from pdu.status import Status
from pdu.text.coding import decode_text
from pdu.text.udh import split_header
from pdu.tlvs import Tag, find_tlv
from routing.mo import MoDecision, MoTable, first_word
from smsc.directory.inbox import SANDBOX
from smsc.flow.callbacks import mailbox_for
from smsc.flow.mo_keys import MoKeys
from smsc.flow.mo_parts import MoParts, Shelved, part_of
from smsc.message import AccountId, Delivery, MessageId
from smsc.ports import Batch, CommitResult, InboxKind, MobileOriginated, Received, Store
from smsc.store.ids import IdAllocator

MO_KEEP_MS: Final = 7 * 24 * 3600 * 1000
"""How long a message waits for its account to bind."""
_UDHI: Final = 0x40


class Inbound:
    """Routes MO messages home.

    :param arrived: told of deliveries once they are on disk.
    """

    def __init__(
        self,
        routes: MoTable,
        ids: IdAllocator,
        store: Store,
        arrived: Callable[[Sequence[Delivery]], None],
        now_ms: Callable[[], int],
        log: Any,
    ) -> None:
        self.routes = routes
        self._ids = ids
        self._store = store
        self._arrived = arrived
        self._now_ms = now_ms
        self._log = log
        self.heard_from: Callable[[str], None] = lambda _source_addr: None
        """Told of each number that sent a message."""
        self.home_of: Callable[[AccountId], tuple[str | None, str]] = lambda _account: (None, "")
        """The callback URL of an account and its style; None: its messages go to its sessions."""
        self.take_in: Callable[[Batch, Received], Sequence[Delivery]] = lambda *_: ()
        """Takes a message to an inbox; the copies that are parked. See `smsc.flow.forwarding`."""
        self.keep: Callable[[Batch, Received], None] = lambda _batch, _received: None
        """Keeps a part in an inbox until it is whole; see `smsc.directory.inbox`."""
        self.take_away: Callable[
            [Batch, AccountId, Sequence[MessageId], Container[MessageId]], None
        ] = lambda *_: None
        """Takes messages out of an inbox again: parts that are one now."""
        self._kept: set[MessageId] = set()  # parts in the batch at hand
        self.parts = MoParts()
        self.has_sandbox = False
        """Is what no rule takes kept in the sandbox? Else it is refused."""
        self.keys = MoKeys(store)
        self.received = 0

    def mobile_originated_nowait(
        self, messages: Sequence[MobileOriginated], done: Callable[[list[int]], None]
    ) -> None:
        """Park each for its account; a status for each follows after fsync.

        A message that no rule takes is refused for good, unless there is a sandbox: the network
        need not send it again.
        """
        batch = self._store.batch()
        self._kept.clear()
        deliveries: list[Delivery] = []
        answers = [self._park(batch, message, deliveries) for message in messages]

        def committed(_result: CommitResult) -> None:
            self._arrived(deliveries)
            done(answers)

        self._store.commit_nowait(batch, committed)

    def _park(self, batch: Batch, message: MobileOriginated, deliveries: list[Delivery]) -> int:
        try:
            peek = peek_deliver_sm(message.body)
        except BodyError as error:
            return int(error.status)
        self.heard_from(peek.source_addr)
        text = text_of(message.body, peek)
        keyword = first_word(text)
        now_ms = self._now_ms()
        part = part_of(message.outlet, message.body, peek)
        if part is not None:
            keyword = self.parts.first_word(part, keyword, now_ms)
        destination = peek.destination_addr.removeprefix("+")
        decision = self.routes.match(destination, keyword, message.outlet)
        if decision is None and not self.has_sandbox:
            self._log.warning(
                "mo.unrouted", outlet=message.outlet, destination_addr=peek.destination_addr
            )
            return Status.ESME_RX_R_APPN
        if message.key and self.keys.is_known(message.outlet, message.key, now_ms):
            return Status.ESME_ROK  # the commit of the first one ends before this one's
        id_ = MessageId(self._ids.take(1, now_ms)[0])
        if message.key:
            self.keys.remember(batch, message.outlet, message.key, id_, now_ms)
        self.received += 1
        if decision is None or decision.deliver == "inbox":
            shelved: Shelved | None = Shelved(text)
            if part is not None:
                shelved = self.parts.shelve(part, text, id_, now_ms)
            if shelved is not None:
                kind, account = _shelf(decision)
                received = Received(
                    id=id_,
                    account=account,
                    kind=kind,
                    source=peek.source_addr,
                    destination=peek.destination_addr,
                    keyword=keyword if kind is InboxKind.KEYWORD else "",
                    text=shelved.text,
                    received_ms=now_ms,
                    outlet=message.outlet,
                )
                self.take_away(batch, account, shelved.replaces, self._kept)
                if shelved.is_whole:
                    deliveries += self.take_in(batch, received)
                else:
                    self.keep(batch, received)
                    self._kept.add(id_)
            return Status.ESME_ROK
        account = AccountId(decision.account)
        callback_url, callback_style = self.home_of(account)
        delivery = Delivery(
            id=id_,
            mailbox=mailbox_for(account, decision.callback or callback_url),
            account=account,
            kind="mo",
            created_ms=now_ms,
            expires_ms=now_ms + MO_KEEP_MS,
            body=message.body,
            callback_url=decision.callback or callback_url,
            callback_style=callback_style,
            outlet=message.outlet,
        )
        batch.park(delivery)
        deliveries.append(delivery)
        return Status.ESME_ROK


def _shelf(decision: MoDecision | None) -> tuple[InboxKind, AccountId]:
    """Where a message is kept: in an account's inbox, or in the sandbox, which is nobody's."""
    if decision is None:
        return InboxKind.SANDBOX, SANDBOX
    kind = InboxKind.KEYWORD if decision.is_by_keyword else InboxKind.INBOX
    return kind, AccountId(decision.account)


def text_of(body: bytes, peek: SubmitPeek) -> str:
    """The text of a body, its user data header left out."""
    data = body[peek.text_at : peek.text_at + peek.sm_length]
    if not data:
        data = find_tlv(body, peek.tlvs_at, Tag.MESSAGE_PAYLOAD) or b""
    if peek.esm_class & _UDHI:
        parted = split_header(data)
        data = parted[1] if parted is not None else data
    return decode_text(data, peek.data_coding)
