"""The HTTP server over real sockets: the native API, credentials, limits, and bad clients."""

import random
import socket
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx2
import pytest
import structlog
import trio
import trio.testing

from bridges.http.endpoint import Limits, parse_basic
from bridges.http.gateway import Account
from bridges.http.server import join_address, serve, split_address
from pdu.codec import peek_submit_sm
from pdu.status import Status
from smsc.clock import wall_ms
from smsc.message import AccountId, Draft, Message, MessageId, OutletName, Progress, State
from smsc.ports import Admission, Admitted, Companion, Health, MessageReport, Refused

AUTH = ("demo", "demo")
ADMIN = ("root", "toor")


@attrs.frozen
class FakeAccount:
    name: str
    admin: bool = False

    def may_send_as(self, _source_addr: str) -> bool:
        return True


class NoProfiles:
    """A directory that knows nothing of anybody besides the password."""

    def profile(self, _account: AccountId) -> None:
        return None


@attrs.define
class FakeGateway:
    """Takes everything, unless told to refuse; remembers what it was asked."""

    drafts: list[Draft] = attrs.Factory(list)
    refusals: list[Refused | None] = attrs.Factory(list)
    peers: list[str] = attrs.Factory(list)
    held: trio.Event | None = None
    entered: trio.Event = attrs.Factory(trio.Event)
    broken: bool = False
    state: Health = attrs.Factory(lambda: Health(True, "ready", {"queued": 3}))

    @property
    def submit(self) -> "FakeGateway":
        return self

    @property
    def lookup(self) -> "FakeGateway":
        return self

    def submit_many_nowait(
        self,
        drafts: Sequence[Draft],
        done: Callable[[list[Admission]], None],
        companion: Companion | None = None,
    ) -> None:
        raise AssertionError("the HTTP bridge can wait")

    async def submit_many(
        self, drafts: Sequence[Draft], companion: Companion | None = None
    ) -> list[Admission]:
        self.entered.set()
        if self.held is not None:
            await self.held.wait()
        if self.broken:
            raise RuntimeError("a bug")
        await trio.lowlevel.checkpoint()
        answers: list[Admission] = []
        for draft in drafts:
            refused = self.refusals.pop(0) if self.refusals else None
            if refused is None:
                self.drafts.append(draft)
            answers.append(refused or Admitted(MessageId(9_000_000_000_000_000_000 + len(answers))))
        return answers

    async def authenticate(self, account: str, password: str, peer: str) -> Account | Refused:
        await trio.lowlevel.checkpoint()
        self.peers.append(peer)
        if (account, password) not in {AUTH, ADMIN, ("far", "far")}:
            return Refused(Status.ESME_RINVPASWD, "wrong name or password")
        if account == "far":
            return Refused(Status.ESME_RBINDFAIL, "account far may not come from this network")
        return FakeAccount(account, admin=account == "root")

    async def report(self, account: AccountId, id_: MessageId) -> MessageReport | None:
        await trio.lowlevel.checkpoint()
        if id_ != 7 or account != "demo":
            return None
        return MessageReport(a_message(self.drafts[0]), Progress(State.QUEUED, OutletName("")))

    def health(self) -> Health:
        return self.state

    def now_ms(self) -> int:
        return wall_ms()

    def number_reader(self, account: AccountId) -> Callable[[str], str]:
        return str

    # The native API does not ask for these here; the tests of the dialects bring a whole gateway.
    directory: Any = attrs.Factory(NoProfiles)
    begin: Any = None
    preview: Any = None
    credits: Any = None
    contacts: Any = None
    inbox: Any = None
    authenticate_token: Any = None
    cancel: Any = None
    replace: Any = None
    inject_mo: Any = None
    take_receipt: Any = None
    tell: Any = None
    reports: Any = None
    batch: Any = None

    async def simulate_mo(self, outlet: str, from_: str, to: str, text: str) -> str | None:
        return None if outlet == "sim" else f"there is no simulator outlet {outlet!r}"

    async def control_outlet(self, outlet: str, action: str) -> str | None:
        return None if (outlet, action) == ("sim", "stop") else f"no {action} for {outlet}"


def a_message(draft: Draft) -> Message:
    return Message(
        id=MessageId(7),
        account=draft.account,
        source=draft.source,
        accepted_ms=1_700_000_000_000,
        due_ms=0,
        expires_ms=1_700_086_400_000,
        priority=0,
        registered_delivery=0,
        callback_url=None,
        batch=None,
        reference=draft.reference,
        tags=(),
        body=draft.body,
    )


@attrs.define
class Running:
    gateway: FakeGateway
    client: httpx2.AsyncClient
    port: int
    stop: trio.Event
    stopped: trio.Event

    async def connect(self) -> trio.SocketStream:
        return await trio.open_tcp_stream("127.0.0.1", self.port)

    async def is_well(self) -> bool:
        """Does it still take a message from a good client on a new connection?"""
        async with httpx2.AsyncClient(base_url=self.client.base_url, auth=AUTH) as client:
            answer = await client.post("/v1/messages", json={"to": "41791234567", "text": "x"})
        return answer.status_code == 202


@asynccontextmanager
async def running(limits: Limits | None = None, grace_s: float = 25.0) -> AsyncIterator[Running]:
    gateway, stop, stopped = FakeGateway(), trio.Event(), trio.Event()

    async def run(task_status: trio.TaskStatus[list[tuple[str, int]]]) -> None:
        await serve(
            ["127.0.0.1:0"],
            gateway,
            stop=stop,
            grace_s=grace_s,
            limits=limits,
            task_status=task_status,
        )
        stopped.set()

    async with trio.open_nursery() as nursery:
        addresses: list[tuple[str, int]] = await nursery.start(run)
        assert addresses[0][0] == "127.0.0.1"
        port = addresses[0][1]
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", auth=AUTH) as client:
            yield Running(gateway, client, port, stop, stopped)
        stop.set()
        with trio.fail_after(5):
            await stopped.wait()


def reset(stream: trio.SocketStream) -> None:
    """Close with RST, as a crashed client does."""
    stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.socket.close()


async def read_all(stream: trio.SocketStream) -> bytes:
    return b"".join([chunk async for chunk in stream])


# --- the API ----------------------------------------------------------------------------------


async def test_one_message_is_admitted_and_answered_with_its_id() -> None:
    async with running() as house:
        answer = await house.client.post(
            "/v1/messages", json={"to": "41791234567", "from": "ACME", "text": "hello"}
        )
        assert answer.status_code == 202
        assert answer.json() == {
            "messages": [
                {"id": "9000000000000000000", "to": "41791234567", "parts": 1, "coding": "gsm7"}
            ]
        }
        draft = house.gateway.drafts[0]
        assert (draft.account, draft.source) == ("demo", "rest")
        assert peek_submit_sm(draft.body).destination_addr == "41791234567"
        assert house.gateway.peers == ["127.0.0.1"]


async def test_json_is_taken_under_any_content_type() -> None:
    async with running() as house:
        answer = await house.client.post(
            "/v1/messages",
            content=b'{"to": "41791234567", "text": "as curl -d sends it"}',
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert answer.status_code == 202


async def test_an_array_is_answered_element_by_element() -> None:
    async with running() as house:
        house.gateway.refusals = [None, Refused(Status.ESME_RTHROTTLED, "10 messages/s at most")]
        answer = await house.client.post(
            "/v1/messages",
            json=[
                {"to": "41791234567", "text": "good"},
                {"to": "nobody", "text": "bad number"},
                {"to": "41791234568", "text": "too fast"},
            ],
        )
        assert answer.status_code == 202
        good, bad, fast = answer.json()["messages"]
        assert good["id"] == "9000000000000000000"
        assert bad["error"]["field"] == "to"
        assert fast["error"]["code"] == "ESME_RTHROTTLED"
        assert len(house.gateway.drafts) == 1


async def test_a_thousand_messages_go_in_one_request_and_one_more_does_not() -> None:
    message = {"to": "41791234567", "text": "x"}
    async with running() as house:
        answer = await house.client.post("/v1/messages", json=[message] * 1000)
        assert len(answer.json()["messages"]) == 1000
        answer = await house.client.post("/v1/messages", json=[message] * 1001)
        assert answer.status_code == 400
        assert len(house.gateway.drafts) == 1000


@pytest.mark.parametrize(
    ("status", "http_status", "retry_after"),
    [
        (Status.ESME_RMSGQFUL, 503, "5"),
        (Status.ESME_RTHROTTLED, 429, "1"),
        (Status.ESME_RINVDSTADR, 422, None),
        (Status.ESME_RSYSERR, 500, None),
    ],
)
async def test_a_refusal_has_its_http_status(
    status: int, http_status: int, retry_after: str | None
) -> None:
    async with running() as house:
        house.gateway.refusals = [Refused(status, "because")]
        answer = await house.client.post("/v1/messages", json={"to": "41791234567", "text": "x"})
        assert answer.status_code == http_status
        assert answer.headers.get("retry-after") == retry_after
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == "because"


async def test_a_message_is_found_by_its_owner_only() -> None:
    async with running() as house:
        await house.client.post(
            "/v1/messages", json={"to": "41791234567", "text": "x", "reference": "r1"}
        )
        answer = await house.client.get("/v1/messages/7")
        assert answer.status_code == 200
        report = answer.json()
        assert (report["id"], report["state"], report["reference"]) == ("7", "QUEUED", "r1")
        for path in ("/v1/messages/8", "/v1/messages/seven", "/v1/messages/" + "9" * 30):
            assert (await house.client.get(path)).status_code == 404
        assert (await house.client.get("/v1/messages/7", auth=ADMIN)).status_code == 404


async def test_health_is_for_anyone_and_its_facts_for_an_admin() -> None:
    async with running() as house, httpx2.AsyncClient(base_url=house.client.base_url) as stranger:
        answer = await stranger.get("/v1/health")
        assert (answer.status_code, answer.json()) == (200, {"ready": True, "why": "ready"})
        answer = await stranger.get("/v1/health", auth=ADMIN)
        assert answer.json()["facts"] == {"queued": 3}
        house.gateway.state = Health(False, "the disk is full", {})
        answer = await stranger.get("/v1/health")
        assert (answer.status_code, answer.json()["why"]) == (503, "the disk is full")


async def test_an_admin_simulates_a_message_from_a_handset() -> None:
    message = {"outlet": "sim", "from": "41791234567", "to": "12345", "text": "HELLO"}
    async with running() as house:
        assert (await house.client.post("/v1/simulate/mo", json=message)).status_code == 403
        answer = await house.client.post("/v1/simulate/mo", json=message, auth=ADMIN)
        assert answer.status_code == 202
        answer = await house.client.post(
            "/v1/simulate/mo", json=message | {"outlet": "carrier"}, auth=ADMIN
        )
        assert answer.status_code == 422
        assert "carrier" in answer.json()["detail"]


async def test_an_admin_stops_an_outlet() -> None:
    async with running() as house:
        assert (await house.client.post("/v1/outlets/sim/stop")).status_code == 403
        answer = await house.client.post("/v1/outlets/sim/stop", auth=ADMIN)
        assert (answer.status_code, answer.json()) == (202, {"outlet": "sim", "action": "stop"})
        answer = await house.client.post("/v1/outlets/sim/jump", auth=ADMIN)
        assert (answer.status_code, answer.json()["detail"]) == (422, "no jump for sim")


async def test_unknown_paths_and_methods_answer_with_problems() -> None:
    async with running() as house:
        answer = await house.client.get("/v2/messages")
        assert (answer.status_code, answer.json()["status"]) == (404, 404)
        answer = await house.client.put("/v1/messages")
        assert answer.status_code == 405
        assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
        assert answer.headers["content-type"] == "application/problem+json"


# --- credentials and limits -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Basic ZGVtbzp3cm9uZw=="}, 401),  # demo:wrong
        ({"Authorization": "Basic !!!"}, 401),
        ({"Authorization": "Bearer demo"}, 401),
        ({"Authorization": "Basic ZmFyOmZhcg=="}, 403),  # far:far
    ],
)
async def test_a_stranger_is_sent_away(headers: dict[str, str], status: int) -> None:
    async with running() as house, httpx2.AsyncClient(base_url=house.client.base_url) as stranger:
        answer = await stranger.post(
            "/v1/messages", json={"to": "41791234567", "text": "x"}, headers=headers
        )
        assert answer.status_code == status
        assert ("www-authenticate" in answer.headers) == (status == 401)
        assert house.gateway.drafts == []


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Basic ZGVtbzpkZW1v", ("demo", "demo")),
        ("basic ZGVtbzpkZW1v", ("demo", "demo")),
        ("Basic ZGVtbzpkOmU=", ("demo", "d:e")),
        ("Basic w6k6w6k=", ("é", "é")),
        ("Basic ZGVtbw==", None),  # no colon
        ("Basic /////w==", None),  # not UTF-8
        ("Basic ZGVÃ", None),  # not ASCII
        ("Basic", None),
        ("", None),
    ],
)
def test_parse_basic(header: str, expected: tuple[str, str] | None) -> None:
    assert parse_basic(header) == expected


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"to": NaN}', b"[" * 5000, b'"\\ud800"'])
async def test_what_is_not_json_is_refused(body: bytes) -> None:
    async with running() as house:
        answer = await house.client.post("/v1/messages", content=body)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_over_the_limit_is_refused_announced_or_not() -> None:
    async with running(Limits(body_octets=1000)) as house:
        answer = await house.client.post("/v1/messages", content=b" " * 1001)
        assert answer.status_code == 413
        assert answer.headers["connection"] == "close"

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(11):
                yield b" " * 100

        answer = await house.client.post("/v1/messages", content=chunks())
        assert answer.status_code == 413
        assert await house.is_well()


async def test_a_stranger_s_body_is_not_read_and_nothing_follows_it() -> None:
    async with running() as house, httpx2.AsyncClient(base_url=house.client.base_url) as stranger:
        for _ in range(20):  # a client that kept the connection would find it cut, now and then
            answer = await stranger.post("/v1/messages", content=b" " * 300_000)
            assert (answer.status_code, answer.headers["connection"]) == (401, "close")
            answer = await stranger.get("/v1/health")
            assert "connection" not in answer.headers


async def test_a_bug_in_a_handler_is_a_500_and_a_log_line_and_the_others_go_on() -> None:
    async with running() as house:
        house.gateway.broken = True
        with structlog.testing.capture_logs() as logs:
            answers = [
                await house.client.post("/v1/messages", json={"to": "41791234567", "text": "x"}),
                await house.client.get("/v1/messages?reference=secret"),
            ]
        assert [answer.status_code for answer in answers] == [500, 500]
        failed = [line for line in logs if line["event"] == "http.request.failed"]
        assert [line["path"] for line in failed] == ["/v1/messages"] * 2
        assert "secret" not in repr(logs)
        house.gateway.broken = False
        assert await house.is_well()


# --- bad clients ------------------------------------------------------------------------------

AUTHORIZED = b"Host: x\r\nAuthorization: Basic ZGVtbzpkZW1v\r\n"
POST = b"POST /v1/messages HTTP/1.1\r\n" + AUTHORIZED
HEALTH = b"GET /v1/health HTTP/1.1\r\nHost: x\r\n"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: !!!!\r\n\r\n"
WEBSOCKET = b"Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
GARBAGE = [
    b"\x00\x00\x00\x10\x00\x00\x00\x15\x00\x00\x00\x00\x00\x00\x00\x01",  # enquire_link
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),  # TLS hello
    b"GET\r\n\r\n",
    b"GET /v1/health HTTP/9.9\r\n\r\n",
    b"GET /v1/health HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    POST + b"Content-Length: -1\r\n\r\n",
    POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 100,
    HEALTH + WEBSOCKET + b"Sec-WebSocket-Key: x\r\n\r\n\xff\xff",
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage_ends_its_own_connection_only(garbage: bytes) -> None:
    async with running() as house:
        stream = await house.connect()
        async with stream:
            await stream.send_all(garbage)
            await stream.send_eof()
            with trio.fail_after(5):
                await read_all(stream)
        assert await house.is_well()
        assert not house.stopped.is_set()


def mutated(draw: random.Random) -> bytes:
    """A few requests in a row, with octets changed, put in, or cut out."""
    sound = [POST + b"Content-Length: 2\r\n\r\n{}", HEALTH + b"\r\n", *GARBAGE]
    data = bytearray(b"".join(draw.choices(sound, k=draw.randint(1, 4))))
    for _ in range(draw.randint(0, 6)):
        at = draw.randrange(len(data))
        octets = bytes(draw.choices(b"\r\n: \x00\xffaZ0", k=draw.randint(0, 5)))
        data[at : at + draw.randint(0, 20)] = octets
        data += b"\n"
    return bytes(data)


@pytest.mark.parametrize("seed", range(4))
async def test_mutated_requests_end_in_time_and_are_no_bugs(seed: int) -> None:
    draw = random.Random(seed)

    async def send(house: Running, data: bytes, cut: int) -> None:
        async with await house.connect() as stream:
            try:
                await stream.send_all(data[:cut])
                await stream.send_all(data[cut:])
                await stream.send_eof()
                await read_all(stream)
            except trio.BrokenResourceError:
                return  # sent away before all was sent

    with structlog.testing.capture_logs() as logs:
        async with running() as house:
            with trio.fail_after(10):
                async with trio.open_nursery() as nursery:
                    for _ in range(50):
                        data = mutated(draw)
                        nursery.start_soon(send, house, data, draw.randrange(len(data)))
            assert await house.is_well()
    assert [line["event"] for line in logs] == ["http.started", "http.stopped"]


HALVES = [
    b"",
    b"POST /v1/mess",
    POST + b"Content-Length: 100\r\n\r\n{",
    POST + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n",
    (HEALTH + b"\r\n") * 100,
]


@pytest.mark.parametrize("half", HALVES, ids=range(len(HALVES)))
async def test_a_reset_in_the_middle_of_a_request_ends_its_own_connection_only(half: bytes) -> None:
    async with running() as house:
        for _ in range(20):
            stream = await house.connect()
            await stream.send_all(half)
            await trio.testing.wait_all_tasks_blocked()
            reset(stream)
        assert await house.is_well()


async def test_an_upgrade_to_http_2_is_left_aside_as_the_rfc_allows() -> None:
    async with running() as house, await house.connect() as stream:
        await stream.send_all(HEALTH + H2C)
        await stream.send_eof()
        with trio.fail_after(5):
            assert (await read_all(stream)).startswith(b"HTTP/1.1 200 ")


async def test_pipelined_requests_are_answered_in_order() -> None:
    message = b'{"to": "4179123456%d", "text": "x"}'
    async with running() as house, await house.connect() as stream:
        for number in range(3):
            body = message % number
            await stream.send_all(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await stream.send_eof()
        with trio.fail_after(5):
            answers = await read_all(stream)
    found = [answers.find(b"4179123456%d" % number) for number in range(3)]
    assert -1 not in found
    assert found == sorted(found)


async def test_a_reset_while_the_message_is_being_stored_harms_nobody() -> None:
    async with running() as house:
        house.gateway.held = trio.Event()
        body = b'{"to": "41791234567", "text": "x"}'
        stream = await house.connect()
        await stream.send_all(POST + b"Content-Length: %d\r\n\r\n" % len(body))
        await stream.send_all(body)
        await house.gateway.entered.wait()
        reset(stream)
        await trio.testing.wait_all_tasks_blocked()
        house.gateway.held.set()
        house.gateway.held = None
        assert await house.is_well()
        assert len(house.gateway.drafts) == 2, "what was promised to the store is stored"


async def test_a_body_that_does_not_arrive_is_given_up() -> None:
    async with running(Limits(body_s=0.01)) as house:
        async with await house.connect() as stream:
            await stream.send_all(POST + b"Content-Length: 9\r\n\r\n{")
            with trio.fail_after(5):
                answer = await read_all(stream)
        assert answer.startswith(b"HTTP/1.1 408 ")


async def test_a_header_that_does_not_arrive_is_given_up() -> None:
    async with running(Limits(idle_s=0.01)) as house, await house.connect() as stream:
        await stream.send_all(b"GET /v1/health HTTP/1.1\r\nHost:")
        with trio.fail_after(5):
            assert await read_all(stream) == b""


async def test_connections_over_the_limit_are_closed() -> None:
    async with running(Limits(connections=2)) as house:
        with structlog.testing.capture_logs() as logs:
            first, second = await house.connect(), await house.connect()
            async with await house.connect() as third, await house.connect() as fourth:
                with trio.fail_after(5):
                    assert await read_all(third) == b""
                    assert await read_all(fourth) == b""
        assert [line["event"] for line in logs] == ["http.connections.exhausted"]
        await first.aclose()
        await second.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert await house.is_well()


# --- the end ----------------------------------------------------------------------------------


async def test_stopping_refuses_new_connections_and_finishes_requests() -> None:
    async with running() as house, trio.open_nursery() as nursery:
        house.gateway.held = trio.Event()
        answers: list[int] = []

        async def post() -> None:
            answer = await house.client.post(
                "/v1/messages", json={"to": "41791234567", "text": "x"}
            )
            answers.append(answer.status_code)

        nursery.start_soon(post)
        idle = await house.connect()
        await house.gateway.entered.wait()
        house.stop.set()
        with trio.fail_after(5):
            assert await read_all(idle) == b"", "an idle connection is closed at once"
        with pytest.raises(OSError, match=r"connect"):
            await house.connect()
        assert not house.stopped.is_set()
        house.gateway.held.set()
        with trio.fail_after(1):
            await house.stopped.wait()
        await idle.aclose()
    assert answers == [202]


async def test_stopping_does_not_wait_for_ever() -> None:
    async with running(grace_s=0.01) as house:
        stream = await house.connect()
        await stream.send_all(POST + b"Content-Length: 9\r\n\r\n{")
        await trio.testing.wait_all_tasks_blocked()
        house.stop.set()
        with trio.fail_after(5):
            await house.stopped.wait()
        await stream.aclose()


async def test_cancelling_ends_it_although_a_client_does_not_read() -> None:
    gateway = FakeGateway()
    gateway.state = Health(True, "x" * 32_000_000, {})
    async with trio.open_nursery() as nursery:
        [(_, port)] = await nursery.start(serve, ["127.0.0.1:0"], gateway)
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await stream.receive_some(1)
        await trio.testing.wait_all_tasks_blocked()
        with trio.fail_after(5):
            nursery.cancel_scope.cancel()
            await trio.lowlevel.checkpoint_if_cancelled()
    await stream.aclose()


async def test_a_client_that_does_not_read_is_cut() -> None:
    async with running(Limits(write_s=0.05)) as house:
        house.gateway.state = Health(True, "x" * 32_000_000, {})
        stream = await house.connect()
        await stream.send_all(HEALTH + b"\r\n")
        assert await stream.receive_some(1)
        house.stop.set()
        with trio.fail_after(5):
            await house.stopped.wait()
        await stream.aclose()


async def test_an_address_in_use_is_an_error_before_anything_is_served() -> None:
    async with running() as house:
        with pytest.raises(OSError, match="in use"):
            await serve(["127.0.0.1:0", f"127.0.0.1:{house.port}"], FakeGateway())


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("[::1]:0", ("::1", 0)),
        ("localhost:1", ("localhost", 1)),
    ],
)
def test_split_address(address: str, expected: tuple[str, int]) -> None:
    assert split_address(address) == expected
    assert join_address(*expected) == address


@pytest.mark.parametrize("address", ["", "8080", "host:", "host:http", "host:70000"])
def test_split_address_names_what_is_wrong(address: str) -> None:
    with pytest.raises(ValueError, match=r"host:port"):
        split_address(address)
