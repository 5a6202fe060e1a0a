"""Mailboxes with a list of deliveries behind them, for tests of those who take them."""

from collections.abc import Sequence

import attrs
import trio

from smsc.message import Delivery, Mailbox
from smsc.ports import Again, DeliveryOutcome, Done, Receiver


@attrs.define
class Parked:
    """Offers its deliveries, in order, to the one receiver; what is to come again, comes at once."""

    waiting: list[Delivery]
    outcomes: list[DeliveryOutcome] = attrs.Factory(list)
    """All but `Again`."""
    again: list[Again] = attrs.Factory(list)
    receiver: Receiver | None = None
    _in_hand: dict[int, Delivery] = attrs.Factory(dict)
    _is_offering: bool = False

    @property
    def done(self) -> list[int]:
        """Ids of those that were taken, in order."""
        return [one.id for one in self.outcomes if isinstance(one, Done)]

    def attach(self, mailbox: Mailbox, receiver: Receiver) -> None:
        self.receiver = receiver
        self.offer()

    def detach(self, mailbox: Mailbox, receiver: Receiver) -> None:
        self.receiver = None
        self.waiting = [*self._in_hand.values(), *self.waiting]
        self._in_hand.clear()

    def delivered(self, mailbox: Mailbox, outcomes: Sequence[DeliveryOutcome]) -> None:
        for outcome in outcomes:
            delivery = self._in_hand.pop(outcome.id)
            if isinstance(outcome, Again):
                self.again.append(outcome)
                delivery.attempt += 1
                self.waiting.append(delivery)
            else:
                self.outcomes.append(outcome)
        self.offer()

    def offer(self) -> None:
        """As `Mailboxes` does, whenever something changed."""
        if self.receiver is None or self._is_offering:
            return
        self._is_offering = True
        while self.waiting and (room := self.receiver.room()) > 0:
            batch, self.waiting = self.waiting[:room], self.waiting[room:]
            self._in_hand |= {one.id: one for one in batch}
            self.receiver.deliver(batch)
        self._is_offering = False

    async def tick(self) -> None:
        """As the gateway's sweeper."""
        while True:
            await trio.sleep(0.02)
            self.offer()
