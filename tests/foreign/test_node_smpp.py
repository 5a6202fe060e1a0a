"""node-smpp, a client we did not write, against a whole gateway."""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pdu.status import Status
from smsc.message import State
from tests.fakes.certificates import Authority
from tests.fakes.house import ACCOUNT, SIMULATOR, RunningGateway, StartGateway
from tests.foreign.node_esme import NodeEsme

pytestmark = pytest.mark.timeout(200)  # the first test installs node-smpp
Connect = Callable[..., NodeEsme]
KINDS = ["transmitter", "receiver", "transceiver"]


@pytest.fixture
def node() -> Iterator[Connect]:
    clients: list[NodeEsme] = []

    def connect(port: int, **options: Any) -> NodeEsme:
        clients.append(NodeEsme(port, **options))
        return clients[-1]

    yield connect
    for one in clients:
        one.close()


def text_of(gateway: RunningGateway, response: dict[str, Any]) -> bytes:
    """What the gateway stored as short_message."""
    message, _ = gateway.message(int(response["message_id"]))
    peek = message.peek
    return message.body[peek.text_at : peek.text_at + peek.sm_length]


# --- binds ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_each_bind_is_accepted_and_unbound(
    kind: str, gateway: RunningGateway, node: Connect
) -> None:
    client = node(gateway.port)
    answer = client.bind(kind)
    assert (answer["command_status"], answer["system_id"]) == (0, "smsc")
    assert client.send("unbind")["command_status"] == 0
    client.wait_closed()


@pytest.mark.parametrize(("version", "told"), [(0x33, None), (0x34, 0x34), (0x50, 0x50)])
def test_each_version(
    version: int, told: int | None, gateway: RunningGateway, node: Connect
) -> None:
    client = node(gateway.port)
    answer = client.bind(interface_version=version)
    assert answer.get("sc_interface_version") == told
    response = client.send("submit_sm", destination_addr="41791234567", short_message="hi")
    assert response["command_status"] == 0
    # Only a peer of 5.0 hears how busy we are.
    assert ("congestion_state" in response) is (version == 0x50)


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_passwords_and_names_are_refused_and_may_try_again(
    kind: str, gateway: RunningGateway, node: Connect
) -> None:
    client = node(gateway.port)
    assert client.bind(kind, password="wrong")["command_status"] == Status.ESME_RINVPASWD
    assert client.bind(kind, name="nobody")["command_status"] == Status.ESME_RINVSYSID
    assert client.bind(kind)["command_status"] == 0


def test_after_many_failures_every_attempt_is_still_answered(
    gateway: RunningGateway, node: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsc.directory.slowdown.FIRST_S", 0.02)
    bad = node(gateway.port)
    for _ in range(6):
        assert bad.bind(name="nobody")["command_status"] == Status.ESME_RINVSYSID
    assert bad.bind()["command_status"] == 0


@pytest.mark.parametrize("kind", ["receiver", "transmitter"])
def test_a_command_in_the_wrong_state_is_answered(
    kind: str, gateway: RunningGateway, node: Connect
) -> None:
    client = node(gateway.port)
    before = client.send("submit_sm", destination_addr="4179", short_message="x")
    assert before["command_status"] == Status.ESME_RINVBNDSTS
    client.bind(kind)
    assert client.bind(kind)["command_status"] == Status.ESME_RALYBND
    status = client.send("submit_sm", destination_addr="4179", short_message="x")["command_status"]
    assert status == (Status.ESME_RINVBNDSTS if kind == "receiver" else 0)


def test_enquire_link_both_ways(
    start_gateway: StartGateway, node: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsc.server._TICK_S", 0.02)
    gateway = start_gateway(smpp="enquire_link_s = 0.1")
    client = node(gateway.port)
    client.bind()
    assert client.send("enquire_link")["command_status"] == 0
    for _ in range(3):
        assert client.request()["command"] == "enquire_link"
    client.answer_with(None)
    client.wait_closed()
    gateway.wait_for_event("session.closed")
    closed = gateway.log.named("session.closed")[0]
    assert closed["why"] == "the peer answered no enquire_link"


def test_over_tls(start_gateway: StartGateway, node: Connect, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.issue("server")
    tls = f'listen_tls = ["127.0.0.1:0"]\ntls_cert = "{cert}"\ntls_key = "{key}"\n'
    gateway = start_gateway(smpp=tls)
    listening = gateway.log.named("gateway.started")[0]["smpp_tls"]
    options = {"ca": authority.cert.read_text(), "servername": "localhost"}
    client = node(listening[0][1], scheme="ssmpp", **options)
    assert client.bind()["command_status"] == 0
    response = client.send(
        "submit_sm", destination_addr="41791234567", short_message="hi", registered_delivery=1
    )
    assert response["command_status"] == 0
    assert client.request()["receipted_message_id"] == response["message_id"]


# --- messages and receipts --------------------------------------------------------------------


def test_a_message_is_accepted_and_its_receipt_comes_home(
    gateway: RunningGateway, node: Connect
) -> None:
    client = node(gateway.port)
    client.bind()
    response = client.send(
        "submit_sm",
        source_addr="Shop",
        source_addr_ton=5,
        destination_addr="41791234567",
        short_message="hello",
        registered_delivery=1,
    )
    receipt = client.request()
    assert (receipt["command"], receipt["esm_class"]) == ("deliver_sm", 4)
    assert receipt["receipted_message_id"] == response["message_id"]
    assert receipt["message_state"] == State.DELIVERED
    assert (receipt["source_addr"], receipt["destination_addr"]) == ("41791234567", "Shop")
    text = receipt["short_message"]["message"]
    assert re.match(rf"id:{response['message_id']} sub:001 dlvrd:001 .*stat:DELIVRD err:000", text)


@pytest.mark.parametrize(
    ("text", "stored", "coding"),
    [
        ("hello @ you", b"hello \0 you", 1),
        ("Grüße", b"Gr~\x1ee", 1),
        ("ça va, naïf ÿ", "ça va, naïf ÿ".encode("latin-1"), 3),
        ("Привет 🎉", "Привет 🎉".encode("utf-16-be"), 8),
    ],
)
def test_its_encodings_are_stored_as_sent(
    gateway: RunningGateway, node: Connect, text: str, stored: bytes, coding: int
) -> None:
    client = node(gateway.port)
    client.bind("transmitter")
    response = client.send("submit_sm", destination_addr="41791234567", short_message=text)
    assert text_of(gateway, response) == stored
    message, _ = gateway.message(int(response["message_id"]))
    assert message.peek.data_coding == coding


def test_a_long_text_in_parts_of_its_own(gateway: RunningGateway, node: Connect) -> None:
    client = node(gateway.port)
    client.bind()
    ids = []
    for part in (1, 2):
        response = client.send(
            "submit_sm",
            destination_addr="41791234567",
            short_message={"udh": {"hex": f"05000307 02{part:02x}"}, "message": "a" * 100},
            registered_delivery=1,
        )
        message, _ = gateway.message(int(response["message_id"]))
        assert message.peek.esm_class & 0x40
        ids.append(response["message_id"])
    assert sorted(client.request()["receipted_message_id"] for _ in ids) == sorted(ids)


def test_a_long_message_payload_is_one_message_with_one_receipt(
    gateway: RunningGateway, node: Connect
) -> None:
    client = node(gateway.port)
    client.bind()
    payload = "All work and no play makes Jack a dull boy. " * 20
    response = client.send(
        "submit_sm", destination_addr="4179", message_payload=payload, registered_delivery=1
    )
    assert "sub:006 dlvrd:006" in client.request()["short_message"]["message"]
    assert len(gateway.message(int(response["message_id"]))[1].parts) == 6


def test_a_receipt_that_is_refused_for_now_comes_again(
    gateway: RunningGateway, node: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsc.deliver.RETRY_S", 0.01)
    client = node(gateway.port)
    client.bind()
    client.answer_with(int(Status.ESME_RX_T_APPN))
    client.send("submit_sm", destination_addr="4179", registered_delivery=1)
    first = client.request()
    client.answer_with(0)
    assert client.request()["receipted_message_id"] == first["receipted_message_id"]
    gateway.wait_until(lambda: gateway.gateway.mailboxes.delivered_count == 1)


def test_a_message_from_the_network_reaches_the_account(
    start_gateway: StartGateway, node: Connect
) -> None:
    toml = ACCOUNT + SIMULATOR + '[[mo_routes]]\nto = ["12345"]\naccount = "demo"\n'
    gateway = start_gateway(toml)
    client = node(gateway.port)
    client.bind("receiver")
    send = partial(gateway.gateway.http.simulate_mo, "sim", "41791234567", "12345", "STOP it")
    assert gateway.await_(send) is None
    message = client.request()
    assert (message["source_addr"], message["destination_addr"]) == ("41791234567", "12345")
    assert message["short_message"]["message"] == "STOP it"


def test_what_the_account_may_not_send_is_refused(
    start_gateway: StartGateway, node: Connect
) -> None:
    terms = 'senders = ["Shop"]\ndestinations = ["41"]\nservice_types = [""]\nmax_priority = 1\n'
    gateway = start_gateway(ACCOUNT + terms + 'default_sender = "Bank"\n' + SIMULATOR)
    client = node(gateway.port)
    client.bind()
    for fields, status in (
        ({"source_addr": "Evil"}, Status.ESME_RINVSRCADR),
        ({"destination_addr": "49170"}, Status.ESME_RINVDSTADR),
        ({"service_type": "CMT"}, Status.ESME_RINVSERTYP),
    ):
        told = {"source_addr": "Shop", "destination_addr": "4179", "short_message": "x"} | fields
        assert client.send("submit_sm", **told)["command_status"] == status
    response = client.send("submit_sm", destination_addr="4179", priority_flag=3)
    message, _ = gateway.message(int(response["message_id"]))
    assert (message.peek.source_addr, message.peek.priority_flag) == ("Bank", 1)
    assert message.priority == 1


def test_a_rate_in_parts(start_gateway: StartGateway, node: Connect) -> None:
    limits = 'rate = 0.001\nburst = 3\nrate_unit = "parts"\n'
    gateway = start_gateway(ACCOUNT + limits + SIMULATOR)
    client = node(gateway.port)
    client.bind()

    def send(octets: int) -> int:
        status: int = client.send(
            "submit_sm", destination_addr="4179", message_payload={"message": "a" * octets}
        )["command_status"]
        return status

    assert send(200) == 0
    assert send(200) == Status.ESME_RTHROTTLED
    assert send(100) == 0
    assert send(1) == Status.ESME_RTHROTTLED


# --- the other operations ---------------------------------------------------------------------

LATER = "000001000000000R"  # in a day
TO = {"dest_addr_ton": 1, "dest_addr_npi": 1}


def test_query_replace_and_cancel(gateway: RunningGateway, node: Connect) -> None:
    client = node(gateway.port)
    client.bind("transmitter", interface_version=0x34)
    named = {"source_addr": "Shop", "source_addr_ton": 5}
    id_ = client.send(
        "submit_sm",
        destination_addr="4179",
        short_message="first",
        schedule_delivery_time=LATER,
        **named,
    )["message_id"]
    told = client.send("query_sm", message_id=id_, **named)
    assert (told["command_status"], told["message_id"]) == (0, id_)
    assert told["message_state"] == State.ENROUTE  # 3.4 knows no SCHEDULED
    replaced = client.send("replace_sm", message_id=id_, short_message="second", **named)
    assert replaced["command_status"] == 0
    message, _ = gateway.message(int(id_))
    assert message.body[message.peek.text_at :] == b"second"
    other = {"source_addr": "Other", "source_addr_ton": 5}
    for command, status in (
        ("query_sm", Status.ESME_RQUERYFAIL),
        ("replace_sm", Status.ESME_RREPLACEFAIL),
        ("cancel_sm", Status.ESME_RCANCELFAIL),
    ):
        assert client.send(command, message_id=id_, **other)["command_status"] == status
    assert client.send("cancel_sm", message_id=id_, **named)["command_status"] == 0
    assert client.send("query_sm", message_id=id_, **named)["message_state"] == State.DELETED
    again = client.send("cancel_sm", message_id=id_, **named)
    assert again["command_status"] == Status.ESME_RCANCELFAIL


def test_submit_multi_tells_whom_it_did_not_take(
    start_gateway: StartGateway, node: Connect
) -> None:
    gateway = start_gateway(ACCOUNT + SIMULATOR + 'to = ["41"]\n')
    client = node(gateway.port)
    client.bind()
    numbers = ["4179000001", "4917000001", "4179000002"]
    answer = client.send(
        "submit_multi",
        dest_address=[{"destination_addr": number, **TO} for number in numbers],
        short_message="to all",
        registered_delivery=1,
    )
    assert answer["command_status"] == 0
    (failed,) = answer["unsuccess_sme"]
    assert failed["destination_addr"] == numbers[1]
    assert failed["error_status_code"] == Status.ESME_RINVDSTADR
    receipts = [client.request() for _ in range(2)]
    assert {one["receipted_message_id"] for one in receipts} == {answer["message_id"]}
    assert sorted(one["source_addr"] for one in receipts) == [numbers[0], numbers[2]]


def test_data_sm_both_ways(start_gateway: StartGateway, node: Connect) -> None:
    gateway = start_gateway(ACCOUNT + 'deliver_with = "data_sm"\n' + SIMULATOR)
    client = node(gateway.port)
    client.bind()
    answer = client.send(
        "data_sm",
        source_addr="Shop",
        destination_addr="4179",
        message_payload="hello",
        registered_delivery=1,
    )
    assert answer["command_status"] == 0
    receipt = client.request()
    assert (receipt["command"], receipt["esm_class"]) == ("data_sm", 4)
    assert receipt["receipted_message_id"] == answer["message_id"]


@pytest.mark.parametrize("command", ["broadcast_sm", "query_broadcast_sm", "cancel_broadcast_sm"])
def test_broadcasts_are_refused_and_the_session_lives(
    command: str, gateway: RunningGateway, node: Connect
) -> None:
    client = node(gateway.port)
    client.bind(interface_version=0x50)
    fields = {"message_id": "1"} if command != "broadcast_sm" else {}
    assert client.send(command, **fields)["command_status"] != 0
    assert client.send("enquire_link")["command_status"] == 0
