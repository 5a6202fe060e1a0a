"""What smpplib notices of the store-and-forward policies, against a whole gateway."""

from collections.abc import Callable

from tests.fakes.house import ACCOUNT, SIMULATOR, RunningGateway, StartGateway
from tests.foreign.esme import Esme

Connect = Callable[[int], Esme]
ONCE = ACCOUNT + "duplicates_s = 600\n" + SIMULATOR


def test_a_receipt_comes_to_the_session_that_submitted(
    gateway: RunningGateway, esme: Connect
) -> None:
    clients = [esme(gateway.port) for _ in range(3)]
    for client in clients:
        client.bind()
    for number, client in enumerate(clients):
        for _ in range(number + 2):
            client.submit()
    for number, client in enumerate(clients):
        client.read_until(responses=number + 2, delivered=number + 2)
        ids = {one.message_id for one in client.responses}
        assert {one.receipted_message_id.rstrip(b"\0") for one in client.delivered} == ids


def test_the_same_submission_is_one_message_on_any_session_and_after_a_restart(
    start_gateway: StartGateway, esme: Connect
) -> None:
    gateway = start_gateway(ONCE)
    first, second = esme(gateway.port), esme(gateway.port)
    for client in (first, second):
        client.bind("transmitter")
        client.submit(user_message_reference=7)
        client.read_until(responses=1)
    first.submit(user_message_reference=8)
    first.read_until(responses=2)
    gateway.kill()
    gateway = start_gateway(ONCE)
    third = esme(gateway.port)
    third.bind("transmitter")
    third.submit(user_message_reference=7)
    third.read_until(responses=1)
    id_ = first.responses[0].message_id
    assert [second.responses[0].message_id, third.responses[0].message_id] == [id_, id_]
    assert first.responses[1].message_id != id_
    assert gateway.call(lambda: gateway.gateway.store.counts()["message"]) == 2
