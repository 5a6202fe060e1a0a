"""Messages that a network may or may not have, and that must not be sent twice.

*In*: messages whose answer is missing, of outlets with `ambiguous = "hold"`.
*Out*: how many there are for each outlet, and their ids for whoever decides.
*Never*: decides; more than the windows of the outlets for each cut or crash.
"""

from collections import Counter

from smsc.message import MessageId, OutletName


class Holding:
    """By outlet; rebuilt from the store at start."""

    def __init__(self) -> None:
        self._outlets: dict[MessageId, OutletName] = {}

    def __len__(self) -> int:
        return len(self._outlets)

    def add(self, id_: MessageId, outlet: OutletName) -> None:
        """The message is HELD."""
        self._outlets[id_] = outlet

    def discard(self, id_: MessageId) -> None:
        """The message has ended."""
        if self._outlets:
            self._outlets.pop(id_, None)

    def take(self, outlet: OutletName) -> list[MessageId]:
        """Remove and return what is held for an outlet, oldest first."""
        ids = sorted(id_ for id_, name in self._outlets.items() if name == outlet)
        for id_ in ids:
            del self._outlets[id_]
        return ids

    def counts(self) -> dict[OutletName, int]:
        """Messages held, by outlet."""
        return dict(Counter(self._outlets.values()))
