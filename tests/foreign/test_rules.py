"""What rules do to messages of a real client in a real gateway."""

from collections.abc import Callable

from smsc.message import OutletName, State
from tests.fakes.house import ACCOUNT, RunningGateway
from tests.foreign.esme import Esme

RULES = """
[outlets.sim]
kind = "simulator"
delay_s = 0.0
[[routes]]
to = ["49"]
[routes.do]
drop = true
[[routes]]
outlets = ["sim"]
[routes.do]
validity_s = 600
tags = ["tried"]
"""


def test_a_dropped_message_is_accepted_and_nothing_comes_of_it(
    start_gateway: Callable[..., RunningGateway],
) -> None:
    gateway = start_gateway(ACCOUNT + RULES)
    client = Esme(gateway.port)
    client.bind()
    for to in ("4917012345", "41791234567", "4917012345"):
        client.submit(to=to)
    client.read_until(responses=3, delivered=1)
    dropped, sent, dropped_too = (int(one.message_id) for one in client.responses)
    client.close()
    assert [one.status for one in client.responses] == [0, 0, 0]
    for id_ in (dropped, dropped_too):
        message, progress = gateway.message(id_)
        assert progress.state is State.DELETED
        assert not progress.upstream_ids
        assert message.tags == ()
    message, progress = gateway.message(sent)
    assert progress.state is State.DELIVERED
    assert message.tags == ("tried",)
    assert message.expires_ms - message.accepted_ms == 600_000
    assert str(sent).encode() in client.delivered[0].short_message
    assert gateway.gateway.outlets[OutletName("sim")].statistics()["taken"] == 1
