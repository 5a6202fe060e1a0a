"""What people see of outlets, and what they may do to them.

*In*: questions and wishes from HTTP or the control door. *Out*: plain values; sentences.
*Never*: an effect on an outlet that was not named.
"""

from collections.abc import Mapping
from typing import Any, Final

from smsc.gateway.outlet_keeper import Leaving
from smsc.gateway.rooms import Rooms
from smsc.message import OutletName
from smsc.store.ids import id_time_ms

OUTLET_ACTIONS: Final = ("start", "stop", "drain", "resend", "fail")
"""What people may do to an outlet; the last two decide on messages that are held for it."""
_GONE: Final = {"state": "removed", "queue": 0, "oldest_s": None}


class OutletDesk:
    """See the module."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def rows(self) -> list[Mapping[str, object]]:
        """Every outlet with its statistics, what waits for it, and what is held for it.

        `queue` counts the messages that it would be given next, `oldest_s` is the age of the
        oldest of those whose turn is next, None without any.
        """
        rooms = self._rooms
        queues = queues_of(rooms)
        held = rooms.dispatch.holding.counts()
        rows: list[Mapping[str, object]] = [
            {**_GONE, "name": name, "held_messages": held[name]}
            for name in sorted(held.keys() - rooms.outlets.keys())
        ]
        for name, outlet in rooms.outlets.items():
            count, oldest_s = queues.get(name, (0, None))
            rows.append(
                {
                    "name": name,
                    "state": "up" if outlet.is_up else "down",
                    **outlet.statistics(),
                    "queue": count,
                    "oldest_s": oldest_s,
                    "held_messages": held.get(name, 0),
                }
            )
        return rows

    def control(self, outlet: str, action: str) -> str | None:
        """Start, stop or drain an upstream link, or decide on what is held for it.

        `action` is one of `OUTLET_ACTIONS`. A sentence if that cannot be.
        """
        outlets = self._rooms.outlets
        found: Any = outlets.get(OutletName(outlet))
        # What is held for an outlet that a reload removed must not wait for its validity to end.
        is_held = outlet in self._rooms.dispatch.holding.counts()
        if found is None and not (is_held and action in {"resend", "fail"}):
            return f"outlet {outlet!r} is unknown; known ones: {', '.join(outlets)}"
        if action in {"resend", "fail"}:
            self._rooms.doubt.release(OutletName(outlet), resend=action == "resend")
        elif action not in OUTLET_ACTIONS:
            return f"action {action!r} is unknown; known ones: {', '.join(OUTLET_ACTIONS)}"
        elif isinstance(found, Leaving):
            return f"outlet {outlet!r} is about to go, after a reload"
        elif not hasattr(found, "control"):
            return f"outlet {outlet!r} has no connection to {action}"
        else:
            found.control(action)
        return None


def queues_of(rooms: Rooms) -> dict[OutletName, tuple[int, float]]:
    """What waits for each outlet: how many messages, and the age of the oldest in turn, seconds."""
    now_ms = rooms.now_ms()
    return {
        name: (count, max(0.0, (now_ms - id_time_ms(oldest)) / 1000))
        for name, (count, oldest) in rooms.dispatch.queues().items()
    }
