"""The gateway as a whole, in this loop, with outlets and callbacks that the test plays."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from bridges.simulator import Simulator, SimulatorConfig
from pdu.status import Status
from smsc import app
from smsc.app import Addresses, Bridges, Gateway
from smsc.clock import wall_ms
from smsc.config import OutletConfig
from smsc.directory.accounts import Account
from smsc.gateway import life, outlet_keeper
from smsc.message import AccountId, Mailbox, MessageId, OutletName, State
from smsc.ports import (
    Admission,
    Admitted,
    Failed,
    Flow,
    Outgoing,
    Refused,
    Sent,
    UpstreamReceipt,
)
from tests.fakes.house import eventually, read_config
from tests.fakes.log import FakeLog
from tests.flow.house import DEMO, draft_to

TOML = """
[accounts.demo]
password = "demo"
[accounts.other]
password = "other"
[accounts.boss]
password = "boss"
admin = true
[outlets.carrier]
kind = "simulator"
[[routes]]
outlets = ["carrier"]
[[mo_routes]]
to = ["12345"]
account = "demo"
"""
CARRIER = OutletName("carrier")
CALLBACK = Mailbox("callback:https://shop.example")


@attrs.define(eq=False)
class Carrier:
    """An outlet that takes everything and says nothing until the test does."""

    name: OutletName = CARRIER
    remembers: bool = True
    is_up: bool = True
    taken: list[MessageId] = attrs.field(factory=list)
    runs: int = 0
    bugs: int = 0

    def room(self) -> int:
        return 100 if self.is_up else 0

    def send(self, batch: Sequence[Outgoing]) -> None:
        self.taken += [one.message.id for one in batch]

    async def run(self, flow: Flow) -> None:
        self.runs += 1
        if self.runs <= self.bugs:
            raise RuntimeError("a bug")
        flow.room_changed(self.name)
        await trio.sleep_forever()

    def statistics(self) -> Mapping[str, object]:
        return {"kind": "fake"}


class FakeWebhook:
    """Notes which mailboxes it was asked to attend."""

    def __init__(self) -> None:
        self.opened: list[Mailbox] = []

    def open(self, mailbox: Mailbox) -> None:
        self.opened.append(mailbox)

    async def run(self) -> None:
        await trio.sleep_forever()

    def statistics(self) -> Mapping[str, Mapping[str, object]]:
        return {}

    def forgive(self, mailbox: Mailbox) -> None:
        pass


class Running:
    """A gateway and what the test needs to play with it."""

    def __init__(self, gateway: Gateway, addresses: Addresses, stop: trio.Event) -> None:
        self.gateway = gateway
        self.port = addresses.smpp[0][1]
        self.stop = stop
        self.status: int | None = None
        self.ended = trio.Event()

    async def submit(self, **wishes: Any) -> MessageId:
        """One message; it must be admitted."""
        (answer,) = await self.gateway.http.submit.submit_many([draft_to(**wishes)])
        assert isinstance(answer, Admitted), answer
        return answer.id

    def state(self, id_: MessageId) -> State:
        """As the store tells it."""
        progress = self.gateway.store.progress(id_)
        assert progress is not None
        return progress.state


class House:
    """Starts gateways on one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self.config = read_config(TOML, data_dir)
        self.log = FakeLog()
        self.carrier = Carrier()
        self.webhook = FakeWebhook()

    @asynccontextmanager
    async def run(self, outlet: Callable[..., Any] | None = None) -> AsyncIterator[Running]:
        """A gateway for as long as the block runs; cut off at its end if it has not ended."""

        def build(name: OutletName, config: OutletConfig, log: Any) -> Any:
            return outlet(name) if outlet is not None else self.carrier

        bridges = Bridges(outlet=build, callbacks=lambda *_: {"callback:": self.webhook})
        stop = trio.Event()
        running: list[Running] = []

        async def live(task_status: trio.TaskStatus[Any]) -> None:
            status = await app.run(
                self.config,
                bridges,
                self.log.log,
                stop=stop,
                signals=False,
                task_status=task_status,
            )
            running[0].status = status
            running[0].ended.set()

        async with trio.open_nursery() as nursery:
            gateway, addresses = await nursery.start(live)
            running.append(Running(gateway, addresses, stop))
            with trio.fail_after(30):
                yield running[0]
            nursery.cancel_scope.cancel()


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "var")


class TestStop:
    async def test_it_waits_for_the_answers_that_are_owed(self, house: House) -> None:
        async with house.run() as one:
            id_ = await one.submit()
            assert house.carrier.taken == [id_]
            one.stop.set()
            await eventually(lambda: "gateway.stopping" in house.log.events)
            refused = await one.gateway.http.submit.submit_many([draft_to()])
            assert [one.status for one in refused if isinstance(one, Refused)] == [
                Status.ESME_RSYSERR
            ]
            health = one.gateway.http.health()
            assert (health.ready, health.why) == (False, "stopping")
            assert not one.ended.is_set()
            one.gateway.flow.settle(CARRIER, [Sent(id_, "x")])
            await one.ended.wait()
            assert one.status == 0
        assert house.log.events[-1] == "gateway.stopped"
        async with house.run() as two:
            assert two.state(id_) is State.ENROUTE
            assert house.carrier.taken == [id_], "its network has it"

    async def test_it_does_not_wait_for_ever(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(life, "DRAIN_S", 0.01)
        async with house.run() as one:
            id_ = await one.submit()
            one.stop.set()
            await one.ended.wait()
            assert one.status == 0
        async with house.run() as two:
            assert two.state(id_) is State.QUEUED
            assert house.carrier.taken == [id_, id_]

    async def test_nobody_can_connect_any_more(self, house: House) -> None:
        async with house.run() as one:
            await one.submit()
            one.stop.set()
            await eventually(lambda: "gateway.stopping" in house.log.events)
            with pytest.raises(OSError, match="connect"):
                await trio.open_tcp_stream("127.0.0.1", one.port)


class TestDisk:
    async def test_a_broken_disk_ends_the_gateway_and_admits_nothing(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(_group: object) -> None:
            raise OSError("input/output error")

        answers: list[Admission] = []
        async with house.run() as one:
            monkeypatch.setattr(one.gateway.store._disk, "put", broken)
            one.gateway.http.submit.submit_many_nowait([draft_to()], answers.extend)
            await one.ended.wait()
            assert one.status == 1
        assert answers == []
        assert house.carrier.taken == []
        assert "store.failed" in house.log.events

    async def test_what_one_run_accepted_the_next_one_sends(self, house: House) -> None:
        house.carrier.is_up = False
        async with house.run() as one:
            ids = [await one.submit() for _ in range(3)]
        house.carrier.is_up = True
        async with house.run():
            assert house.carrier.taken == ids


class TestOutlets:
    async def test_a_bug_in_one_is_logged_and_it_starts_again(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(outlet_keeper, "_RESTART_S", 0.01)
        house.carrier.bugs = 2
        async with house.run() as one:
            await eventually(lambda: house.carrier.runs == 3)
            assert house.log.events.count("outlet.crashed") == 2
            await one.submit()

    async def test_one_that_comes_up_is_given_what_waits(self, house: House) -> None:
        house.carrier.is_up = False
        async with house.run() as one:
            id_ = await one.submit()
            assert one.gateway.http.health().facts["outlets_down"] == [CARRIER]
            assert one.gateway.http.health().facts["waiting"] == {"carrier": 1}
            (queue,) = one.gateway.http.health().facts["queues"].values()  # type: ignore[attr-defined]
            assert queue["messages"] == 1
            assert 0 <= queue["oldest_s"] < 60
            house.carrier.is_up = True
            one.gateway.flow.room_changed(CARRIER)
            assert house.carrier.taken == [id_]

    async def test_an_early_receipt_is_matched_by_the_response(self, house: House) -> None:
        async with house.run() as one:
            id_ = await one.submit()
            receipt = UpstreamReceipt(CARRIER, "x", State.DELIVERED)
            statuses: list[int] = []
            one.gateway.flow.receipts_nowait([receipt], statuses.extend)
            await eventually(lambda: statuses == [0])
            assert one.state(id_) is State.QUEUED
            one.gateway.flow.settle(CARRIER, [Sent(id_, "x")])
            assert one.state(id_) is State.DELIVERED

    async def test_a_schedule_is_kept(self, house: House) -> None:
        async with house.run() as one:
            due_ms = wall_ms() + 150
            id_ = await one.submit(due_ms=due_ms)
            assert one.state(id_) is State.SCHEDULED
            await eventually(lambda: house.carrier.taken == [id_])
            assert wall_ms() >= due_ms - 50  # our clock and the wall clock may differ a little


class TestCallbacks:
    async def test_a_callback_is_attended_now_and_after_a_restart(self, house: House) -> None:
        async with house.run() as one:
            id_ = await one.submit(callback_url="https://shop.example/dlr")
            assert house.webhook.opened == []
            one.gateway.flow.settle(CARRIER, [Failed(id_, 0x0B)])
            await eventually(lambda: house.webhook.opened == [CALLBACK])
        house.webhook.opened.clear()
        async with house.run():
            assert house.webhook.opened == [CALLBACK]

    async def test_an_account_that_is_not_bound_is_no_callback(self, house: House) -> None:
        async with house.run() as one:
            id_ = await one.submit()
            one.gateway.flow.settle(CARRIER, [Failed(id_, 0x0B)])
            await eventually(lambda: one.gateway.store.counts()["parked"] == 1)
            assert house.webhook.opened == []


class TestQuestions:
    @pytest.mark.parametrize(("asking", "is_told"), [("demo", 1), ("other", 0), ("boss", 1)])
    async def test_who_may_ask_for_a_message(self, house: House, asking: str, is_told: int) -> None:
        async with house.run() as one:
            id_ = await one.submit()
            report = await one.gateway.lookup.report(AccountId(asking), id_)
            assert (report is not None) == is_told
            if report is not None:
                assert (report.message.id, report.message.account) == (id_, DEMO)
                assert report.progress.state is State.QUEUED
            assert await one.gateway.lookup.report(AccountId(asking), MessageId(7)) is None

    async def test_who_is_calling(self, house: House) -> None:
        async with house.run() as one:
            known = await one.gateway.http.authenticate("demo", "demo", "127.0.0.1")
            assert isinstance(known, Account)
            assert known.name == "demo"
            wrong = await one.gateway.http.authenticate("demo", "guess", "127.0.0.1")
            assert isinstance(wrong, Refused)
            assert wrong.status == Status.ESME_RINVPASWD

    async def test_is_it_well(self, house: House) -> None:
        async with house.run() as one:
            await one.submit()
            health = one.gateway.http.health()
            assert (health.ready, health.why) == (True, "")
            assert health.facts["in_flight"] == 1
            assert health.facts["outlets"] == {CARRIER: {"kind": "fake"}}
            assert health.facts["outlets_down"] == []

    async def test_messages_from_a_handset(self, house: House) -> None:
        simulate = partial(Simulator, config=SimulatorConfig())
        async with house.run(simulate) as one:
            simulate_mo = one.gateway.http.simulate_mo
            assert await simulate_mo("carrier", "4179", "12345", "hello") is None
            assert one.gateway.store.mailboxes() == [Mailbox("demo")]
            why = await simulate_mo("carrier", "4179", "999", "hello")
            assert why is not None
            assert "999" in why
            why = await simulate_mo("carrier", "4179", "12345", "x" * 50_000)
            assert why is not None
            assert "ESME_RINVMSGLEN" in why
            why = await simulate_mo("nowhere", "4179", "12345", "hello")
            assert why is not None
            assert "carrier" in why
        async with house.run() as one:
            why = await one.gateway.http.simulate_mo("carrier", "4179", "12345", "hello")
            assert why is not None
            assert "no simulator" in why
