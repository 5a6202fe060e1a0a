"""The simulator outlet: it plays the network."""

from collections.abc import Callable, Sequence

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from bridges import simulator as room
from bridges.simulator import Simulator, SimulatorConfig
from pdu.codec import peek_deliver_sm
from pdu.status import Status
from pdu.text.coding import decode_text
from smsc.message import MessageId, OutletName, Progress, State
from smsc.ports import (
    Failed,
    MobileOriginated,
    Outcome,
    Outgoing,
    Sent,
    UpstreamReceipt,
)
from tests.bridges.test_outgoing import body_of, message_of
from tests.flow.house import SIM

LONG = body_of(b"", payload=b"abcdefghi " * 30)


class FakeFlow:
    """Notes what the simulator tells, and when."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.receipts: list[tuple[float, UpstreamReceipt]] = []
        self.mobile: list[bytes] = []
        self.seen: list[str] = []
        self.status = 0
        self.calls: list[str] = []

    def room_changed(self, outlet: OutletName) -> None:
        self.calls.append("room_changed")

    def settle(self, outlet: OutletName, outcomes: Sequence[Outcome]) -> None:
        self.calls.append("settle")
        self.outcomes += outcomes

    def receipts_nowait(
        self, receipts: Sequence[UpstreamReceipt], done: Callable[[list[int]], None]
    ) -> None:
        self.calls.append("receipts")
        self.receipts += [(trio.current_time(), one) for one in receipts]
        done([0] * len(receipts))

    def attempting_nowait(
        self,
        outlet: OutletName,
        attempts: Sequence[tuple[MessageId, int]],
        done: Callable[[], None],
    ) -> None:
        raise AssertionError("a simulator holds nothing")

    def number_seen(self, number: str) -> None:
        self.seen.append(number)

    def mobile_originated_nowait(
        self, messages: Sequence[MobileOriginated], done: Callable[[list[int]], None]
    ) -> None:
        self.mobile += [one.body for one in messages]
        done([self.status] * len(messages))


class Lab:
    """A running simulator and the flow it talks to."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        self.flow = FakeFlow()

    async def start(self, config: SimulatorConfig) -> Simulator:
        simulator = Simulator(SIM, config)
        assert (simulator.is_up, simulator.room()) == (False, 0)
        self.nursery.start_soon(simulator.run, self.flow)
        await trio.testing.wait_all_tasks_blocked()
        assert simulator.is_up
        assert self.flow.calls == ["room_changed"]
        return simulator


@pytest.fixture
async def lab(nursery: trio.Nursery) -> Lab:
    return Lab(nursery)


def outgoing(id_: int, body: bytes | None = None, parts: Sequence[State] = ()) -> Outgoing:
    """A message for an outlet."""
    message = message_of(body_of() if body is None else body, id_)
    return Outgoing(message, Progress(State.QUEUED, OutletName(""), parts=bytes(parts)))


async def test_a_message_is_taken_at_once_and_delivered_after_the_delay(
    lab: Lab, autojump_clock: MockClock
) -> None:
    simulator = await lab.start(SimulatorConfig(delay_s=2.0))
    simulator.send([outgoing(1), outgoing(2)])
    assert lab.flow.outcomes == [], "the answer follows"
    await trio.testing.wait_all_tasks_blocked()
    assert lab.flow.outcomes == [Sent(MessageId(1), "1.0"), Sent(MessageId(2), "2.0")]
    began = trio.current_time()
    await trio.sleep(1.9)
    assert lab.flow.receipts == []
    simulator.send([outgoing(3)])
    await trio.sleep(5)
    told = [(round(at - began, 1), one.upstream_id) for at, one in lab.flow.receipts]
    assert told == [(2.0, "1.0"), (2.0, "2.0"), (3.9, "3.0")]
    assert {one.state for _, one in lab.flow.receipts} == {State.DELIVERED}
    assert simulator.statistics()["pending"] == 0


async def test_without_a_delay_the_receipt_still_follows_the_outcome(
    lab: Lab, autojump_clock: MockClock
) -> None:
    simulator = await lab.start(SimulatorConfig(delay_s=0))
    simulator.send([outgoing(1)])
    await trio.testing.wait_all_tasks_blocked()
    assert lab.flow.calls == ["room_changed", "settle", "receipts"]


async def test_each_part_has_an_outcome_and_a_receipt(lab: Lab, autojump_clock: MockClock) -> None:
    simulator = await lab.start(SimulatorConfig())
    simulator.send([outgoing(1, LONG), outgoing(2, LONG, [State.DELIVERED, State.QUEUED])])
    await trio.sleep(1)
    assert lab.flow.outcomes == [
        Sent(MessageId(1), "1.0", 0, 2),
        Sent(MessageId(1), "1.1", 1, 2),
        Sent(MessageId(2), "2.1", 1, 2),
    ]
    assert [one.upstream_id for _, one in lab.flow.receipts] == ["1.0", "1.1", "2.1"]


async def test_a_text_of_too_many_parts_is_refused(lab: Lab, autojump_clock: MockClock) -> None:
    simulator = await lab.start(SimulatorConfig())
    simulator.send([outgoing(1, body_of(b"", payload=b"x" * 60_000))])
    await trio.sleep(1)
    assert lab.flow.outcomes == [Failed(MessageId(1), Status.ESME_RINVMSGLEN)]
    assert lab.flow.receipts == []


async def test_the_share_that_fails_is_drawn_from_the_seed(
    lab: Lab, autojump_clock: MockClock
) -> None:
    simulator = await lab.start(SimulatorConfig(fail=0.3, seed=7))
    simulator.send([outgoing(id_) for id_ in range(1, 1001)])
    await trio.sleep(1)
    failed = [one for _, one in lab.flow.receipts if one.state is State.UNDELIVERABLE]
    assert 250 < len(failed) < 350
    assert {one.error for one in failed} == {1}
    assert simulator.statistics()["undeliverable"] == len(failed)


async def test_the_window_bounds_what_is_unanswered(lab: Lab, autojump_clock: MockClock) -> None:
    simulator = await lab.start(SimulatorConfig(window=3))
    assert simulator.room() == 3
    simulator.send([outgoing(1), outgoing(2)])
    assert simulator.room() == 1
    await trio.testing.wait_all_tasks_blocked()
    assert simulator.room() == 3


async def test_too_many_receipts_ahead_close_it_and_it_says_when_it_opens(
    lab: Lab, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "_PENDING_LIMIT", 1)
    simulator = await lab.start(SimulatorConfig(delay_s=1))
    simulator.send([outgoing(1), outgoing(2)])
    await trio.testing.wait_all_tasks_blocked()
    assert simulator.room() == 0
    lab.flow.calls.clear()
    await trio.sleep(2)
    assert simulator.room() == 2000
    assert lab.flow.calls == ["receipts", "room_changed"]


async def test_it_is_down_when_it_has_ended() -> None:
    simulator = Simulator(SIM, SimulatorConfig())
    with trio.move_on_after(0):
        await simulator.run(FakeFlow())
    assert (simulator.is_up, simulator.room()) == (False, 0)


class TestMobileOriginated:
    async def test_a_handset_sends_a_message(self, lab: Lab, autojump_clock: MockClock) -> None:
        simulator = await lab.start(SimulatorConfig())
        assert await simulator.mobile_originated("41791234567", "12345", "Grüezi €") == 0
        (body,) = lab.flow.mobile
        peek = peek_deliver_sm(body)
        assert (peek.source_addr, peek.source_addr_ton) == ("41791234567", 1)
        assert peek.destination_addr == "12345"
        text = decode_text(body[peek.text_at : peek.text_at + peek.sm_length], peek.data_coding)
        assert text == "Grüezi €"

    async def test_a_long_one_comes_in_parts(self, lab: Lab, autojump_clock: MockClock) -> None:
        simulator = await lab.start(SimulatorConfig())
        assert await simulator.mobile_originated("4179", "12345", "abcdefghi " * 30) == 0
        assert [peek_deliver_sm(one).esm_class for one in lab.flow.mobile] == [0x40, 0x40]

    async def test_the_gateways_refusal_is_told(self, lab: Lab, autojump_clock: MockClock) -> None:
        simulator = await lab.start(SimulatorConfig())
        lab.flow.status = int(Status.ESME_RX_R_APPN)
        assert await simulator.mobile_originated("4179", "1", "x") == Status.ESME_RX_R_APPN

    async def test_no_handset_sends_more_than_255_parts(
        self, lab: Lab, autojump_clock: MockClock
    ) -> None:
        simulator = await lab.start(SimulatorConfig())
        status = await simulator.mobile_originated("4179", "1", "x" * 50_000)
        assert status == Status.ESME_RINVMSGLEN
        assert lab.flow.mobile == []

    async def test_nothing_is_sent_while_it_is_down(self) -> None:
        simulator = Simulator(SIM, SimulatorConfig())
        assert await simulator.mobile_originated("4179", "1", "x") == Status.ESME_RSYSERR
