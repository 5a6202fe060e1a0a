"""What accounts may still spend, what messages cost, and who moved what.

*Never*: behaviour; see `smsc.ports`. Amounts are exact decimals, never floats.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Protocol

import attrs

from smsc.message import AccountId, MessageId
from smsc.ports.intake import Refused


@attrs.frozen
class Price:
    """What a message costs an account."""

    credit_class: str
    """The balance it is taken from, such as "domestic"; "" where there is only one."""
    unit: Decimal
    """For one part."""
    parts: int

    @property
    def amount(self) -> Decimal:
        """For the whole message."""
        return self.unit * self.parts


@attrs.frozen(kw_only=True)
class Movement:
    """One line of the audit ledger: why a balance is what it is."""

    number: int
    """Ascending; no number is used twice."""
    at_ms: int
    account: AccountId
    credit_class: str
    amount: Decimal
    """Negative for what was spent."""
    balance: Decimal
    """What was left after it."""
    by: str
    """Who did it: an account, "config" or "smsc"."""
    why: str
    """"messages", "refund", or what the person who moved it wrote."""
    first: MessageId | None = None
    """The messages it paid for, or took back: the first one …"""
    last: MessageId | None = None
    """… and the last one."""
    parts: int = 0


class Credits(Protocol):
    """Balances by account and class. A subuser spends what its parent has."""

    def balances(self, account: AccountId) -> Mapping[str, Decimal] | None:
        """What is left, by class; None if the account may spend without limit."""

    def price(self, account: AccountId, destination: str, parts: int) -> Price:
        """What a message to that number costs the account."""

    async def move(
        self, account: AccountId, credit_class: str, amount: Decimal, by: str, why: str
    ) -> Decimal | Refused:
        """Add (or, below 0, take) credit; the new balance, after fsync. Never below 0."""

    async def movements(
        self, account: AccountId, below: int | None = None, limit: int = 100
    ) -> Sequence[Movement]:
        """The ledger of an account, newest first, with numbers below `below`."""
