"""Deliveries that their receiver gave up on: kept on disk, seen by people, asked back by them.

*In*: deliveries of a mailbox that were tried long enough; a wish to try them again.
*Out*: the same deliveries in a mailbox beside it ("aside:" and its name), and back.
*Never*: an attempt; a delivery lost: both ways are one commit.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs

from smsc.message import Delivery, Mailbox, MessageId
from smsc.ports import Batch, Store

PREFIX: Final = "aside:"
_CHUNK: Final = 500
"""Deliveries brought back in one commit."""
_COUNT_LIMIT: Final = 10_000
"""Deliveries of a mailbox that are counted at start; where there are more, this many are shown."""


class Asides:
    """See the module."""

    def __init__(self, store: Store, log: Any) -> None:
        self._store = store
        self._log = log
        self._counts: dict[Mailbox, int] = {}
        self._asked_back: dict[Mailbox, None] = {}

    def restore(self) -> None:
        """Count what an earlier run set aside."""
        for aside in self._store.mailboxes():
            if aside.startswith(PREFIX):
                found = self._store.parked(aside, MessageId(0), _COUNT_LIMIT)
                self._counts[Mailbox(aside.removeprefix(PREFIX))] = len(found)

    def counts(self) -> Mapping[Mailbox, int]:
        """How many are set aside, by the mailbox they come from."""
        return dict(self._counts)

    def put(self, batch: Batch, delivery: Delivery, why: str) -> None:
        """Set it aside."""
        batch.unpark(delivery.mailbox, delivery.id)
        batch.park(attrs.evolve(delivery, mailbox=Mailbox(PREFIX + delivery.mailbox), attempt=0))
        self._counts[delivery.mailbox] = self._counts.get(delivery.mailbox, 0) + 1
        self._log.warning("delivery.set_aside", id=delivery.id, mailbox=delivery.mailbox, why=why)

    def ask_back(self, mailboxes: Sequence[Mailbox]) -> int:
        """Try again what was set aside for these; how many that will be."""
        found = [mailbox for mailbox in mailboxes if self._counts.get(mailbox)]
        self._asked_back.update(dict.fromkeys(found))
        return sum(self._counts[mailbox] for mailbox in found)

    def asked_back(self) -> Sequence[Mailbox]:
        """The mailboxes to bring deliveries back to."""
        return tuple(self._asked_back)

    def bring_back(self, mailbox: Mailbox, done: Callable[[Sequence[Delivery]], None]) -> None:
        """Move some back; `done` is called with them once that is on disk."""
        aside = Mailbox(PREFIX + mailbox)
        some = self._store.parked(aside, MessageId(0), _CHUNK)
        batch = self._store.batch()
        for delivery in some:
            batch.unpark(aside, delivery.id)
            delivery.mailbox = mailbox
            batch.park(delivery)
        if len(some) < _CHUNK:
            del self._asked_back[mailbox]
        self.forget(aside, len(some))
        self._store.commit_nowait(batch, lambda _: done(some))

    def forget(self, aside: Mailbox, count: int) -> None:
        """So many left that mailbox, if it is one of ours."""
        if not aside.startswith(PREFIX):
            return
        mailbox = Mailbox(aside.removeprefix(PREFIX))
        left = self._counts.get(mailbox, 0) - count
        if left > 0:
            self._counts[mailbox] = left
        else:
            self._counts.pop(mailbox, None)
