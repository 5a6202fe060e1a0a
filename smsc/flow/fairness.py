"""Fair shares of the gateway between accounts, when there is more to do than can be done.

*In*: how many messages of which account are being stored; the connections of each account.
*Out*: connections paused, and resumed. *Never*: a message refused; a cost for a message: it
counts once for each read.

Work goes in rounds. In a round each account may bring so many messages; who has brought them is
not read until the next round begins, which is when hardly anything is left in hand: so nothing
ever stands idle for the sake of fairness. How many is the level at which all that was wanted in
the last round comes to `limit` messages, when everyone is cut at it (max-min fairness): who wants
little gets it, what it leaves is for the others, and nobody profits from more connections.
Counting what is brought, not what is in hand, matters: whoever waits for answers before it sends
more has nothing in hand for a while, and a greedy neighbour would fill the gap each time.

An account that is alone may bring `_ALONE` limits: more would not be stored sooner, and whoever
comes next would wait behind it.
"""

from collections import deque
from typing import Final, Protocol

import attrs

from smsc.message import AccountId

LIMIT: Final = 1000
"""Messages in a round: they keep the disk and the processor busy for one full commit."""
_ALONE: Final = 4
_LITTLE: Final = 10
"""A round ends when a tenth of the limit is left in hand."""
_GROWTH: Final = 1.25
"""What an account brought in a round, and so much more, is kept for it in the next."""
_GROWTH_MESSAGES: Final = 10


class Reader(Protocol):
    """A connection."""

    def pause(self) -> None:
        """Read nothing more."""

    def resume(self) -> None:
        """Read again."""


@attrs.define(slots=True)
class _Party:
    """One account: who of it is read, and who waits; what it brought in this round."""

    in_hand: int = 0
    brought: int = 0
    was_cut: bool = False
    running: dict[Reader, None] = attrs.field(factory=dict)
    paused: deque[Reader] = attrs.field(factory=deque)


class FairShare:
    """What each account brings, and the connections that wait for the next round."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.in_hand = 0
        self.limit = limit
        self._little = limit // _LITTLE
        self._parties: dict[AccountId, _Party] = {}
        self._active: dict[AccountId, _Party] = {}  # brought something, or have it in hand
        self._cut: list[_Party] = []
        self._brought = 0
        self._level = limit * _ALONE

    def join(self, account: AccountId, reader: Reader) -> None:
        """A connection of the account may bring messages from now on."""
        self._parties.setdefault(account, _Party()).running[reader] = None

    def part(self, account: AccountId, reader: Reader) -> None:
        """The connection is gone; what it brought still leaves. Safe to call twice."""
        party = self._parties.get(account)
        if party is not None:
            party.running.pop(reader, None)
            if reader in party.paused:
                party.paused.remove(reader)

    def enter(self, account: AccountId, messages: int) -> None:
        """Messages of the account were read; if it has brought its share, it is not read now."""
        party = self._active.get(account)
        if party is None:
            party = self._active[account] = self._parties.setdefault(account, _Party())
        self.in_hand += messages
        party.in_hand += messages
        self._brought += messages
        party.brought += messages
        if party.brought > self._level and self.in_hand > self._little:
            self._pause(party)
        elif self._brought >= self.limit and not self._cut:
            self._begin_round()

    def leave(self, account: AccountId, messages: int) -> None:
        """They were answered."""
        self.in_hand -= messages
        self._parties[account].in_hand -= messages
        if self._cut and self.in_hand <= self._little:
            self._begin_round()

    def statistics(self) -> dict[str, int]:
        """Messages in hand and paused connections."""
        paused = sum(len(party.paused) for party in self._cut)
        return {"in_hand": self.in_hand, "paused": paused}

    # --- helpers -------------------------------------------------------------------------------

    def _pause(self, party: _Party) -> None:
        if not party.was_cut:
            party.was_cut = True
            self._cut.append(party)
        for reader in party.running:
            reader.pause()
        party.paused.extend(party.running)
        party.running.clear()

    def _begin_round(self) -> None:
        """Work out what each may bring, and read everybody again."""
        cut, self._cut = self._cut, []
        self._level = self._next_level()
        self._brought = 0
        for account, party in list(self._active.items()):
            # What was brought above the share counts for the next round.
            party.brought = max(0, party.brought - self._level) if party.was_cut else 0
            party.was_cut = False
            if not (party.in_hand or party.brought):
                del self._active[account]
        for party in cut:
            while party.paused:
                reader = party.paused.popleft()
                party.running[reader] = None
                reader.resume()

    def _next_level(self) -> int:
        """Cut all wishes at one level, so that together they come to the limit."""
        wishes = sorted(
            self.limit * _ALONE
            if party.was_cut
            else int(party.brought * _GROWTH) + _GROWTH_MESSAGES
            for party in self._active.values()
        )
        left, count = self.limit, len(wishes)
        if count < 2:
            return self.limit * _ALONE
        for position, wish in enumerate(wishes):
            share = left // (count - position)
            if wish >= share:
                return max(share, 1)
            left -= wish
        return self.limit * _ALONE
