"""The prefix table against the linear scan it replaces."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.prefixes import PrefixTable

# Few digits and short prefixes, so that nesting and near misses are common.
prefixes = st.text("019", max_size=6)
numbers = st.text("019", max_size=8) | st.text(max_size=4)


def scan(entries: Mapping[str, int], digits: str) -> int | None:
    """The slow twin: try every prefix, keep the longest."""
    matching = [prefix for prefix in entries if digits.startswith(prefix)]
    return entries[max(matching, key=len)] if matching else None


@given(st.dictionaries(prefixes, st.integers()), st.lists(numbers, max_size=20))
def test_finds_what_a_linear_scan_finds(entries: dict[str, int], looked_up: list[str]) -> None:
    table = PrefixTable(entries.items())
    for digits in [*looked_up, *entries, *(prefix + "0" for prefix in entries)]:
        assert table.get(digits) == scan(entries, digits)
    assert len(table) == len(entries)


def test_finds_what_a_linear_scan_finds_when_heads_are_long() -> None:
    # Dense enough for heads of three digits, with shorter prefixes around and inside them.
    entries = {str(number): number for number in range(1, 20_000, 3)}
    table = PrefixTable(entries.items())
    for number in range(0, 400_000, 37):
        digits = str(number)
        longest = next(
            (entries[digits[:n]] for n in range(len(digits), 0, -1) if digits[:n] in entries), None
        )
        assert table.get(digits) == longest


def test_columns_in_any_order_are_the_same_table() -> None:
    prefixes = ["44", "4179", "41", "417"]
    table = PrefixTable.from_columns(prefixes, [4, 3, 1, 2])
    assert dict(table) == {"41": 1, "417": 2, "4179": 3, "44": 4}
    assert [prefix for prefix, _ in table] == sorted(prefixes)
    assert prefixes == ["44", "4179", "41", "417"]  # the caller's own list stays
    with pytest.raises(ValueError, match="'41' is given twice"):
        PrefixTable.from_columns(["41", "42", "41"], [1, 2, 3])


def test_strangers_do_not_fill_the_memory() -> None:
    table = PrefixTable((str(number), number) for number in range(100_000, 110_000, 7))
    for number in range(200_000, 300_000):
        assert table.get(str(number)) is None
    assert len(table._buckets) <= len(table)
    kept = len(table._buckets)
    for text in ("abcdefgh", "٤١٧٩٠٠٠٠", "417 9000", "1"):
        assert table.get(text) is None
    assert len(table._buckets) == kept, "heads that are no digits are without number"
    assert table.get("1000011") is None
    assert table.get("1000070") == 100_007
    assert len(table._buckets) == kept + 1


def test_a_head_without_prefixes_answers_twice_alike() -> None:
    table = PrefixTable([("4", "far"), *((str(number), "near") for number in range(5000, 5999))])
    for _ in range(2):
        assert table.get("4179") == "far"
        assert table.get("7179") is None
        assert table.get("5999") is None
        assert table.get("59981") == "near"


def test_neighbours_of_one_value_are_one_interval() -> None:
    table = PrefixTable((str(number), "one") for number in range(1000, 2000))
    assert table.get("15551234") == "one"
    assert all(len(bucket) <= 2 + 3 for bucket in table._buckets.values())  # starts, values


def test_the_empty_prefix_takes_everything() -> None:
    table = PrefixTable([("", "rest"), ("41", "swiss")])
    assert table.get("4179") == "swiss"
    assert table.get("4") == "rest"
    assert table.get("") == "rest"
    assert table.get("Shop") == "rest"


def test_an_empty_table_finds_nothing() -> None:
    table: PrefixTable[str] = PrefixTable([])
    assert table.get("4179") is None
    assert len(table) == 0


@pytest.mark.parametrize("bad", ["+41", "4l", "٤١", "41 ", "²"])
def test_a_prefix_is_made_of_ascii_digits(bad: str) -> None:
    with pytest.raises(ValueError, match="made of digits"):
        PrefixTable([(bad, 1)])


def test_a_prefix_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="'41' is given twice"):
        PrefixTable([("41", 1), ("49", 2), ("41", 3)])
