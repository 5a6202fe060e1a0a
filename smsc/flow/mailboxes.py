"""Parked deliveries, receipts and mobile-originated messages, and those who take them.

*In*: deliveries that are on disk; receivers that come and go; what became of each delivery.
*Out*: batches for receivers; a delivery is forgotten on disk only after it was taken.
*Never*: more than a window of deliveries in memory for an account that is slow or away.

Last station of the flow: receipts → **mailboxes** → bound session | webhook.
"""

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from itertools import compress, groupby, repeat
from operator import attrgetter
from typing import Any, Final, assert_never

import attrs

from smsc.flow.set_aside import Asides
from smsc.message import Delivery, Mailbox, MessageId
from smsc.ports import Again, DeliveryOutcome, Done, Dropped, Receiver, SetAside, Store

_ID: Final = attrgetter("id")
_MAILBOX: Final = attrgetter("mailbox")
_SESSION: Final = attrgetter("session")
_READY_LIMIT: Final = 10_000
"""Deliveries of one mailbox kept in memory; the rest is read from disk when its turn comes.
Above what is under way at full speed with 0.2 s of latency: else all of it takes the long way."""
_REFILL: Final = 2000
"""Deliveries read from disk in one go: about 10 ms."""
_LATER_LIMIT: Final = 1000
"""Deliveries of one mailbox that may wait for another try before nothing more is offered."""


@attrs.define(slots=True)
class _Box:
    """One mailbox.

    Everything on disk with an id above `seen` is still to be read, if `has_more` says that there
    is something. Ids ascend with the commits, so a delivery enters memory exactly once.
    """

    ready: deque[Delivery] = attrs.field(factory=deque)
    receivers: list[Receiver] = attrs.field(factory=list)
    in_hand: dict[MessageId, Delivery] = attrs.field(factory=dict)
    later: list[tuple[float, MessageId, Delivery]] = attrs.field(factory=list)
    seen: int = 0
    has_more: bool = True
    next_receiver: int = 0
    is_offering: bool = False


class Mailboxes:
    """See `smsc.ports.Mailboxes`.

    :param now: seconds of a monotonic clock.
    :param newest: the highest id on disk at start.
    :ivar unattended: told of a mailbox that has deliveries and no receiver.
    :ivar asides: what receivers gave up on.
    :ivar is_stopping: nothing more is offered; what is in hand may still be answered.
    """

    def __init__(
        self,
        store: Store,
        now: Callable[[], float],
        now_ms: Callable[[], int],
        log: Any,
        newest: MessageId,
    ) -> None:
        self._store = store
        # Reads show what is on its way to disk, too; that is not offered before it arrived:
        # a crash could take it back, and the message might end otherwise.
        self._on_disk = newest
        self._now = now
        self._now_ms = now_ms
        self._log = log
        self._boxes: dict[Mailbox, _Box] = {}
        self.unattended: Callable[[Mailbox], None] = lambda _mailbox: None
        self.asides = Asides(store, log)
        self.is_stopping = False
        self.delivered_count = 0

    def arrived(self, deliveries: Sequence[Delivery]) -> None:
        """Deliveries are on disk; offer them to whoever is there."""
        if not deliveries:
            return
        self._on_disk = max(self._on_disk, *map(_ID, deliveries))
        touched: dict[Mailbox, None] = {}
        for mailbox, group in groupby(deliveries, _MAILBOX):
            touched[mailbox] = None
            box = self._boxes.get(mailbox)
            if box is None:
                continue
            room = 0 if box.has_more else _READY_LIMIT - len(box.ready)
            new = [one for one in group if one.id > box.seen]
            box.has_more = box.has_more or len(new) > room
            if new and room > 0:
                del new[room:]
                box.ready += new
                box.seen = new[-1].id
        for mailbox in touched:
            if mailbox not in self._boxes:
                self.unattended(mailbox)
            self._offer(mailbox)

    def attach(self, mailbox: Mailbox, receiver: Receiver) -> None:
        """The receiver takes deliveries of this mailbox from now on."""
        self._boxes.setdefault(mailbox, _Box()).receivers.append(receiver)
        self._offer(mailbox)

    def detach(self, mailbox: Mailbox, receiver: Receiver) -> None:
        """The receiver is gone; what it had not answered is offered to another one."""
        box = self._boxes.get(mailbox)
        if box is None or receiver not in box.receivers:
            return
        box.receivers.remove(receiver)
        orphans = [one for one in box.in_hand.values() if one.holder is receiver]
        for delivery in reversed(orphans):
            del box.in_hand[delivery.id]
            box.ready.appendleft(delivery)
        if box.receivers:
            self._offer(mailbox)
        else:  # nobody is there: the disk remembers everything, memory need not
            del self._boxes[mailbox]

    def delivered(self, mailbox: Mailbox, outcomes: Sequence[DeliveryOutcome]) -> None:
        """Journal what became of deliveries, and offer the next ones."""
        box = self._boxes.get(mailbox)
        if box is None:
            return
        batch = self._store.batch()
        for outcome in outcomes:
            delivery = box.in_hand.pop(outcome.id, None)
            if delivery is None:
                continue
            match outcome:
                case Done():
                    self.delivered_count += 1
                    batch.unpark(mailbox, outcome.id)
                case Again(_, delay_s, _):
                    delivery.attempt += 1
                    heapq.heappush(box.later, (self._now() + delay_s, delivery.id, delivery))
                case Dropped(_, why):
                    self._log.warning("delivery.dropped", id=outcome.id, mailbox=mailbox, why=why)
                    batch.unpark(mailbox, outcome.id)
                case SetAside(_, why):
                    self.asides.put(batch, delivery, why)
                case _:
                    assert_never(outcome)
        self._store.commit_nowait(batch)
        self._offer(mailbox)

    def taken(self, mailbox: Mailbox, ids: Sequence[MessageId]) -> None:
        """Journal that deliveries were taken, all of them: `delivered` for the many."""
        box = self._boxes.get(mailbox)
        if box is None:
            return
        batch = self._store.batch()
        found = [*compress(ids, map(box.in_hand.pop, ids, repeat(None)))]
        batch.unpark_many(mailbox, found)
        self.delivered_count += len(found)
        self._store.commit_nowait(batch)
        self._offer(mailbox)

    def tick(self) -> None:
        """Offer again what waited for another try, or for room; called by the sweeper."""
        now = self._now()
        for mailbox, box in list(self._boxes.items()):
            while box.later and box.later[0][0] <= now:
                box.ready.append(heapq.heappop(box.later)[2])
            self._offer(mailbox)
        for mailbox in self.asides.asked_back():
            self._take_back(mailbox)

    def hurry(self, mailbox: Mailbox) -> None:
        """Offer now what waits for another try: people want to see it done."""
        box = self._boxes.get(mailbox)
        if box is not None and box.later:
            box.ready.extend(delivery for _, _, delivery in sorted(box.later))
            box.later.clear()
            self._offer(mailbox)

    def forget_old(self) -> None:
        """Drop what waited too long for a receiver that never came; called by the sweeper."""
        now_ms = self._now_ms()
        for mailbox in self._store.mailboxes():
            if mailbox in self._boxes:
                continue
            # The oldest tells: of 1000 mailboxes with a million deliveries few have any too old.
            oldest = self._store.parked(mailbox, MessageId(0), 1)
            if oldest and oldest[0].expires_ms <= now_ms:
                oldest = self._store.parked(mailbox, MessageId(0), _REFILL)
                expired = [one for one in oldest if one.expires_ms <= now_ms]
                self._drop(expired)
                self.asides.forget(mailbox, len(expired))

    @property
    def in_hand(self) -> int:
        """Deliveries that receivers have not answered yet."""
        return sum(len(box.in_hand) for box in self._boxes.values())

    # --- helpers -------------------------------------------------------------------------------

    def _offer(self, mailbox: Mailbox) -> None:
        """Fill the receivers of a mailbox."""
        box = self._boxes.get(mailbox)
        if box is None or box.is_offering:
            return
        box.is_offering = True
        try:
            while box.receivers and len(box.later) < _LATER_LIMIT and not self.is_stopping:
                if not box.ready and not self._refill(mailbox, box):
                    return
                rooms = [max(0, receiver.room()) for receiver in box.receivers]
                if not any(rooms):
                    return
                taken = self._take(box, sum(rooms))
                for receiver, batch in _share_out(taken, box, rooms):
                    for delivery in batch:
                        delivery.holder = receiver
                    box.in_hand.update(zip(map(_ID, batch), batch, strict=True))
                    receiver.deliver(batch)
        finally:
            box.is_offering = False

    def _take_back(self, mailbox: Mailbox) -> None:
        """Bring back some of what was set aside for this mailbox, if there is room for it."""
        if mailbox not in self._boxes:
            self.unattended(mailbox)
        box = self._boxes.get(mailbox)
        if box is None or len(box.ready) >= _REFILL:
            return
        seen = box.seen  # what lies beyond is read from disk in its turn
        box.has_more = True

        def on_disk(deliveries: Sequence[Delivery]) -> None:
            if self._boxes.get(mailbox) is box:
                box.ready.extend(one for one in deliveries if one.id <= seen)
            self._offer(mailbox)

        self.asides.bring_back(mailbox, on_disk)

    def _take(self, box: _Box, limit: int) -> list[Delivery]:
        """Deliveries to hand out now; those that waited too long are dropped here."""
        now_ms, ready = self._now_ms(), box.ready
        taken = [ready.popleft() for _ in range(min(limit, len(ready)))]
        expired = [one for one in taken if one.expires_ms <= now_ms]
        if expired:
            self._drop(expired)
            return [one for one in taken if one.expires_ms > now_ms]
        return taken

    def _drop(self, expired: Sequence[Delivery]) -> None:
        """Forget deliveries that waited too long."""
        if not expired:
            return
        batch = self._store.batch()
        for delivery in expired:
            self._log.warning("delivery.expired", id=delivery.id, mailbox=delivery.mailbox)
            batch.unpark(delivery.mailbox, delivery.id)
        self._store.commit_nowait(batch)

    def _refill(self, mailbox: Mailbox, box: _Box) -> bool:
        """Read the next deliveries from disk; False if there are none."""
        if not box.has_more:
            return False
        limit = min(_READY_LIMIT, _REFILL)
        found = self._store.parked(mailbox, MessageId(box.seen), limit)
        box.ready.extend(one for one in found if one.id <= self._on_disk)
        box.has_more = len(found) == limit or len(box.ready) < len(found)
        if box.ready:
            box.seen = box.ready[-1].id
        return bool(box.ready)


def _share_out(
    deliveries: list[Delivery], box: _Box, rooms: list[int]
) -> list[tuple[Receiver, list[Delivery]]]:
    """Who gets which: first the session that submitted the message, then all in turn.

    `rooms` are those of `box.receivers`, and enough for all; what is given is taken off.
    """
    if not deliveries:
        return []
    if len(rooms) == 1:
        return [(box.receivers[0], deliveries)]
    places = {id(receiver): place for place, receiver in enumerate(box.receivers)}
    batches: list[list[Delivery]] = [[] for _ in rooms]
    others: list[Delivery] = []
    for session, group in groupby(deliveries, _SESSION):  # a read brings runs of them
        place, some = places.get(id(session)), [*group]
        room = 0 if place is None else rooms[place]
        others += some[room:]
        if place is not None:
            rooms[place] -= len(some[:room])
            batches[place] += some[:room]
    at = 0
    while at < len(others):
        ring = [place for place, room in enumerate(rooms) if room]
        share = -(-(len(others) - at) // len(ring))
        for _ in ring:
            box.next_receiver = (box.next_receiver + 1) % len(rooms)
            place = box.next_receiver
            given = others[at : at + min(share, rooms[place])]
            batches[place] += given
            rooms[place] -= len(given)
            at += len(given)
    return [(one, batch) for one, batch in zip(box.receivers, batches, strict=True) if batch]
