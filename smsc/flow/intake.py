"""HOT: the one door in: every submission becomes a Draft and passes here, once.

*In*: Drafts, all that one read or one request brought.
*Out*: for each, in order, `Admitted` after the commit that holds it was fsynced, or `Refused`.
*Never*: two doors; an Admitted before the disk said so; anything stored of a refusal.

Station of the flow: server | dialect → **intake** → admission → store → dispatch.
"""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Final, Protocol

import trio

from pdu.codec import SubmitPeek, peek_submit_sm
from pdu.errors import BodyError
from pdu.status import Status, Vendor
from smsc.config_accounts import AccountConfig
from smsc.directory.credits import Bill, Charge, CreditBook
from smsc.flow.admission import Lifetime, admit
from smsc.flow.duplicates import Duplicates, Entry, when_on_disk
from smsc.flow.guide import Guide
from smsc.flow.lanes import Plan
from smsc.flow.rewriting import canned_body
from smsc.flow.terms import terms_of
from smsc.flow.throttle import TokenBucket, parts_of
from smsc.message import (
    NEW_BATCH,
    QUEUED,
    AccountId,
    Draft,
    Message,
    MessageId,
    OutletName,
    Progress,
    State,
)
from smsc.ports import Admission, Admitted, CommitResult, Committed, Companion, Refused, Store
from smsc.store.ids import IdAllocator

Verdict = tuple[SubmitPeek, Lifetime, Plan, Decimal | None]
"""Decoded fields, when it lives, where it goes, and the price of a part where a rule says so."""
_LIFETIME: Final = attrgetter("due_ms", "expires_ms")
_FULL: Final = Refused(
    Status.ESME_RMSGQFUL, "the store is full; nothing was stored, send it again later"
)
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

    def accepted(self, messages: Sequence[Message], plans: Sequence[Plan]) -> None:
        """Queue them: each with the outlets to try, in order."""


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
            done([_STOPPING if self.is_stopping else _FULL] * len(drafts))
            return
        now_ms = self._now_ms()
        batch = self._store.batch()
        answers: list[Admission] = []
        accepted: list[Message] = []
        dropped: list[Message] = []
        plans: list[Plan] = []
        again: list[tuple[int, Entry]] = []  # duplicates: place among the answers, the first one
        firsts: list[Entry] = []
        first_id: MessageId | None = None
        payers = self._payers
        bill: Bill = []
        duplicates = self._duplicates or None
        next_id = iter(self._ids.take(len(drafts), now_ms)).__next__
        for draft in drafts:
            verdict = self._judge(draft, now_ms)
            if isinstance(verdict, Refused):
                answers.append(verdict)
                continue
            peek, lifetime, plan, price = verdict
            digest = duplicates.digest(draft, peek) if duplicates is not None else None
            if duplicates is not None and digest is not None:
                first = duplicates.find(draft.account, digest, now_ms)
                if first is not None:
                    again.append((len(answers), first))
                    answers.append(Admitted(first.id))
                    continue
            charge: Charge | None = None
            if payers and plan and draft.account in payers:
                taken = self._charge(draft, peek, price)
                if isinstance(taken, Refused):
                    answers.append(taken)
                    continue
                charge = taken
            id_ = next_id()
            message = Message(
                id_,
                draft.account,
                draft.source,
                now_ms,
                lifetime.due_ms,
                lifetime.expires_ms,
                peek.priority_flag,
                peek.registered_delivery,
                draft.callback_url,
                draft.batch if draft.batch != NEW_BATCH else first_id or id_,
                draft.reference,
                draft.tags,
                draft.body,
                peek,
                draft.session,
                draft.callback_style,
            )
            if charge is not None:
                message.charge = charge.note
                bill.append((draft.account, id_, charge))
            if plan:
                accepted.append(message)
                plans.append(plan)
            else:  # a rule drops it: it is on record, and nothing comes of it
                dropped.append(message)
            first_id = first_id or id_
            answers.append(Admitted(id_))
            if duplicates is not None and digest is not None:
                firsts.append(duplicates.remember(batch, message, digest))

        def answer() -> None:
            for place, first in again:
                if first.is_lost:
                    answers[place] = _FULL
            done(answers)

        if not (accepted or dropped):
            when_on_disk([first for _, first in again], answer)
            return
        batch.accept_many(dropped, Progress(State.DELETED, OutletName(""), done_ms=now_ms))
        for (due_ms, expires_ms), alike in groupby(accepted, _LIFETIME):
            run = list(alike)
            state = State.SCHEDULED if due_ms else QUEUED
            batch.accept_many(run, Progress(state, OutletName(""), due_ms=due_ms))
            batch.defer(due_ms or expires_ms, run[0].id, run[-1].id)

        paid = self._credits.enter(batch, bill) if bill and self._credits is not None else None

        if companion is not None:
            companion.write(batch, answers)

        def committed(result: CommitResult) -> None:
            is_on_disk = isinstance(result, Committed)
            if companion is not None:
                companion.ended(is_on_disk=is_on_disk)
            if paid is not None:
                paid(is_on_disk)
            if is_on_disk:
                self._queued.accepted(accepted, plans)
            else:
                lost = {message.id for message in (*accepted, *dropped)}
                answers[:] = [
                    _FULL if isinstance(one, Admitted) and one.id in lost else one
                    for one in answers
                ]
            self._duplicates.committed(firsts, is_on_disk=is_on_disk)
            answer()

        self._store.commit_nowait(batch, committed)

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
        peek = self._guide.normalise(draft, peek)
        if self._buckets and not self._grant(draft, peek):
            return _THROTTLED
        lifetime = admit(self._accounts[draft.account], draft, peek, now_ms)
        if isinstance(lifetime, Refused):
            return lifetime
        guided = self._guide.route(draft, peek, now_ms)
        if isinstance(guided, Refused):
            return guided
        validity_s = guided.actions.validity_s
        if validity_s:
            start_ms = lifetime.due_ms or now_ms
            ends_ms = min(lifetime.expires_ms, start_ms + int(validity_s * 1000))
            lifetime = Lifetime(lifetime.due_ms, ends_ms)
        return guided.peek or peek, lifetime, guided.plan, guided.actions.charge

    def _charge(
        self, draft: Draft, peek: SubmitPeek, price: Decimal | None
    ) -> Charge | Refused | None:
        """Debit a message of an account that pays."""
        assert self._credits is not None
        parts = parts_of(draft.body, peek)
        return self._credits.take(draft.account, peek.destination_addr, parts, price)

    def _grant(self, draft: Draft, peek: SubmitPeek) -> bool:
        """Does the account's rate let one more message through?"""
        bucket = self._buckets.get(draft.account)
        if bucket is None:
            return True
        by_parts = self._accounts[draft.account].rate_unit == "parts"
        return bucket.take_all(parts_of(draft.body, peek) if by_parts else 1, trio.current_time())
