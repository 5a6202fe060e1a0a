"""Attempts in doubt: journalled before they are made, held when their answer is missing.

*In*: attempts of outlets with `ambiguous = "hold"`; decisions of people.
*Out*: HELD on disk before the first octet leaves; held messages sent again, or ended.
*Never*: decides.
"""

from collections.abc import Callable, Sequence
from typing import Any

from smsc.flow.dispatch import Dispatch
from smsc.flow.parts import aggregate, released
from smsc.flow.recent import Recent
from smsc.message import Message, MessageId, OutletName, Progress, State
from smsc.ports import Store


class Doubt:
    """See the module."""

    def __init__(self, dispatch: Dispatch, store: Store, recent: Recent, log: Any) -> None:
        self._dispatch = dispatch
        self._store = store
        self._recent = recent
        self._log = log

    def attempting_nowait(
        self,
        outlet: OutletName,
        attempts: Sequence[tuple[MessageId, int]],
        done: Callable[[], None],
    ) -> None:
        """See `smsc.ports.Flow`."""
        batch = self._store.batch()
        for id_, parts in attempts:
            flight = self._dispatch.flights.get(id_)
            if flight is not None:
                flight.mark(batch, outlet, parts)
        self._store.commit_nowait(batch, lambda _: done())

    def release(self, outlet: OutletName, *, resend: bool) -> int:
        """Send what is held for an outlet again, or end it as UNDELIVERABLE; how many messages."""
        dispatch = self._dispatch
        ids = dispatch.holding.take(outlet)
        batch = self._store.batch()
        finals: list[tuple[Message, Progress]] = []
        for id_, progress in zip(ids, self._store.progresses(ids), strict=True):
            message = self._recent.get(id_)
            if message is None or progress is None or progress.state is not State.HELD:
                continue
            state = State.QUEUED if resend else State.UNDELIVERABLE
            progress.parts = released(progress.parts, state)
            if resend:
                progress.state = State.QUEUED
                batch.progress(id_, progress)
                dispatch.queue(message)
                continue
            progress.state = aggregate(progress.parts)
            if progress.state is State.ENROUTE:
                batch.progress(id_, progress)
            else:
                dispatch.end(batch, message, progress, progress.state)
                finals.append((message, progress))
        dispatch.commit(batch, finals)
        self._log.info("message.released", outlet=outlet, messages=len(ids), resend=resend)
        dispatch.pump_all()
        return len(ids)
