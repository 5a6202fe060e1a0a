"""Fair shares of the gateway between accounts, when there is more to do than can be done.

*In*: how many messages of which account are being stored; the connections of each account.
*Out*: connections paused, and resumed. *Never*: a message refused; a cost for a message: it
counts once for each read.

What the gateway does in a second is shared out in proportion to what each account has in hand
(read, and not yet answered), because commits take everything in the order it came. So shares are
made equal by making that equal: while more than `limit` messages are in hand, an account that
holds more than its part of the limit is not read. Who asks for less than a part is never paused,
and what it leaves is for the others. An account that is alone may hold `_ALONE` limits: more
would not be stored sooner, and whoever comes next would wait behind it.
"""

from collections import deque
from typing import Final, Protocol

import attrs

from smsc.message import AccountId

LIMIT: Final = 1000
"""Messages in hand that keep the disk and the processor busy: one full commit."""
_ALONE: Final = 4
_QUANTUM: Final = 100
"""What a resumed connection is expected to bring: the usual window."""


class Reader(Protocol):
    """A connection."""

    def pause(self) -> None:
        """Read nothing more."""

    def resume(self) -> None:
        """Read again."""


@attrs.define(slots=True)
class _Party:
    """One account: what it has in hand, who of it is read, and who waits, the longest first."""

    in_hand: int = 0
    running: dict[Reader, None] = attrs.field(factory=dict)
    paused: deque[Reader] = attrs.field(factory=deque)


class FairShare:
    """What each account has in hand, and the connections that wait for their account's turn."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.in_hand = 0
        self.limit = limit
        self._parties: dict[AccountId, _Party] = {}
        self._busy = 0  # parties that have something in hand or wait for their turn
        self._waiting: dict[AccountId, _Party] = {}  # parties with paused connections

    def join(self, account: AccountId, reader: Reader) -> None:
        """A connection of the account may bring messages from now on."""
        self._parties.setdefault(account, _Party()).running[reader] = None

    def part(self, account: AccountId, reader: Reader) -> None:
        """The connection is gone; what it brought still leaves. Safe to call twice."""
        party = self._parties.get(account)
        if party is None:
            return
        party.running.pop(reader, None)
        if reader in party.paused:
            party.paused.remove(reader)
            self._resume()
        if not (party.running or party.paused or party.in_hand):
            del self._parties[account]

    def enter(self, account: AccountId, messages: int) -> None:
        """Messages of the account were read; above its share under overload, pause it."""
        self.in_hand += messages
        party = self._parties.get(account)
        if party is None:
            party = self._parties[account] = _Party()
        if not party.in_hand and account not in self._waiting:
            self._busy += 1
        party.in_hand += messages
        if self.in_hand > self.limit and party.in_hand > self._share:
            self._pause(account, party)

    def leave(self, account: AccountId, messages: int) -> None:
        """They were answered: let those read whose turn it is now."""
        self.in_hand -= messages
        party = self._parties[account]
        party.in_hand -= messages
        if not party.in_hand and account not in self._waiting:
            self._busy -= 1
            if not party.running:
                del self._parties[account]
        if self._waiting:
            self._resume()

    def statistics(self) -> dict[str, int]:
        """Messages in hand and paused connections."""
        paused = sum(len(party.paused) for party in self._waiting.values())
        return {"in_hand": self.in_hand, "paused": paused}

    # --- helpers -------------------------------------------------------------------------------

    @property
    def _share(self) -> int:
        """What one account may have in hand."""
        return self.limit // self._busy if self._busy > 1 else self.limit * _ALONE

    def _pause(self, account: AccountId, party: _Party) -> None:
        for reader in party.running:
            reader.pause()
        party.paused.extend(party.running)
        party.running.clear()
        if party.paused:
            self._waiting[account] = party

    def _resume(self) -> None:
        """Wake connections up to their account's share, in the order they were paused."""
        expected = self.in_hand
        for account, party in list(self._waiting.items()):
            mine = party.in_hand
            # With nothing in hand there is no answer any more that would wake the others.
            while party.paused and (
                not self.in_hand
                or not mine
                or mine + _QUANTUM <= self._share
                or expected + _QUANTUM <= self.limit
            ):
                reader = party.paused.popleft()
                party.running[reader] = None
                reader.resume()
                mine += _QUANTUM
                expected += _QUANTUM
            if not party.paused:
                del self._waiting[account]
                if not party.in_hand:
                    self._busy -= 1
