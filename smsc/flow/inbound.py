"""Messages from the network, on their way to an account.

*In*: deliver_sm bodies that outlets received. *Out*: Deliveries, parked in the account's mailbox.
*Never*: an answer OK before the delivery is on disk.

Station of the flow: outlet → **inbound** → mailboxes.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from pdu.codec import SubmitPeek, peek_deliver_sm
from pdu.errors import BodyError
from pdu.status import Status
from pdu.text.coding import decode_text
from pdu.text.udh import split_header
from pdu.tlvs import Tag, find_tlv
from routing.mo import MoTable, first_word
from smsc.flow.callbacks import mailbox_for
from smsc.flow.mo_keys import MoKeys
from smsc.message import AccountId, Delivery, MessageId
from smsc.ports import Batch, CommitResult, MobileOriginated, Store
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
        self.keys = MoKeys(store)
        self.received = 0

    def mobile_originated_nowait(
        self, messages: Sequence[MobileOriginated], done: Callable[[list[int]], None]
    ) -> None:
        """Park each for its account; a status for each follows after fsync.

        A message that no rule takes is refused for good: the network need not send it again.
        """
        batch = self._store.batch()
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
        keyword = first_word(text_of(message.body, peek))
        account = self.routes.choose(peek.destination_addr.removeprefix("+"), keyword)
        if account is None:
            self._log.warning(
                "mo.unrouted", outlet=message.outlet, destination_addr=peek.destination_addr
            )
            return Status.ESME_RX_R_APPN
        now_ms = self._now_ms()
        if message.key and self.keys.is_known(message.outlet, message.key, now_ms):
            return Status.ESME_ROK  # the commit of the first one ends before this one's
        callback_url, callback_style = self.home_of(AccountId(account))
        delivery = Delivery(
            id=MessageId(self._ids.take(1, now_ms)[0]),
            mailbox=mailbox_for(account, callback_url),
            account=AccountId(account),
            kind="mo",
            created_ms=now_ms,
            expires_ms=now_ms + MO_KEEP_MS,
            body=message.body,
            callback_url=callback_url,
            callback_style=callback_style,
            outlet=message.outlet,
        )
        batch.park(delivery)
        if message.key:
            self.keys.remember(batch, message.outlet, message.key, delivery.id, now_ms)
        deliveries.append(delivery)
        self.received += 1
        return Status.ESME_ROK


def text_of(body: bytes, peek: SubmitPeek) -> str:
    """The text of a body, its user data header left out."""
    data = body[peek.text_at : peek.text_at + peek.sm_length]
    if not data:
        data = find_tlv(body, peek.tlvs_at, Tag.MESSAGE_PAYLOAD) or b""
    if peek.esm_class & _UDHI:
        parted = split_header(data)
        data = parted[1] if parted is not None else data
    return decode_text(data, peek.data_coding)
