"""What messages cost: classes of credit and prices by prefix.

*In*: a destination. *Out*: the class and the price of a part. *Never*: an account, a balance.
"""

from decimal import Decimal
from typing import NamedTuple

from routing.prefix_csv import CsvError, Rate, RateTable, read_rates

ONE = Rate("", Decimal(1))
"""Without a table each part costs one, of whatever the account has."""


class Tariff(NamedTuple):
    """Rates by prefix, and the rate of all other numbers."""

    table: RateTable | None = None
    other: Rate = ONE

    def rate(self, destination: str) -> Rate:
        """What a part to this number costs, and from which class it is taken."""
        if self.table is None:
            return self.other
        return self.table.get(destination.removeprefix("+")) or self.other


def read_tariff(data: bytes, other: Decimal) -> Tariff | list[CsvError]:
    """Read `prefix,class,price`; `other` is the price of numbers that the file does not name."""
    table = read_rates(data)
    if isinstance(table, list):
        return table
    return Tariff(table, Rate("", other))
