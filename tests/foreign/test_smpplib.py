"""smpplib, a client we did not write, against a whole gateway."""

import re
from collections.abc import Callable
from functools import partial

import pytest
import smpplib.consts
import smpplib.gsm
import smpplib.smpp

from pdu.status import Status
from pdu.tlvs import Tag, find_tlv
from smsc.message import State
from tests.fakes.house import ACCOUNT, SIMULATOR, RunningGateway, StartGateway
from tests.foreign.esme import Esme

Connect = Callable[[int], Esme]
GSM_TEXT = "Grüße an @all: 5€ für {dich}!"
UCS2_TEXT = "Привет, 世界 🎉"
FAILING = ACCOUNT + SIMULATOR.replace("delay_s = 0.0", "delay_s = 0.0\nfail = 1.0")


def parts_of(client: Esme, gateway: RunningGateway) -> list[bytes]:
    """What the gateway stored as short_message, in the order of the responses."""
    texts = []
    for response in client.responses:
        message, _ = gateway.message(response.message_id)
        peek = message.peek
        texts.append(message.body[peek.text_at : peek.text_at + peek.sm_length])
    return texts


# --- binds ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["transmitter", "receiver", "transceiver"])
def test_each_bind_is_accepted_and_unbound(
    kind: str, gateway: RunningGateway, esme: Connect
) -> None:
    client = esme(gateway.port)
    answer = client.bind(kind)
    assert answer.system_id == b"smsc"
    assert answer.sc_interface_version == 0x34
    assert client.unbind().command == "unbind_resp"


def test_wrong_passwords_and_names_are_refused(gateway: RunningGateway, esme: Connect) -> None:
    client = esme(gateway.port)
    with pytest.raises(smpplib.exceptions.PDUError) as refusal:
        client.bind(password="wrong")
    assert refusal.value.args[1] == Status.ESME_RINVPASWD
    with pytest.raises(smpplib.exceptions.PDUError) as refusal:
        client.bind(name="nobody")
    assert refusal.value.args[1] == Status.ESME_RINVSYSID
    client.bind()


def test_enquire_link_is_answered(gateway: RunningGateway, esme: Connect) -> None:
    client = esme(gateway.port)
    client.bind()
    client.send_pdu(smpplib.smpp.make_pdu("enquire_link", client=client))
    assert client.read_pdu().command == "enquire_link_resp"


def test_a_silent_client_is_asked_and_its_answer_keeps_it(
    start_gateway: StartGateway, esme: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smsc.server._TICK_S", 0.02)
    gateway = start_gateway(smpp="enquire_link_s = 0.1")
    client = esme(gateway.port)
    client.bind()
    # More often than a session survives without an answer.
    for _ in range(4):
        asked = client.read_pdu()
        assert asked.command == "enquire_link"
        client._enquire_link_received(asked)
    assert client.unbind().command == "unbind_resp"


def test_a_stop_unbinds_the_client(gateway: RunningGateway, esme: Connect) -> None:
    client = esme(gateway.port)
    client.bind()
    gateway.tell_to_stop()
    asked = client.read_pdu()
    assert asked.command == "unbind"
    answer = smpplib.smpp.make_pdu("unbind_resp", client=client)
    answer.sequence = asked.sequence
    client.send_pdu(answer)
    client.close()
    assert gateway.stop() == 0


# --- messages and receipts --------------------------------------------------------------------


def test_a_message_is_accepted_and_its_receipt_comes_home(
    gateway: RunningGateway, esme: Connect
) -> None:
    client = esme(gateway.port)
    client.bind()
    client.submit(b"hello")
    client.read_until(responses=1, delivered=1)
    id_ = client.responses[0].message_id
    receipt = client.delivered[0]
    assert receipt.esm_class == 0x04
    assert receipt.receipted_message_id.rstrip(b"\0") == id_
    assert receipt.message_state == State.DELIVERED
    assert re.fullmatch(
        rb"id:%b sub:001 dlvrd:001 submit date:\d{10} done date:\d{10} "
        rb"stat:DELIVRD err:000 text:.*" % id_,
        receipt.short_message,
    )
    assert (receipt.source_addr, receipt.destination_addr) == (b"41791234567", b"Shop")


@pytest.mark.parametrize(
    ("text", "coding"),
    [
        (GSM_TEXT, smpplib.consts.SMPP_ENCODING_DEFAULT),
        (UCS2_TEXT, smpplib.consts.SMPP_ENCODING_ISO10646),
        (GSM_TEXT * 12, smpplib.consts.SMPP_ENCODING_DEFAULT),
        (UCS2_TEXT * 12, smpplib.consts.SMPP_ENCODING_ISO10646),
    ],
    ids=["GSM-7", "UCS-2", "long GSM-7", "long UCS-2"],
)
def test_texts_are_stored_as_sent_and_each_part_has_its_receipt(
    gateway: RunningGateway, esme: Connect, text: str, coding: int
) -> None:
    client = esme(gateway.port)
    client.bind()
    parts, chosen, esm_class = smpplib.gsm.make_parts(text)
    assert chosen == coding
    for part in parts:
        client.submit(part, data_coding=coding, esm_class=esm_class)
    client.read_until(responses=len(parts), delivered=len(parts))
    assert parts_of(client, gateway) == parts
    ids = {response.message_id for response in client.responses}
    assert len(ids) == len(parts)
    assert {one.receipted_message_id.rstrip(b"\0") for one in client.delivered} == ids


def test_a_long_message_payload_is_one_message_with_one_receipt(
    gateway: RunningGateway, esme: Connect
) -> None:
    client = esme(gateway.port)
    client.bind()
    payload = b"All work and no play makes Jack a dull boy. " * 20
    client.submit(b"", message_payload=payload)
    client.read_until(responses=1, delivered=1)
    message, progress = gateway.message(client.responses[0].message_id)
    assert find_tlv(message.body, message.peek.tlvs_at, Tag.MESSAGE_PAYLOAD) == payload
    assert len(progress.parts) == 6
    assert b"sub:006 dlvrd:006" in client.delivered[0].short_message


@pytest.mark.parametrize(
    ("registered_delivery", "fails", "wanted"),
    [(0, False, 0), (0, True, 0), (1, True, 1), (2, False, 0), (2, True, 1), (3, True, 0)],
)
def test_a_receipt_comes_only_if_asked_for(
    start_gateway: StartGateway, esme: Connect, registered_delivery: int, fails: bool, wanted: int
) -> None:
    gateway = start_gateway(FAILING) if fails else start_gateway()
    client = esme(gateway.port)
    client.bind()
    client.submit(registered_delivery=registered_delivery)
    client.read_until(responses=1)
    id_ = client.responses[0].message_id
    state = State.UNDELIVERABLE if fails else State.DELIVERED
    gateway.wait_until(lambda: _state(gateway, id_) is state)
    client.submit(to="41790000000")  # a message behind it, whose receipt would come later
    client.read_until(responses=2, delivered=1 + wanted)
    receipts = [one for one in client.delivered if one.source_addr == b"41791234567"]
    assert len(receipts) == wanted
    if wanted:
        assert receipts[0].message_state == State.UNDELIVERABLE
        assert b"dlvrd:000" in receipts[0].short_message
        assert b"stat:UNDELIV err:001" in receipts[0].short_message
        assert receipts[0].network_error_code


def _state(gateway: RunningGateway, id_: bytes) -> State | None:
    progress = gateway.gateway.store.progress(int(id_))  # type: ignore[arg-type]
    return progress.state if progress is not None else None


def test_receipts_wait_on_disk_for_a_receiver_even_over_a_restart(
    start_gateway: StartGateway, esme: Connect
) -> None:
    gateway = start_gateway()
    sender = esme(gateway.port)
    sender.bind("transmitter")
    for _ in range(3):
        sender.submit()
    sender.read_until(responses=3)
    ids = [response.message_id for response in sender.responses]
    gateway.wait_until(lambda: all(_state(gateway, id_) is State.DELIVERED for id_ in ids))
    gateway.kill()
    again = start_gateway()
    receiver = esme(again.port)
    receiver.bind("receiver")
    receiver.read_until(delivered=3)
    assert [one.receipted_message_id.rstrip(b"\0") for one in receiver.delivered] == ids


def test_a_receipt_that_was_not_answered_comes_again(
    gateway: RunningGateway, esme: Connect
) -> None:
    first = esme(gateway.port)
    first.bind()
    first.submit()
    seen = [first.read_pdu().command, first.read_pdu().command]
    assert sorted(seen) == ["deliver_sm", "submit_sm_resp"]
    first.close()
    second = esme(gateway.port)
    second.bind("receiver")
    second.read_until(delivered=1)
    # Now it was answered: a third one gets nothing but what comes after.
    assert second.unbind().command == "unbind_resp"
    third = esme(gateway.port)
    third.bind()
    third.submit(to="41790000000")
    third.read_until(responses=1, delivered=1)
    assert [one.source_addr for one in third.delivered] == [b"41790000000"]


def test_no_route_is_a_refusal_and_nothing_is_stored(
    start_gateway: StartGateway, esme: Connect
) -> None:
    gateway = start_gateway(ACCOUNT + SIMULATOR + 'to = ["41"]\n')
    client = esme(gateway.port)
    client.bind()
    client.submit(to="49170")
    client.submit(to="")
    client.read_until(responses=2)
    assert [one.status for one in client.responses] == [Status.ESME_RINVDSTADR] * 2
    assert gateway.call(lambda: list(gateway.gateway.store.waiting())) == []


def test_a_message_from_the_network_reaches_the_account(
    start_gateway: StartGateway, esme: Connect
) -> None:
    toml = ACCOUNT + SIMULATOR + '[[mo_routes]]\nto = ["12345"]\naccount = "demo"\n'
    gateway = start_gateway(toml)
    client = esme(gateway.port)
    client.bind("receiver")
    send = partial(gateway.gateway.http.simulate_mo, "sim", "41791234567", "12345", "STOP it")
    assert gateway.await_(send) is None
    client.read_until(delivered=1)
    message = client.delivered[0]
    assert (message.esm_class, message.short_message) == (0, b"STOP it")
    assert (message.source_addr, message.destination_addr) == (b"41791234567", b"12345")


def test_two_sessions_share_the_receipts_of_a_third(gateway: RunningGateway, esme: Connect) -> None:
    clients = [esme(gateway.port), esme(gateway.port)]
    for client in clients:
        client.bind()
    sender = esme(gateway.port)
    sender.bind("transmitter")
    for _ in range(10):
        sender.submit()
    sender.read_until(responses=10)
    done = gateway.gateway.mailboxes
    while gateway.call(lambda: done.delivered_count) < 10:
        for client in clients:
            client.poll(auto_send_enquire_link=False)
    assert min(len(client.delivered) for client in clients) > 0
    assert sum(len(client.delivered) for client in clients) == 10


def test_receipts_go_to_the_session_that_submitted(gateway: RunningGateway, esme: Connect) -> None:
    clients = [esme(gateway.port), esme(gateway.port)]
    for client in clients:
        client.bind()
    for _ in range(10):
        clients[1].submit()
    clients[1].read_until(responses=10)
    while gateway.call(lambda: gateway.gateway.mailboxes.delivered_count) < 10:
        for client in clients:
            client.poll(auto_send_enquire_link=False)
    assert [len(client.delivered) for client in clients] == [0, 10]
