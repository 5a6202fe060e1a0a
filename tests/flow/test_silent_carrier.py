"""A carrier that falls silent holds a window of messages, and nobody else's."""

from collections.abc import Iterator

import pytest

from smsc.message import Draft, MessageId, State
from smsc.ports import Admitted
from tests.fakes.hostile import HostileCarrier
from tests.fakes.house import RunningGateway, StartGateway
from tests.flow.house import DEMO, body_to

WINDOW = 5
ENQUIRE_S = 0.3
LINK = """
[outlets.{name}]
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "gw"
window = {window}
reconnect_s = 0.01
enquire_link_s = {enquire_s}
response_timeout_s = 60.0
[outlets.{name}.retry]
schedule_s = [0.02]
[[routes]]
to = ["{to}"]
outlets = ["{name}"]
"""


@pytest.fixture
def carriers() -> Iterator[tuple[HostileCarrier, HostileCarrier]]:
    both = HostileCarrier(), HostileCarrier()
    yield both
    for one in both:
        one.close()


def submit(gateway: RunningGateway, to: str, count: int) -> list[MessageId]:
    drafts = [Draft(DEMO, "smpp", body_to(to)) for _ in range(count)]
    answers = gateway.await_(lambda: gateway.gateway.http.submit.submit_many(drafts))
    return [one.id for one in answers if isinstance(one, Admitted)]


def states(gateway: RunningGateway, ids: list[MessageId]) -> list[State]:
    """Within the loop."""
    return [one.state for one in gateway.gateway.store.progresses(ids) if one is not None]


def test_it_caps_its_window_is_left_and_slows_nobody(
    start_gateway: StartGateway,
    carriers: tuple[HostileCarrier, HostileCarrier],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bridges.smpp_upstream._TICK_S", 0.02)
    monkeypatch.setattr("smsc.link._LAST_WORDS_S", 0.05)
    silent, lively = carriers
    gateway = start_gateway(
        '[accounts.demo]\npassword = "demo"\n'
        + LINK.format(name="silent", port=silent.port, window=WINDOW, enquire_s=ENQUIRE_S, to="41")
        + LINK.format(name="lively", port=lively.port, window=100, enquire_s=30.0, to="43")
    )
    gateway.wait_for_event("link.bound", 2)
    silent.play(["silence"])
    held = submit(gateway, "4179", 50)
    others = submit(gateway, "4366", 2000)

    def is_over() -> bool:
        in_hand = gateway.gateway.dispatch.in_hand(silent_name)
        assert in_hand <= WINDOW, "no more than its window is lost to it"
        return set(states(gateway, others)) == {State.DELIVERED}

    silent_name = next(name for name in gateway.gateway.outlets if name == "silent")
    gateway.wait_until(is_over, "the lively carrier is not held up")
    gateway.wait_for_event("link.down")
    (down,) = gateway.log.named("link.down")
    assert down["outlet"] == "silent"
    gateway.wait_until(lambda: set(states(gateway, held)) == {State.DELIVERED})
    assert sum(silent.submits.values()) <= len(held) + WINDOW
    assert sum(lively.submits.values()) == len(others)
