"""Waiting messages, as ids, one lane for each fail-over order of outlets.

*In*: ids with their plan (outlets in the order to try) and priority.
*Out*: the ids that an outlet should take now.
*Never*: a message body: 10 M waiting messages must fit into memory.

A lane belongs to the first outlet of its plan that is up. So a fail-over moves no message:
when the first outlet goes down the second one takes from the same lane, and gives it back later.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from smsc.message import MessageId, OutletName

Plan = tuple[OutletName, ...]
HIGHEST_PRIORITY: Final = 3


class Lane:
    """Ids in the order of arrival, the highest priority first."""

    __slots__ = ("_queues",)

    def __init__(self) -> None:
        self._queues: tuple[deque[MessageId], ...] = tuple(
            deque() for _ in range(HIGHEST_PRIORITY + 1)
        )

    def __len__(self) -> int:
        return sum(map(len, self._queues))

    def put(self, id_: MessageId, priority: int) -> None:
        """Append one id."""
        self._queues[min(priority, HIGHEST_PRIORITY)].append(id_)

    def take(self, limit: int) -> list[MessageId]:
        """Remove and return up to `limit` ids."""
        taken: list[MessageId] = []
        for queue in reversed(self._queues):
            while queue and len(taken) < limit:
                taken.append(queue.popleft())
        return taken


class Lanes:
    """All lanes of a node."""

    def __init__(self) -> None:
        self._lanes: dict[Plan, Lane] = {}

    def __len__(self) -> int:
        return sum(map(len, self._lanes.values()))

    def lane(self, plan: Plan) -> Lane:
        """The lane of a plan, made when first asked for."""
        lane = self._lanes.get(plan)
        if lane is None:
            lane = self._lanes[plan] = Lane()
        return lane

    def take(
        self, outlet: OutletName, limit: int, is_up: Callable[[OutletName], bool]
    ) -> list[MessageId]:
        """Ids that `outlet` should send now: from each lane whose first outlet that is up it is.

        A lane that was served goes behind the others, so that none starves.
        """
        taken: list[MessageId] = []
        for plan, lane in list(self._lanes.items()):
            if outlet not in plan or not lane:
                continue
            if next(filter(is_up, plan), None) == outlet:
                taken += lane.take(limit - len(taken))
                self._lanes[plan] = self._lanes.pop(plan)
                if len(taken) >= limit:
                    break
        return taken

    def waiting(self) -> dict[str, int]:
        """Messages waiting by plan, for people."""
        return {" > ".join(plan): len(lane) for plan, lane in self._lanes.items() if lane}
