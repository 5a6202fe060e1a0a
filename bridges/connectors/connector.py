"""The outlet of every online SMS service: the one driver, whatever the service.

*In*: messages, as any outlet. *Out*: attempts through its `Sender`; outcomes to the flow.
*Never*: more than `concurrency` messages in hand; an outcome twice; a text or a secret in a log.

`concurrency` tasks live as long as the connector and take parts from one queue, so no task and no
connection is made for a message. What the service cannot have is tried again (here or by another
outlet); what it may have goes by `ambiguous`, as on an upstream link.
"""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, assert_never

import trio

from bridges.connectors.beside import Beside
from bridges.connectors.breaker import Breaker
from bridges.connectors.exchange import NoAnswer, NotSent
from bridges.connectors.incoming import take_call
from bridges.connectors.sender import Attempted, HttpSender, Sender
from bridges.connectors.service import Callback, Declined, Taken, Unclear
from bridges.connectors.settings import Basics, ConnectorConfig, secrets_of
from bridges.connectors.sms import Dress, Sms, read_sms
from bridges.connectors.troubles import WHY_CHARACTERS, Troubles
from bridges.http.dialects.base import Reply
from bridges.upstream_pace import Pace
from pdu.status import Status
from smsc.message import MessageId, OutletName
from smsc.ports import Failed, Flow, Held, Outcome, Outgoing, Sent, TryLater

NO_ANSWER: Final = int(Status.ESME_RSYSERR)
_SHORTEST_REST_S: Final = 0.005

Wish = Literal["start", "stop", "drain"]


class Connector:
    """See `smsc.ports.Outlet`; also takes callbacks of its service, and the wishes of people."""

    remembers = True

    def __init__(
        self, name: OutletName, kind: str, config: Basics, sender: Sender, dress: Dress, *, log: Any
    ) -> None:
        self.name = name
        self.kind = kind
        self.config = config
        self.policy = config.policy
        self.sender = sender
        self.dress = dress
        self.log = log.bind(outlet=name)
        self.breaker = Breaker(config.breaker_failures, config.breaker_s, config.stopped_s)
        self.flow: Flow | None = None
        self.is_running = False
        self.beside: Beside | None = None
        self.receipts_path = self.receipts_url = ""
        if isinstance(sender, HttpSender) and isinstance(config, ConnectorConfig):
            self.beside = Beside(self, sender, config)
            self.receipts_path = config.receipts_path.value
            self.receipts_url = config.receipt_url
        self._troubles = Troubles(self.log, secrets_of(config))
        self._may_send = True
        self._is_draining = False
        self._pace = Pace(config.rate, trio.current_time())
        self._quiet_until = 0.0
        self._up_since = 0.0
        self._heard_at: float | None = None
        self._written_at: float | None = None
        self._in_hand: dict[MessageId, int] = {}  # parts without an outcome
        self._queue: deque[Sms] = deque()
        self._flying: dict[int, Sms] = {}
        self._idle = trio.lowlevel.ParkingLot()
        self._news = trio.Event()
        self._owes_look = self._is_starved = False
        self._counts = dict.fromkeys(
            ("sent", "accepted", "refused", "retried", "throttled", "unanswered", "held"), 0
        )

    # --- the port `Outlet` ---------------------------------------------------------------------

    @property
    def is_up(self) -> bool:
        """May messages come? Half-open, one at a time; the others go elsewhere meanwhile."""
        if not self.is_running or not self._may_send or self._is_draining:
            return False
        if self.breaker.takes_all() and not self._quiet_until:
            return True
        now = trio.current_time()
        if now < self._quiet_until:
            return False
        return self.breaker.takes_all() or (self.breaker.may_go(now) and not self._in_hand)

    def room(self) -> int:
        """Free places among `concurrency`, as far as the pace goes."""
        if not self.is_up:
            return 0
        if not self.breaker.takes_all():
            return 1
        free = self.config.concurrency - len(self._in_hand)
        paced = self._pace.room(trio.current_time()) - len(self._queue)
        if free > 0 and paced <= 0:
            self._is_starved = True
            self._news.set()
        return max(0, min(free, paced))

    def send(self, batch: Sequence[Outgoing]) -> None:
        """Take the batch; its attempts follow from `run`."""
        failed: list[Outcome] = []
        taken: list[Sms] = []
        in_hand: dict[MessageId, int] = {}
        now_ms = int(time.time() * 1000)
        for outgoing in batch:
            made = read_sms(outgoing, self.dress, now_ms)
            if isinstance(made, Failed):
                failed.append(made)
            else:
                taken += made
                in_hand[outgoing.message.id] = len(made)
        self._in_hand |= in_hand  # at the end: who raises has taken nothing
        if taken and self.config.ambiguous == "hold":
            self._mark(taken)
        else:
            self._put(taken)
        if failed and self.flow is not None:
            self._counts["refused"] += len(failed)
            self.flow.settle(self.name, failed)

    async def run(self, flow: Flow) -> None:
        """Send what comes, until cancelled; what is under way then was journalled as it must be."""
        self.flow = flow
        try:
            while True:
                try:
                    async with self.sender.opened():
                        await self._live()
                except (OSError, ValueError) as error:  # files or settings that cannot be used
                    self._stop_for_people(str(error))
                    self._news = trio.Event()
                    with trio.move_on_after(self.config.stopped_s or float("inf")):
                        await self._news.wait()
        except Exception:
            # A bug ends this life, not the messages: each still gets its outcome.
            lost = [self._without_answer(sms) for sms in self._flying.values()]
            self._flying.clear()
            self._settle(lost + self._give_back())
            raise

    def control(self, wish: Wish) -> None:
        """Start, stop or drain; the other outlets do not notice.

        A stop hands back what waits; attempts that are under way come to their end. A start also
        closes the circuit breaker.
        """
        self.log.info("connector.controlled", wish=wish)
        self._is_draining = wish == "drain"
        self._may_send = wish != "stop"
        if wish == "start":
            self.breaker.reset()
        if wish == "stop":
            self._settle(self._give_back())
        self._stop_when_drained()
        self._news.set()
        if self.flow is not None:
            self.flow.room_changed(self.name)

    def statistics(self) -> Mapping[str, object]:
        """State, use, pace, breaker, errors by the service's codes; counts since the start."""
        now = trio.current_time()
        limit = self._pace.limit
        return {
            "kind": self.kind,
            "state": self._state(now),
            "up": self.is_up,
            "breaker": self.breaker.state(now),
            "breaker_opened": self.breaker.opened,
            "why": self.breaker.why,
            "uptime_s": round(now - self._up_since, 1) if self.is_up else 0.0,
            "heard_s_ago": _ago(now, self._heard_at),
            "written_s_ago": _ago(now, self._written_at),
            "window_used": len(self._in_hand),
            "window": self.config.concurrency,
            "in_flight": len(self._flying),
            "rate": round(self._pace.rate(now), 1),
            "rate_limit": None if limit == float("inf") else round(limit, 1),
            "slowed": self._pace.is_slowed,
            "errors": self._troubles.counts(),
            **self._counts,
            **(self.beside.statistics() if self.beside is not None else {}),
        }

    # --- beside the port -----------------------------------------------------------------------

    async def called(self, callback: Callback) -> Reply:
        """A request of the service to `receipts_path`; answered well once it is on disk."""
        flow = self.flow
        if flow is None or not self.is_running or not isinstance(self.sender, HttpSender):
            return Reply(503, b"not started", "text/plain")
        told = await take_call(flow, self.name, self.sender.service, callback, self.log)
        if self.beside is not None:
            self.beside.ended(told.reports)
        return told.reply

    def remind(self, upstream_ids: Sequence[str]) -> None:
        """The service took these in an earlier life, and their end is not known."""
        if self.beside is not None:
            self.beside.taken(upstream_ids)

    # --- attempts ------------------------------------------------------------------------------

    async def _live(self) -> None:
        flow = self.flow
        assert flow is not None
        try:
            await self._work_together(flow)
        finally:
            self.is_running = False

    async def _work_together(self, flow: Flow) -> None:
        async with trio.open_nursery() as nursery:
            self.is_running = True
            self._up_since = trio.current_time()
            for _ in range(self.config.concurrency):
                nursery.start_soon(self._work)
            nursery.start_soon(self._keep_time)
            if self.beside is not None:
                nursery.start_soon(self.beside.run)
            flow.room_changed(self.name)

    async def _work(self) -> None:
        while True:
            while not self._queue:
                await self._idle.park()
            sms = self._queue.popleft()
            began_at = self._written_at = trio.current_time()
            self._pace.sent(1)
            self.breaker.began()
            self._counts["sent"] += 1
            self._flying[id(sms)] = sms
            try:
                attempted: Attempted = await self.sender.attempt(sms)
            except Exception as error:  # a bug in a service's file: this message is in doubt
                self.log.exception("connector.broke", id=sms.id)
                attempted = NoAnswer(repr(error))
            del self._flying[id(sms)]
            self._settle([self._judge(sms, attempted, began_at)])

    def _judge(self, sms: Sms, attempted: Attempted, began_at: float) -> Outcome:
        """What an attempt means for its message, and for the connector."""
        now = trio.current_time()
        match attempted:
            case Taken(upstream_id):
                self._counts["accepted"] += 1
                self._pace.accepted(1, now)
                self._well()
                if self.beside is not None and upstream_id:
                    self.beside.taken((upstream_id,))
                return Sent(sms.id, upstream_id, sms.part, sms.parts)
            case Declined():
                return self._declined(sms, attempted, began_at, now)
            case NotSent(why, is_hopeless=True):
                self._troubles.note("request", why, sms)
                self.breaker.gave_up()
                self._counts["refused"] += 1
                return Failed(sms.id, Status.ESME_RSUBMITFAIL, sms.part, sms.parts)
            case NotSent(why):
                self._troubles.note("not_sent", why, sms)
                self._ill(now, why)
                self._counts["retried"] += 1
                return _not_answered(sms)
            case NoAnswer(why) | Unclear(why):
                self._troubles.note("unanswered", why, sms)
                self._ill(now, why)
                return self._without_answer(sms)
            case _:
                assert_never(attempted)

    def _declined(self, sms: Sms, told: Declined, began_at: float, now: float) -> Outcome:
        why = f"{told.code}: {self._troubles.note(told.code, told.why, sms)}"
        class_ = told.class_
        if class_ == "sender":
            class_ = "configuration" if sms.is_sender_ours else "permanent"
        again = TryLater(sms.id, told.status, sms.part, sms.parts)
        if told.retry_after_s:
            self._quiet_until = now + told.retry_after_s
            self._news.set()
        if class_ == "configuration":
            self._counts["retried"] += 1
            self._stop_for_people(why)
            return again
        if class_ == "retryable":
            self._counts["retried"] += 1
            self._ill(now, why)
            return again
        self._well()
        if class_ == "throttled":
            self._counts["throttled"] += 1
            self._pace.throttled(began_at, now)
            return again
        self._counts["refused"] += 1
        return Failed(sms.id, told.status, sms.part, sms.parts)

    def _without_answer(self, sms: Sms) -> Outcome:
        """The service may or may not have it."""
        self._counts["unanswered"] += 1
        if self.config.ambiguous == "resend":
            return _not_answered(sms)
        self._counts["held"] += 1
        return Held(sms.id, NO_ANSWER, sms.part, sms.parts)

    # --- the queue -----------------------------------------------------------------------------

    def _mark(self, taken: list[Sms]) -> None:
        """Journal the attempt before the first octet leaves: after a crash nobody doubts it."""
        assert self.flow is not None
        attempts = list({sms.id: sms.parts for sms in taken}.items())
        self.flow.attempting_nowait(self.name, attempts, lambda: self._put(taken))

    def _put(self, taken: Sequence[Sms]) -> None:
        self._queue.extend(taken)
        # While an attempt was journalled the service may have gone.
        may_go = self.breaker.takes_all() or self.breaker.may_go(trio.current_time())
        if not (self.is_running and self._may_send and may_go):
            self._settle(self._give_back())
        else:
            self._idle.unpark(count=len(taken))

    def _give_back(self) -> list[Outcome]:
        """What was not begun, for other outlets; the service has none of it."""
        given = list(self._queue)
        self._queue.clear()
        return [_not_answered(sms) for sms in given]

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        for one in outcomes:
            left = self._in_hand.get(one.id, 1) - 1
            if left:
                self._in_hand[one.id] = left
            else:
                self._in_hand.pop(one.id, None)
        self._stop_when_drained()
        if outcomes and self.flow is not None:
            self.flow.settle(self.name, outcomes)

    def _stop_when_drained(self) -> None:
        if self._is_draining and not self._in_hand:
            self._is_draining = self._may_send = False
            self.log.info("connector.controlled", wish="stop")

    # --- health --------------------------------------------------------------------------------

    def _state(self, now: float) -> str:
        if not self._may_send:
            return "stopped"
        if self._is_draining:
            return "draining"
        return {"closed": "up", "half-open": "down", "open": "down"}.get(
            self.breaker.state(now), "stopped"
        )

    def _well(self) -> None:
        self._heard_at = trio.current_time()
        if self.breaker.succeeded():
            self._up_since = self._heard_at
            self.log.info("connector.back")

    def _ill(self, now: float, why: str) -> None:
        if self.breaker.failed(now, why):
            self.log.warning("connector.out", why=why[:WHY_CHARACTERS])
            self._went_down()

    def _stop_for_people(self, why: str) -> None:
        if self.breaker.misconfigured(trio.current_time(), why):
            self.log.error("connector.stopped", why=why[:WHY_CHARACTERS])
        self._went_down()

    def _went_down(self) -> None:
        self._owes_look = True
        self._news.set()
        self._settle(self._give_back())

    async def _keep_time(self) -> None:
        """Ask for messages again when the pace, the breaker or the service's wish allows it."""
        while True:
            now = trio.current_time()
            waits = [wait_s for wait_s in self._waits(now) if wait_s is not None]
            rest_s = max(_SHORTEST_REST_S, min(waits)) if waits else float("inf")
            with trio.move_on_after(rest_s):
                await self._news.wait()
            self._news = trio.Event()
            now = trio.current_time()
            if self._owes_look and self.breaker.may_go(now):
                self._owes_look = False
            if self._quiet_until <= now:
                self._quiet_until = 0.0
            if self._is_starved and not self._pace.wait_s(now):
                self._is_starved = False
            if self.flow is not None:
                self.flow.room_changed(self.name)

    def _waits(self, now: float) -> Sequence[float | None]:
        return (
            self.breaker.wait_s(now) if self._owes_look else None,
            self._quiet_until - now if self._quiet_until else None,
            self._pace.wait_s(now) if self._is_starved else None,
        )


def _not_answered(sms: Sms) -> Outcome:
    return TryLater(sms.id, NO_ANSWER, sms.part, sms.parts, is_answer=False)


def _ago(now: float, at: float | None) -> float | None:
    return None if at is None else round(now - at, 1)
