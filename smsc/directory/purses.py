"""One balance: what is left, and how much of that is certain to be on disk.

*In*: movements as they are entered, and what became of the commits that hold them.
*Out*: what is left; a mark that the ledger on disk proves (see `ledger`). *Never*: I/O.
"""

from decimal import Decimal

import attrs

from smsc.directory.ledger import Mark


@attrs.define(slots=True, eq=False)
class Purse:
    """A balance of an account: of one class, or ("") of all that have none of their own."""

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
            self.mark = attrs.evolve(self.mark, amount=self.mark.amount + amount, number=number)

    def ended(self, number: int, amount: Decimal) -> None:
        """The commit of an uncertain movement has ended; `amount` is 0 if it found no room."""
        self._open[number] = amount
        sure, last = self.mark.amount, self.mark.number
        while self._open:
            first = next(iter(self._open))
            moved = self._open[first]
            if moved is None:
                break
            sure, last = sure + moved, first
            del self._open[first]
        self.mark = Mark(sure, last, self.mark.gone)
