"""Amounts of money or credit that can be reckoned with exactly.

*In*: decimals as people write them. *Out*: what is wrong with one. *Never*: a float, rounding.
"""

from decimal import Decimal
from typing import Final

PLACES: Final = 9
"""Decimal places of an amount."""
CEILING: Final = Decimal(10) ** 15
"""No amount is above. With `PLACES` that is 24 digits: Decimal's 28 add them without rounding,
and multiply a price by 255 parts."""


def amount_fault(amount: Decimal) -> str:
    """Why an amount cannot be reckoned with exactly; "" if it can."""
    if not amount.is_finite() or abs(amount) > CEILING:
        return f"expected an amount of at most {CEILING:f}, found {amount}"
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > PLACES and amount != round(amount, PLACES):
        return f"expected at most {PLACES} decimal places, found {amount}"
    return ""
