"""One balance: what is left, and how much of that is certain to be on disk.

*In*: movements as they are entered, and what became of the commits that hold them.
*Out*: what is left; a sum that the ledger on disk proves. *Never*: I/O, a balance below 0.

Each movement is one row of the ledger, and lies in the commit of what it pays for. The balance
itself is not written with it: it is the sum of the ledger, which a crash cannot tear. A *mark*
(all movements up to this number come to this amount) is written now and then, so that a start
reads the end of the ledger only, and so that old rows may go.
"""

from decimal import Decimal
from typing import Final

import attrs

PLACES: Final = 9
"""Decimal places of an amount."""
CEILING: Final = Decimal(10) ** 15
"""No balance is above. With `PLACES` that is 24 digits: Decimal's 28 add them without rounding."""


@attrs.frozen
class Mark:
    """All movements up to `number` come to `amount`; `gone` is what those deleted came to."""

    amount: Decimal = Decimal(0)
    number: int = 0
    gone: Decimal = Decimal(0)


@attrs.define(slots=True)
class Purse:
    """A balance of an account: of one class of credit, or ("") of all that have none of their own."""

    account: str
    credit_class: str
    left: Decimal
    """What may be spent: what was debited is off, whether its commit has ended or not."""
    mark: Mark
    """What all movements up to a number come to whose commits have ended."""
    written: Mark
    """The mark as it is on disk."""
    _open: dict[int, Decimal | None] = attrs.field(factory=dict)
    """From the oldest movement on whose commit has not ended: what it was; None = not known."""

    def enter(self, number: int, amount: Decimal, *, is_certain: bool) -> None:
        """A movement that `left` has in it already.

        :param is_certain: its batch holds no messages, so that it will be on disk before any
            later one.
        """
        if self._open or not is_certain:
            self._open[number] = amount if is_certain else None
        else:
            self.mark = Mark(self.mark.amount + amount, number, self.mark.gone)

    def ended(self, number: int, amount: Decimal) -> None:
        """The commit of an uncertain movement has ended; `amount` is 0 if it found no room."""
        self._open[number] = amount
        sure, last = self.mark.amount, self.mark.number
        for number_, moved in list(self._open.items()):
            if moved is None:
                break
            sure, last = sure + moved, number_
            del self._open[number_]
        self.mark = Mark(sure, last, self.mark.gone)


def amount_fault(amount: Decimal) -> str:
    """Why an amount cannot be reckoned with exactly; "" if it can."""
    if not amount.is_finite() or abs(amount) > CEILING:
        return f"expected an amount of at most {CEILING:f}, found {amount}"
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > PLACES and amount != round(amount, PLACES):
        return f"expected at most {PLACES} decimal places, found {amount}"
    return ""
