"""One connection of an ESME: its session, its link, its account once it is bound.

*In*: the events of its session. *Out*: Drafts for intake, requests for the desk, deliveries home.
*Never*: an answer ESME_ROK that intake did not give; a fault of this client felt by another.

Station of the flow: session → **client** → intake | desk. Tasks: its own, and one for each bind.
"""

import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

import trio

from pdu.commands import command_name
from pdu.operations import Role
from pdu.status import Status, status_name
from smsc.bindings import KINDS, RECEIVING
from smsc.deliver import BoundReceiver
from smsc.directory.accounts import Account, AuthRefused
from smsc.link import Link
from smsc.message import AccountId, Draft, Mailbox
from smsc.operations.desk import Asker
from smsc.operations.late import LateAnswers
from smsc.ports import Admission, Admitted
from smsc.session.events import (
    Answered,
    Asked,
    BindRequested,
    Event,
    Refused,
    Request,
    Submitted,
    TimedOut,
    Unbound,
)
from smsc.session.machine import Session

if TYPE_CHECKING:
    from smsc.server import SmppServer


class Client:
    """One connection of an ESME: its session, its link, its account once it is bound."""

    def __init__(
        self,
        server: "SmppServer",
        sock: socket.socket,
        peer: str,
        dialled: AccountId | None = None,
    ) -> None:
        self.peer = peer
        self.dialled = dialled
        """The account that we dialled: no other may bind here."""
        self.account: Account | None = None
        self._server = server
        self._log = server.log.bind(peer=peer)
        self.session = Session(Role.MC, trio.current_time(), timers=server.timers, window=1, hold=1)
        self.session.congestion = server.congestion_state
        self.link = Link(sock, self.session, self.handle)
        self._late = LateAnswers(self.session, server.intake, server.transactions, self.link.flush)
        self._nursery: trio.Nursery
        self._receiver: BoundReceiver | None = None

    async def run(self) -> None:
        """Serve the connection to its end; a bind is judged in a task beside it."""
        try:
            async with trio.open_nursery() as self._nursery:
                await self.link.run()
                self._nursery.cancel_scope.cancel()
        finally:
            self._gone()
            self._late.forget()
            self.session.lost()
            self._log.info("session.closed", account=self._account_name, why=self.link.why_closed)

    def handle(self, events: list[Event]) -> None:
        """What one read brought."""
        for event in events:
            match event:
                case Submitted(requests):
                    self._submit(requests)
                case Asked():
                    self._ask(event)
                case Answered(answers):
                    if self._receiver is not None:
                        self._receiver.answered(answers)
                case TimedOut(contexts):
                    if self._receiver is not None:
                        self._receiver.timed_out(contexts)
                case BindRequested():
                    self._nursery.start_soon(self._bind, event)
                case Refused(command_id, status, why):
                    self._log.info(
                        "pdu.refused",
                        account=self._account_name,
                        command=command_name(command_id),
                        status=status_name(status),
                        why=why,
                    )
                case Unbound():
                    self._gone()
                    self._late.hurry()
                case _:
                    pass  # events of an ESME; a message centre's session has none of them

    def take_account(self, account: Account) -> None:
        """Follow the settings of the account, which may be others than before."""
        self.account = account
        config, session = account.config, self.session
        session.hold = config.window
        session.window.size = config.deliver_window or config.window
        session.throttles = config.overflow == "throttle"
        session.timers = self._server.timers_of(account)
        if self._receiver is not None:
            self._receiver.take_terms(
                config.data_coding_0, as_data=config.deliver_with == "data_sm"
            )

    # --- helpers -------------------------------------------------------------------------------

    @property
    def _account_name(self) -> str | None:
        return self.account.name if self.account is not None else None

    def _submit(self, requests: Sequence[Request]) -> None:
        """Hand all submit_sm of a read to intake; answer them together when they are on disk."""
        assert self.account is not None
        name = self.account.name
        requests = self._late.take(name, requests)
        if not requests:
            return
        home = self._receiver
        drafts = [Draft(name, "smpp", body, peek=peek, session=home) for _, peek, body in requests]
        numbers = [request[0] for request in requests]
        fair = self._server.fair
        fair.enter(name, len(drafts))

        def done(answers: list[Admission]) -> None:
            fair.leave(name, len(answers))
            ids = [b"%d" % one.id for one in answers if isinstance(one, Admitted)]
            if len(ids) == len(numbers):
                self.session.accept_many(numbers, ids)
            else:
                self.session.answer_many(
                    [
                        (number, 0, b"%d" % answer.id)
                        if isinstance(answer, Admitted)
                        else (number, answer.status, b"")
                        for number, answer in zip(numbers, answers, strict=True)
                    ]
                )
            self.link.flush()

        try:
            self._server.intake.submit_many_nowait(drafts, done)
        except BaseException:
            fair.leave(name, len(drafts))  # a bug: there will be no answer
            raise

    def _ask(self, asked: Asked) -> None:
        """Let the desk answer a request; its answer may wait for a commit."""
        assert self.account is not None
        name, fair = self.account.name, self._server.fair
        messages = len(getattr(asked.pdu, "dest_address", ())) or 1  # those of a submit_multi
        fair.enter(name, messages)

        def done(status: int, body: bytes) -> None:
            fair.leave(name, messages)
            self.session.answer(asked.command_id, asked.sequence_number, status, body)
            self.link.flush()

        self._server.ask(Asker(name, self.session.version), asked.pdu, done)

    async def _bind(self, asked: BindRequested) -> None:
        """Judge a bind; a task of its own, since a password hash takes its time."""
        verdict = await self._server.directory.authenticate(
            asked.system_id, asked.password, self.peer
        )
        if isinstance(verdict, Account):
            verdict = self._refusal(verdict, asked) or verdict
        kind = command_name(asked.command_id)
        if isinstance(verdict, AuthRefused):
            self.session.refuse_bind(verdict.status)
            self._log.warning("bind.refused", account=asked.system_id, kind=kind, why=verdict.why)
        else:
            self.session.accept_bind(self._server.system_id)
            if self.session.is_bound:
                self._bound(verdict, asked)
                self._log.info("session.bound", account=verdict.name, kind=kind)
        self.link.flush()

    def _refusal(self, account: Account, asked: BindRequested) -> AuthRefused | None:
        """Why an account that proved who it is may not bind so, here and now."""
        if self.dialled is not None and account.name != self.dialled:
            why = f"account {account.name} answers an outbind for {self.dialled}"
            return AuthRefused(Status.ESME_RBINDFAIL, why)
        kind = KINDS[asked.command_id]
        return self._server.bindings.refusal(account.name, account.config, kind)

    def _bound(self, account: Account, asked: BindRequested) -> None:
        self.account = account
        self._server.unbound.pop(self, None)
        config, session, kind = account.config, self.session, KINDS[asked.command_id]
        self.take_account(account)
        self._server.bindings.add(account.name, self, kind)
        self._server.fair.join(account.name, self.link)
        if kind in RECEIVING:
            self._receiver = BoundReceiver(
                Mailbox(account.name),
                session,
                self._server.mailboxes,
                trio.current_time,
                self.link.flush,
                data_coding_0=config.data_coding_0,
                as_data=config.deliver_with == "data_sm",
            )
            self._server.mailboxes.attach(self._receiver.mailbox, self._receiver)

    def _gone(self) -> None:
        """Unbound or cut off: hand back what was not answered. Safe to call twice."""
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            self._server.mailboxes.detach(receiver.mailbox, receiver)
        if self.account is not None:
            self._server.bindings.remove(self.account.name, self)
            self._server.fair.part(self.account.name, self.link)
