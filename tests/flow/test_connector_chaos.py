"""A service that does anything at any time: nothing is lost, and what may be there goes once only."""

import random
import threading
from collections import Counter

import attrs
import pytest

from smsc.message import State
from tests.fakes.house import ACCOUNT, StartGateway
from tests.fakes.services.clickatell import FakePlatform
from tests.fakes.services.web import Answer, Cut, Hang, Say, Seen, serving_aside
from tests.flow.test_connectors import HTTP, post, route

MESSAGES = 100
_HALF = Cut(b"HTTP/1.1 202 Accepted\r\nContent-Length: 100\r\n\r\n{")


@attrs.define
class Chaos:
    """Takes a message, refuses it, or leaves open which; counts what the gateway may believe."""

    draw: random.Random
    share: float = 0.5
    """Of requests that end other than well."""
    possible: Counter[str] = attrs.Factory(Counter)
    """How often the service may have taken each message."""
    refused: int = 0
    _fake: FakePlatform = attrs.Factory(FakePlatform)
    _lock: threading.Lock = attrs.Factory(threading.Lock)

    def __call__(self, seen: Seen) -> Answer:
        reference = str(seen.json["messages"][0]["clientMessageId"])  # type: ignore[index]
        with self._lock:
            if self.draw.random() >= self.share:
                self.possible[reference] += 1
                return self._fake(seen)
            if self.draw.random() < 0.5:
                self.refused += 1
                full = FakePlatform(("18", "queue full"))(seen)
                return (Say(500), Say(503), full)[self.draw.randrange(3)]
            self.possible[reference] += 1
            open_ends: list[Answer] = [Cut(), Hang(), _HALF, Say(202, b"?"), Say(504)]
            return self.draw.choice(open_ends)


def toml(url: str, ambiguous: str) -> str:
    return (
        ACCOUNT
        + HTTP
        + f"""
[outlets.online]
kind = "clickatell"
api = "one"
url = "{url}"
key = "the-key=="
ambiguous = "{ambiguous}"
concurrency = 8
read_timeout_s = 0.1
breaker_failures = 20
breaker_s = 0.1
[outlets.online.retry]
schedule_s = [0.05]
jitter = 0
"""
        + route("41", "online")
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_with_resend_each_message_arrives_in_the_end(
    start_gateway: StartGateway, seed: int
) -> None:
    chaos = Chaos(random.Random(seed))
    with serving_aside(chaos) as web:
        gateway = start_gateway(toml(web.url, "resend"))
        ids = post(gateway, "41791234567", count=MESSAGES)

        def all_accepted() -> bool:
            states = [gateway.gateway.store.progress(id_) for id_ in ids]  # type: ignore[arg-type]
            return all(one is not None and one.state is State.ACCEPTED for one in states)

        gateway.wait_until(all_accepted, "all accepted")
        facts = gateway.call(gateway.gateway.pulse.health).facts["outlets"]["online"]  # type: ignore[index]
    assert set(chaos.possible) == {str(id_) for id_ in ids}
    repeated = sum(chaos.possible.values()) - MESSAGES
    assert 0 < repeated == facts["unanswered"], "none but those in doubt was sent twice"
    assert facts["accepted"] == MESSAGES
    assert chaos.refused == facts["retried"]


@pytest.mark.parametrize("seed", [1, 2])
def test_with_hold_nothing_that_may_be_there_goes_twice(
    start_gateway: StartGateway, seed: int
) -> None:
    chaos = Chaos(random.Random(seed))
    with serving_aside(chaos) as web:
        gateway = start_gateway(toml(web.url, "hold"))
        ids = post(gateway, "41791234567", count=MESSAGES)

        def all_settled() -> bool:
            held = gateway.gateway.pulse.health().facts["held"].get("online", 0)  # type: ignore[attr-defined]
            states = [gateway.gateway.store.progress(id_) for id_ in ids]  # type: ignore[arg-type]
            accepted = sum(one is not None and one.state is State.ACCEPTED for one in states)
            return bool(held + accepted == MESSAGES)

        gateway.wait_until(all_settled, "accepted or held")
        assert set(chaos.possible.values()) == {1}
        gateway.kill()
        again = start_gateway(toml(web.url, "hold"))
        again.wait_until(lambda: not again.gateway.pulse.is_restoring)
        held = again.call(again.gateway.pulse.health).facts["held"]
        assert sum(held.values()) > 10  # type: ignore[attr-defined]
        assert set(chaos.possible.values()) == {1}, "nor after a restart"
