"""How fast a link may send."""

import pytest

from bridges.upstream_pace import Pace


def drive(pace: Pace, start: float, seconds: float, capacity: float, step: float = 0.05) -> int:
    """Send all that may go, to a carrier that takes `capacity` a second; how many it took."""
    taken, now, credit = 0, start, 0.0
    while now < start + seconds:
        now += step
        credit = min(capacity, credit + capacity * step)
        count = min(pace.room(now), 200)
        pace.sent(count)
        good = min(count, int(credit))
        credit -= good
        taken += good
        if good:
            pace.accepted(good, now)
        if count > good:
            pace.throttled(now, now)
    return taken


def test_without_a_rate_nothing_is_counted() -> None:
    pace = Pace(0, 0.0)
    assert pace.room(0.0) > 65535
    pace.sent(1000)
    assert pace.room(0.0) > 65535
    assert pace.wait_s(0.0) == 0.0
    assert not pace.is_slowed


def test_a_rate_is_kept_to() -> None:
    pace = Pace(50, 0.0)
    sent = drive(pace, 0.0, 10.0, capacity=10_000)
    assert 490 <= sent <= 510


def test_the_wait_is_as_long_as_a_message_takes() -> None:
    pace = Pace(4, 0.0)
    pace.sent(pace.room(0.0))
    assert pace.room(0.0) == 0
    assert pace.wait_s(0.0) == pytest.approx(0.25)
    assert pace.room(0.25) == 1


def test_a_refusal_halves_and_time_brings_it_back() -> None:
    pace = Pace(100, 0.0)
    drive(pace, 0.0, 2.0, capacity=10_000)
    pace.throttled(2.0, 2.0)
    assert pace.limit == pytest.approx(50, rel=0.1)
    assert pace.room(2.0) == 0
    assert pace.is_slowed
    # What had left before the fall is no news.
    pace.throttled(1.99, 2.1)
    assert pace.limit == pytest.approx(50, rel=0.2)
    pace.room(4.0)
    assert 55 <= pace.limit <= 65
    pace.room(30.0)
    assert pace.limit == 100
    assert not pace.is_slowed


def test_it_finds_what_the_carrier_bears() -> None:
    pace = Pace(0, 0.0)
    taken = drive(pace, 0.0, 60.0, capacity=100)
    assert taken > 0.6 * 6000


def test_a_link_without_a_rate_is_free_again() -> None:
    pace = Pace(0, 0.0)
    pace.accepted(100, 0.5)
    pace.throttled(0.9, 1.0)
    assert pace.is_slowed
    for second in range(2, 60):
        pace.room(float(second))
    assert not pace.is_slowed


@pytest.mark.parametrize(("state", "slowed"), [(0, False), (79, False), (85, False), (90, True)])
def test_congestion_state(state: int, slowed: bool) -> None:
    pace = Pace(100, 0.0)
    drive(pace, 0.0, 2.0, capacity=10_000)
    pace.congested(state, 2.0)
    assert pace.is_slowed is slowed


def test_at_the_optimum_it_does_not_rise() -> None:
    pace = Pace(100, 0.0)
    drive(pace, 0.0, 2.0, capacity=10_000)
    pace.congested(95, 2.0)
    limit = pace.limit
    pace.congested(85, 2.1)
    pace.room(2.5)
    assert pace.limit == limit
    pace.room(5.0)
    assert pace.limit > limit


@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0])
def test_a_slow_rate_is_never_exceeded_after_a_refusal(rate: float) -> None:
    pace = Pace(rate, 0.0)
    pace.sent(1)
    pace.throttled(0.5, 1.0)
    assert pace.limit == rate / 2
    assert pace.is_slowed
    assert drive(pace, 1.0, 100.0, capacity=10_000) <= 100 * rate
    assert pace.limit == rate
    assert not pace.is_slowed
