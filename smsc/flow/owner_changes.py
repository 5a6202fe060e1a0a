"""Changes of one message by its id, as HTTP clients ask for them: to end it, to write it anew.

*In*: the account that asks, an id, a draft of what the message shall be.
*Out*: None after fsync, or `Refused`: unknown (also: somebody else's), or it left already.
*Never*: touches what an outlet has in its hands or a network took; another recipient or sender.

Beside `commands`, which does the same in the terms of cancel_sm and replace_sm.
"""

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import trio

from pdu.codec import decode, encode_body, peek_submit_sm
from pdu.commands import Command
from pdu.errors import BodyError
from pdu.status import Status, Vendor
from smsc.config_accounts import AccountConfig
from smsc.flow.admission import admit
from smsc.flow.commands import Commands
from smsc.flow.dispatch import Dispatch
from smsc.flow.recent import Recent
from smsc.message import AccountId, Draft, Message, MessageId, Progress, State
from smsc.ports import CommitResult, Committed, Refused, Store

_ADDRESSES = (
    "service_type",
    "source_addr_ton",
    "source_addr_npi",
    "source_addr",
    "dest_addr_ton",
    "dest_addr_npi",
    "destination_addr",
)
_FULL = Refused(Status.ESME_RMSGQFUL, "the store is full; nothing was changed, ask again later")


class OwnerChanges:
    """See the module.

    :param is_admin: may the account change messages of others?
    """

    def __init__(
        self,
        accounts: Mapping[AccountId, AccountConfig],
        store: Store,
        dispatch: Dispatch,
        recent: Recent,
        commands: Commands,
        is_admin: Callable[[AccountId], bool],
        now_ms: Callable[[], int],
    ) -> None:
        self._accounts = accounts
        self._store = store
        self._dispatch = dispatch
        self._recent = recent
        self._commands = commands
        self._is_admin = is_admin
        self._now_ms = now_ms

    def cancel_nowait(
        self, account: AccountId, id_: MessageId, done: Callable[[Refused | None], None]
    ) -> None:
        """End a message that waits; its receipt goes home as for any other end."""
        if not self._is_theirs(account, id_):
            done(_unknown(id_))
            return

        def counted(count: int) -> None:
            done(None if count else _left(Status.ESME_RCANCELFAIL, id_))

        self._commands.cancel_one(id_, counted)

    def replace_nowait(
        self,
        account: AccountId,
        id_: MessageId,
        draft: Draft,
        done: Callable[[Refused | None], None],
    ) -> None:
        """Let a message that waits say, live and report what `draft` does.

        Times of the draft that are those of the message keep them; due 0 means at once.
        """
        if not self._is_theirs(account, id_):
            done(_unknown(id_))
            return
        found = self._dispatch.waiting_messages([id_])
        now_ms = self._now_ms()
        if not found or found[0][0].expires_ms <= now_ms:
            done(_left(Status.ESME_RREPLACEFAIL, id_))
            return
        ((old, progress),) = found
        new = self._rewritten(old, draft, now_ms)
        if isinstance(new, Refused):
            done(new)
            return
        self._store_new(old, new, progress, done)

    async def cancel(self, account: AccountId, id_: MessageId) -> Refused | None:
        """As `cancel_nowait`, for callers that can wait."""
        return await _answer(lambda done: self.cancel_nowait(account, id_, done))

    async def replace(self, account: AccountId, id_: MessageId, draft: Draft) -> Refused | None:
        """As `replace_nowait`, for callers that can wait."""
        return await _answer(lambda done: self.replace_nowait(account, id_, draft, done))

    # --- helpers -------------------------------------------------------------------------------

    def _is_theirs(self, account: AccountId, id_: MessageId) -> bool:
        message = self._recent.get(id_)
        return message is not None and (message.account == account or self._is_admin(account))

    def _rewritten(self, old: Message, draft: Draft, now_ms: int) -> Message | Refused:
        """The message as it would be, judged anew: as its owner's, whoever asks."""
        try:
            body = _with_addresses_of(old, draft.body)
            if isinstance(body, Refused):
                return body
            peek = peek_submit_sm(body)
        except BodyError as error:
            return Refused(error.status, error.why)
        judged = attrs.evolve(draft, account=old.account, body=body, peek=peek)
        lifetime = admit(self._accounts[old.account], judged, peek, now_ms)
        if isinstance(lifetime, Refused):
            return lifetime
        return attrs.evolve(
            old,
            due_ms=old.due_ms if draft.due_ms == old.due_ms else lifetime.due_ms,
            expires_ms=old.expires_ms
            if draft.expires_ms == old.expires_ms
            else lifetime.expires_ms,
            priority=peek.priority_flag,
            registered_delivery=peek.registered_delivery,
            reference=draft.reference,
            callback_url=draft.callback_url,
            callback_style=draft.callback_style,
            body=body,
            peek=peek,
        )

    def _store_new(
        self,
        old: Message,
        new: Message,
        progress: Progress,
        done: Callable[[Refused | None], None],
    ) -> None:
        batch = self._store.batch()
        unpaid = self._commands.recharge(batch, old, new)
        if unpaid is not None:
            done(unpaid)
            return
        batch.rewrite(new)
        if new.due_ms != old.due_ms:
            progress.due_ms = new.due_ms
            progress.state = State.SCHEDULED if new.due_ms else State.QUEUED
            batch.progress(new.id, progress)
        self._commands.set_alarms(batch, old, new)

        def committed(result: CommitResult) -> None:
            done(None if isinstance(result, Committed) else _FULL)

        self._store.commit_nowait(batch, committed)
        self._dispatch.changed(new, progress)


async def _answer(ask: Callable[[Callable[[Refused | None], None]], None]) -> Refused | None:
    answered = trio.Event()
    answers: list[Refused | None] = []

    def done(answer: Refused | None) -> None:
        answers.append(answer)
        answered.set()

    ask(done)
    await answered.wait()
    return answers[0]


def _with_addresses_of(old: Message, body: bytes) -> bytes | Refused:
    """The body with the addresses as they were stored: a rule may have spelled them anew."""
    was: Any = decode(Command.SUBMIT_SM, old.body)
    is_: Any = decode(Command.SUBMIT_SM, body)
    for name in ("source_addr", "destination_addr"):
        one, other = getattr(was, name), getattr(is_, name)
        if not (one.endswith(other.lstrip("+0")) or other.endswith(one)):
            why = f"{name} stays {one!r}; cancel the message and send another one instead"
            return Refused(Status.ESME_RREPLACEFAIL, why)
    return encode_body(attrs.evolve(is_, **{name: getattr(was, name) for name in _ADDRESSES}))


def _unknown(id_: MessageId) -> Refused:
    return Refused(Vendor.SMSC_UNKNOWN, f"there is no message {id_} of this account")


def _left(status: Status, id_: MessageId) -> Refused:
    why = f"message {id_} does not wait any more: it is with a network, or it has ended"
    return Refused(status, why)
