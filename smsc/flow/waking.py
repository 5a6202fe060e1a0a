"""What messages need after a restart, or when an alarm rings: to be sent, to end, or nothing yet.

*In*: what an earlier run left; alarms that fell due.
*Out*: messages queued or ended, by dispatch; the next alarms.
*Never*: more than `WAKE` messages in one go: 5000 that are due in one second do not stop the loop.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Final

from smsc.flow.dispatch import Dispatch
from smsc.flow.parts import accepted, aggregate, take_back
from smsc.flow.recent import Recent
from smsc.message import LIVE, Message, MessageId, OutletName, Progress, State
from smsc.ports import ANY_NETWORK, Alarm, Batch, CommitResult, Store
from smsc.store.ids import STEP

ENROUTE_GRACE_MS: Final = 5 * 60 * 1000
"""How long after its validity a message that a network took may still get its receipt."""
_WITH_NETWORK: Final = frozenset({State.ENROUTE, State.HELD})
WAKE: Final = 200
"""Messages looked at in one go when alarms fall due: 10 ms, if all of them end."""
_LOOK_AGAIN_MS: Final = 1000
_HELPING: Final = 500
"""Messages read at a time at start."""


class Waking:
    """See the module."""

    def __init__(
        self, dispatch: Dispatch, store: Store, recent: Recent, now_ms: Callable[[], int]
    ) -> None:
        self._dispatch = dispatch
        self._store = store
        self._recent = recent
        self._now_ms = now_ms

    def restore(self, waiting: Iterable[tuple[MessageId, Progress]]) -> None:
        """Take up what an earlier run left: queue it again, or leave it with its network."""
        rows = iter(waiting)
        while some := list(islice(rows, _HELPING)):
            batch = self._store.batch()
            ours = {id_: p for id_, p in some if self._is_ours(batch, id_, p)}
            self._store.commit_nowait(batch)
            for message in self._store.messages(list(ours)):
                if message is None:
                    continue
                if not message.is_readable:
                    self._dispatch.queue(message)  # sets it aside
                    continue
                self._dispatch.pending.add_many((message,))
                if message.peek.replace_if_present_flag:
                    self._dispatch.replace_older((message,))
                if not ours[message.id].due_ms:
                    self._dispatch.queue(message)

    def _is_ours(self, batch: Batch, id_: MessageId, progress: Progress) -> bool:
        """Is there something to send, now or when an alarm says so?

        A network that forgets what it took is given those parts again.
        """
        outlet = self._dispatch.outlets.get(progress.outlet)
        forgot = outlet is not None and not outlet.remembers
        if forgot and State.ENROUTE in progress.parts:
            progress.parts = take_back(progress.parts)
            progress.state = State.QUEUED
            batch.progress(id_, progress)
        if progress.state is State.HELD:
            self._dispatch.holding.add(id_, progress.outlet)
        return progress.state not in _WITH_NETWORK

    def forgotten_by(self, outlet: OutletName, live: Sequence[tuple[MessageId, Progress]]) -> None:
        """The network of an outlet forgot what it took: queue those messages again."""
        batch = self._store.batch()
        lost: dict[MessageId, Progress] = {}
        for id_, progress in live:
            is_theirs = progress.outlet == outlet and State.ENROUTE in progress.parts
            if is_theirs and id_ not in self._dispatch.flights:
                progress.parts = take_back(progress.parts)
                progress.state = State.QUEUED
                progress.due_ms = 0
                batch.progress(id_, progress)
                lost[id_] = progress
        self._store.commit_nowait(batch)
        for message in self._recent.many(list(lost)):
            if message is not None:
                self._dispatch.queue(message)

    def wake(self, alarms: Sequence[Alarm]) -> None:
        """At least one alarm fell due: a schedule, a retry, or the end of a validity.

        What is beyond `WAKE` messages is left for the next call.
        """
        now_ms = max(self._now_ms(), alarms[-1].due_ms)  # they rang, even if the clock steps back
        again_ms = now_ms + _LOOK_AGAIN_MS
        batch = self._store.batch()
        ids = _due_ids(batch, alarms)
        again: list[Alarm] = []
        live: dict[MessageId, Progress] = {}
        for id_, progress in zip(ids, self._store.progresses(ids), strict=True):
            if progress is None or id_ in self._dispatch.flights:
                at_ms = self._store.lone_alarm_ms(again_ms, id_)
                again.append(Alarm(at_ms, id_, id_))
                batch.defer(at_ms, id_, id_)
            elif progress.state in LIVE:
                live[id_] = progress
        finals = [
            (message, live[message.id])
            for message in self._recent.many(list(live))
            if message is not None and self._wake_one(batch, message, live[message.id], now_ms)
        ]
        self._dispatch.commit(batch, finals)
        if again:
            self._forget_unknown(again)
        self._dispatch.pump_all()

    def _wake_one(self, batch: Batch, message: Message, progress: Progress, now_ms: int) -> bool:
        """Do what the time calls for with a live message in nobody's hands; True: it has ended.

        The accept set an alarm, for many messages together: at the schedule, or else at the end
        of the validity.
        """
        ends_ms = message.expires_ms
        if progress.state in _WITH_NETWORK:
            ends_ms += ENROUTE_GRACE_MS
        is_over = ends_ms <= now_ms
        final = self._dispatch.policies.get(progress.outlet, ANY_NETWORK).final
        if final != "receipt" and progress.state is State.ENROUTE:
            if is_over or 0 < progress.due_ms <= now_ms:
                return self._end_without_receipt(batch, message, progress, final)
        elif is_over:
            self._dispatch.end(batch, message, progress, State.EXPIRED)
            return True
        if progress.state is not State.QUEUED:
            ends_ms = self._store.lone_alarm_ms(ends_ms, message.id)
            batch.defer(ends_ms, message.id, message.id)
            self._dispatch.alarm_moved(ends_ms)
        if 0 < progress.due_ms <= now_ms and progress.state not in _WITH_NETWORK:
            progress.state = State.QUEUED
            progress.due_ms = 0
            batch.progress(message.id, progress)
            self._dispatch.queue(message)
        return False

    def _end_without_receipt(
        self, batch: Batch, message: Message, progress: Progress, final: str
    ) -> bool:
        """End a message whose network tells nothing; True if its client is to hear of it."""
        if final == "never":
            self._dispatch.end(batch, message, progress, State.UNKNOWN)
            return False  # nobody is told what nobody knows
        progress.parts = accepted(progress.parts)
        self._dispatch.end(batch, message, progress, aggregate(progress.parts))
        return True

    def _forget_unknown(self, alarms: Sequence[Alarm]) -> None:
        """Take back these alarms of messages whose accept will never reach the disk.

        Commits keep their order: whoever is unknown after the next one was refused or forgotten.
        """
        self._dispatch.alarm_moved(min(alarm.due_ms for alarm in alarms))

        def committed(_result: CommitResult) -> None:
            batch = self._store.batch()
            for alarm in alarms:
                if self._store.progress(alarm.first) is None:
                    batch.undefer(alarm)
            self._store.commit_nowait(batch)

        self._store.commit_nowait(self._store.batch(), committed)


def _due_ids(batch: Batch, alarms: Sequence[Alarm]) -> list[MessageId]:
    """The messages to look at now, each once; the alarms of all others stay as they are."""
    ids: dict[MessageId, None] = {}
    for alarm in alarms:
        batch.undefer(alarm)
        end = min(alarm.last, alarm.first + (WAKE - len(ids) - 1) * STEP)
        ids.update(dict.fromkeys(map(MessageId, range(alarm.first, end + 1, STEP))))
        if end < alarm.last:
            batch.defer(alarm.due_ms, MessageId(end + STEP), alarm.last)
        if len(ids) >= WAKE:
            break
    return list(ids)
