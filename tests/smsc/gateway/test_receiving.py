"""Which outlet a service calls, and which are reminded of what was taken."""

from types import SimpleNamespace
from typing import Any

from smsc.gateway.outlet_keeper import Leaving
from smsc.gateway.receiving import receiver_at
from smsc.gateway.reminding import remind
from smsc.message import MessageId, OutletName, Progress, State
from tests.flow.house import A, B, FakeOutlet


def connector(path: str) -> Any:
    return SimpleNamespace(receipts_path=path)


def test_an_outlet_is_found_by_its_path_and_only_by_that() -> None:
    one, two = connector("/receipts/one"), connector("/receipts/two")
    outlets: Any = {"sim": FakeOutlet(A), "off": connector(""), "one": one, "two": two}
    assert receiver_at(outlets, "/receipts/two") is two
    for path in ("", "/", "/receipts", "/receipts/two/", "/receipts/TWO", "/receipts/ü"):
        assert receiver_at(outlets, path) is None


def test_an_outlet_that_goes_still_takes_calls() -> None:
    one = connector("/receipts/one")
    outlets: Any = {OutletName("one"): Leaving(one, OutletName("one"))}
    assert receiver_at(outlets, "/receipts/one") is one


def test_outlets_that_ask_for_ends_are_reminded_of_theirs() -> None:
    told: list[tuple[str, ...]] = []
    asks: Any = SimpleNamespace(remind=told.append)
    outlets: Any = {A: asks, B: FakeOutlet(B)}
    rows = [
        (MessageId(1), Progress(State.ENROUTE, A, upstream_ids=("x", "y"))),
        (MessageId(2), Progress(State.ENROUTE, B, upstream_ids=("z",))),
        (MessageId(3), Progress(State.QUEUED, A, upstream_ids=("q",))),
        (MessageId(4), Progress(State.ENROUTE, OutletName("gone"), upstream_ids=("g",))),
    ]
    remind(outlets, rows)
    assert told == [("x", "y")]
    remind({B: FakeOutlet(B)}, rows)
    assert len(told) == 1
