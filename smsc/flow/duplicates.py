"""The same submission again gets the id of the first one: for accounts that ask for it.

*In*: drafts of accounts with `duplicates_s`. *Out*: the entry of the first submission, if this
is one more of it.
*Never*: an answer before the first one is on disk; a guess: without a reference of the client
(user_message_reference, or the HTTP reference) two equal texts are two messages.

What makes a submission the same: reference, both addresses, the text, and which part of a long
text it is. A client that got no answer sends it again, on any session, and after a restart of
ours, too: the digest is stored in the commit that stores the message.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Final

import attrs

from pdu.codec import SubmitPeek
from pdu.tlvs import Tag, find_tlv
from smsc.config_accounts import AccountConfig
from smsc.message import AccountId, Draft, Message, MessageId
from smsc.ports import Batch, Store

LIMIT: Final = 200_000
"""Submissions of one account that are remembered, 60 MB of memory; more push out the oldest."""
_AGED: Final = 4
"""Entries looked at for their age with each new one; more than one, so the old ones run out."""
_SWEEP: Final = 5000
_TAGS: Final = (Tag.USER_MESSAGE_REFERENCE, Tag.SAR_MSG_REF_NUM, Tag.SAR_SEGMENT_SEQNUM)


@attrs.define(slots=True, eq=False)
class Entry:
    """One submission, from intake until it may come again as another message."""

    id: MessageId
    until_ms: int
    is_on_disk: bool = False
    is_lost: bool = False
    """The commit found no room: there is no such message."""
    waiters: list[Callable[[], None]] = attrs.field(factory=list)
    """Called once it is on disk, or lost."""


class Duplicates:
    """See the module. Nothing in it costs accounts without `duplicates_s` anything."""

    def __init__(self, accounts: Mapping[AccountId, AccountConfig], store: Store) -> None:
        self._periods_ms = {
            name: int(account.duplicates_s * 1000)
            for name, account in accounts.items()
            if account.duplicates_s
        }
        self._store = store
        # By account and digest, oldest first.
        self._entries: dict[AccountId, dict[bytes, Entry]] = {name: {} for name in self._periods_ms}
        self.found = 0

    def account_opened(self, name: AccountId, account: AccountConfig) -> None:
        """An account is new or has other settings."""
        if account.duplicates_s:
            self._periods_ms[name] = int(account.duplicates_s * 1000)
            self._entries.setdefault(name, {})
        else:
            self._periods_ms.pop(name, None)

    def __bool__(self) -> bool:
        """Does any account ask for it?"""
        return bool(self._periods_ms)

    def __len__(self) -> int:
        """Submissions that are remembered."""
        return sum(map(len, self._entries.values()))

    def restore(self, now_ms: int) -> None:
        """Take up what an earlier run remembered."""
        batch = self._store.batch()
        rows = sorted(self._store.remembered(), key=lambda row: row[3])
        for account, digest, id_, until_ms in rows:
            if " " in account:  # no submission: see `mo_keys`, `idempotency`
                continue
            entries = self._entries.get(account)
            if entries is None or until_ms <= now_ms:
                batch.forget_remembered(account, digest)
            else:
                entries[digest] = Entry(id_, until_ms, is_on_disk=True)
        if rows:
            self._store.commit_nowait(batch)

    def digest(self, draft: Draft, peek: SubmitPeek) -> bytes | None:
        """What tells this submission from others of its account; None if nothing does."""
        if draft.account not in self._periods_ms:
            return None
        tlvs = [find_tlv(draft.body, peek.tlvs_at, tag) for tag in _TAGS]
        if tlvs[0] is None and not draft.reference:
            return None
        text = draft.body[peek.text_at : peek.text_at + peek.sm_length]
        text = text or find_tlv(draft.body, peek.tlvs_at, Tag.MESSAGE_PAYLOAD) or b""
        facts = (
            draft.reference,
            tlvs,
            (peek.source_addr_ton, peek.source_addr_npi, peek.source_addr),
            (peek.dest_addr_ton, peek.dest_addr_npi, peek.destination_addr),
            (peek.data_coding, text),
        )
        return blake2b(repr(facts).encode(errors="surrogatepass"), digest_size=16).digest()

    def find(self, account: AccountId, digest: bytes, now_ms: int) -> Entry | None:
        """The first submission of this kind, if its period has not ended."""
        entry = self._entries[account].get(digest)
        if entry is None or entry.until_ms <= now_ms or entry.is_lost:
            return None
        self.found += 1
        return entry

    def remember(self, batch: Batch, message: Message, digest: bytes) -> Entry:
        """Note, in the batch that stores it, what the submission became."""
        account = message.account
        entries = self._entries[account]
        until_ms = message.accepted_ms + self._periods_ms[account]
        self._forget(batch, account, message.accepted_ms, _AGED)
        entries.pop(digest, None)  # an old one would keep its place in the order
        entry = entries[digest] = Entry(message.id, until_ms)
        batch.remember(account, digest, message.id, until_ms)
        return entry

    def committed(self, entries: Iterable[Entry], *, is_on_disk: bool) -> None:
        """The commit of these has ended."""
        for entry in entries:
            entry.is_on_disk = is_on_disk
            entry.is_lost = not is_on_disk
            waiters, entry.waiters = entry.waiters, []
            for waiter in waiters:
                waiter()

    def forget_old(self, now_ms: int) -> None:
        """Drop what is too old; called by the sweeper."""
        batch = self._store.batch()
        dropped = [self._forget(batch, name, now_ms, _SWEEP) for name in self._entries]
        if any(dropped):
            self._store.commit_nowait(batch)

    def _forget(self, batch: Batch, account: AccountId, now_ms: int, limit: int) -> int:
        """Drop up to `limit` of the oldest entries, if they are too old or too many."""
        entries = self._entries[account]
        too_many = len(entries) - LIMIT + 1
        oldest = list(islice(entries.items(), limit))
        gone = [
            digest
            for place, (digest, entry) in enumerate(oldest)
            if entry.until_ms <= now_ms or place < too_many
        ]
        for digest in gone:
            del entries[digest]
            batch.forget_remembered(account, digest)
        return len(gone)


def when_on_disk(entries: Sequence[Entry], call: Callable[[], None]) -> None:
    """Call once the commits of all these have ended. They end in the order of the ids."""
    pending = [entry for entry in entries if not (entry.is_on_disk or entry.is_lost)]
    if pending:
        max(pending, key=lambda entry: entry.id).waiters.append(call)
    else:
        call()
