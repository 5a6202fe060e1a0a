"""The queue bridge against a real ActiveMQ: what arrives, and what a broker that dies costs."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import attrs
import orjson
import pytest
import structlog
import structlog.testing
import trio

from bridges import stomp_broker
from bridges.jms import REFUSALS, WINDOW, Jms
from bridges.stomp_broker import BrokerAddress
from smsc.message import Delivery, Mailbox, MessageId, State
from smsc.ports import Done, SetAside
from tests.fakes.activemq import ActiveMq, Heard, Reader
from tests.fakes.delivery import a_delivery
from tests.fakes.house import eventually
from tests.fakes.mailboxes import Parked

QUEUE = Mailbox("queue:delivery-report")
STYLE = "connector-report:smpp"


def a_report(number: int, **changes: object) -> Delivery:
    facts = {"mailbox": QUEUE, "callback_url": QUEUE, "callback_style": STYLE} | changes
    return a_delivery(number, **facts)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[ActiveMq]:
    broker = ActiveMq(tmp_path / "broker")
    yield broker
    broker.kill()


@asynccontextmanager
async def publishing(
    broker: "ActiveMq | Pretender", parked: Parked, **settings: object
) -> AsyncIterator[Jms]:
    address = BrokerAddress(
        host="127.0.0.1", port=broker.port, user=broker.user, password=broker.password
    )
    pace = {"seed": 1, "first_pause_s": 0.05} | settings
    jms = Jms(parked, address, structlog.get_logger(), **pace)  # type: ignore[arg-type]
    jms.open(QUEUE)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(jms.run)
        nursery.start_soon(parked.tick)
        yield jms
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def reading(broker: ActiveMq, selector: str = "") -> AsyncIterator[Reader]:
    reader = await trio.to_thread.run_sync(broker.reader, "delivery-report", selector)
    try:
        yield reader
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(reader.close)


async def test_a_report_is_a_text_message_of_the_channels_type(broker: ActiveMq) -> None:
    await trio.to_thread.run_sync(broker.start)
    parked = Parked([a_report(1), a_report(2, state=State.UNDELIVERABLE, error=69)])
    async with publishing(broker, parked), reading(broker, "JMSType = 'smpp'") as reader:
        await eventually(lambda: len(reader.heard) == 2)
        await eventually(lambda: parked.outcomes == [Done(MessageId(1)), Done(MessageId(2))])
    first, second = reader.heard
    assert orjson.loads(first.body) == {
        "MessageSID": "77",
        "DeliveryStatus": "DELIVERED",
        "ProviderStatusCode": "0",
    }
    assert orjson.loads(second.body)["DeliveryStatus"] == "FAILED"
    assert orjson.loads(second.body)["ProviderStatusCode"] == "69"
    assert first.headers["type"] == "smpp"
    assert first.headers["persistent"] == "true"
    assert first.headers["correlation-id"] == "77"
    assert first.headers["deliveryId"] == "1"
    assert "content-length" not in first.headers  # a TextMessage; of bytes it tells the length


async def test_another_channel_is_another_type(broker: ActiveMq) -> None:
    await trio.to_thread.run_sync(broker.start)
    parked = Parked([a_report(1), a_report(2, callback_style="connector-report:viber")])
    async with publishing(broker, parked), reading(broker, "JMSType = 'viber'") as reader:
        await eventually(lambda: len(parked.outcomes) == 2)
        await eventually(lambda: bool(reader.heard))
        assert [one.headers["deliveryId"] for one in reader.heard] == ["2"]


async def test_what_has_no_words_for_a_queue_goes_as_native_json(broker: ActiveMq) -> None:
    await trio.to_thread.run_sync(broker.start)
    parked = Parked([a_report(1, callback_style=""), a_report(2, kind="mo")])
    async with publishing(broker, parked), reading(broker) as reader:
        await eventually(lambda: len(parked.outcomes) == 2)  # of an MO message nothing is told
        await eventually(lambda: bool(reader.heard))
    (native,) = reader.heard
    assert orjson.loads(native.body)["type"] == native.headers["type"] == "message.delivered"


async def test_nothing_is_lost_when_the_broker_is_killed_and_little_is_repeated(
    broker: ActiveMq,
) -> None:
    await trio.to_thread.run_sync(broker.start)
    total = 1000

    def is_last(one: Heard) -> bool:
        return one.headers["deliveryId"] == str(total + 1)

    parked = Parked([a_report(number) for number in range(1, total + 1)])
    heard: list[str] = []
    with structlog.testing.capture_logs() as logs:
        async with publishing(broker, parked) as jms:
            for done in (200, 500):
                await eventually(lambda done=done: len(parked.done) >= done)  # type: ignore[misc]
                await trio.to_thread.run_sync(broker.kill)
                await eventually(lambda: jms.room() == 0)
                await trio.to_thread.run_sync(broker.start)
            await eventually(lambda: len(parked.done) == total, "all were stored by the broker")
            async with reading(broker) as reader:
                parked.waiting.append(a_report(total + 1))  # behind all others, repeated or not
                await eventually(lambda: any(map(is_last, reader.heard)))
                heard = [one.headers["deliveryId"] for one in reader.heard][:-1]
    assert len(set(heard)) == total
    assert len(heard) <= total + 2 * WINDOW
    assert len(parked.done) == len(set(parked.done)) == total + 1
    events = [line["event"] for line in logs]
    assert events.count("jms.down") == 2
    assert events.count("jms.connected") == 3


async def test_what_waits_while_there_is_no_broker_is_published_when_there_is(
    broker: ActiveMq,
) -> None:
    parked = Parked([a_report(1)])
    with structlog.testing.capture_logs() as logs:
        async with publishing(broker, parked) as jms:
            await eventually(lambda: bool(logs))
            await eventually(lambda: jms._backoff._failures >= 3, "several attempts")
            assert parked.outcomes == []
            assert jms.statistics()[QUEUE]["connected"] is False
            assert jms.statistics()[QUEUE]["last_failure"]
            await trio.to_thread.run_sync(broker.start)
            jms.forgive(QUEUE)
            await eventually(lambda: parked.done == [1])
            assert jms.statistics()[QUEUE] == {
                "in_flight": 0,
                "connected": True,
                "last_failure": "",
            }
    assert [line["event"] for line in logs] == ["jms.down", "jms.connected", "jms.published"]


@pytest.mark.parametrize(("password", "is_taken"), [("right", True), ("wrong", False)])
async def test_the_broker_asks_who_we_are(tmp_path: Path, password: str, is_taken: bool) -> None:
    broker = ActiveMq(tmp_path / "broker", user="gw", password="right")
    try:
        await trio.to_thread.run_sync(broker.start)
        parked = Parked([a_report(1)])
        broker.password = password
        with structlog.testing.capture_logs() as logs:
            async with publishing(broker, parked):
                await eventually(lambda: bool(logs))
                if is_taken:
                    await eventually(lambda: parked.done == [1])
        assert logs[0]["event"] == ("jms.connected" if is_taken else "jms.down")
        assert "wrong" not in repr(logs)
    finally:
        broker.kill()


# --- brokers that misbehave -------------------------------------------------------------------


@attrs.define
class Pretender:
    """Speaks STOMP as far as a test wants it to; `answer` makes the answer to each SEND."""

    answer: Callable[[str], bytes]
    greets: bool = True
    port: int = 0
    user: str = ""
    password: str = ""
    connections: int = 0
    receipts: list[str] = attrs.Factory(list)

    async def serve(self, stream: trio.SocketStream) -> None:
        self.connections += 1
        data = b""
        with suppress(trio.BrokenResourceError):
            while chunk := await stream.receive_some():
                *frames, data = (data + chunk).split(b"\0")
                for frame in frames:
                    await stream.send_all(self._reply(frame.lstrip(b"\n").decode()))
        await stream.aclose()

    def _reply(self, frame: str) -> bytes:
        if not frame.startswith("SEND"):
            return b"CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0" if self.greets else b""
        (receipt,) = [line[8:] for line in frame.split("\n") if line.startswith("receipt:")]
        self.receipts.append(receipt)
        return self.answer(receipt)


def receipt_of(receipt: str) -> bytes:
    return f"RECEIPT\nreceipt-id:{receipt}\n\n\0".encode()


def error_of(receipt: str) -> bytes:
    return f"ERROR\nreceipt-id:{receipt}\nmessage:not this one\n\n\0".encode()


@asynccontextmanager
async def pretending(pretender: Pretender) -> AsyncIterator[Pretender]:
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, pretender.serve, 0))
        pretender.port = listeners[0].socket.getsockname()[1]
        yield pretender
        nursery.cancel_scope.cancel()


async def test_a_broker_that_never_confirms_is_given_up_and_gets_all_of_it_again() -> None:
    parked = Parked([a_report(1), a_report(2)])
    async with (
        pretending(Pretender(lambda _receipt: b"")) as broker,
        publishing(broker, parked, receipt_s=0.05),
    ):
        await eventually(lambda: broker.connections >= 2 and len(broker.receipts) >= 4)
        broker.answer = receipt_of
        await eventually(lambda: sorted(parked.done) == [1, 2])
    assert broker.receipts[:4] == ["1", "2", "1", "2"]
    assert "no receipt" in parked.again[0].why


async def test_a_message_that_the_broker_refuses_does_not_hold_up_the_others() -> None:
    parked = Parked([a_report(1, attempt=REFUSALS - 2), a_report(2)])
    answer = {"1": error_of, "2": receipt_of}
    async with pretending(Pretender(lambda receipt: answer[receipt](receipt))) as broker:
        with structlog.testing.capture_logs() as logs:
            async with publishing(broker, parked):
                await eventually(lambda: len(parked.outcomes) == 2)
    assert Done(MessageId(2)) in parked.outcomes
    (aside,) = [one for one in parked.outcomes if isinstance(one, SetAside)]
    assert "not this one" in aside.why
    assert [one.delay_s > 0 for one in parked.again] == [True]
    assert [line["event"] for line in logs].count("jms.refused") == 2
    assert broker.connections == 1


async def test_a_broker_that_does_not_greet_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stomp_broker, "CONNECT_S", 0.05)
    parked = Parked([a_report(1)])
    async with pretending(Pretender(receipt_of, greets=False)) as broker:
        with structlog.testing.capture_logs() as logs:
            async with publishing(broker, parked):
                await eventually(lambda: broker.connections >= 2)
                broker.greets = True
                await eventually(lambda: parked.done == [1])
    assert "no answer within" in logs[0]["why"]


async def test_no_more_are_written_than_the_window_without_a_receipt() -> None:
    parked = Parked([a_report(number) for number in range(3 * WINDOW)])
    async with (
        pretending(Pretender(lambda _receipt: b"")) as broker,
        publishing(broker, parked) as jms,
    ):
        await eventually(lambda: len(broker.receipts) == WINDOW)
        assert jms.room() == 0
        assert len(parked.waiting) == 2 * WINDOW


async def test_a_broker_that_confirms_nothing_is_given_less_and_less_and_then_all_again() -> None:
    parked = Parked([a_report(number) for number in range(2 * WINDOW)])
    async with pretending(Pretender(lambda _receipt: b"")) as broker:
        async with publishing(broker, parked, receipt_s=0.05, first_pause_s=0.001):
            await eventually(lambda: broker.connections >= 8)
        written = len(broker.receipts)
        assert written <= WINDOW + WINDOW // 2 + WINDOW // 4 + WINDOW // 8 + 3 + 8
        broker.answer = receipt_of
        async with publishing(broker, parked) as jms:
            await eventually(lambda: len(parked.done) == 2 * WINDOW)
            assert jms.room() == WINDOW


async def test_a_message_that_cannot_be_written_is_set_aside_and_the_others_go() -> None:
    parked = Parked([a_report(1, callback_style="", body=b"\xff"), a_report(2)])
    async with pretending(Pretender(receipt_of)) as broker:
        with structlog.testing.capture_logs() as logs:
            async with publishing(broker, parked):
                await eventually(lambda: len(parked.outcomes) == 2)
    assert {type(one) for one in parked.outcomes} == {Done, SetAside}
    assert "jms.message_broke" in [line["event"] for line in logs]
