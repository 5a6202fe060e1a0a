"""When to ask what became of a message."""

import pytest

from bridges.connectors import polling
from bridges.connectors.polling import Polls


def test_intervals_grow_until_the_time_is_over() -> None:
    polls = Polls(first_s=10.0, for_s=100.0)
    polls.add("a", 0.0)
    polls.add("a", 5.0)
    asked, now = [], 0.0
    while len(polls):
        wait_s = polls.wait_s(now)
        now += wait_s
        due = polls.take(now)
        assert due is not None
        asked.append(now)
        polls.again(*due, now)
    assert asked == [10.0, 25.0, 47.5, 81.25, 131.875]
    assert polls.given_up == 1
    assert polls.take(1e9) is None


def test_what_has_ended_is_not_asked_for() -> None:
    polls = Polls(10.0, 100.0)
    polls.add("a", 0.0)
    polls.add("b", 0.0)
    polls.discard("a")
    assert polls.take(9.0) is None
    assert polls.take(10.0) == ("b", 10.0)
    polls.discard("b")
    polls.again("b", 10.0, 10.0)
    assert polls.wait_s(10.0) == float("inf")


def test_there_is_a_limit_and_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "LIMIT", 2)
    polls = Polls(10.0, 100.0)
    for name in "abc":
        polls.add(name, 0.0)
    assert [polls.take(10.0), polls.take(10.0)] == [("b", 10.0), ("c", 10.0)]
    assert polls.given_up == 1
