"""The outlet kind `smpp`: an upstream link, one or more binds to a carrier's message centre.

*In*: messages, as any outlet. *Out*: submit_sm to the carrier; outcomes, receipts and MO messages
to the flow.
*Never*: two sockets for one bind; a deliver_sm answered before it is on disk; an outcome twice.

What the carrier is too busy for waits here, before all that came later, and leaves at the pace
that the carrier bears: no other outlet tries it and no alarm is set, so nothing is re-queued in
storms. After `throttle_patience_s` it goes the way of other failures.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import trio

from bridges.outgoing import part_bodies, unsent_parts
from bridges.upstream_bind import Bind
from bridges.upstream_config import UpstreamConfig
from bridges.upstream_pace import Pace
from bridges.upstream_part import Backlog, Part
from pdu.operations import V34, V50
from pdu.receipt_ids import IdHabit
from pdu.status import Status, status_name
from pdu.text.errors import TextError
from smsc.message import OutletName
from smsc.ports import Failed, Flow, Held, Outcome, Outgoing, Sent, TryLater
from smsc.session.congestion import state_of
from smsc.session.events import Answer

_UNBIND_S: Final = 1.0
"""How long a stop waits for unbind_resp; a stop in a hurry waits as long, so it is short."""
_TICK_S: Final = 1.0
_SHORTEST_REST_S: Final = 0.005
NO_ANSWER: Final = int(Status.ESME_RSYSERR)
"""Noted as the error of parts that the carrier did not answer: time-out, or a cut."""

Wish = Literal["start", "stop", "drain"]


class UpstreamLink:
    """See `smsc.ports.Outlet`."""

    remembers = True

    def __init__(
        self, name: OutletName, config: UpstreamConfig, *, log: Any, draw: random.Random
    ) -> None:
        self.name = name
        self.config = config
        self.policy = config.policy
        self.id_habit = IdHabit(config.quirks.ids)
        self.log = log
        self.is_stopping = False
        self.may_bind = True
        self.wished = trio.Event()
        self.flow: Flow
        self._shape = config.quirks.shape(knows_tlvs=config.interface_version >= V34)
        now = trio.current_time()
        self._binds = [
            Bind(self, number, kind, draw) for number, kind in enumerate(config.kinds, 1)
        ]
        self._sending = sum(kind != "receiver" for kind in config.kinds)
        self._link_window = config.link_window or config.window * config.binds
        self._pace = Pace(config.rate, now)
        self._backlog = Backlog()
        self._marking = 0
        self._order = 0
        self._starved = trio.Event()
        self._is_draining = False
        self._errors: Counter[int] = Counter()
        self._counts = {
            "sent": 0,
            "accepted": 0,
            "refused": 0,
            "throttled": 0,
            "unanswered": 0,
            "held": 0,
        }

    @property
    def is_up(self) -> bool:
        """Is one of the binds there to send on, and may it?"""
        return self.may_bind and not self._is_draining and any(b.can_send for b in self._binds)

    def room(self) -> int:
        """Free places in the windows of all binds, as far as the pace goes."""
        if self.is_stopping or not self.is_up:
            return 0
        now = trio.current_time()
        free = min(self._free(now), self._pace.room(now))
        if not free and self._wait_s(now):
            self._starved.set()
        return max(0, free - len(self._backlog) - self._marking)

    def send(self, batch: Sequence[Outgoing]) -> None:
        """Part the messages and write what the windows take."""
        failed: list[Outcome] = []
        taken: list[Part] = []
        ask, shape, order = self.config.ask_receipts, self._shape, self._order
        dress = self._dress if self.config.quirks.changes_addresses else None
        for outgoing in batch:
            message = outgoing.message
            try:
                bodies = part_bodies(message, ask_receipts=ask, shape=shape)
            except TextError:
                failed.append(Failed(message.id, Status.ESME_RINVMSGLEN))
                continue
            if dress is not None and not dress(outgoing, bodies):
                failed.append(Failed(message.id, Status.ESME_RINVSRCADR))
                continue
            parts = len(bodies)
            if parts == 1 and not outgoing.progress.parts:  # most of them: what follows, in short
                order += 1
                taken.append(Part(message.id, 0, 1, bodies[0], order))
                continue
            for part in unsent_parts(outgoing.progress.parts, parts):
                order += 1
                taken.append(Part(message.id, part, parts, bodies[part], order))
        self._order = order  # at the end: who raises has taken nothing
        if self.config.ambiguous == "hold" and taken:
            self._mark(taken)
        else:
            self._backlog.put(taken)
            self._write()
        if failed:
            self.flow.settle(self.name, failed)

    async def run(self, flow: Flow) -> None:
        """Keep the binds; on cancellation unbind them."""
        self.flow = flow
        self.is_stopping = False
        async with trio.open_nursery() as nursery:
            scope = trio.CancelScope(shield=True)
            nursery.start_soon(self._keep_bound, scope)
            nursery.start_soon(self._rest)
            try:
                await self._sweep()
            finally:
                self.is_stopping = True
                self._wish_changed()
                for bind in self._binds:
                    bind.unbind(_UNBIND_S)
                with trio.move_on_after(_UNBIND_S, shield=True):
                    # A stop looks a few times, so that nothing has to tell on the way.
                    while any(bind.session is not None for bind in self._binds):  # noqa: ASYNC110
                        await trio.sleep(_UNBIND_S / 100)
                scope.cancel()

    def control(self, wish: Wish) -> None:
        """Start, stop or drain this link; the others do not notice.

        A stop hands back what waits and unbinds; what was not answered then is ambiguous.
        A drain takes nothing new, waits for all answers, then stops; a stopped link stays so.
        """
        self.log.info("link.controlled", outlet=self.name, wish=wish)
        if wish == "drain" and not self.may_bind:
            return
        self._is_draining = wish == "drain"
        self.may_bind = wish != "stop"
        if wish == "stop":
            self._stop()
        self._wish_changed()
        self.flow.room_changed(self.name)

    def statistics(self) -> Mapping[str, object]:
        """State of the binds, use of the windows, pace, errors; counts since the start."""
        now = trio.current_time()
        bound_since = [bind.bound_at for bind in self._binds if bind.bound_at is not None]
        heard = [one for one in map(_heard_at, self._binds) if one is not None]
        written = [at for bind in self._binds if (at := _written_at(bind)) is not None]
        limit = self._pace.limit
        return {
            "kind": "smpp",
            "state": self._state,
            "up": self.is_up,
            "uptime_s": round(now - min(bound_since), 1) if bound_since else 0.0,
            "heard_s_ago": round(now - max(heard), 1) if heard else None,
            "written_s_ago": round(now - max(written), 1) if written else None,
            "bound": sum(bind.is_bound for bind in self._binds),
            "binds": len(self._binds),
            "window_used": self._outstanding,
            "window": self._link_window,
            "waiting_here": len(self._backlog) + self._marking,
            "rate": round(self._pace.rate(now), 1),
            "rate_limit": None if limit == float("inf") else round(limit, 1),
            "slowed": self._pace.is_slowed,
            "ids": self.id_habit.word,
            "errors": {status_name(status): n for status, n in self._errors.most_common()},
            **self._counts,
        }

    # --- what its binds tell -------------------------------------------------------------------

    def push(self) -> None:
        """There may be room: write the backlog, then ask for more."""
        self._write()
        self.flow.room_changed(self.name)

    def answered(self, bind: Bind, answers: Sequence[Answer]) -> None:
        """submit_sm_resp came in."""
        now = trio.current_time()
        outcomes: list[Outcome] = []
        upstream_ids: list[str] = []
        habit = None if self.id_habit.is_exact else self.id_habit
        refused = 0
        for part, status, body in answers:
            if not status:
                upstream_id = body.split(b"\0", 1)[0].decode("latin-1")
                if habit is not None and upstream_id:
                    upstream_id = habit.response_key(upstream_id)
                upstream_ids.append(upstream_id)
                outcomes.append(Sent(part.id, upstream_id, part.part, part.parts))
            else:
                refused += 1
                outcome = self._refused(part, status, now)
                if outcome is not None:
                    outcomes.append(outcome)
        if habit is None and self.id_habit.is_curious:
            self.id_habit.note_responses(upstream_ids)
        accepted = len(answers) - refused
        self._counts["accepted"] += accepted
        if accepted:
            self._pace.accepted(accepted, now)
        session = bind.session
        if session is not None and session.version >= V50:
            self._heed_congestion(answers, now)
        self._write()
        if outcomes:
            self.flow.settle(self.name, outcomes)

    def unanswered(self, parts: Sequence[Part]) -> None:
        """The carrier never answered these: it may or may not have them."""
        self._counts["unanswered"] += len(parts)
        outcomes: list[Outcome]
        if self.config.ambiguous == "hold":
            self._counts["held"] += len(parts)
            outcomes = [Held(p.id, NO_ANSWER, p.part, p.parts) for p in parts]
        else:
            outcomes = [_not_answered(part) for part in parts]
        if not self.is_up:
            outcomes += self._give_back()
        self.flow.settle(self.name, outcomes)
        self.flow.room_changed(self.name)

    # --- helpers -------------------------------------------------------------------------------

    @property
    def _state(self) -> str:
        if not self.may_bind:
            return "stopped"
        if self._is_draining:
            return "draining"
        # A link that lost its transmitters is down, whatever its receivers still hear.
        is_up = any(bind.can_send if self._sending else bind.is_bound for bind in self._binds)
        return "up" if is_up else "down"

    @property
    def _outstanding(self) -> int:
        return sum(bind.outstanding for bind in self._binds)

    def _free(self, now: float) -> int:
        """Free places in the windows: those of the binds, and the link's own."""
        free = sum(bind.room(now) for bind in self._binds)
        return max(0, min(free, self._link_window - self._outstanding))

    def _wait_s(self, now: float) -> float:
        """Seconds until the pace lets a part go; 0: only the window can be in the way."""
        waits = [bind.wait_s(now) for bind in self._binds if bind.has_place]
        return max(self._pace.wait_s(now), min(waits, default=0.0))

    def _wish_changed(self) -> None:
        self.wished.set()
        self.wished = trio.Event()

    def _stop(self) -> None:
        """Unbind; who does not answer that is cut a moment later."""
        for bind in self._binds:
            bind.unbind(_UNBIND_S)
        given_back = self._give_back()
        if given_back:
            self.flow.settle(self.name, given_back)

    def _give_back(self) -> list[Outcome]:
        """What was not written, for other outlets; the carrier has none of it."""
        return [_not_answered(part) for part in self._backlog.take(len(self._backlog))]

    def _dress(self, outgoing: Outgoing, bodies: list[bytes]) -> bool:
        """Put the addresses on that the carrier wants; False if it takes no such sender."""
        peek = outgoing.message.peek  # the addresses stand in front: the same in each part
        for place, body in enumerate(bodies):
            dressed = self.config.quirks.rewrite(body, peek)
            if dressed is None:
                return False
            bodies[place] = dressed
        return True

    def _mark(self, parts: list[Part]) -> None:
        """Journal the attempt before the first octet leaves: after a crash nobody doubts it."""
        self._marking += len(parts)
        attempts = list({part.id: part.parts for part in parts}.items())

        def marked() -> None:
            self._marking -= len(parts)
            self._backlog.put(parts)
            if self.is_up and not self.is_stopping:
                self._write()
            else:
                self.flow.settle(self.name, self._give_back())

        self.flow.attempting_nowait(self.name, attempts, marked)

    def _refused(self, part: Part, status: int, now: float) -> Outcome | None:
        """What a refusal means; None: it is kept here and leaves again before all others."""
        self._errors[status] += 1
        match self.config.quirks.error_class(status):
            case "permanent":
                self._counts["refused"] += 1
                return Failed(part.id, status, part.part, part.parts)
            case "retryable":
                return TryLater(part.id, status, part.part, part.parts)
            case "throttled":
                self._counts["throttled"] += 1
                self._pace.throttled(part.sent_at, now)
                part.refused_at = part.refused_at or now
                part.refused_with = status
                is_patient = now - part.refused_at < self.config.throttle_patience_s
                if not (is_patient and self.is_up):
                    return TryLater(part.id, status, part.part, part.parts)
                self._backlog.put_back(part)
                return None

    def _heed_congestion(self, answers: Sequence[Answer], now: float) -> None:
        """The worst congestion_state of a read: a carrier need not repeat it in each response."""
        worst = max([state_of(body) for _, _, body in answers])
        if worst:
            self._pace.congested(worst, now)

    def _lose_patience(self, now: float) -> None:
        """Give back what waited here long enough: its turn may come much later."""
        parts = self._backlog.take_impatient(now - self.config.throttle_patience_s)
        if parts:
            self.flow.settle(
                self.name, [TryLater(p.id, p.refused_with, p.part, p.parts) for p in parts]
            )

    async def _keep_bound(self, scope: trio.CancelScope) -> None:
        with scope:
            async with trio.open_nursery() as nursery:
                for bind in self._binds:
                    nursery.start_soon(bind.run)

    async def _sweep(self) -> None:
        """Let the sessions look at the clock, and carry out wishes."""
        while True:
            await trio.sleep(_TICK_S)
            now = trio.current_time()
            for bind in self._binds:
                bind.tick(now)
            self._lose_patience(now)
            self.push()
            is_idle = not (self._outstanding or self._backlog or self._marking)
            if self._is_draining and is_idle:
                self.control("stop")

    async def _rest(self) -> None:
        """Write on when the pace allows it."""
        while True:
            await self._starved.wait()
            now = trio.current_time()
            await trio.sleep(max(self._wait_s(now), _SHORTEST_REST_S))
            self._starved = trio.Event()
            self.push()

    def _write(self) -> None:
        """Fill the windows from the backlog, one write for each bind."""
        waiting = len(self._backlog)
        if not waiting:
            return
        now = trio.current_time()
        budget = min(waiting, self._free(now), self._pace.room(now))
        for bind in sorted(self._binds, key=_outstanding) if self._sending > 1 else self._binds:
            room = min(bind.room(now), budget)
            if room > 0:
                bind.write(self._backlog.take(room), now)
                self._pace.sent(room)
                self._counts["sent"] += room
                budget -= room
        if self._backlog and self._wait_s(now):
            self._starved.set()


def _not_answered(part: Part) -> Outcome:
    return TryLater(part.id, NO_ANSWER, part.part, part.parts, is_answer=False)


def _outstanding(bind: Bind) -> int:
    return bind.outstanding


def _written_at(bind: Bind) -> float | None:
    """When it last sent anything, a bind too."""
    spoke = bind.session.spoke_at if bind.session is not None else 0.0
    return max(spoke, bind.written_at or 0.0) or None


def _heard_at(bind: Bind) -> float | None:
    """When the carrier last said anything, on this connection or an earlier one."""
    return (bind.session is not None and bind.session.heard_at) or bind.heard_at
