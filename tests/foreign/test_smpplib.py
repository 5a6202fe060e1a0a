"""smpplib, a client we did not write, against a whole gateway."""

from collections.abc import Callable

import pytest

from tests.fakes.house import RunningGateway
from tests.foreign.esme import Esme

Connect = Callable[[int], Esme]


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
    assert receipt.message_state == 2
    assert receipt.short_message.startswith(b"id:" + id_ + b" sub:001 dlvrd:001 ")
    assert b"stat:DELIVRD err:000" in receipt.short_message
    assert (receipt.source_addr, receipt.destination_addr) == (b"41791234567", b"Shop")


@pytest.mark.parametrize("kind", ["transmitter", "receiver", "transceiver"])
def test_each_bind_is_accepted_and_unbound(
    kind: str, gateway: RunningGateway, esme: Connect
) -> None:
    client = esme(gateway.port)
    answer = client.bind(kind)
    assert answer.system_id == b"smsc"
    assert answer.sc_interface_version == 0x34
    assert client.unbind().command == "unbind_resp"
