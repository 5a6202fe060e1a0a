"""The gateway as a whole: builds every room and starts them in order.

*In*: a checked configuration; the bridges, handed in by the command line or a test.
*Out*: a running gateway until a signal or `stop`; the exit status.
*Never*: imports a bridge; decides anything about a message.

Start order: store, flow, listeners; then, when the queues of an earlier run are rebuilt, the
outlets, callbacks and alarms. So a million waiting messages keep no client from binding.
The stop takes the listeners first, so that what was accepted finds the rooms behind it there.
"""

import random
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any, Final, Protocol

import attrs
import trio

from pdu.originate import deliver_bodies
from pdu.status import Status, Vendor, status_name
from pdu.text.errors import TooManyParts
from smsc.bindings import Bindings
from smsc.clock import SteadyClock
from smsc.config import Config, OutletConfig
from smsc.directory.accounts import Account, AuthRefused
from smsc.directory.rooms import build_rooms
from smsc.flow.alarms import Alarms
from smsc.flow.commands import Commands
from smsc.flow.dispatch import Dispatch
from smsc.flow.doubt import Doubt
from smsc.flow.duplicates import Duplicates
from smsc.flow.finals import Finals
from smsc.flow.guide import Guide
from smsc.flow.history import History
from smsc.flow.inbound import Inbound
from smsc.flow.intake import Intake
from smsc.flow.lookup import MessageLookup
from smsc.flow.mailboxes import Mailboxes
from smsc.flow.receipts import Receipts
from smsc.flow.recent import Recent
from smsc.flow.waking import Waking
from smsc.message import AccountId, Mailbox, MessageId, OutletName, Progress
from smsc.operations.desk import Desk
from smsc.operations.pending_flags import PendingFlags
from smsc.operations.transactions import Transactions
from smsc.ports import (
    ANY_NETWORK,
    Health,
    Lookup,
    MobileOriginated,
    Outcome,
    Outlet,
    Refused,
    Sent,
    Submit,
    UpstreamReceipt,
)
from smsc.server import SmppServer
from smsc.store.lmdb_store import LmdbStore, open_store
from smsc.store.opening import MapSize

DRAIN_S: Final = 30.0
"""How long a stop waits for answers that are still owed to us."""
_GOODBYE_S: Final = 3.0
_LOOK_S: Final = 0.02
_TICK_S: Final = 1.0
_FORGET_EVERY: Final = 60
"""Ticks between two looks for deliveries that nobody fetched in time."""
_RESTORE_ROWS: Final = 500
"""Records taken up at a time at start: about 4 ms."""
_OUTLET_RESTART_S: Final = 5.0
_CALLBACK: Final = "callback:"
OUTLET_ACTIONS: Final = ("start", "stop", "drain", "resend", "fail")
"""What people may do to an outlet; the last two decide on messages that are held for it."""


class Webhook(Protocol):
    """What the roof asks of the callbacks bridge."""

    def open(self, mailbox: Mailbox) -> None:
        """Take deliveries of this callback mailbox from now on."""

    async def run(self) -> None:
        """Live until cancelled."""


@attrs.frozen
class Bridges:
    """The doors to other worlds, chosen by the command line."""

    outlet: Callable[[OutletName, OutletConfig, Any], Outlet]
    webhook: Callable[[Mailboxes, Callable[[], int], Any], Webhook] | None = None
    serve_http: Callable[..., Awaitable[None]] | None = None
    """(listen, gateway, *, stop, log, dialects, task_status): serves until `stop` is set."""


@attrs.frozen
class Addresses:
    """Where a running gateway listens."""

    smpp: tuple[tuple[str, int], ...]
    http: tuple[tuple[str, int], ...]
    smpp_tls: tuple[tuple[str, int], ...] = ()


class Gateway:
    """All rooms, wired. It is the `Flow` of its outlets and the gateway of its HTTP bridge."""

    def __init__(self, config: Config, bridges: Bridges, store: LmdbStore, log: Any) -> None:
        self.config = config
        self.store = store
        self.log = log
        self.now_ms = SteadyClock(
            stepped=lambda ahead_ms: log.warning("clock.stepped", ahead_s=ahead_ms // 1000)
        ).now_ms
        now_ms = self.now_ms
        self.bindings = Bindings()
        rooms = build_rooms(config, store, store.ids, now_ms, log)
        self.directory = rooms.directory
        self.credits, self.contacts, self.inbox = rooms.credits, rooms.contacts, rooms.inbox
        self.mailboxes = Mailboxes(store, trio.current_time, now_ms, log, store.ids.newest)
        arrived = self.mailboxes.arrived
        recent = Recent(store)
        self.receipts = Receipts(store, store.ids, recent, arrived, now_ms, log)
        self.outlets: Mapping[OutletName, Outlet] = {
            OutletName(name): bridges.outlet(OutletName(name), outlet, log)
            for name, outlet in config.outlets.items()
        }
        routes = config.routing_table()
        self.guide = guide = Guide(
            routes,
            log,
            guards=config.velocity(),
        )
        for account in self.directory.accounts.values():
            guide.account_opened(account.name, account.config)
        self.dispatch = Dispatch(
            store,
            guide,
            self.outlets,
            recent,
            self.receipts.write,
            self.receipts.write_notice,
            arrived,
            now_ms,
            random.Random(),
            log,
            {OutletName(name): outlet.flow for name, outlet in config.outlets.items()},
        )
        self.dispatch.soon = trio.lowlevel.current_trio_token().run_sync_soon
        self.waking = Waking(self.dispatch, store, recent, now_ms)
        self.doubt = Doubt(self.dispatch, store, recent, log)
        self.alarms = Alarms(store, self.waking.wake, now_ms)
        self.dispatch.alarm_moved = self.alarms.moved
        self.receipts.progresses = self.dispatch.progresses
        policies = {name: getattr(one, "policy", ANY_NETWORK) for name, one in self.outlets.items()}
        self.dispatch.policies = self.receipts.policies = policies
        self.receipts.habits = {
            name: one.id_habit for name, one in self.outlets.items() if hasattr(one, "id_habit")
        }
        self.receipts.per_part = {
            name for name, one in self.directory.accounts.items() if one.config.receipts_per_part
        }
        self.history = History(store, config.store.history_keep_s, now_ms, log)
        self.inbound = Inbound(config.mo_table(), store.ids, store, arrived, now_ms, log)
        accounts = {name: one.config for name, one in self.directory.accounts.items()}
        canned = config.smpp.default_messages
        self.duplicates = Duplicates(accounts, store)
        self.duplicates.restore(now_ms())
        self.intake = Intake(
            accounts,
            guide,
            store.ids,
            store,
            self.dispatch,
            now_ms,
            canned,
            self.duplicates,
            self.credits,
        )
        self.lookup: Lookup = MessageLookup(store, self._is_admin, self.dispatch.progresses)
        commands = Commands(
            accounts,
            canned,
            store,
            self.dispatch,
            recent,
            self.receipts.write,
            arrived,
            now_ms,
        )
        commands.recharge = self.credits.recharge
        self.receipts.payers, self.receipts.refund = self.credits.payers, self.credits.refund
        finals = Finals(store, trio.lowlevel.current_trio_token().run_sync_soon)
        self.receipts.ended = finals.told
        self.server = SmppServer(
            config.smpp,
            self.directory,
            self.intake,
            self.mailboxes,
            self.bindings,
            Desk(self.intake, commands, config.distribution_lists, now_ms).ask,
            Transactions(finals, commands.drop, config.smpp.transaction_timeout_s),
            log,
        )
        self.intake.closed = self.directory.closed
        self.directory.account_opened = self._account_opened
        self.directory.account_closed = self._account_closed
        self.flags = PendingFlags(self.server.alert)
        finals.heard = self.flags.ended
        self.inbound.heard_from = self.flags.seen
        self.server.is_store_full = lambda: store.is_full
        self.server.has_waiting = lambda mailbox: bool(store.parked(mailbox, MessageId(0), 1))
        self.webhook = (
            bridges.webhook(self.mailboxes, now_ms, log) if bridges.webhook is not None else None
        )
        self._mo_reference = 0
        self._serve_http = bridges.serve_http
        self._http_stop = trio.Event()
        self._started = trio.current_time()
        self.is_restoring = True
        """Are queues still being rebuilt? Nothing leaves the gateway before."""

    # --- the port `Flow`, for outlets ----------------------------------------------------------

    def room_changed(self, _outlet: OutletName) -> None:
        """An outlet that goes down frees its lanes for others: offer work to all."""
        self.dispatch.pump_all()

    def settle(self, outlet: OutletName, outcomes: Sequence[Outcome]) -> None:
        """Journal outcomes, then match receipts that came before them."""
        self.dispatch.settle(outlet, outcomes)
        self.receipts.responded(
            outlet, (one.upstream_id for one in outcomes if isinstance(one, Sent))
        )

    def attempting_nowait(
        self,
        outlet: OutletName,
        attempts: Sequence[tuple[MessageId, int]],
        done: Callable[[], None],
    ) -> None:
        """See `smsc.flow.doubt`."""
        self.doubt.attempting_nowait(outlet, attempts, done)

    def receipts_nowait(
        self, receipts: Sequence[UpstreamReceipt], done: Callable[[list[int]], None]
    ) -> None:
        """See `smsc.flow.receipts`."""
        self.receipts.receipts_nowait(receipts, done)

    def mobile_originated_nowait(
        self, messages: Sequence[MobileOriginated], done: Callable[[list[int]], None]
    ) -> None:
        """See `smsc.flow.inbound`."""
        self.inbound.mobile_originated_nowait(messages, done)

    def number_seen(self, number: str) -> None:
        """See `smsc.operations.pending_flags`."""
        self.flags.seen(number)

    # --- the port of the HTTP bridge -----------------------------------------------------------

    @property
    def submit(self) -> Submit:
        """The one door in."""
        return self.intake

    async def authenticate(self, account: str, password: str, peer: str) -> Account | Refused:
        """Who is calling."""
        return _told(await self.directory.authenticate(account, password, peer))

    async def authenticate_token(self, account: str, token: str, peer: str) -> Account | Refused:
        """Who is calling, by the account's token."""
        return _told(await self.directory.authenticate_token(account, token, peer))

    async def inject_mo(self, outlet: str, from_: str, to: str, text: str) -> Refused | None:
        """Route a message as if the network of `outlet` had brought it (any outlet's name)."""
        if OutletName(outlet) not in self.outlets:
            known = ", ".join(self.outlets) or "none"
            return Refused(
                Vendor.SMSC_UNKNOWN, f"outlet {outlet!r} is unknown; known ones: {known}"
            )
        try:
            bodies = deliver_bodies(from_, to, text, self._mo_reference)
        except TooManyParts:
            return Refused(Status.ESME_RINVMSGLEN, "the text needs more than 255 parts: shorten it")
        self._mo_reference = (self._mo_reference + 1) & 0xFF
        answered = trio.Event()
        answers: list[int] = []

        def done(statuses: list[int]) -> None:
            answers.extend(statuses)
            answered.set()

        self.inbound.mobile_originated_nowait(
            [MobileOriginated(OutletName(outlet), body) for body in bodies], done
        )
        await answered.wait()
        status = next(filter(None, answers), 0)
        if not status:
            return None
        if status == Status.ESME_RX_R_APPN:
            return Refused(status, f"no mo_route takes a message to {to}")
        return Refused(status, f"the message was answered {status_name(status)}")

    async def simulate_mo(self, outlet: str, from_: str, to: str, text: str) -> str | None:
        """Make a simulator's handset send a message; a sentence if that cannot be."""
        found: Any = self.outlets.get(OutletName(outlet))
        if found is None or not hasattr(found, "mobile_originated"):
            known = [
                name for name, one in self.outlets.items() if hasattr(one, "mobile_originated")
            ]
            return f"outlet {outlet!r} is no simulator; known ones: {', '.join(known) or 'none'}"
        status = await found.mobile_originated(from_, to, text)
        if status == Status.ESME_RX_R_APPN:
            return f"no mo_route takes a message to {to}"
        return None if not status else f"the message was answered {status_name(status)}"

    async def control_outlet(self, outlet: str, action: str) -> str | None:
        """Start, stop or drain an upstream link, or decide on what is held for it.

        `action` is one of `OUTLET_ACTIONS`. A sentence if that cannot be.
        """
        found: Any = self.outlets.get(OutletName(outlet))
        if found is None:
            return f"outlet {outlet!r} is unknown; known ones: {', '.join(self.outlets)}"
        if action in {"resend", "fail"}:
            self.doubt.release(OutletName(outlet), resend=action == "resend")
        elif action not in OUTLET_ACTIONS:
            return f"action {action!r} is unknown; known ones: {', '.join(OUTLET_ACTIONS)}"
        elif not hasattr(found, "control"):
            return f"outlet {outlet!r} has no connection to {action}"
        else:
            found.control(action)
        return None

    def health(self) -> Health:
        """Can the gateway take messages, and what is behind by how much."""
        why = self.store.why_full or ("stopping" if self.intake.is_stopping else "")
        down = [name for name, outlet in self.outlets.items() if not outlet.is_up]
        return Health(
            ready=not why,
            why=why,
            facts={
                "restoring": self.is_restoring,
                "uptime_s": round(trio.current_time() - self._started, 1),
                "binds": dict(self.bindings),
                "waiting": self.dispatch.waiting(),
                "held_back": self.dispatch.held_back(),
                "in_flight": self.dispatch.in_flight,
                "held": self.dispatch.holding.counts(),
                "early_receipts": self.receipts.early,
                "duplicate_receipts": self.receipts.duplicates,
                "dead_letters": {
                    "count": self.dispatch.dead_letters.count,
                    "newest": [attrs.asdict(one) for one in self.dispatch.dead_letters.newest()],
                },
                "duplicates": self.duplicates.found,
                "deliveries_in_hand": self.mailboxes.in_hand,
                "outlets_down": down,
                "outlets": {name: outlet.statistics() for name, outlet in self.outlets.items()},
                "store": self.store.counts(),
            },
        )

    # --- life ----------------------------------------------------------------------------------

    async def run(self, *, stop: trio.Event, started: Callable[[Addresses], None]) -> None:
        """Start every room, report the addresses, live until `stop`, and end politely."""
        earlier = self.store.live(self.store.ids.newest, _RESTORE_ROWS)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._sweep)
            nursery.start_soon(self._take_up, earlier, nursery)
            async with trio.open_nursery() as doors:
                addresses = await self._open_doors(doors)
                self.log.info(
                    "gateway.started",
                    smpp=addresses.smpp,
                    smpp_tls=addresses.smpp_tls,
                    http=addresses.http,
                )
                started(addresses)
                await stop.wait()
                self.log.info("gateway.stopping", in_flight=self.dispatch.in_flight)
                await self._drain()
                doors.cancel_scope.cancel()
            nursery.cancel_scope.cancel()

    async def _take_up(
        self, earlier: Iterable[list[tuple[MessageId, Progress]]], nursery: trio.Nursery
    ) -> None:
        """Queue again what an earlier run left, a little at a time, then start what works on it.

        Clients are served meanwhile: they bind, submit, and fetch their deliveries.
        """
        began = trio.current_time()
        self.receipts.restore(self.outlets)
        messages = 0
        for some in earlier:
            self.waking.restore(some)
            messages += len(some)
            await trio.lowlevel.checkpoint()
        self.is_restoring = False
        took_s = round(trio.current_time() - began, 3)
        self.log.info("queues.restored", messages=messages, took_s=took_s)
        for outlet in self.outlets.values():
            nursery.start_soon(self._keep_outlet, outlet)
        if self.webhook is not None:
            self.mailboxes.unattended = self._unattended
            for mailbox in self.store.mailboxes():
                self._unattended(mailbox)
            nursery.start_soon(self.webhook.run)
        nursery.start_soon(self.alarms.run)
        nursery.start_soon(self.history.run)

    async def _open_doors(self, doors: trio.Nursery) -> Addresses:
        """Open the listeners: what clients bring is on disk, and leaves when outlets are up."""
        listen_smpp = self.config.smpp.listen
        smpp: list[tuple[str, int]] = await doors.start(
            self.server.serve, listen_smpp, self.config.smpp.listen_tls
        )
        plain = len(listen_smpp)
        http: list[tuple[str, int]] = []
        if self._serve_http is not None and self.config.http.listen:
            listen = [str(one) for one in self.config.http.listen]
            serve = partial(
                self._serve_http,
                listen,
                self,
                stop=self._http_stop,
                log=self.log,
                dialects=self.config.dialects,
            )
            http = await doors.start(serve)
        return Addresses(tuple(smpp[:plain]), tuple(http), tuple(smpp[plain:]))

    async def _drain(self) -> None:
        """Take nothing new, and wait for answers that are owed to us."""
        self.intake.is_stopping = True
        self.dispatch.is_stopping = True
        self.mailboxes.is_stopping = True
        self.server.stop_listening()
        self._http_stop.set()
        with trio.move_on_after(DRAIN_S):
            await _until(lambda: not (self.dispatch.in_flight or self.mailboxes.in_hand))
        self.server.unbind_all()
        with trio.move_on_after(_GOODBYE_S):
            await _until(lambda: not self.server.clients)
        self.server.close_all("the gateway stops")

    async def _keep_outlet(self, outlet: Outlet) -> None:
        """An outlet that a bug ended is started again; the others do not notice."""
        while True:
            try:
                await outlet.run(self)
            except Exception:
                # A bug in one outlet must not end the gateway; the log holds the traceback.
                self.log.exception("outlet.crashed", outlet=outlet.name)
            await trio.sleep(_OUTLET_RESTART_S)

    async def _sweep(self) -> None:
        for ticks in count(1):
            await trio.sleep(_TICK_S)
            self.mailboxes.tick()
            self.receipts.forget_old()
            self.duplicates.forget_old(self.now_ms())
            self.credits.write_marks()
            if not ticks % _FORGET_EVERY:
                self.mailboxes.forget_old()
                self.inbox.forget_old()
                if self.config.credit.ledger_keep_s:
                    keep_ms = int(self.config.credit.ledger_keep_s * 1000)
                    self.credits.forget_old(self.now_ms() - keep_ms)
                self.store.look_after_readers()

    def _account_opened(self, account: Account) -> None:
        """An account is new or has other settings: every room that keeps some of them hears of it."""
        name, config = account.name, account.config
        self.credits.learn(name, config)
        self.intake.account_opened(name, config)
        self.duplicates.account_opened(name, config)
        self.guide.account_opened(name, config)
        self.server.account_opened(account)
        (
            self.receipts.per_part.add
            if config.receipts_per_part
            else self.receipts.per_part.discard
        )(name)

    def _account_closed(self, account: AccountId, _why: str) -> None:
        """Sessions of an account that may not speak any more are asked to go."""
        self.server.unbind(account)

    def _is_admin(self, account: AccountId) -> bool:
        found = self.directory.accounts.get(account)
        return found is not None and found.admin

    def _unattended(self, mailbox: Mailbox) -> None:
        """Deliveries for a callback that nobody attends to yet."""
        if self.webhook is not None and mailbox.startswith(_CALLBACK):
            self.webhook.open(mailbox)


async def run(
    config: Config,
    bridges: Bridges,
    log: Any,
    *,
    stop: trio.Event | None = None,
    signals: bool = True,
    task_status: trio.TaskStatus[tuple[Gateway, Addresses]] = trio.TASK_STATUS_IGNORED,
) -> int:
    """Run a gateway to its end; the exit status: 0 after a stop, 1 when the disk failed.

    The first SIGTERM or SIGINT (or `stop`) drains; a second signal ends at once.
    """
    stop = trio.Event() if stop is None else stop
    failure: list[Exception] = []
    with trio.CancelScope() as life:

        def failed(error: Exception) -> None:
            log.error("store.failed", why=str(error))
            failure.append(error)
            life.cancel()

        async with (
            open_store(
                config.node.data_dir,
                node=config.node.id,
                failed=failed,
                map_size=MapSize(
                    config.store.map_size_mb, config.store.map_growth_mb, config.store.map_limit_mb
                ),
            ) as store,
            trio.open_nursery() as nursery,
        ):
            gateway = Gateway(config, bridges, store, log)
            if signals:
                await nursery.start(_watch_signals, stop, life, gateway.server.reload_certificates)
            await gateway.run(
                stop=stop, started=lambda addresses: task_status.started((gateway, addresses))
            )
            nursery.cancel_scope.cancel()
    log.info("gateway.stopped")
    return 1 if failure else 0


def _told(verdict: Account | AuthRefused) -> Account | Refused:
    """A verdict as the HTTP bridge wants it."""
    if not isinstance(verdict, AuthRefused):
        return verdict
    status = Vendor.SMSC_ACCOUNT_CLOSED if verdict.is_closed else verdict.status
    return Refused(status, verdict.why)


async def _until(is_so: Callable[[], bool]) -> None:
    """Look until it is so; only a stop looks, so nobody on the hot path has to tell."""
    while not is_so():  # noqa: ASYNC110 - see the docstring
        await trio.sleep(_LOOK_S)


async def _watch_signals(
    stop: trio.Event,
    life: trio.CancelScope,
    reload: Callable[[], None],
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        task_status.started()
        async for one in signals:
            if one == signal.SIGHUP:
                reload()
                continue
            if stop.is_set():
                life.cancel()
            stop.set()
