"""The SMPP server: listeners, and one `Client` for each connection.

*In*: connections from ESMEs. *Out*: Drafts for intake, deliveries for their sessions.
*Never*: an answer ESME_ROK that intake did not give; one client's fault felt by another.

Station of the flow: session → **server** → intake. Tasks: one for each listener and connection.
"""

import errno
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import trio

from pdu.commands import Command, command_name
from pdu.fields import Pdu
from pdu.operations import V50, Role
from pdu.status import Status, status_name
from smsc.bindings import Bindings
from smsc.config_fields import HostPort
from smsc.config_sections import SmppConfig
from smsc.deliver import BoundReceiver
from smsc.directory.accounts import Account, AuthRefused, Directory
from smsc.link import Link
from smsc.message import Draft, Mailbox
from smsc.operations.desk import Asker, Done
from smsc.operations.transactions import MODE, TRANSACTION, Transactions
from smsc.ports import Admission, Admitted, Mailboxes, Submit
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
from smsc.session.timers import Timers

_BACKLOG: Final = 1024
_TICK_S: Final = 1.0
_OUT_OF_FILES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_ACCEPT_PAUSE_S: Final = 0.1


class Client:
    """One connection of an ESME: its session, its link, its account once it is bound."""

    def __init__(self, server: "SmppServer", sock: socket.socket, peer: str) -> None:
        self.peer = peer
        self.account: Account | None = None
        self.transactions_open = 0
        self._server = server
        self._log = server.log.bind(peer=peer)
        self.session = Session(Role.MC, trio.current_time(), timers=server.timers, window=1, hold=1)
        self.link = Link(sock, self.session, self.handle)
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
            self._server.transactions.forget(self)
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
                    self._server.transactions.hurry(self)
                case _:
                    pass  # events of an ESME; a message centre's session has none of them

    # --- helpers -------------------------------------------------------------------------------

    @property
    def _account_name(self) -> str | None:
        return self.account.name if self.account is not None else None

    def _submit(self, requests: Sequence[Request]) -> None:
        """Hand all submit_sm of a read to intake; answer them together when they are on disk."""
        assert self.account is not None
        session = self.session
        if session.owes_data_sm or session.version >= V50:
            requests = self._set_transactions_aside(requests)
            if not requests:
                return
        name = self.account.name
        drafts = [Draft(name, "smpp", body, peek=peek) for _, peek, body in requests]

        def done(answers: list[Admission]) -> None:
            numbers = [request[0] for request in requests]
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

        self._server.intake.submit_many_nowait(drafts, done)

    def _set_transactions_aside(self, requests: Sequence[Request]) -> list[Request]:
        """Submit each message in transaction mode by itself; return the others.

        Such an answer takes its time, so it does not count for the window: else a client that
        filled it would not be read any more, and its deliver_sm_resp with it.
        Data_sm of 3.4 and anything of 5.0 may ask for the mode; submit_sm of 3.4 may not.
        """
        assert self.account is not None
        others: list[Request] = []
        for request in requests:
            sequence_number, peek, body = request
            if peek.esm_class & MODE != TRANSACTION or not self.session.may_wait(sequence_number):
                others.append(request)
                continue
            if self.transactions_open >= self.account.config.window:
                self.session.answer_many([(sequence_number, int(Status.ESME_RTHROTTLED), b"")])
                continue
            self.transactions_open += 1
            self.session.set_aside()
            draft = Draft(self.account.name, "smpp", body, peek=peek)
            self._server.intake.submit_many_nowait([draft], partial(self._wait, sequence_number))
        return others

    def _wait(self, sequence_number: int, answers: list[Admission]) -> None:
        """A message in transaction mode is on disk, or was refused."""
        (admission,) = answers
        message_id = b"%d" % admission.id if isinstance(admission, Admitted) else b""

        def answer(status: int, tlvs: bytes) -> None:
            self.transactions_open -= 1
            self.session.answer_late(sequence_number, status, message_id, tlvs)
            self.link.flush()

        if not isinstance(admission, Admitted):
            answer(admission.status, b"")
        elif self.link.is_open:
            now = trio.current_time()
            self._server.transactions.wait(admission.id, self, answer, now)
            if not self.session.is_bound:
                self._server.transactions.hurry(self)

    def _ask(self, asked: Asked) -> None:
        """Let the desk answer a request; its answer may wait for a commit."""
        assert self.account is not None
        session, link = self.session, self.link

        def done(status: int, body: bytes) -> None:
            session.answer(asked.command_id, asked.sequence_number, status, body)
            link.flush()

        asker = Asker(self.account.name, session.version)
        self._server.ask(asker, asked.pdu, done)

    async def _bind(self, asked: BindRequested) -> None:
        """Judge a bind; a task of its own, since a password hash takes its time."""
        verdict = await self._server.directory.authenticate(
            asked.system_id, asked.password, self.peer
        )
        if isinstance(verdict, Account) and not self._server.bindings.may_bind(
            verdict.name, verdict.config.max_binds
        ):
            limit = verdict.config.max_binds
            verdict = AuthRefused(
                Status.ESME_RBINDFAIL, f"account {verdict.name} has its {limit} binds already"
            )
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

    def _bound(self, account: Account, asked: BindRequested) -> None:
        self.account = account
        self.session.window.size = self.session.hold = account.config.window
        self._server.bindings.add(account.name, self)
        if asked.command_id != Command.BIND_TRANSMITTER:
            self._receiver = BoundReceiver(
                Mailbox(account.name),
                self.session,
                self._server.mailboxes,
                trio.current_time,
                self.link.flush,
                as_data=account.config.deliver_with == "data_sm",
            )
            self._server.mailboxes.attach(self._receiver.mailbox, self._receiver)

    def _gone(self) -> None:
        """Unbound or cut off: hand back what was not answered. Safe to call twice."""
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            self._server.mailboxes.detach(receiver.mailbox, receiver)
        if self.account is not None:
            self._server.bindings.remove(self.account.name, self)


class SmppServer:
    """All listeners and clients.

    :param ask: answers what is neither a message nor about the session; see `operations.desk`.
    :param log: a structlog logger.
    """

    def __init__(
        self,
        config: SmppConfig,
        directory: Directory,
        intake: Submit,
        mailboxes: Mailboxes,
        bindings: Bindings,
        ask: Callable[[Asker, Pdu, Done], None],
        transactions: Transactions,
        log: Any,
    ) -> None:
        self.system_id = config.system_id
        self.timers = Timers(
            session_init_s=config.session_init_s,
            enquire_link_s=config.enquire_link_s,
            inactivity_s=config.inactivity_s,
            response_s=config.response_timeout_s,
        )
        self.directory = directory
        self.intake = intake
        self.mailboxes = mailboxes
        self.bindings = bindings
        self.ask = ask
        self.transactions = transactions
        self.log = log
        self.nursery: trio.Nursery
        self.clients: set[Client] = set()
        self._max_connections = config.max_connections
        self._listeners = trio.CancelScope()
        self._fewer = trio.Event()

    async def serve(
        self,
        listen: Sequence[HostPort],
        task_status: trio.TaskStatus[list[tuple[str, int]]] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve until `stop` has seen the last client off; reports the bound addresses."""
        async with trio.open_nursery() as nursery:
            self.nursery = nursery
            sockets = [await open_listener(one.host, one.port) for one in listen]
            nursery.start_soon(self._sweep)
            task_status.started([sock.getsockname()[:2] for sock in sockets])
            with self._listeners:
                async with trio.open_nursery() as listeners:
                    for sock in sockets:
                        listeners.start_soon(self._accept, sock)
            while self.clients:
                await self._wait_for_fewer_clients()
            nursery.cancel_scope.cancel()

    def stop_listening(self) -> None:
        """Take no new connection."""
        self._listeners.cancel()

    def unbind_all(self) -> None:
        """Ask every client to go: unbind, or close what is not bound."""
        for client in list(self.clients):
            client.session.unbind()
            client.link.flush()

    def alert(self, account: str, body: bytes) -> None:
        """Send an alert_notification to the sessions of an account that receive."""
        for client in list(self.clients):
            if client.account is not None and client.account.name == account:
                client.session.notify(body)
                client.link.flush()

    def close_all(self, why: str) -> None:
        """End every connection now."""
        for client in list(self.clients):
            client.link.close(why)

    # --- helpers -------------------------------------------------------------------------------

    async def _accept(self, listener: trio.socket.SocketType) -> None:
        with listener:
            while True:
                try:
                    stream, address = await listener.accept()
                except OSError as error:
                    if error.errno not in _OUT_OF_FILES:
                        continue  # the peer was gone before we could greet it
                    self.log.warning("accept.failed", why=error.strerror)
                    await trio.sleep(_ACCEPT_PAUSE_S)
                    continue
                sock = socket.socket(fileno=stream.detach())
                if self._max_connections and len(self.clients) >= self._max_connections:
                    self.log.warning("connection.refused", peer=address[0], why="too many")
                    sock.close()
                    continue
                self.nursery.start_soon(self._serve_client, sock, address[0])

    async def _serve_client(self, sock: socket.socket, peer: str) -> None:
        try:
            client = Client(self, sock, peer)
        except OSError:
            sock.close()  # the peer was gone before we could greet it
            return
        self.clients.add(client)
        try:
            await client.run()
        except Exception:
            # A bug met in one session must not end the others; the log holds the traceback.
            self.log.exception("session.crashed", peer=peer)
        finally:
            self.clients.discard(client)
            self._fewer.set()

    async def _wait_for_fewer_clients(self) -> None:
        self._fewer = trio.Event()
        await self._fewer.wait()

    async def _sweep(self) -> None:
        """The one sweeper: every session looks at the clock once a second."""
        while True:
            await trio.sleep(_TICK_S)
            now = trio.current_time()
            self.transactions.tick(now)
            for client in list(self.clients):
                try:
                    client.link.tick(now)
                except Exception:
                    # As in `_serve_client`.
                    self.log.exception("session.crashed", peer=client.peer)
                    client.link.close("crashed")


async def open_listener(host: str, port: int) -> trio.socket.SocketType:
    """A bound, listening TCP socket.

    :raises OSError: the address is taken, or not ours; the sentence names it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = trio.socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        await sock.bind((host, port))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise OSError(
            error.errno, f"cannot listen on {HostPort(host, port)}: {error.strerror}"
        ) from error
    except BaseException:
        sock.close()
        raise
    return sock
