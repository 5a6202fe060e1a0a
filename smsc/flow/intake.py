"""HOT: the one door in: every submission becomes a Draft and passes here, once.

*In*: Drafts, all that one read or one request brought.
*Out*: for each, in order, `Admitted` after the commit that holds it was fsynced, or `Refused`.
*Never*: two doors; an Admitted before the disk said so; anything stored of a refusal.

Station of the flow: server | dialect → **intake** → admission → store → dispatch.
"""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from decimal import Decimal
from typing import Final, Protocol

import trio

from pdu.codec import SubmitPeek, peek_submit_sm
from pdu.errors import BodyError
from pdu.status import Status, Vendor
from routing.actions import NOTHING
from smsc.config_accounts import AccountConfig
from smsc.directory.credits import Charge, CreditBook
from smsc.flow.admission import Lifetime, admit
from smsc.flow.duplicates import Duplicates, when_on_disk
from smsc.flow.guide import Guide, priced_number
from smsc.flow.lanes import Plan
from smsc.flow.rewriting import canned_body
from smsc.flow.submission import FULL, Submission
from smsc.flow.terms import terms_of
from smsc.flow.throttle import TokenBucket, parts_of
from smsc.message import (
    AccountId,
    Draft,
    Message,
    MessageId,
)
from smsc.ports import Admission, Batch, CommitResult, Committed, Companion, Refused, Store
from smsc.store.ids import IdAllocator

Verdict = tuple[SubmitPeek, Lifetime, Plan, Decimal | None]
"""Decoded fields, when it lives, where it goes, and the price of a part where a rule says so."""
_THROTTLED: Final = Refused(
    Status.ESME_RTHROTTLED, "over the account's rate; nothing was stored, send it again later"
)
_NO_CANNED: Final = Refused(
    Status.ESME_RINVDFTMSGID,
    "sm_default_msg_id names no text in the configuration; send it as 0 with a text of yours",
)
_STOPPING: Final = Refused(
    Status.ESME_RSYSERR, "the gateway is stopping; nothing was stored, send it again later"
)


class Queued(Protocol):
    """What intake tells of messages that are on disk and may leave."""

    def accepted(
        self, messages: Sequence[Message], plans: Sequence[Plan], unusual: Sequence[Message]
    ) -> None:
        """Queue them: each with the outlets to try, in order.

        :param unusual: those of them that leave later, or replace others.
        """


class Intake:
    """Judges, numbers and stores drafts; see `smsc.ports.Submit`.

    :param now_ms: wall clock, ms UTC.
    :param default_messages: texts by sm_default_msg_id.
    """

    def __init__(
        self,
        accounts: MutableMapping[AccountId, AccountConfig],
        guide: Guide,
        ids: IdAllocator,
        store: Store,
        queued: Queued,
        now_ms: Callable[[], int],
        default_messages: Mapping[int, str] | None = None,
        duplicates: Duplicates | None = None,
        book: CreditBook | None = None,
    ) -> None:
        self.default_messages = default_messages or {}
        self._accounts = accounts
        self._guide = guide
        self._ids = ids
        self._store = store
        self._queued = queued
        self._now_ms = now_ms
        self._buckets = {
            name: TokenBucket(account.rate, trio.current_time(), account.burst or None)
            for name, account in accounts.items()
            if account.rate
        }
        self._terms = terms_of(accounts)
        self.closed: Mapping[AccountId, str] = {}
        """Accounts that may not submit now, and why; see `Directory.closed`."""
        self._duplicates = duplicates if duplicates is not None else Duplicates({}, store)
        self._credits = book
        self._payers = book.payers if book is not None else {}
        self.is_stopping = False

    async def submit_many(
        self, drafts: Sequence[Draft], companion: Companion | None = None
    ) -> list[Admission]:
        """Judge and store the drafts; return after the commit that holds them was fsynced."""
        answered = trio.Event()
        answers: list[Admission] = []

        def done(given: list[Admission]) -> None:
            answers.extend(given)
            answered.set()

        self.submit_many_nowait(drafts, done, companion)
        await answered.wait()
        return answers

    def submit_many_nowait(
        self,
        drafts: Sequence[Draft],
        done: Callable[[list[Admission]], None],
        companion: Companion | None = None,
    ) -> None:
        """Judge and store the drafts; `done` gets the answers after fsync."""
        if self.is_stopping or self._store.is_full:
            done([_STOPPING if self.is_stopping else FULL] * len(drafts))
            return
        now_ms = self._now_ms()
        batch = self._store.batch()
        taken = Submission(done)
        next_id = iter(self._ids.take(len(drafts), now_ms)).__next__
        admits_all = not (self._duplicates or self._payers)
        for draft in drafts:
            verdict = self._judge(draft, now_ms)
            if isinstance(verdict, Refused):
                taken.verdicts.append(verdict)
            elif admits_all:
                peek, lifetime, plan, _ = verdict
                taken.admit(draft, next_id(), now_ms, peek, lifetime, plan)
            else:
                self._take(batch, taken, draft, verdict, next_id, now_ms)
        if taken.stores_nothing:
            when_on_disk(taken.duplicated, taken.answer)
            return
        taken.write(batch, now_ms)
        book, bill = self._credits, taken.bill
        paid = book.enter(batch, bill) if bill and book is not None else None
        if companion is not None:
            companion.write(batch, taken.answers())

        def committed(result: CommitResult) -> None:
            is_on_disk = isinstance(result, Committed)
            if companion is not None:
                companion.ended(is_on_disk=is_on_disk)
            if paid is not None:
                paid(is_on_disk)
            if is_on_disk:
                self._queued.accepted(taken.accepted, taken.plans, taken.unusual)
            else:
                taken.lose()
            self._duplicates.committed(taken.firsts, is_on_disk=is_on_disk)
            taken.answer()

        self._store.commit_nowait(batch, committed)

    def _take(
        self,
        batch: Batch,
        taken: Submission,
        draft: Draft,
        verdict: Verdict,
        next_id: Callable[[], MessageId],
        now_ms: int,
    ) -> None:
        """One draft that may go: unless it came before, or cannot be paid for."""
        peek, lifetime, plan, price = verdict
        duplicates = self._duplicates or None
        digest = duplicates.digest(draft, peek) if duplicates is not None else None
        if duplicates is not None and digest is not None:
            first = duplicates.find(draft.account, digest, now_ms)
            if first is not None:
                taken.repeat(first)
                return
        charge: Charge | None = None
        if self._payers and plan and draft.account in self._payers:
            paid = self._charge(draft, peek, price)
            if isinstance(paid, Refused):
                taken.verdicts.append(paid)
                return
            charge = paid
        message = taken.admit(draft, next_id(), now_ms, peek, lifetime, plan, charge)
        if duplicates is not None and digest is not None:
            taken.firsts.append(duplicates.remember(batch, message, digest))

    def account_opened(self, name: AccountId, account: AccountConfig) -> None:
        """An account is new or has other settings."""
        self._accounts[name] = account
        self._buckets.pop(name, None)
        if account.rate:
            self._buckets[name] = TokenBucket(
                account.rate, trio.current_time(), account.burst or None
            )
        self._terms.pop(name, None)
        self._terms.update(terms_of({name: account}))

    def _judge(self, draft: Draft, now_ms: int) -> Verdict | Refused:
        """Rate, admission and routing of one draft."""
        if self.closed and draft.account in self.closed:
            return Refused(Vendor.SMSC_ACCOUNT_CLOSED, self.closed[draft.account])
        peek = draft.peek
        if peek is None:
            try:
                peek = peek_submit_sm(draft.body)
            except BodyError as error:
                return Refused(error.status, error.why)
        terms = self._terms.get(draft.account) if self._terms else None
        if terms is not None:
            applied = terms.apply(draft, peek)
            if isinstance(applied, Refused):
                return applied
            draft.body, peek = applied
        if peek.sm_default_msg_id:
            text = self.default_messages.get(peek.sm_default_msg_id)
            if text is None:
                return _NO_CANNED
            draft.body = canned_body(draft.body, text)
            peek = peek_submit_sm(draft.body)
        if self._guide.normalisers:
            peek = self._guide.normalise(draft, peek)
        if self._buckets and not self._grant(draft, peek):
            return _THROTTLED
        lifetime = admit(self._accounts[draft.account], draft, peek, now_ms)
        if isinstance(lifetime, Refused):
            return lifetime
        guided = self._guide.route(draft, peek, now_ms)
        if isinstance(guided, Refused):
            return guided
        if guided.actions is NOTHING:
            return peek, lifetime, guided.plan, None
        lifetime = lifetime.lasting(guided.actions.validity_s, now_ms)
        return guided.peek or peek, lifetime, guided.plan, guided.actions.charge

    def _charge(
        self, draft: Draft, peek: SubmitPeek, price: Decimal | None
    ) -> Charge | Refused | None:
        """Debit a message of an account that pays."""
        assert self._credits is not None
        parts = parts_of(draft.body, peek)
        return self._credits.take(draft.account, priced_number(draft, peek), parts, price)

    def _grant(self, draft: Draft, peek: SubmitPeek) -> bool:
        """Does the account's rate let one more message through?"""
        bucket = self._buckets.get(draft.account)
        if bucket is None:
            return True
        by_parts = self._accounts[draft.account].rate_unit == "parts"
        return bucket.take_all(parts_of(draft.body, peek) if by_parts else 1, trio.current_time())
