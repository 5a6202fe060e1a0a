"""`[credit]`, `[inbox]` and credit of accounts: what is read, and what is told of mistakes."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from smsc.config import Config, load
from smsc.config_report import describe
from smsc.directory.tariff import Tariff


def read(toml: str) -> Config:
    config = load(toml, {}, {})
    assert isinstance(config, Config), config
    return config


@pytest.mark.parametrize(
    ("credit", "expected"),
    [
        ('"unlimited"', None),
        ("0", {"": Decimal(0)}),
        ("12.30", {"": Decimal("12.3")}),
        ("0.1", {"": Decimal("0.1")}),
        ("{domestic = 1, foreign = 0.05}", {"domestic": Decimal(1), "foreign": Decimal("0.05")}),
    ],
)
def test_credit_is_read_exactly(credit: str, expected: Any) -> None:
    config = read(f'[accounts.a]\npassword = "a"\ncredit = {credit}')
    assert config.accounts["a"].credit == expected


@pytest.mark.parametrize(
    "credit",
    ['"lots"', "-1", "true", "nan", "inf", "1e16", "0.0000000001", "{}", '{x = "1"}', "[1]"],
)
def test_other_credit_is_a_mistake(credit: str) -> None:
    errors = load(f'[accounts.a]\npassword = "a"\ncredit = {credit}', {}, {})
    assert isinstance(errors, list)
    assert "accounts.a.credit" in str(errors[0])


def test_prices_by_prefix_with_a_class_and_a_price(tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    file.write_text("prefix,class,price\n41,domestic,0.05\n4179,mobile,0.07\n,foreign,0.2\n")
    config = read(f'[credit]\nprices = "{file}"\ndefault_price = 3\nrefund = "refused"')
    tariff = config.tariff()
    assert isinstance(tariff, Tariff)
    for number, expected in (
        ("+41441234567", ("domestic", "0.05")),
        ("41791234567", ("mobile", "0.07")),
        ("12125551234", ("foreign", "0.2")),
    ):
        rate = tariff.rate(number)
        assert (rate.credit_class, str(rate.unit)) == expected
    assert f"credit  3 prefixes in {file}, others 3; refund refused" in describe(config)


def test_numbers_outside_the_file_cost_the_default_price(tmp_path: Path) -> None:
    file = tmp_path / "prices.csv"
    file.write_text("41,domestic,0.05\n")
    tariff = read(f'[credit]\nprices = "{file}"\ndefault_price = 0.5').tariff()
    assert isinstance(tariff, Tariff)
    assert tariff.rate("49") == ("", Decimal("0.5"))
    assert read("").tariff() == Tariff()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("41,domestic,free\n", "line 1: expected a cost like 0.045, found 'free'"),
        ("41,domestic,-1\n", "line 1: expected a cost from 0 to 1000000000000000, found '-1'"),
        ("41,domestic,0.0000000001\n", "line 1: expected at most 9 decimal places"),
        (f"41,{'x' * 41},1\n", "line 1: expected a class of at most 40 characters"),
        ("x,domestic,1\n", "line 1: expected a prefix of digits"),
        ("41,a,1\n41,b,1\n", "line 2: prefix '41' stands on line 1 too"),
        ("", "holds no prefix"),
        (None, "cannot read it"),
    ],
)
def test_a_file_of_prices_that_cannot_be_used_is_told_by_line(
    tmp_path: Path, content: str | None, why: str
) -> None:
    file = tmp_path / "prices.csv"
    if content is not None:
        file.write_text(content)
    errors = load(f'[credit]\nprices = "{file}"', {}, {})
    assert isinstance(errors, list)
    assert errors[0].key == "credit.prices"
    assert why in errors[0].why


@pytest.mark.parametrize(
    ("toml", "key"),
    [
        ('[credit]\nrefund = "always"', "credit.refund"),
        ("[credit]\nledger_keep_s = -1", "credit.ledger_keep_s"),
        ("[inbox]\nlimit = 0", "inbox.limit"),
        ("[inbox]\nkeep = 1", "inbox.keep"),
    ],
)
def test_mistakes_name_their_key(toml: str, key: str) -> None:
    errors = load(toml, {}, {})
    assert isinstance(errors, list)
    assert key in str(errors[0])
