"""What accounts may still spend: balances in memory, movements in the ledger on disk.

*In*: messages that accounts want to send, and what became of them; credit that people move.
*Out*: charges and refunds, in the commit of what they pay for; balances; the ledger.
*Never*: a balance below 0; a movement without its line in the ledger; a float.

Implements `smsc.ports.Credits`. The loop is one thread: a balance is looked at and debited in one
step, so no number of submissions can take it below 0. How it gets to disk: see `purses`.
Accounts without limit have no purse, and are not looked at.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, Literal

import attrs

from pdu.status import Vendor
from routing.amounts import CEILING, amount_fault
from smsc.config_accounts import AccountConfig
from smsc.directory.durable import written
from smsc.directory.ledger import Mark, mark_fields, mark_of, movement_fields, movement_of
from smsc.directory.purses import Purse
from smsc.directory.tariff import Tariff
from smsc.flow.throttle import parts_of
from smsc.message import DELIVERED, ENROUTE, AccountId, Message, MessageId, Progress, State
from smsc.ports import Batch, Control, Movement, Price, Refused, Store
from smsc.store import keys

Refund = Literal["failed", "refused", "never"]

_CHUNK: Final = 1000
_LOOKED_AT: Final = 10_000
_CHARACTERS: Final = 250
_TRIMMED: Final = 2000
"""Old lines of the ledger deleted in one go."""
_UNPAID: Final = frozenset({State.UNDELIVERABLE, State.REJECTED, State.EXPIRED, State.DELETED})
_TAKEN: Final = frozenset({int(ENROUTE), int(DELIVERED), int(State.HELD)})
CONFIG: Final = "config"
SMSC: Final = "smsc"

Purses = dict[str, Purse]


@attrs.define(slots=True)
class Charge:
    """A purse that was debited, and how much."""

    purse: Purse
    amount: Decimal
    parts: int

    @property
    def note(self) -> tuple[str, str, str]:
        """What the message remembers of it: payer, class, amount."""
        return self.purse.account, self.purse.credit_class, str(self.amount)


Bill = list[tuple[AccountId, MessageId, Charge]]
"""What the messages of one batch cost, and whom."""


class CreditBook:
    """Every balance of a node.

    :param parent_of: the account that pays for a subuser; None for others.
    :param refund: what is given back: "failed" messages, those that networks "refused", or none.
    :ivar payers: the purses of each account that does not spend without limit.
    """

    def __init__(
        self,
        store: Store,
        now_ms: Callable[[], int],
        tariff: Tariff,
        parent_of: Callable[[AccountId], AccountId | None],
        refund: Refund = "failed",
    ) -> None:
        self._store = store
        self._now_ms = now_ms
        self._tariff = tariff
        self._parent_of = parent_of
        self._refund = refund
        self.payers: dict[AccountId, Purses] = {}
        self._purses: dict[AccountId, Purses] = {}
        self._limited: set[AccountId] = set()
        self._children: dict[AccountId, set[AccountId]] = {}
        self._next_number = 1
        self._restore()

    def take_prices(self, tariff: Tariff, refund: Refund) -> None:
        """What messages cost from now on; what was paid before is given back as it was paid."""
        self._tariff = tariff
        self._refund = refund

    # --- questions -----------------------------------------------------------------------------

    def balances(self, account: AccountId) -> Mapping[str, Decimal] | None:
        """What is left, by class; None if the account may spend without limit."""
        purses = self.payers.get(account)
        return None if purses is None else {name: one.left for name, one in purses.items()}

    def price(self, account: AccountId, destination: str, parts: int) -> Price:
        """What a message to that number costs the account."""
        rate = self._tariff.rate(destination)
        purse = _purse_for(self.payers.get(account) or {}, rate.credit_class)
        credit_class = rate.credit_class if purse is None else purse.credit_class
        return Price(credit_class, rate.unit, parts)

    async def movements(
        self, account: AccountId, below: int | None = None, limit: int = 100
    ) -> Sequence[Movement]:
        """The ledger of an account, newest first, with numbers below `below`.

        That of a subuser is what it moved in the ledger of its parent.
        """
        owner = self._parent_of(account) or account
        found: list[Movement] = []
        start, stop = keys.owned_range(owner, None, below)
        looked_at = 0
        while len(found) < limit and looked_at < _LOOKED_AT:
            rows = self._store.control(Control.LEDGER, start, stop, _CHUNK, backwards=True)
            lines = (movement_of(key, fields) for key, fields in rows)
            found += [one for one in lines if account in {owner, one.by}]
            if len(rows) < _CHUNK:
                break
            looked_at += len(rows)
            stop = rows[-1][0]
        return found[:limit]

    # --- accounts come and go ------------------------------------------------------------------

    def learn(self, account: AccountId, config: AccountConfig) -> None:
        """An account is there, or changed: write what it opens with, once; find who pays for it."""
        batch = self._store.batch()
        if self.open(batch, account, config):
            self._store.commit_nowait(batch)

    def open(
        self, batch: Batch, account: AccountId, config: AccountConfig, *, is_new: bool = False
    ) -> bool:
        """As `learn`, as part of a batch; True if anything was entered.

        :param is_new: the account was made just now: what an earlier one of its name had is over.
        """
        parent = self._parent_of(account)
        if parent is not None:
            self._children.setdefault(parent, set()).add(account)
        opens = {} if config.credit is None or parent is not None else config.credit
        if config.credit is None:
            self._limited.discard(account)
        else:
            self._limited.add(account)
        purses = self._purses.setdefault(account, {})
        fresh = [name for name in opens if is_new or name not in purses]
        for name in fresh:
            purse = purses.get(name) or self._new_purse(batch, account, name)
            if opens[name]:
                self._move(batch, purse, opens[name], CONFIG, "opening balance")
        for name in (account, *self._children.get(account, ())):
            self._find_payer(name)
        return bool(fresh)

    def close(self, batch: Batch, account: AccountId) -> None:
        """The account goes: take what is left. Its ledger stays."""
        for purse in self._purses.get(account, {}).values():
            if purse.left:
                self._move(batch, purse, -purse.left, SMSC, "account removed")
        self._limited.discard(account)
        self._find_payer(account)

    # --- messages ------------------------------------------------------------------------------

    def take(
        self, account: AccountId, destination: str, parts: int, unit: Decimal | None
    ) -> Charge | Refused | None:
        """Debit a message of an account in `payers`; None if it costs nothing.

        :param unit: the price of a part, where a rule says so.
        """
        rate = self._tariff.rate(destination)
        amount = (rate.unit if unit is None else unit) * parts
        if not amount:
            return None
        purse = _purse_for(self.payers[account], rate.credit_class)
        if purse is None or purse.left < amount:
            left = Decimal(0) if purse is None else purse.left
            return _no_credit(account, rate.credit_class, left, amount)
        purse.left -= amount
        return Charge(purse, amount, parts)

    def enter(self, batch: Batch, charges: Bill) -> Callable[[bool], None]:
        """One line of the ledger for each account and purse, in the batch of their messages.

        Call what this returns when the commit has ended: is it on disk?
        """
        sums: dict[tuple[int, AccountId], _Line] = {}
        for account, id_, charge in charges:
            line = sums.get((id(charge.purse), account))
            if line is None:
                line = sums[id(charge.purse), account] = _Line(charge.purse, account, id_)
            line.amount -= charge.amount
            line.parts += charge.parts
            line.last = id_
        entered = [
            (self._write(batch, line, "messages", is_certain=False), line) for line in sums.values()
        ]

        def ended(is_on_disk: bool) -> None:
            for number, line in entered:
                if not is_on_disk:
                    line.purse.left -= line.amount
                line.purse.ended(number, line.amount if is_on_disk else Decimal(0))

        return ended

    def refund(self, batch: Batch, finals: Sequence[tuple[Message, Progress]]) -> None:
        """Give back what messages cost that ended so that their owner need not pay for them."""
        sums: dict[int, _Line] = {}
        for message, progress in finals:
            if message.charge is None or not self._is_free(progress):
                continue
            payer, credit_class, amount = message.charge
            purse = self._purses.get(AccountId(payer), {}).get(credit_class)
            if purse is None or AccountId(payer) not in self.payers:
                continue  # the account is gone, or pays for nothing any more
            line = sums.get(id(purse))
            if line is None:
                line = sums[id(purse)] = _Line(purse, AccountId(SMSC), message.id)
            line.amount += Decimal(amount)
            line.first = min(line.first or message.id, message.id)
            line.last = max(line.last or message.id, message.id)
        for line in sums.values():
            line.purse.left += line.amount
            self._write(batch, line, "refund", is_certain=True)

    def recharge(self, batch: Batch, old: Message, new: Message) -> Refused | None:
        """A message that was paid for gets another text: settle the difference in `batch`."""
        if old.charge is None:
            return None
        payer, credit_class, paid = old.charge
        purse = self._purses.get(AccountId(payer), {}).get(credit_class)
        parts, were = parts_of(new.body, new.peek), parts_of(old.body, old.peek)
        if purse is None or parts == were or AccountId(payer) not in self.payers:
            return None
        amount = Decimal(paid) / were * parts
        line = _Line(purse, old.account, old.id, Decimal(paid) - amount, parts - were, old.id)
        if purse.left + line.amount < 0:
            return _no_credit(old.account, credit_class, purse.left, -line.amount)
        purse.left += line.amount
        self._write(batch, line, "replaced", is_certain=True)
        new.charge = (payer, credit_class, str(amount))
        return None

    def _is_free(self, progress: Progress) -> bool:
        """Need nobody pay for a message that ended so?"""
        if self._refund == "never" or progress.state not in _UNPAID:
            return False
        if self._refund == "failed":
            return True
        return not any(progress.upstream_ids) and _TAKEN.isdisjoint(progress.parts)

    # --- people --------------------------------------------------------------------------------

    async def move(
        self, account: AccountId, credit_class: str, amount: Decimal, by: str, why: str
    ) -> Decimal | Refused:
        """Add (or, below 0, take) credit; the new balance, after fsync. Never below 0."""
        if self.payers.get(account) is None:
            sentence = f"account {account} spends without limit: give it a credit first"
            return Refused(Vendor.SMSC_INVALID, sentence)
        if self._parent_of(account) is not None:
            sentence = (
                f"account {account} spends the credit of {self._parent_of(account)}: move that"
            )
            return Refused(Vendor.SMSC_INVALID, sentence)
        fault = amount_fault(amount) or ("" if amount else "expected an amount other than 0")
        if fault:
            return Refused(Vendor.SMSC_INVALID, fault)
        if "\0" in credit_class or len(credit_class) > 40:
            return Refused(Vendor.SMSC_INVALID, "a class of credit has at most 40 characters")
        purse = self._purses[account].get(credit_class)
        left = Decimal(0) if purse is None else purse.left
        if not 0 <= left + amount <= CEILING:
            sentence = f"the credit of account {account} is {left}; it cannot change by {amount}"
            return Refused(Vendor.SMSC_NO_CREDIT, sentence)
        batch = self._store.batch()
        purse = purse or self._new_purse(batch, account, credit_class)
        self._move(batch, purse, amount, by, why[:_CHARACTERS])
        balance = purse.left
        await written(self._store, batch)
        return balance

    # --- upkeep --------------------------------------------------------------------------------

    def write_marks(self) -> None:
        """Write the marks that have moved. For the sweeper."""
        batch, is_any = self._store.batch(), False
        for purse in self._all():
            if purse.mark != purse.written:
                self._write_mark(batch, purse)
                is_any = True
        if is_any:
            self._store.commit_nowait(batch)

    def forget_old(self, before_ms: int) -> int:
        """Delete some lines of the ledger that are older; how many. For the sweeper."""
        batch, forgotten = self._store.batch(), 0
        for account, purses in self._purses.items():
            if not purses:
                continue
            rows = self._store.control(
                Control.LEDGER, *keys.owned_range(account), _TRIMMED - forgotten
            )
            gone: set[str] = set()
            for key, fields in rows:
                line = movement_of(key, fields)
                purse = purses[line.credit_class]
                if line.at_ms >= before_ms or line.number > purse.mark.number:
                    break
                batch.control(Control.LEDGER, key, None)
                purse.mark = attrs.evolve(purse.mark, gone=purse.mark.gone + line.amount)
                gone.add(line.credit_class)
                forgotten += 1
            for credit_class in gone:
                self._write_mark(batch, purses[credit_class])
            if forgotten >= _TRIMMED:
                break
        if forgotten:
            self._store.commit_nowait(batch)
        return forgotten

    # --- helpers -------------------------------------------------------------------------------

    def _all(self) -> Iterator[Purse]:
        for purses in self._purses.values():
            yield from purses.values()

    def _find_payer(self, account: AccountId) -> None:
        """Which purses an account spends from: its own, its parent's, or none."""
        payer = self._parent_of(account) or account
        if payer in self._limited:
            self.payers[account] = self._purses[payer]
        else:
            self.payers.pop(account, None)

    def _new_purse(self, batch: Batch, account: AccountId, credit_class: str) -> Purse:
        purse = Purse(account, credit_class, Decimal(0), Mark(), Mark())
        self._purses[account][credit_class] = purse
        self._write_mark(batch, purse)
        return purse

    def _move(self, batch: Batch, purse: Purse, amount: Decimal, by: str, why: str) -> None:
        purse.left += amount
        self._write(batch, _Line(purse, AccountId(by), None, amount), why, is_certain=True)

    def _write(self, batch: Batch, line: "_Line", why: str, *, is_certain: bool) -> int:
        """Enter a line of which `left` knows already; its number."""
        number, purse = self._next_number, line.purse
        self._next_number += 1
        movement = Movement(
            number=number,
            at_ms=self._now_ms(),
            account=AccountId(purse.account),
            credit_class=purse.credit_class,
            amount=line.amount,
            balance=purse.left,
            by=line.by,
            why=why,
            first=line.first,
            last=line.last,
            parts=line.parts,
        )
        key = keys.owned_key(purse.account, number)
        batch.control(Control.LEDGER, key, movement_fields(movement))
        purse.enter(number, line.amount, is_certain=is_certain)
        return number

    def _write_mark(self, batch: Batch, purse: Purse) -> None:
        purse.written = purse.mark
        key = keys.name_key(purse.account, purse.credit_class)
        batch.control(Control.BALANCE, key, mark_fields(purse.mark))

    def _restore(self) -> None:
        """Balances are their marks and what the ledger says after them."""
        for key, fields in _rows(self._store, Control.BALANCE, b"", keys.END):
            account, credit_class = keys.names_of(key)
            mark = mark_of(fields)
            purse = Purse(account, credit_class, mark.amount, mark, mark)
            self._purses.setdefault(AccountId(account), {})[credit_class] = purse
            self._next_number = max(self._next_number, mark.number + 1)
        for account_, purses in self._purses.items():
            if not purses:
                continue
            first = min(one.mark.number for one in purses.values())
            rows = _rows(self._store, Control.LEDGER, *keys.owned_range(account_, first))
            for key, fields in rows:
                self._read_again(purses, movement_of(key, fields))

    def _read_again(self, purses: Purses, line: Movement) -> None:
        purse = purses.get(line.credit_class)
        if purse is not None and line.number > purse.mark.number:
            purse.left += line.amount
            purse.enter(line.number, line.amount, is_certain=True)
        self._next_number = max(self._next_number, line.number + 1)


@attrs.define(slots=True)
class _Line:
    """A line of the ledger that is being summed up."""

    purse: Purse
    by: AccountId
    first: MessageId | None
    amount: Decimal = Decimal(0)
    parts: int = 0
    last: MessageId | None = None


def _purse_for(purses: Purses, credit_class: str) -> Purse | None:
    """That of the class, or the one that pays for whatever has none of its own."""
    return purses.get(credit_class) or purses.get("")


def _no_credit(account: AccountId, credit_class: str, left: Decimal, amount: Decimal) -> Refused:
    what = f"{credit_class} credit" if credit_class else "credit"
    why = f"the {what} of account {account} is {left}; this message costs {amount}"
    return Refused(Vendor.SMSC_NO_CREDIT, why)


def _rows(
    store: Store, table: Control, start: bytes, stop: bytes
) -> Iterator[tuple[bytes, tuple[Any, ...]]]:
    while rows := store.control(table, start, stop, _CHUNK):
        yield from rows
        start = rows[-1][0] + b"\x00"
