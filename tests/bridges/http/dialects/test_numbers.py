"""Numbers as people write them, in a country and in none."""

import pytest

from bridges.http.dialects.numbers import NumberReader

SWISS, NOWHERE = NumberReader("CH"), NumberReader("")


@pytest.mark.parametrize(
    ("written", "swiss", "nowhere"),
    [
        ("022/364 8000", "41223648000", "0223648000"),
        ("0792223344", "41792223344", "0792223344"),
        ("(079) 222.33-44", "41792223344", "0792223344"),
        ("+41 79 222 33 44", "41792223344", "41792223344"),
        ("0041792223344", "41792223344", "41792223344"),
        ("41792223344", "41792223344", "41792223344"),
        ("00352691123456", "352691123456", "352691123456"),
        ("12345", "12345", "12345"),
        ("0123", "41123", "0123"),
        ("079x2223344", "41792223344", "0792223344"),
        ("abc", "", ""),
        ("", "", ""),
    ],
)
def test_digits(written: str, swiss: str, nowhere: str) -> None:
    assert SWISS.digits(written) == swiss
    assert NOWHERE.digits(written) == nowhere


@pytest.mark.parametrize(
    ("written", "swiss", "nowhere"),
    [
        ("0792223344", "+41792223344", None),
        ("+41 79 222 33 44", "+41792223344", "+41792223344"),
        ("(022) 364 80 00", "+41223648000", None),
        ("12345", "12345", "12345"),
        ("0123", None, None),
        ("079x2223344", None, None),
        ("Shop", None, None),
        ("", None, None),
        ("+", None, None),
        ("()", None, None),
        ("00", None, None),
        ("1" * 16, None, None),
        ("٣٥٢٦٩١١٢٣٤٥٦", None, None),
    ],
)
def test_addresses(written: str, swiss: str | None, nowhere: str | None) -> None:
    assert SWISS.address(written) == swiss
    assert NOWHERE.address(written) == nowhere
