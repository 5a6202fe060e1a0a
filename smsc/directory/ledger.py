"""The ledger on disk: lines that say why a balance is what it is, and marks that sum them up.

*In*: `Movement`, `Mark`. *Out*: fields for the tables ledger and balance, and these again;
whether the two agree. *Never*: I/O.

A balance is not written with each movement: it is the sum of the ledger, which a crash cannot
tear. A *mark* (all movements up to this number come to this amount) is written now and then, so
that a start reads the end of the ledger only, and so that old lines may go.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import attrs

from smsc.message import AccountId
from smsc.ports import Movement
from smsc.store import keys


@attrs.frozen
class Mark:
    """All movements up to `number` come to `amount`; `gone` is what those deleted came to."""

    amount: Decimal = Decimal(0)
    number: int = 0
    gone: Decimal = Decimal(0)


def mark_fields(mark: Mark) -> tuple[object, ...]:
    """The record of a mark."""
    return str(mark.amount), mark.number, str(mark.gone)


def mark_of(fields: tuple[Any, ...]) -> Mark:
    """The mark that a record holds."""
    amount, number, gone = fields
    return Mark(Decimal(amount), number, Decimal(gone))


def movement_fields(line: Movement) -> tuple[object, ...]:
    """The record of a movement."""
    return (
        line.at_ms,
        line.credit_class,
        str(line.amount),
        str(line.balance),
        line.by,
        line.why,
        line.first,
        line.last,
        line.parts,
    )


def movement_of(key: bytes, fields: tuple[Any, ...]) -> Movement:
    """The movement that a record holds."""
    account, number = keys.owned_of(key)
    at_ms, credit_class, amount, balance, by, why, first, last, parts = fields
    return Movement(
        number=number,
        at_ms=at_ms,
        account=AccountId(account),
        credit_class=credit_class,
        amount=Decimal(amount),
        balance=Decimal(balance),
        by=by,
        why=why,
        first=first,
        last=last,
        parts=parts,
    )


class Proof:
    """Adds a ledger up and compares it with its marks; for audits and tests."""

    def __init__(self, marks: Iterable[tuple[bytes, tuple[Any, ...]]]) -> None:
        """`marks`: keys and fields of the table balance."""
        self._marks = {keys.names_of(key): mark_of(fields) for key, fields in marks}
        self._sums = {whose: mark.gone for whose, mark in self._marks.items()}
        self.balances = dict(self._sums)
        """What all that is on disk comes to, by account and class."""

    def add(self, key: bytes, fields: tuple[Any, ...]) -> bool:
        """One line of the ledger; False if no balance is there that it could belong to."""
        line = movement_of(key, fields)
        whose = (str(line.account), line.credit_class)
        mark = self._marks.get(whose)
        if mark is None:
            return False
        self.balances[whose] += line.amount
        if line.number <= mark.number:
            self._sums[whose] += line.amount
        return True

    def disproved(self) -> list[tuple[str, str]]:
        """Balances that their ledger does not come to, or that are below 0."""
        return [
            whose
            for whose, mark in self._marks.items()
            if self._sums[whose] != mark.amount or self.balances[whose] < 0
        ]
