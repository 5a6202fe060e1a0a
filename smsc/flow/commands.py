"""What a client may ask of its stored messages: how far they are, to drop them, to change them.

*In*: an account, the id or the addresses that name messages, what is to be changed.
*Out*: reports; the answer, after fsync, whether something was cancelled or replaced.
*Never*: touches what an outlet has in its hands or a network took; shows a foreign message.

Station of the flow: server → **commands** → store, beside intake. SMPP 3.4 §4.8 to §4.10.

A submit_multi is one id to its client: it names the first message, and the others, whose ids
follow it, remember that id as their batch.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from typing import Final

import attrs

from pdu.codec import peek_submit_sm
from pdu.errors import BodyError
from pdu.status import Status
from smsc.config_accounts import AccountConfig
from smsc.flow.admission import admit
from smsc.flow.dispatch import Dispatch
from smsc.flow.recent import Recent
from smsc.flow.rewriting import Change, changed_body
from smsc.message import AccountId, Delivery, Draft, Message, MessageId, Progress, State
from smsc.ports import Batch, CommitResult, MessageReport, Refused, Store
from smsc.store.ids import STEP

_BATCH_LIMIT: Final = 100_000
"""Messages looked at for one id; a submit_multi over distribution lists may be long."""
_SOME: Final = 500
"""Messages read, or ended, in one go."""
_HIGHEST_ID: Final = 2**63 - 1

Answered = Callable[[Refused | None], None]


class Commands:
    """Questions and changes; each names messages of `account` only.

    :param write_receipts: parks the receipts of cancelled messages in the batch that ends them.
    :param arrived: told of receipts once they are on disk.
    """

    def __init__(
        self,
        accounts: Mapping[AccountId, AccountConfig],
        default_messages: Mapping[int, str],
        store: Store,
        dispatch: Dispatch,
        recent: Recent,
        write_receipts: Callable[[Batch, Sequence[tuple[Message, Progress]]], list[Delivery]],
        arrived: Callable[[Sequence[Delivery]], None],
        now_ms: Callable[[], int],
    ) -> None:
        self._accounts = accounts
        self.default_messages = default_messages
        self._store = store
        self._dispatch = dispatch
        self._recent = recent
        self._write_receipts = write_receipts
        self._arrived = arrived
        self._now_ms = now_ms
        self.recharge: Callable[[Batch, Message, Message], Refused | None] = lambda *_: None
        """Settles in the batch what another text costs; why not, if there is no credit for it."""
        self.number_reader: Callable[[AccountId], Callable[[str], str]] = lambda _account: str
        """What reads numbers as an account writes them."""
        dispatch.replace_older = self.replace_older

    # --- questions -----------------------------------------------------------------------------

    def query(self, account: AccountId, message_id: str, source_addr: str) -> list[MessageReport]:
        """Every message that the id names, as far as it is; none if there is none to be seen."""
        messages = self._named(account, message_id, source_addr)
        progresses = self._dispatch.progresses([message.id for message in messages])
        return [
            MessageReport(message, progress)
            for message, progress in zip(messages, progresses, strict=True)
            if progress is not None
        ]

    def senders(self, account: AccountId, source_addr: str) -> set[str]:
        """How a source may be stored; who leaves it out means the account's default sender."""
        return self._spellings(account, source_addr or self._accounts[account].default_sender)

    # --- changes -------------------------------------------------------------------------------

    def cancel(
        self,
        account: AccountId,
        message_id: str,
        source_addr: str,
        destination_addr: str,
        done: Callable[[int], None],
    ) -> None:
        """Cancel what the id names and still waits; `done` gets how many, after fsync.

        :param destination_addr: "" or the destination that the messages must have.
        """
        named = self._named(account, message_id, source_addr)
        wanted = self._spellings(account, destination_addr)

        def fits(message: Message) -> bool:
            return not destination_addr or message.submitted[1].destination_addr in wanted

        self._cancel([message.id for message in named], fits, done)

    def cancel_all(
        self,
        account: AccountId,
        source_addr: str,
        destination_addr: str,
        service_type: str,
        done: Callable[[int], None],
    ) -> None:
        """Cancel every message that waits between the addresses; `done` gets how many, after fsync.

        :param service_type: "" for any.
        """
        wanted = {
            (account, source, destination)
            for source in self.senders(account, source_addr)
            for destination in self._spellings(account, destination_addr)
        }

        def fits(message: Message) -> bool:
            _, peek = message.submitted
            is_theirs = (message.account, peek.source_addr, peek.destination_addr) in wanted
            return is_theirs and service_type in {"", peek.service_type}

        found = {id_ for one in wanted for id_ in self._dispatch.pending.find(*one)}
        self._cancel(sorted(found), fits, done)

    def drop(self, id_: MessageId) -> None:
        """Cancel one message if it waits: whoever wanted it does not wait for it any longer."""
        self.cancel_one(id_, lambda _count: None)

    def cancel_one(self, id_: MessageId, done: Callable[[int], None]) -> None:
        """Cancel one message if it waits, whoever asks; `done` gets 1 or 0, after fsync."""
        self._cancel([id_], lambda _message: True, done)

    def replace(
        self, account: AccountId, message_id: str, source_addr: str, change: Change, done: Answered
    ) -> None:
        """Change one message that waits; `done` gets None after fsync, or why it was refused."""
        named = self._named(account, message_id, source_addr)
        found = self._dispatch.waiting_messages([named[0].id]) if len(named) == 1 else []
        if not found or found[0][0].expires_ms <= self._now_ms():
            done(Refused(Status.ESME_RREPLACEFAIL, f"no message {message_id!r} waits"))
            return
        now_ms = self._now_ms()
        ((old, progress),) = found
        new = self._changed(old, change, now_ms)
        if isinstance(new, Refused):
            done(new)
            return
        batch = self._store.batch()
        unpaid = self.recharge(batch, old, new)
        if unpaid is not None:
            done(unpaid)
            return
        batch.rewrite(new)
        if change.schedule_delivery_time:
            progress.due_ms = new.due_ms
            progress.state = State.SCHEDULED if new.due_ms else State.QUEUED
            batch.progress(new.id, progress)
        self.set_alarms(batch, old, new)
        self._store.commit_nowait(batch, lambda _: done(None))
        self._dispatch.changed(new, progress)

    def replace_older(self, messages: Sequence[Message]) -> None:
        """Messages with replace_if_present_flag end those before them that wait for the same.

        The new one has an id and a receipt of its own; the old one ends as DELETED.
        """
        for message in messages:
            if message.peek.replace_if_present_flag:
                self._replace_older_than(message)
            self._dispatch.pending.add_many((message,))

    # --- helpers -------------------------------------------------------------------------------

    def _replace_older_than(self, new: Message) -> None:
        _, peek = new.submitted
        found = self._dispatch.pending.find(new.account, peek.source_addr, peek.destination_addr)
        older = [id_ for id_ in found if id_ < new.id]
        self._cancel(older, lambda old: _is_alike(old, new), lambda _count: None)

    def _named(self, account: AccountId, message_id: str, source_addr: str) -> list[Message]:
        """The messages behind an id; none unless account and source are those of the submit.

        TON and NPI may differ: many clients leave them out here.
        """
        if not message_id.isascii() or not message_id.isdecimal():
            return []
        id_ = int(message_id)
        if not 0 < id_ <= _HIGHEST_ID:
            return []
        first = self._recent.get(MessageId(id_))
        if first is None or first.account != account:
            return []
        if first.submitted[1].source_addr not in self.senders(account, source_addr):
            return []
        found = [first]
        while first.batch == first.id and len(found) < _BATCH_LIMIT:
            last = found[-1].id
            ids = range(last + STEP, last + STEP * (_SOME + 1), STEP)
            some = self._recent.many([MessageId(one) for one in ids])
            of_it = list(takewhile(lambda one: one is not None and one.batch == first.id, some))
            found += filter(None, of_it)
            if len(of_it) < _SOME:
                break
        return found

    def _spellings(self, account: AccountId, addr: str) -> set[str]:
        """How a number may be stored: as it came, or as the account's region reads it."""
        return {addr, self.number_reader(account)(addr)}

    def _cancel(
        self,
        ids: Sequence[MessageId],
        fits: Callable[[Message], bool],
        done: Callable[[int], None],
        counted: int = 0,
    ) -> None:
        """End those that wait and fit, some in each commit, so that many do not hold others up."""
        batch = self._store.batch()
        waiting = self._dispatch.waiting_messages(ids[:_SOME])
        finals = [one for one in waiting if fits(one[0])]
        rest = ids[_SOME:]
        counted += len(finals)
        if not finals and not rest:
            done(counted)
            return
        for message, progress in finals:
            self._dispatch.end(batch, message, progress, State.DELETED)
        deliveries = self._write_receipts(batch, finals) if finals else []

        def committed(_result: CommitResult) -> None:
            self._arrived(deliveries)
            if rest:
                self._cancel(rest, fits, done, counted)
            else:
                done(counted)

        self._store.commit_nowait(batch, committed)

    def _changed(self, old: Message, change: Change, now_ms: int) -> Message | Refused:
        """The message as it would be, judged anew."""
        canned = ""
        if change.sm_default_msg_id:
            text = self.default_messages.get(change.sm_default_msg_id)
            if text is None:
                return Refused(
                    Status.ESME_RINVDFTMSGID,
                    f"sm_default_msg_id {change.sm_default_msg_id} names no message here",
                )
            canned = text
        try:
            body = changed_body(old, change, canned)
            peek = peek_submit_sm(body)
            asked = old.asked
            if asked is not None:
                before = attrs.evolve(old, body=asked.body, peek=None)
                asked = asked._replace(body=changed_body(before, change, canned))
        except BodyError as error:
            return Refused(error.status, error.why)
        draft = Draft(old.account, old.source, body, peek=peek)
        if not change.validity_period:
            draft.expires_ms = old.expires_ms
        account = self._accounts[old.account]
        lifetime = admit(account, draft, peek, now_ms)
        if isinstance(lifetime, Refused) and draft.expires_ms and not peek.validity_period:
            # Scheduled beyond an end that the client never named: it gets a new one.
            draft.expires_ms = 0
            lifetime = admit(account, draft, peek, now_ms)
        if isinstance(lifetime, Refused):
            return lifetime
        return attrs.evolve(
            old,
            due_ms=lifetime.due_ms if change.schedule_delivery_time else old.due_ms,
            expires_ms=old.expires_ms if draft.expires_ms else lifetime.expires_ms,
            registered_delivery=peek.registered_delivery,
            body=body,
            peek=peek,
            asked=asked,
        )

    def set_alarms(self, batch: Batch, old: Message, new: Message) -> None:
        """Wake the message at its new times; old alarms find nothing to do."""
        for was_ms, at_ms in ((old.due_ms, new.due_ms), (old.expires_ms, new.expires_ms)):
            if at_ms and at_ms != was_ms:
                rings_ms = self._store.lone_alarm_ms(at_ms, new.id)
                batch.defer(rings_ms, new.id, new.id)
                self._dispatch.alarm_moved(rings_ms)


def _is_alike(old: Message, new: Message) -> bool:
    """Does the new message mean the old one by replace_if_present_flag (SMPP 3.4 §5.2.18)?"""
    (_, was), (_, is_) = old.submitted, new.submitted
    return (old.account, was.source_addr, was.destination_addr, was.service_type) == (
        new.account,
        is_.source_addr,
        is_.destination_addr,
        is_.service_type,
    )
