"""Messages that wait get their way by today's rules, after the rules or the outlets changed.

*In*: a wish, after a reload. *Out*: ids moved to the lanes of their new plans, in their order.
*Never*: more than half of the loop's time; a message that has a living outlet left without one:
it was accepted, and a rule made since that rejects its like does not reach back.

Until its turn comes a message keeps its lane, so its old outlets go on with it meanwhile.
"""

from collections.abc import Sequence
from typing import Any, Final

import trio

from smsc.flow.dispatch import Dispatch
from smsc.flow.guide import Guide
from smsc.flow.lanes import Plan
from smsc.message import Message, MessageId
from smsc.ports import Store

_HELPING: Final = 200
"""Messages looked at in one go: about 5 ms."""
_SHORTEST_REST_S: Final = 0.001


class Rerouting:
    """One task that walks over all lanes when it is asked to."""

    def __init__(self, dispatch: Dispatch, guide: Guide, store: Store, log: Any) -> None:
        self._dispatch = dispatch
        self._guide = guide
        self._store = store
        self._log = log
        self._wanted = trio.Event()
        self._wants_all = False

    def all_soon(self) -> None:
        """The rules changed: look at every message that waits."""
        self._wants_all = True
        self._wanted.set()

    def stranded_soon(self) -> None:
        """An outlet is gone: look at the messages whose plan names it, or nobody."""
        self._wanted.set()

    async def run(self) -> None:
        """Live until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted = trio.Event()
            is_for_all, self._wants_all = self._wants_all, False
            await self._walk(is_for_all=is_for_all)

    async def _walk(self, *, is_for_all: bool) -> None:
        lanes = self._dispatch.backlog.lanes
        moved = unrouted = 0
        # Who has no outlet at all has waited for this: first.
        for plan in sorted(lanes.plans(), key=self._has_outlet):
            if not is_for_all and plan and all(name in self._dispatch.outlets for name in plan):
                continue
            for ring, account, portion in list(lanes.lane(plan).portions()):
                queue = ring.queues.get(account)
                ids = queue.still(portion) if queue is not None else []
                for start in range(0, len(ids), _HELPING):
                    began = trio.current_time()
                    new = self._new_ways(plan, ids[start : start + _HELPING])
                    gone = ring.discard(account, portion, new)
                    moved += self._move(gone, new)
                    unrouted += sum(not new[id_][0] for id_ in gone)
                    await trio.sleep(max(trio.current_time() - began, _SHORTEST_REST_S))
        lanes.forget_empty()
        if moved or unrouted:
            self._log.info("messages.rerouted", messages=moved, unrouted=unrouted)

    def _has_outlet(self, plan: Plan) -> bool:
        return any(name in self._dispatch.outlets for name in plan)

    def _new_ways(
        self, plan: Plan, ids: Sequence[MessageId]
    ) -> dict[MessageId, tuple[Plan, Message | None]]:
        """The messages that must leave the lane of `plan`, with the plan that they have now."""
        ways: dict[MessageId, tuple[Plan, Message | None]] = {}
        for id_, message in zip(ids, self._store.messages(ids), strict=True):
            if message is None or not message.is_readable:
                ways[id_] = ((), message)
                continue
            new = self._guide.plan_now(message)
            if new != plan and (new or not self._has_outlet(plan)):
                ways[id_] = (new, message)
        return ways

    def _move(
        self,
        ids: Sequence[MessageId],
        ways: dict[MessageId, tuple[Plan, Message | None]],
    ) -> int:
        """Queue messages that were taken out of their lane; how many have a way now."""
        touched: set[Plan] = set()
        moved = 0
        for id_ in ids:
            plan, message = ways[id_]
            if message is None:
                continue  # the store has no such message any more
            if not message.is_readable:
                self._dispatch.queue(message)  # sets it aside
                continue
            self._dispatch.backlog.put(message, plan)
            touched.add(plan)
            moved += bool(plan)
        self._dispatch.pump_plans(touched)
        return moved
