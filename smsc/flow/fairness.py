"""Fair shares of the gateway between accounts, when there is more to do than can be done.

*In*: how many messages of which account are being stored, and which reader brought them.
*Out*: readers paused, and resumed. *Never*: a message refused; a cost for a message: it counts
once for each read; a limit for an account that is alone.

What the gateway does in a second is shared out in proportion to what each account has in hand
(read, and not yet answered), because commits take everything in the order it came. So shares are
made equal by making that equal: while more than `limit` messages are in hand, an account that
holds more than its part of the limit is not read. Who asks for less than a part is never paused,
and what it leaves is for the others.
"""

from collections import deque
from typing import Final, Protocol

from smsc.message import AccountId

LIMIT: Final = 1000
"""Messages in hand that keep the disk and the processor busy: one full commit."""
_QUANTUM: Final = 100
"""What a resumed reader is expected to bring: the usual window."""


class Reader(Protocol):
    """A connection."""

    def pause(self) -> None:
        """Read nothing more."""

    def resume(self) -> None:
        """Read again."""


class FairShare:
    """What each account has in hand, and the readers that wait for their account's turn."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.in_hand = 0
        self.limit = limit
        self._accounts: dict[AccountId, int] = {}
        self._paused: dict[AccountId, deque[Reader]] = {}

    def enter(self, account: AccountId, messages: int, reader: Reader) -> None:
        """Messages of the account were read; above its share under overload, pause the reader."""
        self.in_hand += messages
        mine = self._accounts[account] = self._accounts.get(account, 0) + messages
        if self.in_hand > self.limit and mine * self._sharing > self.limit:
            self._pause(account, reader)

    def leave(self, account: AccountId, messages: int) -> None:
        """They were answered: let those read whose turn it is now."""
        self.in_hand -= messages
        left = self._accounts.pop(account) - messages
        if left:
            self._accounts[account] = left
        if self._paused:
            self._resume()

    def forget(self, account: AccountId, reader: Reader) -> None:
        """The connection is gone."""
        queue = self._paused.get(account)
        if queue is not None and reader in queue:
            queue.remove(reader)
            if not queue:
                del self._paused[account]

    def statistics(self) -> dict[str, int]:
        """Messages in hand and paused readers."""
        return {"in_hand": self.in_hand, "paused": sum(map(len, self._paused.values()))}

    # --- helpers -------------------------------------------------------------------------------

    @property
    def _sharing(self) -> int:
        """Accounts that want something now."""
        idle_but_waiting = sum(account not in self._accounts for account in self._paused)
        return len(self._accounts) + idle_but_waiting

    def _pause(self, account: AccountId, reader: Reader) -> None:
        if self._sharing < 2:
            return
        queue = self._paused.setdefault(account, deque())
        if reader not in queue:
            queue.append(reader)
            reader.pause()

    def _resume(self) -> None:
        """Wake readers up to their account's share, in the order they were paused."""
        expected = self.in_hand
        for account in list(self._paused):
            queue = self._paused[account]
            mine = self._accounts.get(account, 0)
            while queue and (
                expected <= self.limit - _QUANTUM or (mine + _QUANTUM) * self._sharing <= self.limit
            ):
                queue.popleft().resume()
                mine += _QUANTUM
                expected += _QUANTUM
            if not queue:
                del self._paused[account]
        if not self._accounts:  # nothing will be answered, so nothing else would wake them
            for queue in self._paused.values():
                while queue:
                    queue.popleft().resume()
            self._paused.clear()
