"""Questions about stored messages: one, those of a request, those that fit a query.

*In*: `MessageQuery`. *Out*: reports, newest first, a page at a time.
*Never*: changes anything; holds the loop for longer than a slice of records.

There is no index by account: it would be a random-key write for each message. A query walks back
through the messages instead and decodes only what is the account's by its first octets.
"""

from collections.abc import Callable, Container, Sequence
from typing import Final

import trio

from pdu.codec import SubmitPeek
from smsc.message import AccountId, Message, MessageId, Progress
from smsc.ports import MessagePage, MessageQuery, MessageReport
from smsc.store.reads import Reads

_SLICE_ROWS: Final = 2000
"""Records that are looked at before others get their turn: about 2 ms."""
_FIRST_ROWS: Final = 8
"""Records that a look for a batch begins with."""
_LOOK_ROWS: Final = 500_000
"""Records that one question may look at."""
_QUICK_SLICES: Final = 5
"""Slices that one look may take that does not let others have their turn."""
_NEWEST: Final = MessageId((1 << 63) - 1)


class MessageLookup:
    """Implements `smsc.ports.Lookup` over a store.

    :param is_admin: may the account see messages of others?
    :param progresses: how far messages are; dispatch knows better than the disk.
    """

    def __init__(
        self,
        store: Reads,
        is_admin: Callable[[AccountId], bool],
        progresses: Callable[[Sequence[MessageId]], list[Progress | None]],
    ) -> None:
        self._store = store
        self._is_admin = is_admin
        self._progresses = progresses

    async def report(self, account: AccountId, id_: MessageId) -> MessageReport | None:
        """The message, if the account owns it or is an admin."""
        found = self._read([id_])
        if not found or not self._may_see(account, found[0].message):
            return None
        return found[0]

    async def batch(self, account: AccountId, batch: int) -> Sequence[MessageReport]:
        """The messages of one request: their ids were taken together, so they lie in a row.

        Most have few, and a client may ask for many requests one after the other: so the first
        slice is small, and others get their turn before each.
        """
        found: list[MessageReport] = []
        at = MessageId(batch)
        rows = _FIRST_ROWS
        while True:
            await trio.lowlevel.checkpoint()
            ids = self._store.following(at, rows)
            reports = self._read(ids)
            for one in reports:
                if one.message.batch != batch:
                    return found
                if not self._may_see(account, one.message):
                    return []
                found.append(one)
            if len(ids) < rows:
                return found
            at = MessageId(ids[-1] + 1)
            rows = min(rows * 8, _SLICE_ROWS)

    async def reports(self, query: MessageQuery) -> MessagePage:
        """Walk back from the newest message until the page is full or enough was looked at."""
        found: list[MessageReport] = []
        above, below = query.above or MessageId(-1), query.below or _NEWEST
        looked = 0
        while looked < _LOOK_ROWS:
            ids, go_on = self._store.newest_of(query.account, above, below, _SLICE_ROWS)
            for one in self._read(ids):
                if fits(query, one):
                    found.append(one)
                    if len(found) == query.limit:
                        return MessagePage(found, one.message.id)
            if go_on is None:
                return MessagePage(found, None)
            below = go_on
            looked += _SLICE_ROWS
            await trio.lowlevel.checkpoint()
        return MessagePage(found, below)

    def newest(self, account: AccountId, sources: Container[str], limit: int) -> list[MessageId]:
        """The account's newest messages from a source, at once, among a bounded number of records."""
        found: list[MessageId] = []
        below = _NEWEST
        for _ in range(_QUICK_SLICES):
            ids, go_on = self._store.newest_of(account, MessageId(-1), below, _SLICE_ROWS)
            for message in self._store.messages(ids):
                if message is None or message.account != account or not message.is_readable:
                    continue
                if message.submitted[1].source_addr in sources:
                    found.append(message.id)
            if go_on is None or len(found) >= limit:
                break
            below = go_on
        return found[:limit]

    def _may_see(self, account: AccountId, message: Message) -> bool:
        return message.account == account or self._is_admin(account)

    def _read(self, ids: Sequence[MessageId]) -> list[MessageReport]:
        messages, progresses = self._store.messages(ids), self._progresses(ids)
        return [
            MessageReport(message, progress)
            for message, progress in zip(messages, progresses, strict=True)
            if message is not None and progress is not None
        ]


def fits(query: MessageQuery, report: MessageReport) -> bool:
    """Does every condition of the query hold?"""
    message = report.message
    if query.account is not None and message.account != query.account:
        return False
    if query.states and report.progress.state not in query.states:
        return False
    if query.reference and message.reference != query.reference:
        return False
    if message.accepted_ms < query.from_ms:
        return False
    if query.until_ms and message.accepted_ms >= query.until_ms:
        return False
    if not (query.destination or query.source):
        return True
    return message.is_readable and _addresses_fit(query, message.peek)


def _addresses_fit(query: MessageQuery, peek: SubmitPeek) -> bool:
    return peek.destination_addr.endswith(query.destination) and peek.source_addr.endswith(
        query.source
    )
