"""Guards against inflated traffic; time is an argument."""

import pytest

from pdu.status import Status
from routing import velocity
from routing.velocity import Exceeded, Guard, Velocity


def sent(guards: Velocity, times: int, now_s: float, account: str = "a", to: str = "4179") -> int:
    """How many of them were over a limit."""
    return sum(bool(guards.count(account, to, now_s)) for _ in range(times))


def test_over_the_limit_is_told_once_a_window() -> None:
    guards = Velocity([("ait", Guard(limit=3, window_s=60, digits=4))])
    assert sent(guards, 3, 0.0) == 0
    assert guards.count("a", "41791234567", 1.0) == [
        Exceeded("ait", "a", "4179", 4, 3, is_new=True, block=None)
    ]
    assert [one.is_new for one in guards.count("a", "41797654321", 2.0)] == [False]
    assert [one.is_new for one in guards.count("a", "4179", 61.0)] == [True]


def test_accounts_and_stretches_are_counted_by_themselves() -> None:
    guards = Velocity([("ait", Guard(limit=1, digits=3))])
    assert sent(guards, 1, 0.0, to="4179") == 0
    assert sent(guards, 1, 0.0, to="4429") == 0
    assert sent(guards, 1, 0.0, account="b", to="4179") == 0
    assert sent(guards, 1, 0.0, to="4178") == 1  # the same three digits
    assert guards.statistics() == {"ait": 3}


def test_a_guard_watches_what_it_is_told_to() -> None:
    guards = Velocity([("ait", Guard(limit=1, accounts=("a",), to=("41", "49")))])
    assert sent(guards, 9, 0.0, account="b") == 0
    assert sent(guards, 9, 0.0, to="44") == 0
    assert sent(guards, 2, 0.0) == 1
    assert sent(guards, 1, 0.0, to="49") == 1  # no digits: all its numbers together


def test_blocked_messages_pass_at_the_pace_of_the_limit() -> None:
    guards = Velocity([("ait", Guard(limit=10, window_s=10, action="block"))])
    passed = sum(
        not guards.count("a", "41", tick / 10) for tick in range(1000)
    )  # 100 s, 10 a second
    assert 90 <= passed <= 115
    found = guards.count("a", "41", 100.0)
    assert [one.block for one in found] == [Status.ESME_RTHROTTLED]


def test_an_alarm_lets_all_pass_and_counts_on() -> None:
    guards = Velocity([("ait", Guard(limit=2))])
    assert [one.count for _ in range(5) for one in guards.count("a", "41", 1.0)] == [3, 4, 5]


def test_the_last_window_fades() -> None:
    guards = Velocity([("ait", Guard(limit=10, window_s=10, action="block"))])
    assert sent(guards, 10, 9.0) == 0
    assert sent(guards, 1, 10.0) == 1  # the ten of a second ago still count
    assert sent(guards, 5, 15.0) == 0  # half of them
    assert sent(guards, 1, 15.0) == 1
    assert sent(guards, 10, 40.0) == 0  # long forgotten


def test_a_clock_that_steps_back_does_not_open_the_gate() -> None:
    guards = Velocity([("ait", Guard(limit=2, window_s=10))])
    assert sent(guards, 2, 100.0) == 0
    assert sent(guards, 1, 50.0) == 1


def test_the_blocking_guard_comes_first() -> None:
    guards = Velocity(
        [
            ("loud", Guard(limit=1)),
            ("hard", Guard(limit=1, action="block", status="ESME_RINVDSTADR")),
        ]
    )
    assert sent(guards, 1, 0.0) == 0
    found = guards.count("a", "41", 0.0)
    assert [(one.guard, one.block) for one in found] == [
        ("hard", Status.ESME_RINVDSTADR),
        ("loud", None),
    ]


def test_a_blocked_message_uses_up_no_other_guard() -> None:
    for order in (1, -1):
        both = [
            ("prefix", Guard(limit=3, digits=4, action="block")),
            ("account", Guard(limit=20, action="block")),
        ]
        guards = Velocity(both[::order])
        assert sent(guards, 30, 0.0, to="4179") == 27
        assert sent(guards, 3, 0.0, to="4178") == 0
        assert sent(guards, 14, 0.0, to="49") == 11  # three of its own pass


def test_counters_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(velocity, "KEYS", 3)
    guards = Velocity([("ait", Guard(limit=1, digits=10))])
    for number in range(10):
        assert sent(guards, 1, 0.0, to=str(number)) == 0
    assert guards.statistics() == {"ait": 3}
    assert sent(guards, 1, 0.0, to="9") == 1
    assert sent(guards, 1, 0.0, to="0") == 0  # forgotten


def test_a_reload_keeps_the_counters_of_guards_that_stay() -> None:
    same, other = Guard(limit=1), Guard(limit=1, digits=2)
    before = Velocity([("same", same), ("other", other)])
    assert sent(before, 1, 0.0) == 0
    after = Velocity([("same", same), ("other", Guard(limit=2, digits=2))], before)
    assert [one.guard for one in after.count("a", "41", 0.0)] == ["same"]


def test_no_guard_is_false() -> None:
    assert not Velocity([])
    assert Velocity([("x", Guard(limit=1))])
