"""The SMPP server: listeners, clients, and the one sweeper of their sessions.

*In*: connections from ESMEs. *Out*: Drafts for intake, deliveries for their sessions.
*Never*: an answer ESME_ROK that intake did not give; one client's fault felt by another.

Station of the flow: session → **server** → intake. Tasks: one for each listener and connection.
"""

import socket
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any, Final

import trio

from pdu.fields import Pdu
from smsc.bindings import Bindings
from smsc.client import Client
from smsc.config_accounts import AccountConfig, OutbindConfig
from smsc.config_fields import HostPort
from smsc.config_sections import SmppConfig
from smsc.directory.accounts import Account, Directory
from smsc.flow.fairness import FairShare
from smsc.message import AccountId, Mailbox
from smsc.operations.desk import Asker, Done
from smsc.operations.transactions import Transactions
from smsc.outbind import Outbind
from smsc.ports import Mailboxes, Submit
from smsc.reception import Reception, open_listener
from smsc.session.congestion import congestion_state
from smsc.session.timers import Timers
from smsc.tls import Certificates

_TICK_S: Final = 1.0
_CERTIFICATES_EVERY: Final = 10
"""Ticks between two looks at the files of certificates."""
_SWEPT_AT_A_TIME: Final = 100
"""Sessions that look at the clock in one turn of the loop: about 0.2 ms."""


class SmppServer:
    """All listeners and clients.

    :param ask: answers what is neither a message nor about the session; see `operations.desk`.
    :param log: a structlog logger.
    :ivar has_waiting: do deliveries wait in this mailbox? Asked for accounts that want outbind.
    :ivar is_store_full: does intake refuse for want of room?
    :raises OSError: the certificates of the TLS listener cannot be used.
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
        self.timers = _unbound_timers(config)
        self.directory = directory
        self.intake = intake
        self.mailboxes = mailboxes
        self.bindings = bindings
        self.ask = ask
        self.transactions = transactions
        self.log = log
        self.fair = FairShare()
        self.has_waiting: Callable[[Mailbox], bool] = lambda _mailbox: False
        self.is_store_full: Callable[[], bool] = lambda: False
        self.nursery: trio.Nursery
        self.clients: set[Client] = set()
        self.unbound: dict[Client, None] = {}
        """Clients that did not bind yet, the oldest first."""
        self._max_unbound = config.max_unbound
        self._reception = Reception(config, self._serve_client, log)
        self._timers = {
            name: timers_for(account.config, config.session_init_s)
            for name, account in directory.accounts.items()
        }
        self._outbinds: dict[AccountId, trio.CancelScope] = {}
        self._dialling: trio.Nursery | None = None
        self._doors = trio.CancelScope()
        self._fewer = trio.Event()

    def congestion_state(self) -> int:
        """How busy the gateway is, 0 to 100, as answers to peers of 5.0 tell it."""
        fair = self.fair
        return congestion_state(fair.in_hand, fair.limit, is_full=self.is_store_full())

    def timers_of(self, account: Account) -> Timers:
        """Those of a bound session."""
        return self._timers[account.name]

    async def serve(
        self,
        listen: Sequence[HostPort],
        listen_tls: Sequence[HostPort] = (),
        task_status: trio.TaskStatus[list[tuple[str, int]]] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve until `stop` has seen the last client off; reports the bound addresses.

        Those of `listen` come first, then those of `listen_tls`.
        """
        async with trio.open_nursery() as nursery:
            self.nursery = nursery
            sockets = [await open_listener(one.host, one.port) for one in (*listen, *listen_tls)]
            nursery.start_soon(self._sweep)
            task_status.started([sock.getsockname()[:2] for sock in sockets])
            with self._doors:
                async with trio.open_nursery() as doors:
                    for position, sock in enumerate(sockets):
                        accept = partial(
                            self._reception.accept, sock, nursery, is_tls=position >= len(listen)
                        )
                        doors.start_soon(accept)
                    self._dialling = doors
                    for account in self.directory.accounts.values():
                        self._dial_for(account)
            while self.clients:
                await self._wait_for_fewer_clients()
            nursery.cancel_scope.cancel()

    def take_config(self, config: SmppConfig, certificates: Certificates | None) -> None:
        """Follow another `[smpp]` from now on; where we listen stays."""
        self.system_id = config.system_id
        self.timers = _unbound_timers(config)
        self._max_unbound = config.max_unbound
        self._reception.take_config(config, certificates)
        for client in self.unbound:
            client.session.timers = self.timers

    def account_opened(self, account: Account) -> None:
        """An account is new or has other settings: its sessions have them from now on."""
        self._timers[account.name] = timers_for(account.config, self.timers.session_init_s)
        for client in self._of(account.name):
            client.take_account(account)
        self._dial_for(account)

    def unbind(self, account: AccountId) -> None:
        """Ask the sessions of an account to go."""
        for client in self._of(account):
            client.session.unbind()
            client.link.flush()

    def account_closed(self, account: AccountId) -> None:
        """The account may not speak any more."""
        self.unbind(account)
        dialling = self._outbinds.pop(account, None)
        if dialling is not None:
            dialling.cancel()

    def reload_certificates(self) -> None:
        """Use the certificate files as they are now for new handshakes."""
        self._reception.reload_certificates(is_asked=True)

    def stop_listening(self) -> None:
        """Take no new connection, and dial nobody."""
        self._doors.cancel()

    def unbind_all(self) -> None:
        """Ask every client to go: unbind, or close what is not bound."""
        for client in list(self.clients):
            client.session.unbind()
            client.link.flush()

    def alert(self, account: AccountId, body: bytes) -> None:
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

    def _of(self, account: AccountId) -> list[Client]:
        """The sessions of an account."""
        return [
            client
            for client in self.clients
            if client.account is not None and client.account.name == account
        ]

    def _dial_for(self, account: Account) -> None:
        """Dial the account when deliveries wait, if it wants that, and as it wants it now."""
        before = self._outbinds.pop(account.name, None)
        if before is not None:
            before.cancel()
        config = account.config.outbind
        if config is None or self._dialling is None:
            return
        scope = self._outbinds[account.name] = trio.CancelScope()
        outbind = self._outbind(account, config)

        async def run() -> None:
            with scope:
                await outbind.run()

        self._dialling.start_soon(run)

    def _outbind(self, account: Account, config: OutbindConfig) -> Outbind:
        mailbox = Mailbox(account.name)

        def is_wanted() -> bool:
            return not self.bindings.can_receive(account.name) and self.has_waiting(mailbox)

        return Outbind(account.name, config, is_wanted, self._serve_dialled, self.log)

    async def _serve_client(self, sock: socket.socket, peer: str) -> None:
        try:
            client = Client(self, sock, peer)
        except OSError:
            return  # the peer was gone before we could greet it
        self.unbound[client] = None
        if self._max_unbound and len(self.unbound) > self._max_unbound:
            # The oldest has had the most time to bind. Refusing the newest would let whoever
            # holds all the places keep everybody out.
            oldest = next(iter(self.unbound))
            del self.unbound[oldest]
            oldest.link.cut("too many connections that do not bind")
        await self._live(client)

    async def _serve_dialled(
        self, sock: socket.socket, peer: str, account: AccountId, config: OutbindConfig
    ) -> bool:
        """Serve a connection that we dialled; True if the account bound."""
        with sock:
            try:
                client = Client(self, sock, peer, dialled=account)
            except OSError:
                return False
            client.session.outbind(config.system_id, config.password.value)
            client.link.flush()
            await self._live(client)
        return client.account is not None

    async def _live(self, client: Client) -> None:
        """Run a client to its end, with whatever bug it meets."""
        self.clients.add(client)
        try:
            await client.run()
        except Exception:
            # A bug met in one session must not end the others; the log holds the traceback.
            self.log.exception("session.crashed", peer=client.peer)
        finally:
            self.clients.discard(client)
            self.unbound.pop(client, None)
            self._fewer.set()

    async def _wait_for_fewer_clients(self) -> None:
        self._fewer = trio.Event()
        await self._fewer.wait()

    async def _sweep(self) -> None:
        """The one sweeper: every session looks at the clock once a second."""
        for ticks in count(1):
            await trio.sleep(_TICK_S)
            self.transactions.tick(trio.current_time())
            if not ticks % _CERTIFICATES_EVERY:
                self._reception.reload_certificates()
            for position, client in enumerate(list(self.clients), 1):
                try:
                    client.link.tick(trio.current_time())
                except Exception:
                    # As in `_live`.
                    self.log.exception("session.crashed", peer=client.peer)
                    client.link.close("crashed")
                if not position % _SWEPT_AT_A_TIME:
                    await trio.lowlevel.checkpoint()


def _unbound_timers(config: SmppConfig) -> Timers:
    """Those of a session before its bind: there is no account yet."""
    return Timers(
        session_init_s=config.session_init_s,
        enquire_link_s=config.enquire_link_s,
        inactivity_s=config.inactivity_s,
        response_s=config.response_timeout_s,
        pdu_read_s=config.pdu_read_s,
        misses=config.enquire_misses,
    )


def timers_for(account: AccountConfig, session_init_s: float) -> Timers:
    """The timers of an account's sessions."""
    return Timers(
        session_init_s=session_init_s,
        enquire_link_s=account.enquire_link_s,
        inactivity_s=account.inactivity_s,
        response_s=account.response_timeout_s,
        pdu_read_s=account.pdu_read_s,
        misses=account.enquire_misses,
    )
