"""HOT: one bound session of the load client: keeps its window full.

*In*: what the session's reads bring. *Out*: submit_sm, as many as the window takes, once a read.
*Never*: a task, an await or a write for one message.

The project's own session machine in the role of an ESME, on the project's own link.
"""

import socket
from itertools import repeat
from typing import Final

import trio

from bench.load_tally import Tally
from pdu.commands import Command
from pdu.operations import Role
from pdu.status import status_name
from smsc.link import Link
from smsc.session.events import Answered, BindFailed, Bound, Delivered, Event, TimedOut
from smsc.session.machine import Session
from smsc.session.timers import Timers

_HOLD: Final = 1000
"""deliver_sm are answered in the read that brings them, so this limits nothing."""


class Source:
    """The messages of a run: a ring of ready bodies, until the count or the time is used up.

    :param bodies: submit_sm bodies, sent again and again in this order.
    :param count: how many messages to send; None = as many as the time allows.
    """

    def __init__(self, bodies: list[bytes], count: int | None) -> None:
        self._bodies = bodies
        self._left = count
        self._at = 0
        self.stop_at = float("inf")

    def take(self, limit: int, now: float) -> list[bytes]:
        """Up to `limit` bodies; none after the end."""
        if limit <= 0 or now >= self.stop_at:
            return []
        if self._left is not None:
            limit = min(limit, self._left)
            self._left -= limit
        taken = self._bodies[self._at : self._at + limit]
        while len(taken) < limit:
            taken += self._bodies[: limit - len(taken)]
        self._at = (self._at + limit) % len(self._bodies)
        return taken


class LoadSession:
    """One connection: bind, submit until the source is dry, take receipts, unbind."""

    def __init__(
        self, sock: socket.socket, source: Source, tally: Tally, *, window: int, response_s: float
    ) -> None:
        self.session = Session(
            Role.ESME,
            trio.current_time(),
            timers=Timers(response_s=response_s),
            window=window,
            hold=_HOLD,
        )
        self.link = Link(sock, self.session, self._handle)
        self.settled = trio.Event()
        """Bound, or never to be."""
        self.finished = trio.Event()
        """The source is dry and everything sent was answered, or the connection is over."""
        self.why_not_bound = ""
        self._source = source
        self._tally = tally
        self._is_sending = False

    async def run(self, system_id: str, password: str, *, receipts: bool) -> None:
        """Bind and serve the connection to its end."""
        kind = Command.BIND_TRANSCEIVER if receipts else Command.BIND_TRANSMITTER
        self.session.bind(kind, system_id=system_id, password=password)
        self.link.flush()
        try:
            await self.link.run()
        finally:
            self._tally.unanswered(len(self.session.lost()))
            if not self.settled.is_set():
                self.why_not_bound = self.why_not_bound or self.link.why_closed
            self.settled.set()
            self.finished.set()

    def start(self) -> None:
        """Fill the window for the first time."""
        self._is_sending = True
        self._fill(trio.current_time())
        self.link.flush()

    def stop(self) -> None:
        """Leave politely."""
        self._is_sending = False
        self.session.unbind()
        self.link.flush()

    def tick(self, now: float) -> None:
        """Give up on late answers, probe a silent peer."""
        self.link.tick(now)
        if self._is_sending:
            self._fill(now)
            self.link.flush()

    # --- helpers -------------------------------------------------------------------------------

    def _handle(self, events: list[Event]) -> None:
        now = trio.current_time()
        for event in events:
            match event:
                case Answered(answers):
                    self._tally.answered(answers, now)
                case Delivered(requests):
                    self._tally.delivered(requests, now)
                    self.session.answer_many([(request[0], 0, b"") for request in requests])
                case TimedOut(contexts):
                    self._tally.unanswered(len(contexts))
                case Bound():
                    self.settled.set()
                case BindFailed(status):
                    self.why_not_bound = f"the bind was refused with {status_name(status)}"
                    self.link.close(self.why_not_bound)
                case _:
                    pass  # events of a message centre; an ESME's session has none of them
        if self._is_sending:
            self._fill(now)

    def _fill(self, now: float) -> None:
        """As many messages as the window takes; the link writes them when the read is done."""
        session = self.session
        bodies = self._source.take(session.room, now)
        if bodies:
            session.request_many(bodies, repeat(now, len(bodies)), now)
            self._tally.submitted += len(bodies)
        elif not session.outstanding:
            self.finished.set()
