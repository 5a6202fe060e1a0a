"""Token buckets."""

from hypothesis import given
from hypothesis import strategies as st

from smsc.flow.throttle import TokenBucket


def test_no_rate_grants_all() -> None:
    assert TokenBucket(0, 0.0).take(1000, 0.0) == 1000


def test_a_full_bucket_then_the_rate() -> None:
    bucket = TokenBucket(8, 0.0)
    assert bucket.take(100, 0.0) == 8
    assert bucket.take(100, 0.0625) == 0
    assert bucket.take(100, 0.3125) == 2
    assert bucket.take(1, 0.375) == 1
    assert bucket.take(100, 60.0) == 8


def test_less_than_one_a_second() -> None:
    bucket = TokenBucket(0.5, 0.0)
    assert bucket.take(5, 0.0) == 1
    assert bucket.take(5, 1.9) == 0
    assert bucket.take(5, 2.1) == 1


@given(
    rate=st.floats(0.1, 100),
    waits=st.lists(st.tuples(st.floats(0, 5), st.integers(1, 50)), max_size=50),
)
def test_never_more_than_burst_and_rate_allow(rate: float, waits: list[tuple[float, int]]) -> None:
    bucket, now, granted = TokenBucket(rate, 0.0), 0.0, 0
    for wait_s, wanted in waits:
        now += wait_s
        granted += bucket.take(wanted, now)
    assert granted <= bucket.burst + now * rate + 1e-6
