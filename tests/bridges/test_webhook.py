"""Callbacks over real sockets: what is posted, what each answer means, hosts apart."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import attrs
import orjson
import pytest
import structlog
import structlog.testing
import trio
import trio.testing

from bridges.http.dialects.base import Content, text_content, to_body
from bridges.webhook import LANE_REQUESTS, REFUSALS, Webhook, judge, make_client, payload_of
from smsc.message import AccountId, Delivery, Mailbox, MessageId, State
from smsc.ports import Again, DeliveryOutcome, Done, Dropped, Receiver

NOW_MS = 1_764_000_000_000
HOUR_MS = 3_600_000


def a_delivery(number: int = 1, **changes: object) -> Delivery:
    content = text_content("secret words")
    assert isinstance(content, Content)
    body = to_body("41791234567", "12345", content)
    assert isinstance(body, bytes)
    delivery = Delivery(
        id=MessageId(number),
        mailbox=Mailbox("callback:http://h:80"),
        account=AccountId("demo"),
        kind="receipt",
        created_ms=NOW_MS,
        expires_ms=0,
        body=body,
        message_id=MessageId(77),
        state=State.DELIVERED,
        callback_url="http://h/dlr?token=hidden",
        reference="r1",
    )
    return attrs.evolve(delivery, **changes)  # type: ignore[arg-type]  # named by the caller


# --- pure -------------------------------------------------------------------------------------


def test_a_receipt_speaks_of_the_message_as_it_was_sent() -> None:
    assert payload_of(a_delivery(error=5)) == {
        "event": "receipt",
        "delivery": "1",
        "id": "77",
        "from": "12345",
        "to": "41791234567",
        "state": "DELIVERED",
        "error": 5,
        "done": "2025-11-24T16:00:00.000Z",
        "reference": "r1",
    }


def test_a_mobile_originated_message_brings_text_and_octets() -> None:
    assert payload_of(a_delivery(kind="mo")) == {
        "event": "mo",
        "delivery": "1",
        "id": "1",
        "from": "41791234567",
        "to": "12345",
        "received": "2025-11-24T16:00:00.000Z",
        "text": "secret words",
        "hex": b"secret words".hex(),
        "data_coding": 0,
        "udh": False,
    }


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_done(status: int) -> None:
    assert judge(a_delivery(), status, NOW_MS, 0.0) == Done(MessageId(1))


@pytest.mark.parametrize("answer", [302, 400, 401, 404, 410, 408, 425, 429, 500, 503, "ReadError"])
def test_the_first_failure_is_tried_again(answer: int | str) -> None:
    outcome = judge(a_delivery(), answer, NOW_MS, 0.0)
    assert isinstance(outcome, Again)
    assert outcome.delay_s == 2.5


@pytest.mark.parametrize("answer", [301, 400, 404, 410])
def test_a_refusal_repeated_is_meant_for_good(answer: int) -> None:
    outcome = judge(a_delivery(attempt=REFUSALS - 1), answer, NOW_MS, 0.0)
    assert isinstance(outcome, Dropped)
    assert str(answer) in outcome.why
    assert isinstance(judge(a_delivery(attempt=REFUSALS - 2), answer, NOW_MS, 0.0), Again)


@pytest.mark.parametrize("answer", [408, 425, 429, 500, 503, "ConnectError"])
def test_trouble_is_tried_again_however_often(answer: int | str) -> None:
    assert isinstance(judge(a_delivery(attempt=1000), answer, NOW_MS, 0.0), Again)


@pytest.mark.parametrize(
    ("attempt", "draw", "delay_s"),
    [(0, 0.0, 2.5), (0, 1.0, 5.0), (1, 1.0, 10.0), (4, 1.0, 80.0), (20, 1.0, 3600.0)],
)
def test_the_wait_grows_and_spreads(attempt: int, draw: float, delay_s: float) -> None:
    outcome = judge(a_delivery(attempt=attempt), 500, NOW_MS, draw)
    assert isinstance(outcome, Again)
    assert outcome.delay_s == delay_s


def test_the_host_may_ask_for_a_longer_wait_but_not_for_ever() -> None:
    for wish_s, delay_s in ((60.0, 60.0), (1e9, 3600.0), (0.0, 2.5)):
        outcome = judge(a_delivery(), 429, NOW_MS, 0.0, wish_s)
        assert isinstance(outcome, Again)
        assert outcome.delay_s == delay_s


@pytest.mark.parametrize(
    ("expires_ms", "until_ms"), [(0, 24 * HOUR_MS), (NOW_MS + HOUR_MS, HOUR_MS)]
)
def test_the_last_attempt_is_made_when_the_time_is_over(expires_ms: int, until_ms: int) -> None:
    delivery = a_delivery(attempt=20, expires_ms=expires_ms)
    outcome = judge(delivery, 500, NOW_MS + until_ms - 7000, 0.5)
    assert isinstance(outcome, Again)
    assert outcome.delay_s == 7.0
    assert isinstance(judge(delivery, 500, NOW_MS + until_ms, 0.5), Dropped)
    assert isinstance(judge(delivery, 200, NOW_MS + until_ms, 0.5), Done)


# --- over sockets -----------------------------------------------------------------------------


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
async def running(timeout_s: float = 10.0) -> AsyncIterator[Running]:
    mailboxes = FakeMailboxes()
    log = structlog.get_logger()
    async with make_client() as client, trio.open_nursery() as nursery:
        webhook = Webhook(mailboxes, client, lambda: NOW_MS, log, seed=1, timeout_s=timeout_s)
        nursery.start_soon(webhook.run)
        await trio.testing.wait_all_tasks_blocked()
        yield Running(webhook, mailboxes, nursery)
        nursery.cancel_scope.cancel()


async def test_a_receipt_is_posted_and_done() -> None:
    async with running() as house:
        host = await house.host()
        with structlog.testing.capture_logs() as logs:
            house.send(host, a_delivery())
            assert await house.mailboxes.wait_outcomes(1) == [Done(MessageId(1))]
        head = host.requests[0].partition(b"\r\n\r\n")[0].lower()
        assert head.startswith(b"post /dlr?t=hidden http/1.1")
        assert b"content-type: application/json" in head
        assert b"webhook-id: 1" in head
        assert host.body() == payload_of(a_delivery())
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


async def test_a_refusal_for_good_is_dropped_and_logged() -> None:
    async with running() as house:
        host = await house.host(answer=b"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n")
        with structlog.testing.capture_logs() as logs:
            house.send(host, a_delivery(attempt=REFUSALS - 1))
            [outcome] = await house.mailboxes.wait_outcomes(1)
        assert isinstance(outcome, Dropped)
        assert (logs[0]["event"], logs[0]["log_level"]) == ("webhook.dropped", "warning")


@pytest.mark.parametrize("url", [None, "http://[::1/", "nothing://h/", "http://h\x00/"])
async def test_a_url_that_cannot_be_called_is_dropped_in_the_end(url: str | None) -> None:
    async with running() as house:
        mailbox = Mailbox("callback:http://h:80")
        delivery = a_delivery(attempt=REFUSALS - 1, callback_url=url, expires_ms=NOW_MS)
        house.receiver(mailbox).deliver([delivery])
        [outcome] = await house.mailboxes.wait_outcomes(1)
        assert isinstance(outcome, Dropped)


async def test_a_slow_host_has_its_bound_and_does_not_hold_another() -> None:
    async with running() as house:
        slow, quick = await house.host(hold=trio.Event()), await house.host()
        receiver = house.receiver(slow.mailbox)
        assert receiver.room() == LANE_REQUESTS
        house.send(slow, *[a_delivery(number) for number in range(LANE_REQUESTS)])
        assert receiver.room() == 0
        assert house.webhook.statistics() == {slow.mailbox: LANE_REQUESTS}
        house.send(quick, a_delivery(100))
        assert await house.mailboxes.wait_outcomes(1) == [Done(MessageId(100))]
        assert slow.hold is not None
        slow.hold.set()
        await house.mailboxes.wait_outcomes(LANE_REQUESTS + 1)
        assert receiver.room() == LANE_REQUESTS


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
    async with make_client() as client, trio.open_nursery() as nursery:
        webhook = Webhook(mailboxes, client, lambda: NOW_MS, structlog.get_logger())
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
