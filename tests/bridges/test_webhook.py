"""Callbacks over real sockets: what is posted, what each answer means, hosts apart."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import ip_network
from unittest.mock import patch

import attrs
import orjson
import pytest
import structlog
import structlog.testing
import trio
import trio.testing

from bridges import webhook as room
from bridges.callback_client import make_client
from bridges.callbacks import registry
from bridges.callbacks.lane import PAUSE_AFTER, REQUESTS
from bridges.callbacks.native import NativeStyle, data_of
from bridges.callbacks.retry import REFUSALS, Unanswered
from bridges.callbacks.style import CallbackResponse
from bridges.webhook import Webhook
from smsc.message import AccountId, Delivery, Mailbox, MessageId
from smsc.ports import Again, CallbackEvent, DeliveryOutcome, Done, Receiver, SetAside
from tests.fakes.delivery import NOW_MS, a_delivery

LOOPBACK = (ip_network("127.0.0.0/8"),)


@attrs.define
class FakeMailboxes:
    attached: dict[Mailbox, Receiver] = attrs.Factory(dict)
    detached: list[Mailbox] = attrs.Factory(list)
    outcomes: list[tuple[Mailbox, DeliveryOutcome]] = attrs.Factory(list)
    changed: trio.Event = attrs.Factory(trio.Event)

    def attach(self, mailbox: Mailbox, receiver: Receiver) -> None:
        self.attached[mailbox] = receiver

    def detach(self, mailbox: Mailbox, receiver: Receiver) -> None:
        assert self.attached.pop(mailbox) is receiver
        self.detached.append(mailbox)

    def delivered(self, mailbox: Mailbox, outcomes: Sequence[DeliveryOutcome]) -> None:
        self.outcomes += [(mailbox, outcome) for outcome in outcomes]
        self.changed.set()
        self.changed = trio.Event()

    def taken(self, mailbox: Mailbox, ids: Sequence[MessageId]) -> None:
        raise AssertionError("the webhook says of each what became of it")

    async def wait_outcomes(self, number: int) -> list[DeliveryOutcome]:
        with trio.fail_after(5):
            while len(self.outcomes) < number:
                await self.changed.wait()
        return [outcome for _, outcome in self.outcomes]


@attrs.define
class Host:
    """A callback host that answers each request with the octets it was given."""

    answer: bytes = b"HTTP/1.1 204 \r\n\r\n"
    requests: list[bytes] = attrs.Factory(list)
    hold: trio.Event | None = None
    arrived: Callable[[], None] = lambda: None
    url: str = ""

    @property
    def mailbox(self) -> Mailbox:
        return Mailbox(f"callback:{self.url}")

    async def serve(self, stream: trio.SocketStream) -> None:
        async with stream:
            data = b""
            while chunk := await stream.receive_some():
                data += chunk
                head, separator, body = data.partition(b"\r\n\r\n")
                lines = head.lower().split(b"\r\n")
                length = next(
                    (int(x.split(b":")[1]) for x in lines if x[:15] == b"content-length:"), 0
                )
                if separator and len(body) >= length:
                    self.requests.append(data)
                    data = b""
                    if self.hold is not None:
                        await self.hold.wait()
                    await stream.send_all(self.answer)

    def body(self, number: int = 0) -> object:
        return orjson.loads(self.requests[number].partition(b"\r\n\r\n")[2])


@attrs.define
class Running:
    webhook: Webhook
    mailboxes: FakeMailboxes
    nursery: trio.Nursery

    async def host(self, **settings: object) -> Host:
        host = Host(**settings)  # type: ignore[arg-type]  # named by the caller
        listeners = await self.nursery.start(
            trio.serve_tcp,
            self._guarded(host),
            0,
        )
        host.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        return host

    def _guarded(self, host: Host) -> Callable[[trio.SocketStream], object]:
        async def handle(stream: trio.SocketStream) -> None:
            try:
                await host.serve(stream)
            except trio.BrokenResourceError:
                return

        return handle

    def receiver(self, mailbox: Mailbox) -> Receiver:
        self.webhook.open(mailbox)
        return self.mailboxes.attached[mailbox]

    def send(self, host: Host, *deliveries: Delivery) -> None:
        addressed = [
            attrs.evolve(each, callback_url=host.url + "/dlr?t=hidden") for each in deliveries
        ]
        self.receiver(host.mailbox).deliver(addressed)


@asynccontextmanager
async def running(timeout_s: float = 10.0, keys: Sequence[bytes] = ()) -> AsyncIterator[Running]:
    mailboxes = FakeMailboxes()
    log = structlog.get_logger()
    client = partial(make_client, lambda: LOOPBACK, timeout_s=timeout_s)
    async with trio.open_nursery() as nursery:
        webhook = Webhook(mailboxes, client, lambda: NOW_MS, log, keys_of=lambda _: keys, seed=1)
        nursery.start_soon(webhook.run)
        await trio.testing.wait_all_tasks_blocked()
        yield Running(webhook, mailboxes, nursery)
        nursery.cancel_scope.cancel()


async def test_a_receipt_is_posted_and_done() -> None:
    async with running(keys=(b"k" * 24,)) as house:
        host = await house.host()
        with structlog.testing.capture_logs() as logs:
            house.send(host, a_delivery())
            assert await house.mailboxes.wait_outcomes(1) == [Done(MessageId(1))]
        head = host.requests[0].partition(b"\r\n\r\n")[0].lower()
        assert head.startswith(b"post /dlr?t=hidden http/1.1")
        assert b"content-type: application/json" in head
        assert b"webhook-id: 1" in head
        assert b"webhook-signature: v1," in head
        assert host.body() == {
            "type": "message.delivered",
            "timestamp": "2025-11-24T16:00:00.000Z",
            "data": data_of(a_delivery()),
        }
        assert [line["event"] for line in logs] == ["webhook.delivered"]
        assert "hidden" not in repr(logs)
        assert "secret" not in repr(logs)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 500 \r\nContent-Length: 0\r\n\r\n", "HTTP 500"),
        (
            b"HTTP/1.1 302 \r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            "HTTP 302",
        ),
        (b"\x00garbage\r\n\r\n", "RemoteProtocolError"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
            None,  # the body does not matter
        ),
    ],
)
async def test_an_answer_is_judged(answer: bytes, why: str | None) -> None:
    async with running() as house:
        house.send(await house.host(answer=answer), a_delivery())
        [outcome] = await house.mailboxes.wait_outcomes(1)
        if why is None:
            assert isinstance(outcome, Done)
        else:
            assert isinstance(outcome, Again)
            assert outcome.why == why


async def test_a_host_that_stops_in_the_middle_of_its_answer_is_given_up() -> None:
    async with running(timeout_s=0.05) as house:
        house.send(await house.host(answer=b"HTTP/1.1 200 OK\r\n"), a_delivery())
        [outcome] = await house.mailboxes.wait_outcomes(1)
        assert isinstance(outcome, Again)
        assert outcome.why == "no answer within 0.05 s"


async def test_retry_after_is_honoured() -> None:
    async with running() as house:
        answer = b"HTTP/1.1 503 \r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"
        house.send(await house.host(answer=answer), a_delivery())
        [outcome] = await house.mailboxes.wait_outcomes(1)
        assert isinstance(outcome, Again)
        assert outcome.delay_s == 120.0


async def test_an_endless_answer_is_cut() -> None:
    async with running() as house:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 100_000
        house.send(await house.host(answer=answer), a_delivery())
        assert await house.mailboxes.wait_outcomes(1) == [Done(MessageId(1))]


async def test_nobody_listening_is_trouble_and_no_end() -> None:
    async with running() as house:
        host = await house.host()
        gone = Host(url="http://127.0.0.1:1")
        with structlog.testing.capture_logs() as logs:
            house.send(gone, a_delivery(1))
            [outcome] = await house.mailboxes.wait_outcomes(1)
        assert isinstance(outcome, Again)
        assert outcome.why == "ConnectError"
        assert logs[0]["event"] == "webhook.deferred"
        house.send(host, a_delivery(2))
        assert (await house.mailboxes.wait_outcomes(2))[1] == Done(MessageId(2))


async def test_a_refusal_for_good_is_set_aside_and_logged() -> None:
    async with running() as house:
        host = await house.host(answer=b"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n")
        with structlog.testing.capture_logs() as logs:
            house.send(host, a_delivery(attempt=REFUSALS - 1))
            [outcome] = await house.mailboxes.wait_outcomes(1)
        assert isinstance(outcome, SetAside)
        assert (logs[0]["event"], logs[0]["log_level"]) == ("webhook.set_aside", "warning")


@pytest.mark.parametrize("url", [None, "http://[::1/", "nothing://h/", "http://h\x00/", "/x", ""])
async def test_a_url_that_cannot_be_called_is_set_aside_at_once(url: str | None) -> None:
    async with running() as house:
        mailbox = Mailbox("callback:http://h:80")
        house.receiver(mailbox).deliver([a_delivery(callback_url=url)])
        [outcome] = await house.mailboxes.wait_outcomes(1)
        assert isinstance(outcome, SetAside)


async def test_a_gone_endpoint_is_not_asked_again_until_people_want_it() -> None:
    async with running() as house:
        host = await house.host(answer=b"HTTP/1.1 410 \r\nContent-Length: 0\r\n\r\n")
        for number in (1, 2):
            house.send(host, a_delivery(number))
            outcomes = await house.mailboxes.wait_outcomes(number)
            assert isinstance(outcomes[-1], SetAside)
        assert len(host.requests) == 1
        host.answer = b"HTTP/1.1 204 \r\n\r\n"
        house.webhook.forgive(host.mailbox)
        house.send(host, a_delivery(3))
        assert (await house.mailboxes.wait_outcomes(3))[2] == Done(MessageId(3))


async def test_a_host_in_a_private_network_is_not_asked() -> None:
    async with running() as house:
        mailbox = Mailbox("callback:http://10.255.255.1")
        house.receiver(mailbox).deliver([a_delivery(callback_url="http://10.255.255.1/x")])
        [outcome] = await house.mailboxes.wait_outcomes(1)
        assert isinstance(outcome, SetAside)
        assert "callback_networks" in outcome.why


async def test_a_host_in_trouble_gets_a_pause_and_then_one_request() -> None:
    async with running() as house:
        host = await house.host(answer=b"HTTP/1.1 500 \r\nContent-Length: 0\r\n\r\n")
        receiver = house.receiver(host.mailbox)
        with structlog.testing.capture_logs() as logs:
            for number in range(PAUSE_AFTER):
                assert receiver.room() > 0
                house.send(host, a_delivery(number))
                await house.mailboxes.wait_outcomes(number + 1)
            assert receiver.room() == 0
            row = house.webhook.statistics()[host.mailbox]
            assert (row["failures"], row["last_failure"]) == (PAUSE_AFTER, "HTTP 500")
            assert row["waiting"] == PAUSE_AFTER
            house.webhook.forgive(host.mailbox)
            assert receiver.room() == REQUESTS
        assert [line["event"] for line in logs].count("webhook.slowed") == 1


async def test_what_a_redirect_points_at_is_never_asked() -> None:
    async with running() as house:
        trap = await house.host()
        location = f"Location: {trap.url}/\r\n".encode()
        host = await house.host(
            answer=b"HTTP/1.1 307 \r\n" + location + b"Content-Length: 0\r\n\r\n"
        )
        house.send(host, a_delivery())
        assert isinstance((await house.mailboxes.wait_outcomes(1))[0], Again)
        assert trap.requests == []


async def test_a_style_with_nothing_to_say_is_done() -> None:
    class Silent:
        def events(self, _rest: str) -> CallbackEvent:
            return CallbackEvent(0)

        def request(self, *_: object) -> None:
            return None

        def judge(self, delivery: Delivery, response: CallbackResponse) -> DeliveryOutcome:
            assert response.status == 204
            return Done(delivery.id)

    async with running() as house:
        host = await house.host()
        with patch.dict(registry.STYLES, silent=Silent()):
            house.send(host, a_delivery(callback_style="silent:1"))
            assert await house.mailboxes.wait_outcomes(1) == [Done(MessageId(1))]
        assert host.requests == []


async def test_a_style_that_chokes_on_an_answer_does_not_end_the_others() -> None:
    class Choking(NativeStyle):
        def judge(self, delivery: Delivery, response: CallbackResponse) -> DeliveryOutcome:
            raise ValueError(response.body)

    async with running() as house:
        host = await house.host()
        with (
            patch.dict(registry.STYLES, choking=Choking()),
            structlog.testing.capture_logs() as logs,
        ):
            house.send(host, a_delivery(1, callback_style="choking"), a_delivery(2))
            outcomes = await house.mailboxes.wait_outcomes(2)
        assert {type(outcome) for outcome in outcomes} == {Again, Done}
        assert "webhook.attempt.broke" in [line["event"] for line in logs]


async def test_more_hosts_than_are_attended_to_wait_and_come_in_their_turn(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: object
) -> None:
    monkeypatch.setattr(room, "HOSTS_LIMIT", 2)
    asked_again: list[None] = []
    async with running() as house:
        house.webhook._look_again = lambda: asked_again.append(None)
        boxes = [Mailbox(f"callback:http://h{number}:80") for number in range(3)]
        with structlog.testing.capture_logs() as logs:
            for mailbox in boxes:
                house.webhook.open(mailbox)
        assert set(house.mailboxes.attached) == set(boxes[:2])
        assert [line["event"] for line in logs] == ["webhook.crowded"]
        failing = house.webhook._hosts[boxes[0]]
        failing.held.add(7)  # it will be tried again, so it is not idle
        failing.lane.note(Unanswered("ConnectError"), 0.0)
        house.webhook._hosts[boxes[1]].held.add(8)
        await trio.sleep(31)
        assert house.mailboxes.detached == boxes[:1]
        assert len(asked_again) == 1
        house.webhook.open(boxes[2])
        assert set(house.mailboxes.attached) == set(boxes[1:])


async def test_an_account_whose_hosts_all_hang_has_its_bound_and_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "ACCOUNT_REQUESTS", 2)
    async with running() as house:
        hanging = [await house.host(hold=trio.Event()) for _ in range(4)]
        for number, host in enumerate(hanging):
            house.send(host, a_delivery(number))
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert sum(len(host.requests) for host in hanging) <= 2
        quick = await house.host()
        house.send(quick, a_delivery(100, account=AccountId("other")))
        assert await house.mailboxes.wait_outcomes(1) == [Done(MessageId(100))]
        for host in hanging:
            assert host.hold is not None
            host.hold.set()
        assert len(await house.mailboxes.wait_outcomes(5)) == 5


async def test_a_host_with_nothing_to_do_is_forgotten(autojump_clock: object) -> None:
    async with running() as house:
        mailbox, busy = Mailbox("callback:http://a:80"), Mailbox("callback:http://b:80")
        house.receiver(mailbox)
        house.receiver(busy).deliver([a_delivery(callback_url="http://10.0.0.1/")])
        house.webhook._hosts[busy].held.add(99)
        await trio.sleep(100)
        assert house.mailboxes.detached == [mailbox]
        house.webhook.open(mailbox)
        assert mailbox in house.mailboxes.attached


async def test_a_slow_host_has_its_bound_and_does_not_hold_another() -> None:
    async with running() as house:
        slow, quick = await house.host(hold=trio.Event()), await house.host()
        receiver = house.receiver(slow.mailbox)
        assert receiver.room() == REQUESTS
        house.send(slow, *[a_delivery(number) for number in range(REQUESTS)])
        assert receiver.room() == 0
        assert house.webhook.statistics()[slow.mailbox]["in_flight"] == REQUESTS
        house.send(quick, a_delivery(100))
        assert await house.mailboxes.wait_outcomes(1) == [Done(MessageId(100))]
        assert slow.hold is not None
        slow.hold.set()
        await house.mailboxes.wait_outcomes(REQUESTS + 1)
        assert receiver.room() == REQUESTS


async def test_a_body_that_cannot_be_read_does_not_end_the_others() -> None:
    async with running() as house:
        host = await house.host()
        with structlog.testing.capture_logs() as logs:
            house.send(host, a_delivery(1, body=b"\xff"), a_delivery(2))
            outcomes = await house.mailboxes.wait_outcomes(2)
        assert {type(outcome) for outcome in outcomes} == {Again, Done}
        assert "webhook.attempt.broke" in [line["event"] for line in logs]


async def test_mailboxes_opened_before_and_while_it_runs_are_attached_once_and_detached() -> None:
    mailboxes = FakeMailboxes()
    early, late = Mailbox("callback:http://a:80"), Mailbox("callback:http://b:80")
    async with trio.open_nursery() as nursery:
        webhook = Webhook(mailboxes, make_client, lambda: NOW_MS, structlog.get_logger())
        webhook.open(early)
        assert mailboxes.attached == {}
        nursery.start_soon(webhook.run)
        await trio.testing.wait_all_tasks_blocked()
        assert set(mailboxes.attached) == {early}
        receiver = mailboxes.attached[early]
        webhook.open(late)
        webhook.open(early)
        assert set(mailboxes.attached) == {early, late}
        assert mailboxes.attached[early] is receiver
        nursery.cancel_scope.cancel()
    assert sorted(mailboxes.detached) == [early, late]
