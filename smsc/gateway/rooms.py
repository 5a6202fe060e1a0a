"""Every room of a gateway, built and wired; nothing runs yet.

*In*: a checked configuration, the bridges, an open store.
*Out*: the rooms as attributes, each told whom to call.
*Never*: a task, a socket, a decision about a message.

A new room is built in the method of its neighbours, in the order in which a message passes them.
"""

import random
from typing import Any

import trio

from pdu.receipt_ids import IdHabit
from smsc.bindings import Bindings
from smsc.callback_desk import CallbackDesk
from smsc.clock import SteadyClock
from smsc.config import Config
from smsc.directory.accounts import Account
from smsc.directory.rooms import build_rooms
from smsc.flow.alarms import Alarms
from smsc.flow.commands import Commands
from smsc.flow.dispatch import Dispatch
from smsc.flow.doubt import Doubt
from smsc.flow.duplicates import Duplicates
from smsc.flow.finals import Finals
from smsc.flow.forwarding import Forwarding
from smsc.flow.guide import Guide
from smsc.flow.history import History
from smsc.flow.idempotency import IdempotencyKeys
from smsc.flow.inbound import Inbound
from smsc.flow.intake import Intake
from smsc.flow.lookup import MessageLookup
from smsc.flow.mailboxes import Mailboxes
from smsc.flow.owner_changes import OwnerChanges
from smsc.flow.preview import Previewer
from smsc.flow.receipts import Receipts
from smsc.flow.recent import Recent
from smsc.flow.rerouting import Rerouting
from smsc.flow.sms_copies import SmsCopies
from smsc.flow.waking import Waking
from smsc.gateway.bridges import Bridges
from smsc.message import AccountId, MessageId, OutletName
from smsc.operations.desk import Desk
from smsc.operations.pending_flags import PendingFlags
from smsc.operations.transactions import Transactions
from smsc.ports import ANY_NETWORK, CallbackTerms, Outlet, OutletPolicy
from smsc.server import SmppServer
from smsc.store.lmdb_store import LmdbStore


class Rooms:
    """See the module."""

    def __init__(self, config: Config, bridges: Bridges, store: LmdbStore, log: Any) -> None:
        self.config = config
        self.bridges = bridges
        self.store = store
        self.log = log
        self.now_ms = SteadyClock(
            stepped=lambda ahead_ms: log.warning("clock.stepped", ahead_s=ahead_ms // 1000)
        ).now_ms
        self.bindings = Bindings()
        self.annex = build_rooms(config, store, store.ids, self.now_ms, log)
        self.directory, self.credits = self.annex.directory, self.annex.credits
        self.contacts, self.inbox = self.annex.contacts, self.annex.inbox
        self.recent = Recent(store)
        self._build_homeward()
        self._build_outward()
        self._build_intake()
        self._build_doors()

    def _build_homeward(self) -> None:
        """Receipts, and messages from networks, to mailboxes."""
        store, now_ms, log = self.store, self.now_ms, self.log
        self.mailboxes = Mailboxes(store, trio.current_time, now_ms, log, store.ids.newest)
        arrived = self.mailboxes.arrived
        self.receipts = Receipts(store, store.ids, self.recent, arrived, now_ms, log)
        self.receipts.per_part = {
            name for name, one in self.directory.accounts.items() if one.config.receipts_per_part
        }
        self.receipts.payers, self.receipts.refund = self.credits.payers, self.credits.refund
        self.receipts.callbacks.events_of = self.bridges.callback_events
        self.inbound = Inbound(self.config.mo_table(), store.ids, store, arrived, now_ms, log)
        self.inbound.home_of = self._home_of
        self.forwarding = Forwarding(
            self.inbox.keep, self.directory.profile, store.ids, log, self.config.mail
        )
        self.inbox.take_in = self.inbound.take_in = self.forwarding.take_in
        self.inbox.arrived = arrived
        self.inbound.keep = self.inbox.keep
        self.inbound.take_away = self.inbox.take_away
        self.inbound.has_sandbox = self.config.inbox.sandbox

    def _build_outward(self) -> None:
        """From the store to the outlets."""
        config, store, now_ms, log = self.config, self.store, self.now_ms, self.log
        self.outlets: dict[OutletName, Outlet] = {
            OutletName(name): self.bridges.outlet(OutletName(name), outlet, log)
            for name, outlet in config.outlets.items()
        }
        self.guide = Guide(config.routing_table(), log, guards=config.velocity())
        for account in self.directory.accounts.values():
            self.guide.account_opened(account.name, account.config)
        self.dispatch = Dispatch(
            store,
            self.guide,
            self.outlets,
            self.recent,
            self.receipts.write,
            self.receipts.write_notice,
            self.mailboxes.arrived,
            now_ms,
            random.Random(),
            log,
            {OutletName(name): outlet.flow for name, outlet in config.outlets.items()},
        )
        self.dispatch.tell_callback = self.receipts.callbacks.attempted
        self.dispatch.soon = trio.lowlevel.current_trio_token().run_sync_soon
        self.waking = Waking(self.dispatch, store, self.recent, now_ms)
        self.doubt = Doubt(self.dispatch, store, self.recent, log)
        self.alarms = Alarms(store, self.waking.wake, now_ms)
        self.history = History(store, config.store.history_keep_s, now_ms, log)
        self.dispatch.alarm_moved = self.alarms.moved
        self.receipts.progresses = self.dispatch.progresses
        self._policies: dict[OutletName, OutletPolicy] = {}
        self._habits: dict[OutletName, IdHabit] = {}
        self.dispatch.policies = self.receipts.policies = self._policies
        self.receipts.habits = self._habits
        for one in self.outlets.values():
            self.know_outlet(one)
        self.rerouting = Rerouting(self.dispatch, self.guide, store, log)

    def know_outlet(self, outlet: Any) -> None:
        """Note how an outlet's network is unlike others.

        What was learned of its ids stays known; policies of outlets that are gone stay, for the
        messages that their networks took.
        """
        self._policies[outlet.name] = getattr(outlet, "policy", ANY_NETWORK)
        habit, before = getattr(outlet, "id_habit", None), self._habits.pop(outlet.name, None)
        if habit is not None and before is not None and habit.is_auto and before.is_auto:
            outlet.id_habit = habit = before
        if habit is not None:
            self._habits[outlet.name] = habit

    def _build_intake(self) -> None:
        """The one door in, and what may be asked of messages behind it."""
        config, store, now_ms = self.config, self.store, self.now_ms
        accounts = {name: one.config for name, one in self.directory.accounts.items()}
        canned = config.smpp.default_messages
        self.duplicates = Duplicates(accounts, store)
        self.duplicates.restore(now_ms())
        self.inbound.keys.restore(store.remembered())
        http = config.http
        self.idempotency = IdempotencyKeys(
            store, int(http.idempotency_keep_s * 1000), http.idempotency_keys
        )
        self.idempotency.restore(store.remembered())
        self.intake = Intake(
            accounts,
            self.guide,
            store.ids,
            store,
            self.dispatch,
            now_ms,
            canned,
            self.duplicates,
            self.credits,
        )
        self.previewer = Previewer(
            accounts, self.guide, self.credits, lambda: self.intake.closed, now_ms
        )
        self.lookup = MessageLookup(store, self._is_admin, self.dispatch.progresses)
        self.commands = Commands(
            accounts,
            canned,
            store,
            self.dispatch,
            self.recent,
            self.receipts.write,
            self.mailboxes.arrived,
            now_ms,
        )
        self.commands.recharge = self.credits.recharge
        self.commands.number_reader = self.guide.number_reader
        self.owner_changes = OwnerChanges(
            accounts, store, self.dispatch, self.recent, self.commands, self._is_admin, now_ms
        )

    def _build_doors(self) -> None:
        """The SMPP server with its desk, and the callbacks."""
        config, store, now_ms, log = self.config, self.store, self.now_ms, self.log
        finals = Finals(store, trio.lowlevel.current_trio_token().run_sync_soon)
        self.receipts.ended = finals.told
        timeout_s = config.smpp.transaction_timeout_s
        self.transactions = Transactions(finals, self.commands.drop, timeout_s)
        self.desk = Desk(self.intake, self.commands, config.distribution_lists, now_ms)
        self.desk.newest = self.lookup.newest
        self.server = SmppServer(
            config.smpp,
            self.directory,
            self.intake,
            self.mailboxes,
            self.bindings,
            self.desk.ask,
            self.transactions,
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
        terms = CallbackTerms(
            lambda: self.config.http.callback_networks,
            self._webhook_keys,
            self.attend_callbacks,
            config.dialects,
            lambda: self.config.mail,
        )
        copies = SmsCopies(
            self.mailboxes, self.intake, lambda account: account in self.directory.accounts
        )
        bridges = self.bridges.callbacks(self.mailboxes, now_ms, log, terms)
        self.callbacks = CallbackDesk(self.mailboxes, {**bridges, copies.prefix: copies})

    def _account_opened(self, account: Account) -> None:
        """An account is new or has other settings: every room that keeps some of them hears of it."""
        name, config = account.name, account.config
        self.credits.learn(name, config)
        self.intake.account_opened(name, config)
        self.duplicates.account_opened(name, config)
        self.guide.account_opened(name, config)
        self.server.account_opened(account)
        if config.receipts_per_part:
            self.receipts.per_part.add(name)
        else:
            self.receipts.per_part.discard(name)

    def _account_closed(self, account: AccountId, _why: str) -> None:
        """Sessions of an account that may not speak any more are asked to go."""
        self.server.account_closed(account)

    def attend_callbacks(self) -> None:
        """Let a bridge take from each of its mailboxes that has deliveries."""
        for mailbox in self.store.mailboxes():
            self.callbacks.attend(mailbox)

    def _home_of(self, account: AccountId) -> tuple[str | None, str]:
        found = self.directory.accounts.get(account)
        return (None, "") if found is None else found.config.home

    def _webhook_keys(self, account: AccountId) -> tuple[bytes, ...]:
        found = self.directory.accounts.get(account)
        return () if found is None else found.config.webhook_keys

    def _is_admin(self, account: AccountId) -> bool:
        found = self.directory.accounts.get(account)
        return found is not None and found.admin
