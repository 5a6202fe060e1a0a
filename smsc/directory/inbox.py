"""Messages received for accounts, kept on disk until they delete them or time runs out.

*In*: messages that rules or accounts left here. *Out*: pages of them, newest first.
*Never*: all of them in memory; more than `limit` of one account (and what one batch brings, until
the next look), nor older than `keep_s`: the oldest go first.

Implements `smsc.ports.Inbox`. Keys: the account, then the id; the sandbox is that of nobody ("").
Only how many each account has is kept in memory.
"""

from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any, Final

from pdu.status import Vendor
from smsc.directory.durable import written
from smsc.message import AccountId, Delivery, MessageId
from smsc.ports import Batch, Control, InboxKind, InboxQuery, Received, Refused, Store
from smsc.store import keys
from smsc.store.ids import IdAllocator, first_id_at

SANDBOX: Final = AccountId("")
TEXT_LIMIT: Final = 10_000
"""Characters of a text between accounts."""
_CHUNK: Final = 1000
_COUNTED: Final = 10_000
_LOOKED_AT: Final = 10_000
"""Messages that one query looks at; `InboxQuery.below` goes on from there."""
_FORGOTTEN: Final = 500
"""Messages that one look for old ones deletes."""


class InboxShelf:
    """Every inbox of a node.

    :param is_account: is there an account of that name?
    :param keep_s: how long a message is kept; 0 = until it is deleted.
    :param limit: messages of one account; above it the oldest go.
    """

    def __init__(
        self,
        store: Store,
        ids: IdAllocator,
        now_ms: Callable[[], int],
        is_account: Callable[[AccountId], bool],
        *,
        keep_s: float = 0.0,
        limit: int = 100_000,
    ) -> None:
        self._store = store
        self._ids = ids
        self._now_ms = now_ms
        self._is_account = is_account
        self.take_limits(keep_s, limit)
        self.take_in: Callable[[Batch, Received], Sequence[Delivery]] = self._keep_only
        """The one door for messages that come to an inbox; see `smsc.flow.forwarding`."""
        self.arrived: Callable[[Sequence[Delivery]], None] = lambda _copies: None
        """Told of the copies that it parked, once they are on disk."""
        self._counts: dict[AccountId, int] = {}
        self._dropped: dict[AccountId, int] = {}  # the newest id that had to go for others
        for key in _keys(store, b"", keys.END):
            owner = AccountId(keys.owned_of(key)[0])
            self._counts[owner] = self._counts.get(owner, 0) + 1

    # --- questions -----------------------------------------------------------------------------

    def received(self, account: AccountId, query: InboxQuery) -> Sequence[Received]:
        """Messages of an account, newest first."""
        return self._find(account, query) if account else []

    def sandbox(self, query: InboxQuery) -> Sequence[Received]:
        """Messages that no rule took, newest first."""
        return self._find(SANDBOX, query)

    def count(self, account: AccountId) -> int:
        """How many messages an account has."""
        return self._counts.get(account, 0)

    def _find(self, account: AccountId, query: InboxQuery) -> list[Received]:
        start, stop = keys.owned_range(account, query.above, query.below)
        found: list[Received] = []
        keyword = query.keyword.casefold()
        looked_at = 0
        while looked_at < _LOOKED_AT and len(found) < query.limit:
            chunk = min(_CHUNK, _LOOKED_AT - looked_at)
            rows = self._store.control(Control.INBOX, start, stop, chunk, backwards=True)
            for key, fields in rows:
                one = _decode(key, fields)
                if _fits(one, query, keyword):
                    found.append(one)
            if len(rows) < chunk:
                break
            looked_at += len(rows)
            stop = rows[-1][0]
        return found[: query.limit]

    # --- changes -------------------------------------------------------------------------------

    def keep(self, batch: Batch, received: Received) -> None:
        """Keep a message, in the batch of whoever brings it; above the limit the oldest goes.

        For messages that are to stand here whatever its account wants; others go by `take_in`.
        Take its id from the node's series, so that it is above all that are kept.
        """
        account = received.account
        key = keys.owned_key(account, received.id)
        batch.control(Control.INBOX, key, _encode(received))
        count = self._counts.get(account, 0) + 1
        if count > self._limit:
            count -= self._drop_oldest(batch, account, count - self._limit)
        self._counts[account] = count

    async def write(
        self, to: AccountId, source: str, text: str, by: AccountId
    ) -> Received | Refused:
        """A message from one account to another, that no network sees."""
        if not self._is_account(to):
            return Refused(Vendor.SMSC_UNKNOWN, f"there is no account {to[:40]!r} to write to")
        if not text or len(text) > TEXT_LIMIT:
            why = f"a message between accounts has 1 to {TEXT_LIMIT} characters, not {len(text)}"
            return Refused(Vendor.SMSC_INVALID, why)
        received = self.make(to, InboxKind.INBOX, source or by, to, text)
        batch = self._store.batch()
        copies = self.take_in(batch, received)
        await written(self._store, batch, lambda: self.arrived(copies))
        return received

    def make(
        self,
        account: AccountId,
        kind: InboxKind,
        source: str,
        destination: str,
        text: str,
        *,
        keyword: str = "",
        outlet: str = "",
    ) -> Received:
        """A message with an id of its own, received now."""
        now_ms = self._now_ms()
        return Received(
            id=MessageId(self._ids.take(1, now_ms)[0]),
            account=account,
            kind=kind,
            source=source,
            destination=destination,
            keyword=keyword,
            text=text,
            received_ms=now_ms,
            outlet=outlet,
        )

    async def remove(self, account: AccountId, id_: MessageId) -> bool:
        """Delete one; False if there was none."""
        if not self._store.control(
            Control.INBOX, *keys.owned_range(account, id_ - 1, MessageId(id_ + 1)), 1
        ):
            return False
        batch = self._store.batch()
        batch.control(Control.INBOX, keys.owned_key(account, id_), None)
        self._fewer(account, 1)
        await written(self._store, batch)
        return True

    def take_away(
        self,
        batch: Batch,
        account: AccountId,
        ids: Sequence[MessageId],
        in_batch: Container[MessageId] = (),
    ) -> None:
        """Take out messages again that became one with another, those that are still there.

        :param in_batch: messages that are kept in this very batch.
        """
        for id_ in ids:
            start, stop = keys.owned_range(account, MessageId(id_ - 1), MessageId(id_ + 1))
            if id_ in in_batch or self._store.control(Control.INBOX, start, stop, 1):
                batch.control(Control.INBOX, keys.owned_key(account, id_), None)
                self._fewer(account, 1)

    def batch(self) -> Batch:
        """An empty batch for `keep`."""
        return self._store.batch()

    async def written(self, batch: Batch) -> None:
        """Hand it in, and return after fsync."""
        await written(self._store, batch)

    def take_limits(self, keep_s: float, limit: int) -> None:
        """How much is kept from now on."""
        self._keep_ms = int(keep_s * 1000)
        self._limit = limit

    def forget(self, batch: Batch, account: AccountId) -> None:
        """The account goes, and its inbox with it."""
        for key in _keys(self._store, *keys.owned_range(account)):
            batch.control(Control.INBOX, key, None)
        self._counts.pop(account, None)

    def forget_old(self) -> int:
        """Delete some of what is too old or too much; how many. For the sweeper."""
        if not self._counts:
            return 0
        oldest_kept = first_id_at(self._now_ms() - self._keep_ms) if self._keep_ms else 0
        batch, forgotten = self._store.batch(), 0
        for account, count in list(self._counts.items()):
            start, stop = keys.owned_range(account, None, oldest_kept)
            rows = (
                self._store.control(Control.INBOX, start, stop, _FORGOTTEN - forgotten)
                if oldest_kept
                else []
            )
            for key, _ in rows:
                batch.control(Control.INBOX, key, None)
            dropped = len(rows)
            if not rows and count > self._limit:
                dropped = self._drop_oldest(batch, account, count - self._limit)
            self._fewer(account, dropped)
            forgotten += dropped
            if forgotten >= _FORGOTTEN:
                break
        if forgotten:
            self._store.commit_nowait(batch)
        return forgotten

    # --- helpers -------------------------------------------------------------------------------

    def _keep_only(self, batch: Batch, received: Received) -> Sequence[Delivery]:
        self.keep(batch, received)
        return ()

    def _drop_oldest(self, batch: Batch, account: AccountId, number: int) -> int:
        # What an earlier keep() dropped may lie in a batch that is not handed in yet.
        start, stop = keys.owned_range(account, self._dropped.get(account))
        rows = self._store.control(Control.INBOX, start, stop, number)
        for key, _ in rows:
            batch.control(Control.INBOX, key, None)
            self._dropped[account] = keys.owned_of(key)[1]
        return len(rows)

    def _fewer(self, account: AccountId, number: int) -> None:
        left = self._counts.get(account, 0) - number
        if left > 0:
            self._counts[account] = left
        else:
            self._counts.pop(account, None)


def _keys(store: Store, start: bytes, stop: bytes) -> Iterator[bytes]:
    while some := store.control_keys(Control.INBOX, start, stop, _COUNTED):
        yield from some
        start = some[-1] + b"\x00"


def _encode(one: Received) -> tuple[object, ...]:
    return (
        str(one.kind),
        one.source,
        one.destination,
        one.keyword,
        one.text,
        one.received_ms,
        one.outlet,
    )


def _decode(key: bytes, fields: tuple[Any, ...]) -> Received:
    account, number = keys.owned_of(key)
    kind, source, destination, keyword, text, received_ms, outlet = fields
    return Received(
        id=MessageId(number),
        account=AccountId(account),
        kind=InboxKind(kind),
        source=source,
        destination=destination,
        keyword=keyword,
        text=text,
        received_ms=received_ms,
        outlet=outlet,
    )


def _fits(one: Received, query: InboxQuery, keyword: str) -> bool:
    return (
        (not query.kinds or one.kind in query.kinds)
        and one.source.endswith(query.source)
        and one.destination.endswith(query.destination)
        and (not keyword or one.keyword.casefold() == keyword)
    )
