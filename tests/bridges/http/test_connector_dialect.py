"""SMS Connector over real sockets against a whole gateway: its paths, its queue, its callbacks."""

import http.server
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

import httpx2
import orjson
import pytest
import structlog
from starlette.routing import Route

from bridges.http import connector_dialect_routes
from bridges.http.dialects.connector import ID_HEADER, ConnectorConfig
from bridges.http.endpoint import House
from smsc.clock import wall_ms
from smsc.message import Mailbox, MessageId, State
from tests.bridges.http.dialects.test_connector import (
    BAD_NOTIFICATION,
    BAD_RECEIVE,
    BAD_SEND,
    GOOD,
    RECEIVED,
)
from tests.fakes.activemq import ActiveMq
from tests.fakes.house import RunningGateway, StartGateway

NODE = """
[http]
listen = ["127.0.0.1:0"]
dialects = [{dialects}]
callback_networks = ["127.0.0.0/8"]
[dialects.connector]
account = "demo"
outlet = "sim"
{connector}
[accounts.demo]
password = "demo"
senders = ["Shop", "12345"]
default_sender = "Shop"
{account}
[outlets.sim]
kind = "simulator"
delay_s = {delay_s}
[[routes]]
to = ["41"]
outlets = ["sim"]
[[mo_routes]]
to = ["12345"]
account = "demo"
"""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def node(
    *,
    connector: str = "",
    account: str = "",
    delay_s: float = 0.0,
    dialects: str = '"connector"',
) -> str:
    return NODE.format(connector=connector, account=account, delay_s=delay_s, dialects=dialects)


def reporting(broker: ActiveMq) -> str:
    return f'broker_host = "127.0.0.1"\nbroker_port = {broker.port}'


class Client:
    """An HTTP client of one gateway."""

    def __init__(self, gateway: RunningGateway) -> None:
        assert gateway.http is not None
        # A connection for each request: the server closes that of a body that is too large.
        self._http = httpx2.Client(
            base_url=f"http://127.0.0.1:{gateway.http[1]}",
            trust_env=False,
            limits=httpx2.Limits(max_keepalive_connections=0),
        )

    def __call__(
        self, method: str, path: str, body: bytes = b"", **options: Any
    ) -> httpx2.Response:
        return self._http.request(method, path, content=body, **options)

    def send(self, path: str = "/msg-client/send", **members: object) -> httpx2.Response:
        return self("POST", path, orjson.dumps(GOOD | members))

    def post(self, path: str, fields: Mapping[str, str]) -> httpx2.Response:
        return self("POST", path, urlencode(fields).encode(), headers=FORM)

    def close(self) -> None:
        self._http.close()


@pytest.fixture
def client() -> Iterator[Callable[[RunningGateway], Client]]:
    made: list[Client] = []

    def make(gateway: RunningGateway) -> Client:
        made.append(Client(gateway))
        return made[-1]

    yield make
    for one in made:
        one.close()


Clients = Callable[[RunningGateway], Client]


def parked(gateway: RunningGateway, mailbox: str) -> list[Any]:
    return gateway.call(lambda: gateway.gateway.store.parked(Mailbox(mailbox), MessageId(0), 100))


def state_of(gateway: RunningGateway, id_: str) -> State:
    return gateway.message(int(id_))[1].state


class TestSend:
    @pytest.mark.parametrize("path", ["/msg-client/send", "/send"])
    def test_ok_is_empty_and_the_id_stands_in_a_header(
        self, start_gateway: StartGateway, client: Clients, path: str
    ) -> None:
        gateway = start_gateway(node())
        answer = client(gateway).send(path)
        assert (answer.status_code, answer.content) == (200, b"")
        id_ = answer.headers[ID_HEADER]
        gateway.wait_until(lambda: state_of_now(gateway, id_) is State.DELIVERED)
        message, _ = gateway.message(int(id_))
        assert (message.source, message.account, message.tags) == ("connector", "demo", ("smpp",))
        assert message.peek.destination_addr == "41791234567"

    def test_the_default_sender_of_the_account(
        self, start_gateway: StartGateway, client: Clients
    ) -> None:
        gateway = start_gateway(node())
        answer = client(gateway).send(From=None)
        message, _ = gateway.message(int(answer.headers[ID_HEADER]))
        assert message.peek.source_addr == "Shop"

    def test_without_a_broker_it_says_so_once_and_writes_no_reports(
        self, start_gateway: StartGateway, client: Clients
    ) -> None:
        gateway = start_gateway(node())
        id_ = client(gateway).send().headers[ID_HEADER]
        gateway.wait_until(lambda: state_of_now(gateway, id_) is State.DELIVERED)
        assert gateway.log.events.count("sms_connector.reports_off") == 1
        assert gateway.call(gateway.gateway.store.mailboxes) == []

    def test_what_the_gateway_refuses(self, start_gateway: StartGateway, client: Clients) -> None:
        ask = client(start_gateway(node()))
        assert ask.send(To="+4930123456").status_code == 400  # no route
        assert ask.send(From="Other").status_code == 400  # a sender of somebody else

    def test_over_the_rate_it_is_500_and_nothing_is_stored(
        self, start_gateway: StartGateway, client: Clients
    ) -> None:
        gateway = start_gateway(node(account="rate = 0.001\nburst = 1"))
        ask = client(gateway)
        assert [ask.send().status_code for _ in range(3)] == [200, 500, 500]
        assert gateway.call(lambda: gateway.gateway.store.counts()["message"]) == 1


def state_of_now(gateway: RunningGateway, id_: str) -> State | None:
    """As `state_of`, from within the gateway's loop."""
    progress = gateway.gateway.store.progress(MessageId(int(id_)))
    return None if progress is None else progress.state


class TestWhoMayCall:
    def test_basic_auth_names_the_account(
        self, start_gateway: StartGateway, client: Clients
    ) -> None:
        ask = client(start_gateway(node(connector='networks = ["10.0.0.0/8"]')))
        body = orjson.dumps(GOOD)
        taken = ask("POST", "/msg-client/send", body, auth=("demo", "demo"))
        assert taken.status_code == 200
        wrong = ask("POST", "/msg-client/send", body, auth=("demo", "wrong"))
        assert (wrong.status_code, wrong.content) == (401, b"")

    @pytest.mark.parametrize("path", ["/send", "/receive", "/delivery-notification"])
    def test_others_only_from_the_networks(
        self, start_gateway: StartGateway, client: Clients, path: str
    ) -> None:
        gateway = start_gateway(node(connector='networks = ["10.0.0.0/8"]'))
        answer = client(gateway)("POST", "/msg-client" + path, orjson.dumps(GOOD))
        assert (answer.status_code, answer.content) == (403, b"")
        assert gateway.call(lambda: gateway.gateway.store.counts()["message"]) == 0

    @pytest.mark.parametrize(("account", "status"), [("", 401), ("nobody", 500)])
    def test_without_a_known_account_nothing_is_sent(
        self, start_gateway: StartGateway, client: Clients, account: str, status: int
    ) -> None:
        toml = node().replace('account = "demo"', f'account = "{account}"', 1)
        assert client(start_gateway(toml)).send().status_code == status


class TestPaths:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/msg-client/send", 405),
            ("PUT", "/msg-client/receive", 405),
            ("GET", "/receive", 405),
            ("DELETE", "/delivery-notification", 405),
            ("POST", "/msg-client/other", 404),
            ("GET", "/msg-client/", 404),
            ("POST", "/msg-client/send/more", 404),
        ],
    )
    def test_what_is_not_there_is_empty_too(
        self, start_gateway: StartGateway, client: Clients, method: str, path: str, status: int
    ) -> None:
        answer = client(start_gateway(node()))(method, path)
        assert (answer.status_code, answer.content) == (status, b"")

    def test_another_path_and_no_outlet(self, start_gateway: StartGateway, client: Clients) -> None:
        toml = node(connector='path = "/sms/v1"').replace('outlet = "sim"', "", 1)
        ask = client(start_gateway(toml))
        assert ask.send("/sms/v1/send").status_code == 200
        assert ask.send("/msg-client/send").status_code == 404
        assert ask.post("/sms/v1/receive", RECEIVED).status_code == 404

    @pytest.mark.parametrize(("others", "is_there"), [({}, True), ({"jasmin": None}, False)])
    def test_the_bare_path_of_send_is_left_to_jasmin(
        self, others: dict[str, object], is_there: bool
    ) -> None:
        house = House(Any, structlog.get_logger(), wall_ms, dialects=others)  # type: ignore[arg-type]
        paths = {
            route.path
            for route in connector_dialect_routes.routes(house, ConnectorConfig(outlet="sim"))
            if isinstance(route, Route) and "POST" in (route.methods or ())
        }
        assert ("/send" in paths) == is_there
        assert {"/msg-client/send", "/receive", "/delivery-notification"} < paths


class TestBadInput:
    """Every operation × missing, wrong and hostile: 400, an empty body, and nothing stored."""

    @pytest.mark.parametrize("base", ["/msg-client", ""])
    def test_each(self, start_gateway: StartGateway, client: Clients, base: str) -> None:
        gateway = start_gateway(node())
        ask = client(gateway)
        bodies = [
            (name, "/send", one if isinstance(one, bytes) else orjson.dumps(one))
            for name, (one, _) in BAD_SEND.items()
        ]
        bodies += [(name, "/receive", body) for name, body in BAD_RECEIVE.items()]
        bodies += [
            (name, "/delivery-notification", body) for name, body in BAD_NOTIFICATION.items()
        ]
        told = {
            (path, name): (answer.status_code, answer.content)
            for name, path, body in bodies
            if (answer := ask("POST", base + path, body)) is not None
        }
        assert {key: value for key, value in told.items() if value != (400, b"")} == {}
        counts = gateway.call(gateway.gateway.store.counts)
        assert (counts["message"], counts["parked"]) == (0, 0)
        assert ask("POST", base + "/send", b"x" * (600 * 1024)).status_code == 400
        assert ask.send().status_code == 200


class TestProvider:
    """We are a Connector, and the network of an outlet is a provider that calls us back."""

    @pytest.mark.parametrize("base", ["/msg-client", ""])
    def test_a_message_from_a_handset_comes_once(
        self, start_gateway: StartGateway, client: Clients, base: str
    ) -> None:
        gateway = start_gateway(node())
        ask = client(gateway)
        for _ in range(3):
            answer = ask.post(base + "/receive", RECEIVED)
            assert (answer.status_code, answer.content) == (200, b"")
        assert len(parked(gateway, "demo")) == 1
        assert ask.post(base + "/receive", RECEIVED | {"SmsSid": "SM2"}).status_code == 200
        assert len(parked(gateway, "demo")) == 2

    def test_the_same_sid_is_known_after_a_restart(
        self, start_gateway: StartGateway, client: Clients
    ) -> None:
        first = start_gateway(node(), "a")
        assert client(first).post("/receive", RECEIVED).status_code == 200
        first.kill()
        second = start_gateway(node(), "a")
        assert client(second).post("/receive", RECEIVED).status_code == 200
        assert len(parked(second, "demo")) == 1

    def test_a_long_one_comes_in_parts_and_once(
        self, start_gateway: StartGateway, client: Clients
    ) -> None:
        gateway = start_gateway(node())
        ask = client(gateway)
        for _ in range(2):
            assert ask.post("/receive", RECEIVED | {"Body": "x" * 300}).status_code == 200
        assert len(parked(gateway, "demo")) == 2

    def test_a_number_that_nobody_has(self, start_gateway: StartGateway, client: Clients) -> None:
        gateway = start_gateway(node())
        assert client(gateway).post("/receive", RECEIVED | {"To": "999"}).status_code == 400

    @pytest.mark.parametrize(
        ("status", "state"),
        [
            ("delivered", State.DELIVERED),
            ("undelivered", State.UNDELIVERABLE),
            ("failed", State.REJECTED),
            ("queued", State.ENROUTE),
            ("sent", State.ENROUTE),
        ],
    )
    def test_what_became_of_a_message(
        self, start_gateway: StartGateway, client: Clients, status: str, state: State
    ) -> None:
        gateway = start_gateway(node(delay_s=3600))
        ask = client(gateway)
        id_ = ask.send().headers[ID_HEADER]
        gateway.wait_until(lambda: state_of_now(gateway, id_) is State.ENROUTE)
        (sid,) = gateway.message(int(id_))[1].upstream_ids
        for _ in range(2):  # once more is no harm
            answer = ask.post("/delivery-notification", {"MessageSid": sid, "SmsStatus": status})
            assert (answer.status_code, answer.content) == (200, b"")
        assert state_of(gateway, id_) is state

    def test_a_sid_that_nobody_knows_yet_is_kept(
        self, start_gateway: StartGateway, client: Clients
    ) -> None:
        gateway = start_gateway(node())
        fields = {"MessageSid": "SM404", "SmsStatus": "delivered"}
        assert client(gateway).post("/delivery-notification", fields).status_code == 200
        assert len(parked(gateway, "early:sim")) == 1


class Existing(http.server.BaseHTTPRequestHandler):
    """An existing Connector: keeps the forms that its gateway posts."""

    posts: ClassVar[list[tuple[str, dict[str, str]]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Type"] == FORM["Content-Type"]
        self.posts.append((self.path, dict(parse_qsl(body.decode(), strict_parsing=True))))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def existing() -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """Its base URL, and the posts it got."""
    Existing.posts = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Existing)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/msg-client", Existing.posts
    server.shutdown()
    server.server_close()
    thread.join()


class TestGateway:
    """We are the gateway of an existing Connector: its account's callback is the Connector."""

    def test_it_hears_of_its_messages_and_gets_those_of_handsets(
        self,
        start_gateway: StartGateway,
        client: Clients,
        existing: tuple[str, list[tuple[str, dict[str, str]]]],
    ) -> None:
        base, posts = existing
        account = f'callback_url = "{base}"\ncallback_style = "connector"'
        gateway = start_gateway(node(account=account))
        ask = client(gateway)
        message = {"to": "41791234567", "from": "Shop", "text": "hello"}
        answer = ask("POST", "/v1/messages", orjson.dumps(message), auth=("demo", "demo"))
        id_ = answer.json()["messages"][0]["id"]
        gateway.wait_until(lambda: len(posts) == 2)
        assert ask.post("/receive", RECEIVED).status_code == 200
        gateway.wait_until(lambda: len(posts) == 3)
        told = [fields for path, fields in posts if path == "/msg-client/delivery-notification"]
        assert sorted(one["SmsStatus"] for one in told) == ["delivered", "sent"]
        assert {one["MessageSid"] for one in told} == {id_}
        (received,) = [fields for path, fields in posts if path == "/msg-client/receive"]
        assert received | {"SmsSid": ""} == {
            "Body": "STOP now",
            "From": "41791234567",
            "To": "12345",
            "SmsSid": "",
        }
        gateway.wait_until(lambda: gateway.gateway.store.mailboxes() == [])


class TestReports:
    """The queue `delivery-report` of a real ActiveMQ."""

    @pytest.fixture
    def broker(self, tmp_path: Path) -> Iterator[ActiveMq]:
        broker = ActiveMq(tmp_path / "broker")
        yield broker
        broker.kill()

    def test_each_end_is_a_message_of_the_channels_type(
        self, start_gateway: StartGateway, client: Clients, broker: ActiveMq
    ) -> None:
        broker.start()
        gateway = start_gateway(node(connector=reporting(broker), delay_s=3600))
        ask = client(gateway)
        ids = [ask.send().headers[ID_HEADER] for _ in range(2)]
        for id_, status in zip(ids, ("delivered", "undelivered"), strict=True):
            gateway.wait_until(lambda id_=id_: state_of_now(gateway, id_) is State.ENROUTE)  # type: ignore[misc]
            (sid,) = gateway.message(int(id_))[1].upstream_ids
            fields = {"MessageSid": sid, "SmsStatus": status, "ErrorCode": "3"}
            assert ask.post("/delivery-notification", fields).status_code == 200
        reader = broker.reader("delivery-report", "JMSType = 'smpp'")
        try:
            gateway.wait_until(lambda: len(reader.heard) == 2)
        finally:
            reader.close()
        assert {one.headers["type"] for one in reader.heard} == {"smpp"}
        assert sorted((orjson.loads(one.body) for one in reader.heard), key=str) == sorted(
            [
                {
                    "MessageSID": id_,
                    "DeliveryStatus": end,
                    "ProviderStatusCode": "3",
                }
                for id_, end in zip(ids, ("DELIVERED", "FAILED"), strict=True)
            ],
            key=str,
        )

    def test_reports_wait_on_disk_for_a_broker_that_is_down_over_a_restart_of_ours(
        self, start_gateway: StartGateway, client: Clients, broker: ActiveMq
    ) -> None:
        toml = node(connector=reporting(broker))
        first = start_gateway(toml, "a")
        id_ = client(first).send().headers[ID_HEADER]
        first.wait_until(lambda: state_of_now(first, id_) is State.DELIVERED)
        first.wait_for_event("jms.down")
        first.kill()
        second = start_gateway(toml, "a")
        assert len(parked(second, "queue:delivery-report")) == 1
        broker.start()
        second.call(second.gateway.callbacks.retry)
        second.wait_until(lambda: second.gateway.store.mailboxes() == [])
        reader = broker.reader("delivery-report")
        try:
            second.wait_until(lambda: len(reader.heard) == 1)
        finally:
            reader.close()
        assert orjson.loads(reader.heard[0].body)["MessageSID"] == id_
