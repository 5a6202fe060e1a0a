"""The histogram against sorted values."""

import random

import pytest

from bench.load_histogram import WIDTH, Histogram


@pytest.mark.parametrize("percent", [1, 50, 95, 99, 99.9])
def test_a_percentile_is_that_of_the_sorted_values_within_a_bucket(percent: float) -> None:
    rng = random.Random(7)
    values = sorted(rng.lognormvariate(-6, 1.5) for _ in range(20_000))
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    exact = values[int(len(values) * percent / 100) - 1]
    assert histogram.percentile(percent) == pytest.approx(exact, rel=WIDTH - 1)


def test_counts_weigh() -> None:
    histogram = Histogram()
    histogram.add(0.001, 99)
    histogram.add(1.0, 1)
    assert histogram.total == 100
    assert histogram.percentile(99) == pytest.approx(0.001, rel=WIDTH - 1)
    assert histogram.percentile(100) == pytest.approx(1.0, rel=WIDTH - 1)


def test_without_values_there_is_no_percentile() -> None:
    assert Histogram().percentile(50) is None


def test_what_lies_outside_counts_as_the_nearest() -> None:
    histogram = Histogram()
    histogram.add(0.0)
    histogram.add(-1.0)
    histogram.add(1e9)
    low, high = histogram.percentile(50), histogram.percentile(100)
    assert low is not None
    assert low <= 1e-6
    assert high is not None
    assert 3500 < high < 3700
    assert histogram.most_s == 1e9


def test_no_percentile_is_above_the_longest_duration() -> None:
    histogram = Histogram()
    for step in range(200):
        longest = 0.01 + step * 1e-5
        histogram.add(longest)
        highest = histogram.percentile(100)
        assert highest is not None
        assert highest <= longest
