"""The rooms of the flow over a memory store, with the disk, the clock and the networks in the
hand of the test. A crash keeps what was committed and forgets the rest.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import attrs

from bridges.outgoing import unsent_parts
from pdu.codec import encode_body, peek_submit_sm
from pdu.message_pdus import SubmitSm
from routing.mo import MoTable
from routing.rule import MoRule, Rule
from routing.table import RoutingTable
from smsc.config_accounts import AccountConfig
from smsc.config_flow import OutletFlowConfig
from smsc.directory.credits import CreditBook, Refund
from smsc.directory.passwords import StoredPassword
from smsc.directory.tariff import Tariff
from smsc.flow.commands import Commands
from smsc.flow.dispatch import Dispatch
from smsc.flow.doubt import Doubt
from smsc.flow.duplicates import Duplicates
from smsc.flow.finals import Finals
from smsc.flow.guide import Guide
from smsc.flow.inbound import Inbound
from smsc.flow.intake import Intake
from smsc.flow.mailboxes import Mailboxes
from smsc.flow.receipts import Receipts
from smsc.flow.recent import Recent
from smsc.flow.waking import Waking
from smsc.message import (
    AccountId,
    Delivery,
    Draft,
    Mailbox,
    MessageId,
    OutletName,
    Progress,
    State,
)
from smsc.ports import (
    Admission,
    Admitted,
    CallbackEvent,
    DeliveryOutcome,
    Done,
    MobileOriginated,
    Outcome,
    Outgoing,
    Sent,
    UpstreamReceipt,
)
from smsc.store.batch import WriteBatch
from smsc.store.keys import id_of
from smsc.store.memory_store import MemoryStore, MemoryTable

START_MS = 1_790_000_000_000
DEMO = AccountId("demo")
HOME = Mailbox("demo")
A, B, SIM = OutletName("a"), OutletName("b"), OutletName("sim")
RULES = (
    Rule(to=("41",), outlets=("a", "b")),
    Rule(to=("43",), outlets=("sim",)),
    Rule(to=("44",), outlets=("a",)),
    Rule(to=("49",), outlets=("b", "sim")),
)
FAR_MS = 2**61


def body_to(
    to: str = "4179000001",
    *,
    registered_delivery: int = 1,
    priority_flag: int = 0,
    short_message: bytes = b"hello",
    source_addr: str = "Shop",
    **fields: Any,
) -> bytes:
    """A submit_sm body; the last digit of `to` is how many parts the fake networks make of it."""
    return encode_body(
        SubmitSm(
            source_addr=source_addr,
            destination_addr=to,
            registered_delivery=registered_delivery,
            priority_flag=priority_flag,
            short_message=short_message,
            **fields,
        )
    )


def draft_to(to: str = "4179000001", **wishes: Any) -> Draft:
    """A draft of the demo account; draft fields are taken out of `wishes`, the rest is body."""
    names = (
        "due_ms",
        "expires_ms",
        "callback_url",
        "callback_style",
        "batch",
        "reference",
        "tags",
        "account",
    )
    facts = {name: wishes.pop(name) for name in names if name in wishes}
    return Draft(facts.pop("account", DEMO), "smpp", body_to(to, **wishes), **facts)


class Log:
    """Remembers what was logged."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def _note(self, event: str, **facts: Any) -> None:
        self.events.append((event, facts))

    debug = info = warning = error = exception = _note

    def names(self) -> list[str]:
        """The events, in order."""
        return [name for name, _ in self.events]


class Disk(MemoryStore):
    """A memory store that commits when told to, and knows the highest id on disk."""

    def __init__(self, tables: Sequence[MemoryTable] | None, last_id: int) -> None:
        super().__init__(node=1, soon=lambda _call: None, last_id=MessageId(last_id))
        self.highest_id = last_id
        if tables is not None:
            self.tables = tuple(tables)

    def _apply(self, batch: WriteBatch) -> None:
        super()._apply(batch)
        newest = id_of(batch.keys[-1]) if batch.messages else 0
        self.highest_id = max(self.highest_id, batch.highest_id, newest)

    def crash(self, committed: int) -> None:
        """The first `committed` of the waiting batches reached the disk; nobody was told."""
        for batch, _ in self._waiting[:committed]:
            if not (self.why_full and batch.messages):
                self._apply(batch)
        self._waiting = []

    @property
    def unwritten(self) -> int:
        """Batches that wait for a commit."""
        return len(self._waiting)


@attrs.define(eq=False)
class FakeOutlet:
    """An outlet whose network does what the test says."""

    name: OutletName
    remembers: bool = True
    is_up: bool = True
    window: int = 10
    in_hand: list[tuple[MessageId, int, int]] = attrs.field(factory=list)
    taken: list[Outgoing] = attrs.field(factory=list)
    on_send: Callable[["FakeOutlet", Outgoing, Sequence[int], int], None] = (
        lambda _self, _one, _parts, _count: None
    )

    def room(self) -> int:
        """Free places; parts of the last message may stand over."""
        return max(0, self.window - len(self.in_hand)) if self.is_up else 0

    def send(self, batch: Sequence[Outgoing]) -> None:
        """Take the parts that are still to be sent."""
        assert len(batch) <= self.room()
        for one in batch:
            to = peek_submit_sm(one.message.body).destination_addr
            count = int(to[-1])
            parts = unsent_parts(one.progress.parts, count)
            assert parts, "an outlet got a message with nothing to send"
            self.taken.append(one)
            self.on_send(self, one, parts, count)
            self.in_hand += [(one.message.id, part, count) for part in parts]

    def take_back(self, n: int | None = None) -> list[tuple[MessageId, int, int]]:
        """The oldest `n` parts in hand, all by default, which the test now answers."""
        n = len(self.in_hand) if n is None else n
        taken, self.in_hand = self.in_hand[:n], self.in_hand[n:]
        return taken

    async def run(self, flow: Any) -> None:
        """Not used: the test is the network."""

    def statistics(self) -> Mapping[str, object]:
        """Nothing to tell."""
        return {}


@attrs.define(eq=False)
class FakeReceiver:
    """Takes deliveries and answers when told to."""

    window: int = 5
    in_hand: list[Delivery] = attrs.field(factory=list)
    got: list[Delivery] = attrs.field(factory=list)

    def room(self) -> int:
        """Free places."""
        return self.window - len(self.in_hand)

    def deliver(self, batch: Sequence[Delivery]) -> None:
        """Take the batch."""
        assert 0 < len(batch) <= self.room()
        self.in_hand += batch
        self.got += batch


class House:
    """All rooms of the flow, wired as `smsc.gateway.rooms` wires them."""

    def __init__(
        self,
        rate: float = 0.0,
        outlets: Sequence[FakeOutlet] | None = None,
        settings: Mapping[OutletName, OutletFlowConfig] | None = None,
        duplicates_s: float = 0.0,
        default_sender: str = "",
        credit: Mapping[str, Decimal] | None = None,
        tariff: Tariff | None = None,
        refund: Refund = "failed",
        parents: Mapping[AccountId, AccountId] = MappingProxyType({}),
        rules: Sequence[Rule] = RULES,
    ) -> None:
        self.now_ms = START_MS
        self.latest_ms = START_MS
        self.now = 0.0
        self.log = Log()
        self.outlets: dict[OutletName, Any] = {
            one.name: one
            for one in outlets or (FakeOutlet(A), FakeOutlet(B), FakeOutlet(SIM, remembers=False))
        }
        self._account = AccountConfig(
            password=StoredPassword("x"), rate=rate, default_sender=default_sender
        )
        self._demo = attrs.evolve(self._account, duplicates_s=duplicates_s, credit=credit)
        self._tariff = tariff or Tariff()
        self._refund = refund
        self._parents = parents
        self._rules = rules
        self._settings = settings
        self.unattended: list[Mailbox] = []
        self.alarms_at: list[int] = []
        self._open(None, 0)

    def _open(self, tables: Sequence[MemoryTable] | None, last_id: int) -> None:
        self.store = Disk(tables, last_id)
        ids, log = self.store.ids, self.log

        def now_ms() -> int:
            return self.now_ms

        self.mailboxes = Mailboxes(self.store, lambda: self.now, now_ms, log, ids.newest)
        self.mailboxes.unattended = self.unattended.append
        arrived = self.mailboxes.arrived
        recent = Recent(self.store)
        self.receipts = Receipts(self.store, ids, recent, arrived, now_ms, log)
        routes = RoutingTable(self._rules)
        guide = Guide(routes, log)
        self.dispatch = Dispatch(
            self.store,
            guide,
            self.outlets,
            recent,
            self.receipts.write,
            self.receipts.write_notice,
            arrived,
            now_ms,
            random.Random(1),
            log,
            self._settings,
        )
        self.receipts.callbacks.events_of = lambda style: CallbackEvent(int(style[5:] or 0))
        self.dispatch.tell_callback = self.receipts.callbacks.attempted
        self.doubt = Doubt(self.dispatch, self.store, recent, log)
        self.waking = Waking(self.dispatch, self.store, recent, now_ms)
        self.soon: list[Callable[[], None]] = []
        self.dispatch.soon = self.soon.append
        self.dispatch.alarm_moved = self.alarms_at.append
        self.receipts.progresses = self.dispatch.progresses
        accounts = {DEMO: self._demo, AccountId("other"): self._account}
        self.credits = CreditBook(self.store, now_ms, self._tariff, self._parents.get, self._refund)
        for name, account in accounts.items():
            self.credits.learn(name, account)
        self.receipts.payers, self.receipts.refund = self.credits.payers, self.credits.refund
        self.duplicates = Duplicates(accounts, self.store)
        self.duplicates.restore(self.now_ms)
        canned = {1: "Your order is ready", 2: "Готово"}
        self.intake = Intake(
            accounts,
            guide,
            ids,
            self.store,
            self.dispatch,
            now_ms,
            canned,
            self.duplicates,
            self.credits,
        )
        self.commands = Commands(
            accounts,
            canned,
            self.store,
            self.dispatch,
            recent,
            self.receipts.write,
            arrived,
            now_ms,
        )
        self.commands.recharge = self.credits.recharge
        self.finals = Finals(self.store, lambda call: call())
        self.receipts.ended = self.finals.told
        mo = MoTable((MoRule("demo", to=("12345",)),))
        self.inbound = Inbound(mo, ids, self.store, arrived, now_ms, log)

    # --- what the outside does -----------------------------------------------------------------

    def submit(self, *drafts: Draft) -> list[Admission]:
        """Hand in; the list is filled when the commit is done."""
        answers: list[Admission] = []
        self.intake.submit_many_nowait(drafts, answers.extend)
        return answers

    def admit(self, *drafts: Draft) -> list[MessageId]:
        """Hand in and commit; all must be admitted."""
        answers = self.submit(*drafts)
        self.commit()
        assert all(isinstance(one, Admitted) for one in answers), answers
        return [one.id for one in answers if isinstance(one, Admitted)]

    def commit(self) -> None:
        """Commit until nothing waits."""
        for _ in range(100):
            if not self.store.unwritten:
                return
            self.store.retry()
            if self.store.why_full is not None:
                return
        raise AssertionError("commits beget commits")

    def settle(self, outlet: OutletName, *outcomes: Outcome) -> None:
        """What `OutletPort.settle` does."""
        self.dispatch.settle(outlet, outcomes)
        self.receipts.responded(
            outlet, (one.upstream_id for one in outcomes if isinstance(one, Sent))
        )

    def accept_all(self, outlet: OutletName) -> list[str]:
        """The network takes every part in hand; its ids for them."""
        parts = self.outlets[outlet].take_back()
        self.settle(outlet, *(Sent(id_, f"{id_}.{part}", part, n) for id_, part, n in parts))
        self.commit()
        return [f"{id_}.{part}" for id_, part, _ in parts]

    def receipt(
        self,
        outlet: OutletName,
        *upstream_ids: str,
        state: State = State.DELIVERED,
        error: int = 0,
        done_ms: int = 0,
    ) -> list[int]:
        """Receipts in one read; the statuses once they are committed."""
        answers: list[int] = []
        receipts = [UpstreamReceipt(outlet, one, state, error, done_ms) for one in upstream_ids]
        self.receipts.receipts_nowait(receipts, answers.extend)
        return answers

    def mobile_originated(self, *bodies: bytes) -> list[int]:
        """Messages from the network."""
        answers: list[int] = []
        messages = [MobileOriginated(SIM, body) for body in bodies]
        self.inbound.mobile_originated_nowait(messages, answers.extend)
        return answers

    def answer(self, receiver: FakeReceiver, mailbox: Mailbox = HOME, n: int = 1000) -> None:
        """The receiver takes what it has in hand."""
        taken, receiver.in_hand = receiver.in_hand[:n], receiver.in_hand[n:]
        outcomes: list[DeliveryOutcome] = [Done(one.id) for one in taken]
        self.mailboxes.delivered(mailbox, outcomes)

    def advance(self, seconds: float) -> None:
        """Time goes by: what the alarms and the sweeper do."""
        self.now_ms += int(seconds * 1000)
        self.latest_ms = max(self.latest_ms, self.now_ms)
        self.now += seconds
        self.ring()
        self.mailboxes.tick()
        self.receipts.forget_old()
        self.duplicates.forget_old(self.now_ms)
        soon, self.soon[:] = list(self.soon), []
        for call in soon:
            call()

    def ring(self) -> None:
        """Every alarm that is due, as `Alarms.run` finds them."""
        for _ in range(1000):
            due = self.store.due(self.now_ms, 500)
            if not due:
                return
            self.waking.wake(due)
        raise AssertionError("alarms beget alarms")

    def restart(self, committed: int | None = None) -> None:
        """Kill and start again; so many waiting batches (all by default) reached the disk."""
        self.store.crash(self.store.unwritten if committed is None else committed)
        for outlet in self.outlets.values():
            outlet.in_hand.clear()
        self._open(self.store.tables, self.store.highest_id)
        self.receipts.restore(self.outlets)
        self.waking.restore(self.store.waiting())
        self.dispatch.pump_all()

    # --- what the test sees --------------------------------------------------------------------

    def progress(self, id_: MessageId) -> Progress:
        """As the store tells it."""
        progress = self.store.progress(id_)
        assert progress is not None
        return progress

    def state(self, id_: MessageId) -> State:
        """As the store tells it."""
        return self.progress(id_).state

    def on_disk(self) -> dict[MessageId, Progress]:
        """Every message on disk, with its committed progress."""
        disk = Disk(self.store.tables, 0)
        ids = [MessageId(int.from_bytes(key, "big")) for key in self.store.tables[0].keys]
        found = {id_: disk.progress(id_) for id_ in ids}
        assert all(progress is not None for progress in found.values())
        return {id_: progress for id_, progress in found.items() if progress is not None}

    def parked(self, mailbox: Mailbox = HOME) -> list[Delivery]:
        """What waits in a mailbox."""
        return self.store.parked(mailbox, MessageId(0), 1000)
