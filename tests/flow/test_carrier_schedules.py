"""A whole gateway against a hostile carrier whose script Hypothesis writes."""

import time
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smsc.message import FINAL, Draft, Mailbox, MessageId, State
from smsc.ports import Admitted
from tests.fakes.hostile import IDS, WORDS, HostileCarrier
from tests.fakes.house import PATIENCE_S, RunningGateway, StartGateway
from tests.flow.house import DEMO, body_to

NODE = """
[accounts.demo]
password = "demo"
[outlets.carrier]
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "gw"
window = {window}
reconnect_s = 0.01
response_timeout_s = 0.3
enquire_link_s = 0.2
[outlets.carrier.retry]
schedule_s = [0.02]
[[routes]]
outlets = ["carrier"]
"""
WINDOW = 5
TEXTS = count(1)
SCRIPTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=25)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smsc.flow.early._AFTER_MS", (20,) * 200)
    monkeypatch.setattr("smsc.gateway.life._TICK_S", 0.05)
    monkeypatch.setattr("bridges.smpp_upstream._TICK_S", 0.02)
    monkeypatch.setattr("bridges.upstream_pace._SLOWEST", 200.0)
    monkeypatch.setattr("smsc.link._LAST_WORDS_S", 0.05)
    monkeypatch.setattr("tests.fakes.house.PATIENCE_S", 60.0)


@pytest.fixture
def carriers() -> Iterator[list[HostileCarrier]]:
    """Carriers that end with the test."""
    some: list[HostileCarrier] = []
    yield some
    for one in some:
        one.close()


class Trial:
    """One gateway and its carrier; what was accepted so far and how it ended."""

    def __init__(self, gateway: RunningGateway, carrier: HostileCarrier) -> None:
        self.gateway = gateway
        self.carrier = carrier
        self.texts: dict[MessageId, bytes] = {}

    def run(self, script: list[str], messages: int) -> None:
        self.carrier.play(script)
        texts = [b"message %d" % next(TEXTS) for _ in range(messages)]
        drafts = [Draft(DEMO, "smpp", body_to(short_message=text)) for text in texts]
        answers = self.gateway.await_(lambda: self.gateway.gateway.http.submit.submit_many(drafts))
        for answer, text in zip(answers, texts, strict=True):
            assert isinstance(answer, Admitted)
            self.texts[answer.id] = text
        self.gateway.wait_until(self._is_over, f"all messages of {script} ended")
        until = time.monotonic() + PATIENCE_S
        while self.carrier.unacknowledged and time.monotonic() < until:
            time.sleep(0.005)
        self.check()

    def _is_over(self) -> bool:
        progresses = self.gateway.gateway.store.progresses(list(self.texts))
        return all(one is not None and one.state in FINAL for one in progresses)

    def check(self) -> None:
        store = self.gateway.gateway.store
        ids = list(self.texts)
        # The ledger: accepted = final, nothing more, nothing less.
        assert self.gateway.call(lambda: store.counts()["message"]) == len(ids)
        progresses = self.gateway.call(lambda: store.progresses(ids))
        states = {
            id_: one.state for id_, one in zip(ids, progresses, strict=True) if one is not None
        }
        assert set(states.values()) <= {State.DELIVERED, State.UNDELIVERABLE, State.REJECTED}
        # One final state, told once.
        parked = self.gateway.call(lambda: store.parked(Mailbox("demo"), MessageId(0), 10**6))
        assert sorted((one.message_id, one.state) for one in parked) == sorted(states.items())
        # Everybody was sent, and again only with a reason.
        for text in self.texts.values():
            again = self.carrier.submits[text] - 1
            assert 0 <= again <= self.carrier.excuses[text], text
        # Every receipt was acknowledged, and well; one socket at a time.
        assert self.carrier.unacknowledged == 0
        assert self.carrier.refused_acks == 0


def trial(start: StartGateway, carriers: list[HostileCarrier], *, ids: str = "same") -> Trial:
    carriers.append(HostileCarrier(ids=ids))
    port = carriers[-1].port
    gateway = start(NODE.format(port=port, window=WINDOW), f"node-{port}")
    return Trial(gateway, carriers[-1])


@pytest.mark.parametrize("word", WORDS)
def test_each_misdeed(
    start_gateway: StartGateway, carriers: list[HostileCarrier], word: str
) -> None:
    one = trial(start_gateway, carriers)
    one.run(["good", word, "good", word, word], 8)


@pytest.mark.parametrize("ids", IDS)
def test_any_schedule(
    start_gateway: StartGateway, carriers: list[HostileCarrier], ids: str
) -> None:
    one = trial(start_gateway, carriers, ids=ids)
    quick = settings(
        max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )

    @quick
    @given(script=SCRIPTS, messages=st.integers(1, 12), is_reversing=st.booleans())
    def play(script: list[str], messages: int, is_reversing: bool) -> None:
        one.carrier.is_reversing = is_reversing
        one.run(script, messages)

    play()
    assert one.carrier.connections > 1


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("ids", IDS)
def test_any_schedule_for_long(
    start_gateway: StartGateway, carriers: list[HostileCarrier], ids: str
) -> None:
    one = trial(start_gateway, carriers, ids=ids)

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(script=SCRIPTS, messages=st.integers(1, 40), is_reversing=st.booleans())
    def play(script: list[str], messages: int, is_reversing: bool) -> None:
        one.carrier.is_reversing = is_reversing
        one.run(script, messages)

    play()
