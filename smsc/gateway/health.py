"""How the gateway is: can it take messages, and what is behind by how much.

*In*: the rooms. *Out*: `Health`, whose facts are plain values. *Never*: changes anything.
"""

import attrs
import trio

from smsc.gateway.outlet_desk import queues_of
from smsc.gateway.rooms import Rooms
from smsc.ports import Health


class Pulse:
    """Looks at every room when asked."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._started = trio.current_time()
        self.is_restoring = True
        """Are queues still being rebuilt? Nothing leaves the gateway before."""

    def health(self) -> Health:
        """Can the gateway take messages, and what is behind by how much."""
        rooms = self._rooms
        why = rooms.store.why_full or ("stopping" if rooms.intake.is_stopping else "")
        dispatch = rooms.dispatch
        return Health(
            ready=not why,
            why=why,
            facts={
                "restoring": self.is_restoring,
                "uptime_s": round(trio.current_time() - self._started, 1),
                "binds": dict(rooms.bindings),
                "waiting": dispatch.waiting(),
                "queues": {
                    name: {"messages": count, "oldest_s": oldest_s}
                    for name, (count, oldest_s) in queues_of(rooms).items()
                },
                "held_back": dispatch.held_back(),
                "in_flight": dispatch.in_flight,
                "held": dispatch.holding.counts(),
                "early_receipts": rooms.receipts.early,
                "duplicate_receipts": rooms.receipts.duplicates,
                "dead_letters": {
                    "count": dispatch.dead_letters.count,
                    "newest": [attrs.asdict(one) for one in dispatch.dead_letters.newest()],
                },
                "duplicates": rooms.duplicates.found,
                "deliveries_in_hand": rooms.mailboxes.in_hand,
                "callbacks": rooms.callbacks.trouble(),
                "outlets_down": [name for name, one in rooms.outlets.items() if not one.is_up],
                "outlets": {name: one.statistics() for name, one in rooms.outlets.items()},
                "store": rooms.store.counts(),
            },
        )
