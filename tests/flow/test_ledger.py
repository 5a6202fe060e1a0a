"""The promises of the flow under any order of events, crashes included.

Invariants (the promises of the design, as far as the flow keeps them):
accepted = final + queued on disk; one final state, never overwritten; every live message has an
alarm, and work for an outlet is in a lane, held back for its number, or in its hands; a wanted receipt arrives, an unwanted
one never; a part is sent again only for a reason.
"""

from collections import Counter
from collections.abc import Sequence

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from pdu.tlvs import Tag, pack_tlv
from smsc.config_flow import OutletFlowConfig, RetryConfig
from smsc.flow.receipts import EARLY_KEEP_MS, early_mailbox
from smsc.flow.rewriting import Change
from smsc.message import FINAL, LIVE, TRANSITIONS, Delivery, MessageId, OutletName, Progress, State
from smsc.ports import (
    Admitted,
    Again,
    DeliveryOutcome,
    Done,
    Dropped,
    Failed,
    Outcome,
    Outgoing,
    Sent,
    TryLater,
    UpstreamReceipt,
)
from smsc.store.ids import STEP
from tests.flow.house import (
    DEMO,
    FAR_MS,
    HOME,
    SIM,
    A,
    B,
    FakeOutlet,
    FakeReceiver,
    House,
    draft_to,
)

NAMES = st.sampled_from([A, B, SIM])
DESTINATIONS = st.builds(
    "{}000000{}".format,
    st.sampled_from(["4179", "4379", "4479", "4979", "4479", "4478"]),
    st.integers(1, 3),
)
ENDINGS = st.sampled_from([State.DELIVERED, State.DELIVERED, State.UNDELIVERABLE, State.UNKNOWN])
Part = tuple[MessageId, int]
DUPLICATES_S = 30.0
SETTINGS = {
    A: OutletFlowConfig(per_destination=2, retry=RetryConfig(max_attempts=7)),
    B: OutletFlowConfig(retry=RetryConfig(classes={0x45: "permanent"}, schedule_s=(3.0,))),
}


class Choosy(FakeOutlet):
    """An outlet with a bug: it raises for some numbers, having taken nothing."""

    def send(self, batch: Sequence[Outgoing]) -> None:
        if any(one.message.peek.destination_addr.startswith("4478") for one in batch):
            raise ZeroDivisionError
        super().send(batch)


class Ledger(RuleBasedStateMachine):
    """Whatever happens, in whatever order."""

    def __init__(self) -> None:
        super().__init__()
        self.house = House(
            outlets=[Choosy(A), Choosy(B), Choosy(SIM, remembers=False)],
            settings=SETTINGS,
            duplicates_s=DUPLICATES_S,
        )
        for outlet in self.house.outlets.values():
            outlet.on_send = self._sent
        self.latest_ms = self.house.now_ms  # that the clock has shown
        self.wanted: dict[MessageId, int] = {}  # registered_delivery of what was acknowledged
        self.finals: dict[MessageId, State] = {}
        self.sent_for_good: set[Part] = set()
        self.crashes = 0
        # Parts that a network has, by its own ids.
        self.network: dict[tuple[OutletName, str], Part] = {}
        # Final receipts that were answered OK, and when they came.
        self.acked: dict[tuple[OutletName, str], int] = {}
        self.receivers: list[FakeReceiver] = []
        self.received: Counter[tuple[MessageId, State]] = Counter()
        self.dropped: set[MessageId] = set()
        self.seen: dict[MessageId, Progress] = {}
        # user_message_reference → the message that it became, and when.
        self.references: dict[int, tuple[MessageId, int]] = {}
        self.destinations: dict[MessageId, str] = {}

    # --- clients -------------------------------------------------------------------------------

    @initialize(to=st.lists(DESTINATIONS, min_size=2, max_size=6))
    def submit_some(self, to: list[str]) -> None:
        self.submit(to, registered_delivery=1, in_s=0, for_s=3600, is_quick=True)

    @rule(
        to=st.lists(DESTINATIONS, min_size=1, max_size=4),
        registered_delivery=st.integers(0, 3),
        in_s=st.sampled_from([0, 0, 0, 1, 30]),
        for_s=st.sampled_from([5, 60, 3600]),
        is_quick=st.booleans(),
        is_replacing=st.booleans(),
    )
    def submit(
        self,
        to: list[str],
        registered_delivery: int,
        in_s: int,
        for_s: int,
        is_quick: bool,
        is_replacing: bool = False,
    ) -> None:
        now_ms = self.house.now_ms
        drafts = [
            draft_to(
                one,
                registered_delivery=registered_delivery,
                replace_if_present_flag=int(is_replacing),
                due_ms=now_ms + in_s * 1000 if in_s else 0,
                expires_ms=now_ms + (in_s + for_s) * 1000,
            )
            for one in to
        ]
        answers: list[object] = []

        def done(given: Sequence[object]) -> None:
            answers.extend(given)
            for one in given:
                if isinstance(one, Admitted):
                    self.wanted[one.id] = registered_delivery

        self.house.intake.submit_many_nowait(drafts, done)
        if is_quick:
            self.house.store.retry()

    @rule(reference=st.integers(1, 3), to=st.sampled_from(["44", "49"]), is_quick=st.booleans())
    def submit_again(self, reference: int, to: str, is_quick: bool) -> None:
        """A client that cannot tell whether its message was taken sends it again."""
        now_ms = self.house.now_ms
        latest_ms = max(self.latest_ms, now_ms)
        number = reference + (100 if to == "44" else 0)
        draft = draft_to(f"{to}79000000{reference}", expires_ms=now_ms + 600_000)
        draft.body += pack_tlv(Tag.USER_MESSAGE_REFERENCE, number.to_bytes(2, "big"))

        def done(given: Sequence[object]) -> None:
            for one in given:
                if isinstance(one, Admitted):
                    self.wanted[one.id] = 1
                    first, at_ms = self.references.get(number, (one.id, now_ms))
                    # What was forgotten stays so, even if the clock is set back then.
                    is_new = latest_ms - at_ms >= DUPLICATES_S * 1000
                    assert one.id == first or is_new, "the same submission, another message"
                    if one.id != first or number not in self.references:
                        self.references[number] = (one.id, now_ms)

        self.house.intake.submit_many_nowait([draft], done)
        if is_quick:
            self.house.store.retry()

    @precondition(lambda self: self.wanted)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.wanted)))
        self.house.commands.cancel(DEMO, str(id_), "Shop", "", lambda _count: None)

    @rule(to=DESTINATIONS)
    def cancel_all(self, to: str) -> None:
        self.house.commands.cancel_all(DEMO, "Shop", to, "", lambda _count: None)

    @precondition(lambda self: self.wanted)
    @rule(data=st.data(), in_s=st.sampled_from([0, 0, 1, 30]))
    def replace(self, data: st.DataObject, in_s: int) -> None:
        """Another text, perhaps another time; the receipt wish stays, so that it can be told."""
        id_ = data.draw(st.sampled_from(sorted(self.wanted)))
        change = Change(
            schedule_delivery_time=f"0000000000{in_s:02}000R" if in_s else "",
            validity_period="000000010000000R" if in_s else "",
            registered_delivery=self.wanted[id_],
            short_message=b"changed",
        )
        self.house.commands.replace(DEMO, str(id_), "Shop", change, lambda _refused: None)

    # --- the disk ------------------------------------------------------------------------------

    @rule()
    def commit(self) -> None:
        self.house.store.retry()

    @rule(why_full=st.sampled_from([None, None, None, "full"]))
    def fill_or_drain(self, why_full: str | None) -> None:
        self.house.store.why_full = why_full

    # --- networks ------------------------------------------------------------------------------

    def _sent(self, outlet: FakeOutlet, one: Outgoing, parts: Sequence[int], count: int) -> None:
        message = one.message
        in_hand = {
            (id_, part) for other in self.house.outlets.values() for id_, part, _ in other.in_hand
        }
        assert message.id in self.house.on_disk(), "sent before it was accepted"
        assert message.id not in self.finals, "sent after its end"
        assert message.due_ms <= self.house.latest_ms, "sent before its schedule"
        assert self.house.now_ms < message.expires_ms, "sent after its validity"
        self.destinations[message.id] = to = message.peek.destination_addr
        flying = {id_ for id_, _, _ in outlet.in_hand if self.destinations[id_] == to}
        limit = SETTINGS[outlet.name].per_destination if outlet.name in SETTINGS else 0
        assert not limit or len(flying | {message.id}) <= limit, "too many for one number"
        for part in parts:
            assert (message.id, part) not in in_hand, "in the hands of two"
            assert (message.id, part) not in self.sent_for_good, "sent again without a reason"

    @rule(
        name=NAMES,
        results=st.lists(
            st.sampled_from(["sent", "later", "busy", "failed"]), min_size=1, max_size=6
        ),
        early=st.booleans(),
        is_reversed=st.booleans(),
    )
    def answer(self, name: OutletName, results: list[str], early: bool, is_reversed: bool) -> None:
        outlet = self.house.outlets[name]
        parts = outlet.take_back(len(results))
        outcomes: list[Outcome] = []
        for (id_, part, n), result in zip(parts, results, strict=False):
            if result == "sent":
                upstream_id = f"{name}-{len(self.network)}-{self.crashes}"
                self.network[name, upstream_id] = (id_, part)
                outcomes.append(Sent(id_, upstream_id, part, n))
                self.sent_for_good.add((id_, part))
                if early:
                    self._receipt(name, upstream_id, state=State.DELIVERED)
            elif result == "later":
                outcomes.append(TryLater(id_, 0x45, part, n))
            elif result == "busy":
                outcomes.append(TryLater(id_, 0x58, part, n))
            else:
                outcomes.append(Failed(id_, 0x0B, part, n))
        if is_reversed:
            outcomes.reverse()
        if outcomes:
            self.house.settle(name, *outcomes)

    @rule(name=NAMES, takes_it_nevertheless=st.booleans())
    def cut(self, name: OutletName, takes_it_nevertheless: bool) -> None:
        """No answer: the network may or may not have the parts; its receipts match nothing."""
        outlet = self.house.outlets[name]
        outlet.is_up = False
        parts = outlet.take_back()
        if takes_it_nevertheless and parts:
            id_, part, _ = parts[0]
            self._receipt(name, f"lost-{id_}.{part}", state=State.DELIVERED)
        self.house.settle(name, *(TryLater(id_, 8, part, n) for id_, part, n in parts))
        self.house.dispatch.pump_all()

    @rule(name=NAMES)
    def reconnect(self, name: OutletName) -> None:
        self.house.outlets[name].is_up = True
        self.house.dispatch.pump_all()

    @precondition(lambda self: self.network)
    @rule(data=st.data(), state=ENDINGS, twice=st.booleans(), n=st.integers(1, 4))
    def receipts(self, data: st.DataObject, state: State, twice: bool, n: int) -> None:
        """Several in one read; again and with another state, too: the first one counts."""
        keys = data.draw(st.lists(st.sampled_from(sorted(self.network)), min_size=1, max_size=n))
        outlet = keys[0][0]
        ids = [upstream_id for name, upstream_id in keys if name == outlet]
        self._receipt(outlet, *ids * (2 if twice else 1), state=state)

    @rule(name=NAMES, state=st.sampled_from([State.ENROUTE, State.ACCEPTED]))
    def on_its_way(self, name: OutletName, state: State) -> None:
        for outlet, upstream_id in list(self.network):
            if outlet == name:
                self._receipt(name, upstream_id, state=state)

    def _receipt(self, name: OutletName, *upstream_ids: str, state: State) -> None:
        """Receipts in one read; those answered OK are the gateway's from then on."""
        receipts = [UpstreamReceipt(name, one, state) for one in upstream_ids]
        given_ms = self.house.latest_ms

        def done(statuses: list[int]) -> None:
            assert statuses == [0] * len(receipts)
            if state in FINAL and state is not State.ACCEPTED:
                known = [one for one in upstream_ids if (name, one) in self.network]
                self.acked.update({(name, one): given_ms for one in known})

        self.house.receipts.receipts_nowait(receipts, done)

    # --- receivers -----------------------------------------------------------------------------

    @rule(window=st.integers(1, 5))
    def bind(self, window: int) -> None:
        if len(self.receivers) < 3:
            self.receivers.append(FakeReceiver(window))
            self.house.mailboxes.attach(HOME, self.receivers[-1])

    @precondition(lambda self: self.receivers)
    @rule(which=st.integers(0, 2))
    def unbind(self, which: int) -> None:
        receiver = self.receivers.pop(which % len(self.receivers))
        self.house.mailboxes.detach(HOME, receiver)

    @precondition(lambda self: self.receivers)
    @rule(
        which=st.integers(0, 2),
        results=st.lists(st.sampled_from(["done", "done", "again", "dropped"]), max_size=5),
    )
    def take(self, which: int, results: list[str]) -> None:
        receiver = self.receivers[which % len(self.receivers)]
        outcomes: list[DeliveryOutcome] = []
        for result in results:
            if not receiver.in_hand:
                break
            delivery = receiver.in_hand.pop(0)
            if result == "again":
                outcomes.append(Again(delivery.id, 5.0))
                continue
            if result == "dropped":
                outcomes.append(Dropped(delivery.id, "refused"))
                self.dropped.add(delivery.message_id)
            else:
                outcomes.append(Done(delivery.id))
            self._got(delivery)
        self.house.mailboxes.delivered(HOME, outcomes)

    def _got(self, delivery: Delivery) -> None:
        assert delivery.kind == "receipt"
        self.received[delivery.message_id, delivery.state] += 1

    # --- time and crashes ----------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.5, 2, 7, 61, 400]))
    def wait(self, seconds: float) -> None:
        self.house.advance(seconds)

    @rule(seconds=st.integers(1, 100))
    def set_clock_back(self, seconds: int) -> None:
        self.latest_ms = max(self.latest_ms, self.house.now_ms)
        # Not more than `teardown` waits for at its end.
        self.house.now_ms = max(self.house.now_ms - seconds * 1000, self.latest_ms - 200_000)

    @rule(share=st.floats(0, 1))
    def crash(self, share: float) -> None:
        house = self.house
        house.store.crash(int(share * house.store.unwritten))
        self.crashes += 1
        self.receivers.clear()
        self.network = {key: part for key, part in self.network.items() if key[0] != SIM}
        self.acked = {key: at_ms for key, at_ms in self.acked.items() if key[0] != SIM}
        # What the disk says is on its way stays so, unless its network forgot it.
        disk = house.on_disk()
        self.sent_for_good = {
            (id_, part)
            for id_, part in self.sent_for_good
            if id_ in disk
            and house.outlets.get(disk[id_].outlet) is not house.outlets[SIM]
            and part < len(disk[id_].parts)
            and disk[id_].parts[part] != State.QUEUED
        }
        house.restart()

    # --- what must always be so ----------------------------------------------------------------

    @invariant()
    def the_disk_keeps_the_ledger(self) -> None:
        disk = self.house.on_disk()
        assert self.wanted.keys() <= disk.keys(), "an acknowledged message is gone"
        for id_, progress in disk.items():
            assert progress.state in LIVE or progress.state in FINAL
            final = self.finals.get(id_)
            assert final is None or final is progress.state, "a final state was overwritten"
            if progress.state in FINAL:
                self.finals[id_] = progress.state
                assert progress.done_ms
            before = self.seen.get(id_)
            if before is not None and before.state is not progress.state:
                # A commit may hold two steps at once.
                reachable = TRANSITIONS[before.state]
                further = {state for one in reachable for state in TRANSITIONS[one]}
                assert progress.state in reachable | further
            self.seen[id_] = progress

    @invariant()
    def every_live_message_goes_on_its_way(self) -> None:
        house = self.house
        alarmed: set[int] = set()
        for alarm in house.store.due(FAR_MS, 10_000):
            alarmed.update(range(alarm.first, alarm.last + 1, STEP))
        queued = set(house.dispatch._backlog.lanes)
        for outbox in house.dispatch._outboxes.values():
            queued.update(outbox.destinations.held() if outbox.destinations else ())
        held = {id_ for one in house.outlets.values() for id_, _, _ in one.in_hand}
        assert held == house.dispatch.flights.keys()
        for id_ in house.on_disk():
            progress = house.progress(id_)
            if progress.state in LIVE:
                assert id_ in alarmed, f"{progress.state.name} and nothing will ever wake it"
            if progress.state is State.QUEUED and not progress.due_ms and id_ in self.wanted:
                assert id_ in queued | held, "queued, and no outlet will ever find it"

    @invariant()
    def a_receipt_answered_ok_is_kept(self) -> None:
        house = self.house
        for (name, upstream_id), at_ms in self.acked.items():
            hit = house.store.upstream(name, upstream_id)
            if hit is not None:
                (progress,) = house.dispatch.progresses([hit[0]])
                assert progress is not None
                assert progress.parts[hit[1]] in FINAL or progress.state in FINAL
            elif house.latest_ms - at_ms < EARLY_KEEP_MS:
                early = house.parked(early_mailbox(name))
                assert upstream_id in {one.reference for one in early}

    @invariant()
    def who_has_room_and_is_first_is_busy(self) -> None:
        dispatch = self.house.dispatch
        for name, outlet in self.house.outlets.items():
            if outlet.room() > dispatch._unjournalled[name]:
                assert not dispatch._backlog.take(name, 1, dispatch._is_up), "idle beside its work"

    def teardown(self) -> None:
        """Everything works again: every message ends, every wanted receipt arrives."""
        house = self.house
        house.store.why_full = None
        house.commit()
        for name in house.outlets:
            self.reconnect(name)
        if not self.receivers:
            self.bind(5)
        for _ in range(40):
            for name, outlet in house.outlets.items():
                self.answer(name, ["sent"] * len(outlet.in_hand), early=False, is_reversed=False)
                self.receipts_of(name)
            house.commit()
            for receiver in self.receivers:
                taken, receiver.in_hand = receiver.in_hand, []
                for delivery in taken:
                    self._got(delivery)
                house.mailboxes.delivered(HOME, [Done(one.id) for one in taken])
            house.commit()
            house.advance(120)
        house.advance(2 * 3600)
        house.commit()
        house.advance(0)
        house.commit()
        self.the_disk_keeps_the_ledger()
        counts = house.store.counts()
        assert counts["due"] == 0, "alarms for nobody"
        assert counts["parked"] == 0
        assert not house.dispatch.pending, "it waits for nothing"
        for id_, registered_delivery in self.wanted.items():
            state = self.finals[id_]
            on_success, on_failure = registered_delivery in {1, 3}, registered_delivery in {1, 2}
            is_wanted = on_success if state is State.DELIVERED else on_failure
            told = {one for of, one in self.received if of == id_}
            assert told == ({state} if is_wanted else set())

    def receipts_of(self, name: OutletName) -> None:
        for outlet, upstream_id in self.network:
            if outlet == name:
                self._receipt(name, upstream_id, state=State.DELIVERED)


QUICK = settings(
    max_examples=80,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def test_the_ledger() -> None:
    run_state_machine_as_test(Ledger, settings=QUICK)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_ledger_for_long() -> None:
    long = settings(QUICK, max_examples=2000, stateful_step_count=60, derandomize=False)
    run_state_machine_as_test(Ledger, settings=long)
