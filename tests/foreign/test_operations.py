"""Every operation over real sockets: smpplib where it has the operation, plain octets elsewhere."""

import json
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import smpplib.smpp

from pdu.broadcast_pdus import CancelBroadcastSm
from pdu.codec import encode
from pdu.commands import Command
from pdu.fields import Pdu
from pdu.message_pdus import (
    CancelSm,
    DataSm,
    DistributionList,
    QuerySm,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    SubmitSm,
)
from pdu.status import Status
from pdu.tlvs import Tag
from smsc.message import State
from tests.fakes.house import ACCOUNT, SIMULATOR, RunningGateway, StartGateway
from tests.fakes.raw import Raw
from tests.foreign.esme import Esme

Connect = Callable[[int], Esme]
Dial = Callable[[int], Raw]

LISTS = """
[distribution_lists]
staff = ["41791110001", "+41 79 111 00 02"]
"""
LATER = "000000010000000R"
TO = "41791234567"
CARRIER = """
[accounts.gw]
password = "gwpass"
deliver_with = "data_sm"
[http]
listen = ["127.0.0.1:0"]
[accounts.boss]
password = "boss"
admin = true
[outlets.net]
kind = "simulator"
delay_s = 0.0
fail = {fail}
[[routes]]
outlets = ["net"]
[[mo_routes]]
to = ["12345"]
account = "gw"
"""
NODE = """
[accounts.demo]
password = "demo"
[outlets.carrier]
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "gw"
password = "gwpass"
reconnect_s = 0.02
[[routes]]
outlets = ["carrier"]
[[mo_routes]]
to = ["12345"]
account = "demo"
"""


@pytest.fixture
def dial() -> Iterator[Dial]:
    peers: list[Raw] = []

    def connect(port: int) -> Raw:
        peers.append(Raw(port))
        return peers[-1]

    yield connect
    for one in peers:
        one.close()


def submit(text: bytes = b"hello", **fields: Any) -> SubmitSm:
    fields = {"source_addr": "Shop", "destination_addr": TO, "short_message": text} | fields
    return SubmitSm(dest_addr_ton=1, dest_addr_npi=1, **fields)


def submitted(peer: Raw, request: Pdu) -> str:
    """The message_id of a message that was taken."""
    status, response = peer.ask(request)
    assert status == 0
    message_id: str = response.message_id
    return message_id


def receipts(peer: Raw, message_id: str, count: int) -> list[Any]:
    """So many receipts of one id."""
    found: list[Any] = []

    def is_new(_command_id: int, pdu: Any) -> bool:
        text = bytes(getattr(pdu, "short_message", b""))
        if text.startswith(f"id:{message_id} ".encode()) and pdu not in found:
            found.append(pdu)
        return len(found) == count

    peer.wait_for(is_new)
    return found


# --- a foreign client -------------------------------------------------------------------------


def test_smpplib_asks_what_became_of_its_message(gateway: RunningGateway, esme: Connect) -> None:
    client = esme(gateway.port)
    client.bind()
    client.submit()
    client.read_until(responses=1, delivered=1)
    answers: list[Any] = []
    client.set_query_resp_handler(lambda pdu, **_: answers.append(pdu))
    client.query_message(
        message_id=client.responses[0].message_id.decode(),
        source_addr_ton=5,
        source_addr_npi=0,
        source_addr="Shop",
    )
    while not answers:
        client.read_once(auto_send_enquire_link=False)
    assert (answers[0].message_state, answers[0].error_code) == (2, 0)
    assert answers[0].final_date.endswith(b"00+")


def test_smpplib_sends_data_sm_and_hears_of_it(gateway: RunningGateway, esme: Connect) -> None:
    client = esme(gateway.port)
    client.bind()
    request = smpplib.smpp.make_pdu(
        "data_sm",
        client=client,
        source_addr_ton=5,
        source_addr="Shop",
        dest_addr_ton=1,
        destination_addr=TO,
        registered_delivery=1,
        message_payload=b"by data_sm",
    )
    client.send_pdu(request)
    client.read_until(delivered=1)
    assert b"stat:DELIVRD" in client.delivered[0].short_message


# --- our own octets ---------------------------------------------------------------------------


def test_a_scheduled_message_is_asked_for_changed_and_cancelled_over_a_restart(
    start_gateway: StartGateway, dial: Dial
) -> None:
    gateway = start_gateway()
    peer = dial(gateway.port).bind(version=0x50)
    first = submitted(peer, submit(schedule_delivery_time=LATER, registered_delivery=1))
    query = QuerySm(message_id=first, source_addr="Shop")
    status, response = peer.ask(query)
    assert (status, response.message_state, response.final_date) == (0, State.SCHEDULED, "")
    replace = ReplaceSm(message_id=first, source_addr="Shop", short_message=b"new")
    assert peer.ask(replace)[0] == 0
    gateway.stop()

    gateway = start_gateway()
    peer = dial(gateway.port).bind()
    assert peer.ask(query)[1].message_state == State.ENROUTE, "3.4 knows no SCHEDULED"
    message, progress = gateway.message(int(first))
    assert (b"new" in message.body, progress.state) == (True, State.SCHEDULED)
    assert peer.ask(CancelSm(message_id=first, source_addr="Bank"))[0] == Status.ESME_RCANCELFAIL
    assert peer.ask(CancelSm(source_addr="Shop", destination_addr=TO))[0] == 0
    status, response = peer.ask(query)
    assert (status, response.message_state) == (0, State.DELETED)
    assert peer.ask(CancelSm(message_id=first, source_addr="Shop"))[0] == Status.ESME_RCANCELFAIL
    assert peer.ask(replace)[0] == Status.ESME_RREPLACEFAIL
    # It wanted no receipt any more: replace_sm said registered_delivery 0.
    assert peer.got == []


def test_a_cancelled_message_has_its_receipt(gateway: RunningGateway, dial: Dial) -> None:
    peer = dial(gateway.port).bind()
    id_ = submitted(peer, submit(schedule_delivery_time=LATER, registered_delivery=1))
    assert peer.ask(CancelSm(message_id=id_, source_addr="Shop"))[0] == 0
    (receipt,) = receipts(peer, id_, 1)
    assert b"stat:DELETED" in receipt.short_message


def test_replace_if_present_leaves_one_message(gateway: RunningGateway, dial: Dial) -> None:
    peer = dial(gateway.port).bind()
    wishes = {"schedule_delivery_time": LATER, "replace_if_present_flag": 1}
    ids = [submitted(peer, submit(text, **wishes)) for text in (b"one", b"two", b"three")]
    states = []
    for id_ in ids:
        _, response = peer.ask(QuerySm(message_id=id_, source_addr="Shop"))
        states.append(response.message_state)
    assert states == [State.DELETED, State.DELETED, State.ENROUTE]


def test_submit_multi_to_numbers_and_a_list(start_gateway: StartGateway, dial: Dial) -> None:
    gateway = start_gateway(ACCOUNT + SIMULATOR + LISTS)
    peer = dial(gateway.port).bind()
    status, response = peer.ask(
        SubmitMulti(
            source_addr="Shop",
            dest_address=(
                SmeAddress(dest_addr_ton=1, dest_addr_npi=1, destination_addr=TO),
                DistributionList(dl_name="staff"),
                DistributionList(dl_name="nobody"),
            ),
            registered_delivery=1,
            short_message=b"to all",
        )
    )
    assert status == 0
    (refused,) = response.unsuccess_sme
    assert (refused.destination_addr, refused.error_status_code) == (
        "nobody",
        Status.ESME_RINVDLNAME,
    )
    got = receipts(peer, response.message_id, 3)
    assert sorted(one.source_addr for one in got) == ["41791110001", "41791110002", TO]
    _, answer = peer.ask(QuerySm(message_id=response.message_id, source_addr="Shop"))
    assert answer.message_state == State.DELIVERED


def test_a_canned_text(start_gateway: StartGateway, dial: Dial) -> None:
    gateway = start_gateway(smpp='default_messages = { 7 = "Ready: 5 €" }')
    peer = dial(gateway.port).bind()
    assert peer.ask(submit(b"", sm_default_msg_id=8))[0] == Status.ESME_RINVDFTMSGID
    id_ = submitted(peer, submit(b"", sm_default_msg_id=7))
    message, _ = gateway.message(int(id_))
    assert b"Ready: 5 \x1be" in message.body


@pytest.mark.parametrize(("fail", "status"), [(0.0, 0), (1.0, Status.ESME_RDELIVERYFAILURE)])
def test_transaction_mode_tells_the_end(
    fail: float, status: int, start_gateway: StartGateway, dial: Dial
) -> None:
    gateway = start_gateway(ACCOUNT + SIMULATOR.replace("delay_s = 0.0", f"fail = {fail}"))
    for version, request in (
        (0x34, DataSm(destination_addr=TO, esm_class=2)),
        (0x50, submit(esm_class=2)),
    ):
        peer = dial(gateway.port).bind(version=version)
        answer, response = peer.ask(request)
        assert answer == status
        _, progress = gateway.message(int(response.message_id))
        if status:
            assert progress.state is State.UNDELIVERABLE
            assert (int(Tag.DELIVERY_FAILURE_REASON), b"\3") in response.tlvs
        else:
            assert progress.state is State.DELIVERED
        tags = [tag for tag, _ in response.tlvs]
        assert (int(Tag.CONGESTION_STATE) in tags) == (version == 0x50)


def test_a_priority_overtakes_what_waits(start_gateway: StartGateway, dial: Dial) -> None:
    narrow = SIMULATOR.replace("delay_s = 0.0", "delay_s = 0.0\nwindow = 1")
    gateway = start_gateway(ACCOUNT + narrow)
    sent: list[int] = []
    outlet: Any = gateway.gateway.outlets["sim"]  # type: ignore[index]
    send = outlet.send

    def watched(batch: Any) -> None:
        sent.extend(one.message.priority for one in batch)
        send(batch)

    outlet.send = watched
    peer = dial(gateway.port).bind()
    requests = [submit(priority_flag=number % 4) for number in range(40)]
    peer.send(b"".join(encode(one, at + 2) for at, one in enumerate(requests)))
    for _ in requests:
        assert peer.read() is not None
    gateway.wait_until(lambda: len(sent) == 40)
    assert sent == sorted(sent, reverse=True)


def test_an_intermediate_notification_and_then_the_receipt(
    gateway: RunningGateway, dial: Dial
) -> None:
    peer = dial(gateway.port).bind()
    id_ = submitted(peer, submit(registered_delivery=0x11))
    notice, receipt = receipts(peer, id_, 2)
    assert (notice.esm_class, receipt.esm_class) == (0x20, 0x04)
    assert b"stat:ENROUTE" in notice.short_message


def test_broadcast_is_refused_in_each_version(gateway: RunningGateway, dial: Dial) -> None:
    request = CancelBroadcastSm(message_id="1")
    assert dial(gateway.port).bind(version=0x50).ask(request)[0] == Status.ESME_RPROHIBITED
    old = dial(gateway.port).bind()
    old.send(encode(request, 9))
    answer = old.read()
    assert answer is not None
    assert answer[:3] == (Command.GENERIC_NACK, Status.ESME_RINVCMDID, 9)


# --- behind a carrier -------------------------------------------------------------------------


def simulate_mo(carrier: RunningGateway, from_: str) -> None:
    """A handset of the carrier's network sends a message."""
    assert carrier.http is not None
    request = urllib.request.Request(
        f"http://127.0.0.1:{carrier.http[1]}/v1/simulate/mo",
        json.dumps({"outlet": "net", "from": from_, "to": "12345", "text": "yes"}).encode(),
        {
            "Authorization": "Basic " + b64encode(b"boss:boss").decode(),
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        response.read()


def test_receipts_and_messages_come_from_a_carrier_by_data_sm(
    start_gateway: StartGateway, dial: Dial
) -> None:
    carrier = start_gateway(CARRIER.format(fail=0.0), "carrier")
    gateway = start_gateway(NODE.format(port=carrier.port), "node")
    gateway.wait_for_event("link.bound")
    peer = dial(gateway.port).bind()
    id_ = submitted(peer, submit(registered_delivery=1))
    (receipt,) = receipts(peer, id_, 1)
    assert b"stat:DELIVRD" in receipt.short_message
    simulate_mo(carrier, "41795550001")
    mo = peer.wait_for(lambda _, pdu: pdu.source_addr == "41795550001")
    assert (Tag.MESSAGE_PAYLOAD, b"yes") in mo.tlvs
    carrier.wait_until(lambda: carrier.gateway.mailboxes.in_hand == 0)


def test_an_alert_when_the_handset_is_back(start_gateway: StartGateway, dial: Dial) -> None:
    carrier = start_gateway(CARRIER.format(fail=1.0), "carrier")
    gateway = start_gateway(NODE.format(port=carrier.port), "node")
    gateway.wait_for_event("link.bound")
    peer = dial(gateway.port).bind()
    flag = (int(Tag.SET_DPF), b"\1")
    id_ = submitted(peer, submit(registered_delivery=1, tlvs=(flag,)))
    (receipt,) = receipts(peer, id_, 1)
    assert b"stat:UNDELIV" in receipt.short_message
    simulate_mo(carrier, TO)
    alert = peer.wait_for(lambda command_id, _: command_id == Command.ALERT_NOTIFICATION)
    assert (alert.source_addr, alert.esme_addr) == (TO, "Shop")
