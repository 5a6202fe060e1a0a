"""Ranges of numbers and the prefixes that cover them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.ranges import Destinations, NumberRange, destination_fault, read_destinations


@given(st.integers(0, 9999), st.integers(0, 9999), st.integers(0, 99_999))
def test_prefixes_cover_the_range_and_nothing_else(one: int, other: int, asked: int) -> None:
    first, last = sorted((f"{one:04}", f"{other:04}"))
    span = NumberRange(first, last)
    covering = tuple(span.prefixes())
    assert len(covering) <= 4 * 18
    number = f"{asked % 10_000:04}"
    assert number.startswith(covering) is (number in span) is (first <= number <= last)
    assert f"{asked:05}" not in span


def test_a_whole_block_is_one_prefix() -> None:
    assert list(NumberRange("41791000", "41791999").prefixes()) == ["41791"]
    assert list(NumberRange("4179", "4179").prefixes()) == ["4179"]
    assert list(NumberRange("00", "99").prefixes()) == [str(digit) for digit in range(10)]


def test_prefixes_and_ranges_stand_in_one_list() -> None:
    found = read_destinations(["41", "4420000-4429999"])
    assert found == Destinations(("41",), (NumberRange("4420000", "4429999"),))
    assert "41791234567" in found
    assert "4425000" in found
    assert "44250001" not in found  # longer than the numbers of the range
    assert "4430000" not in found
    assert found.covering() == ("41", "442")
    assert "anything" in Destinations()


@pytest.mark.parametrize(
    "bad", ["41-", "-41", "41-4", "42-41", "41-42-43", "4l-42", "1" * 21 + "-" + "2" * 21]
)
def test_what_is_no_range(bad: str) -> None:
    fault = destination_fault(bad)
    assert fault is not None
    assert "same number of digits" in fault


def test_what_is_a_destination() -> None:
    assert destination_fault("41") is None
    assert destination_fault("41-42") is None
    assert destination_fault("²") is not None
