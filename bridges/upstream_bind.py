"""One bind to a carrier: a connection that is kept up, and the session on it.

*In*: parts to write; the outlet's wish to be bound or not.
*Out*: answers, receipts and MO messages to the outlet.
*Never*: two sockets at a time; a deliver_sm answered before it is on disk.

The session machine is the server's, in the other role.
"""

import random
import socket
from collections.abc import Sequence
from typing import Any, Final, Protocol

import trio

from bridges.backoff import Backoff
from bridges.upstream_config import UpstreamConfig
from bridges.upstream_dial import Dialler
from bridges.upstream_pace import Pace
from bridges.upstream_part import Part
from bridges.upstream_receipt import read_receipt
from pdu.commands import Command
from pdu.operations import Role
from pdu.status import status_name
from pdu.usual_receipt import read_deliver_sm
from smsc.link import Link
from smsc.message import OutletName
from smsc.ports import Flow, MobileOriginated, UpstreamReceipt
from smsc.session.events import (
    Alerted,
    Answer,
    Answered,
    BindFailed,
    Bound,
    Delivered,
    Event,
    Incoming,
    Refused,
    TimedOut,
)
from smsc.session.machine import Session
from smsc.session.timers import Timers

_COMMANDS: Final = {
    "transmitter": Command.BIND_TRANSMITTER,
    "receiver": Command.BIND_RECEIVER,
    "transceiver": Command.BIND_TRANSCEIVER,
}
_BIND_S: Final = 30.0
_PROOF_S: Final = 5.0
"""A session that lived so long, or answered a message, was a success: some message centres take
each bind and then close, and need no fewer pauses than those that refuse it."""
_MISSES: Final = 1
"""enquire_links that may stay unanswered: so a silent carrier is left after two intervals."""


class Owner(Protocol):
    """What a bind asks of its outlet."""

    name: OutletName
    config: UpstreamConfig
    log: Any
    flow: Flow
    is_stopping: bool
    may_bind: bool
    wished: trio.Event
    """Set when `may_bind` changes; another event then stands here."""

    def answered(self, bind: "Bind", answers: Sequence[Answer]) -> None:
        """submit_sm_resp came in."""

    def unanswered(self, parts: Sequence[Part]) -> None:
        """The carrier never answered these."""

    def push(self) -> None:
        """There may be room."""


class Bind:
    """One connection to the carrier, kept bound while the outlet wishes so."""

    def __init__(self, owner: Owner, number: int, kind: str, draw: random.Random) -> None:
        config = owner.config
        self.kind = kind
        self.session: Session | None = None
        self.link: Link | None = None
        self.bound_at: float | None = None
        self.heard_at: float | None = None
        self.written_at: float | None = None
        self._cut_at: float | None = None
        self._is_proven = False
        self._is_leaving = False
        self._dialling = trio.CancelScope()
        self._owner = owner
        self._log = owner.log.bind(outlet=owner.name, bind=number)
        self._backoff = Backoff(draw, config.reconnect_s)
        self._dialler = Dialler(config, number)
        self._pace = Pace(config.bind_rate, trio.current_time()) if config.bind_rate else None

    @property
    def can_send(self) -> bool:
        """Is the session bound for sending?"""
        return self.kind != "receiver" and self.is_bound

    @property
    def is_bound(self) -> bool:
        """Is the session bound, and none of our unbinds under way?"""
        return self.session is not None and self.session.is_bound and self._cut_at is None

    @property
    def outstanding(self) -> int:
        """Parts without an answer."""
        return self.session.outstanding if self.session is not None else 0

    @property
    def has_place(self) -> bool:
        """Would its window take a part, whatever the pace says?"""
        return self.session is not None and self.session.room > 0

    def room(self, now: float) -> int:
        """How many parts may go now; 0 while not bound."""
        if self.session is None:
            return 0
        room = self.session.room
        return room if self._pace is None or not room else min(room, self._pace.room(now))

    def wait_s(self, now: float) -> float:
        """Seconds until the bind's own rate lets a part go."""
        return self._pace.wait_s(now) if self._pace is not None else 0.0

    def write(self, parts: list[Part], now: float) -> None:
        """Send parts, at most `room` of them."""
        assert self.session is not None
        assert self.link is not None
        for part in parts:
            part.sent_at = now
        self.session.request_many([part.body for part in parts], parts, now)
        if self._pace is not None:
            self._pace.sent(len(parts))
        self.written_at = now
        self.link.flush()

    def unbind(self, patience_s: float) -> None:
        """Ask the carrier to end the session; `tick` cuts it if that is not answered in time.

        A connection that is being made is given up.
        There is no way back: nothing can be sent any more, so a start waits for the end too.
        """
        self._is_leaving = True
        self._dialling.cancel()
        if self.session is not None and self.link is not None:
            if self._cut_at is None:
                self._cut_at = trio.current_time() + patience_s
            self.session.unbind()
            self.written_at = trio.current_time()
            self.link.flush()

    def cut(self, why: str) -> None:
        """End the connection."""
        if self.link is not None:
            self.link.close(why)

    def tick(self, now: float) -> None:
        """Let the session look at the clock."""
        if self.link is None:
            return
        if self.bound_at is not None and not self._is_proven and now - self.bound_at >= _PROOF_S:
            self._proven()
        if self._cut_at is not None and now >= self._cut_at:
            self.cut("the carrier did not answer unbind")
        else:
            self.link.tick(now)

    async def run(self) -> None:
        """Connect and bind, again and again, until the outlet stops."""
        owner = self._owner
        while not owner.is_stopping:
            if not owner.may_bind:
                await owner.wished.wait()
                continue
            self._is_leaving = self._is_proven = False
            sock = await self._connect()
            if sock is not None:
                with sock:
                    if not self._is_leaving:
                        await self._serve(sock)
            if self._is_leaving:
                continue  # it ended by our own wish, which says nothing about the host
            if self._is_proven or self._dialler.failed():
                with trio.move_on_after(self._backoff.next_s()):
                    await owner.wished.wait()

    # --- helpers -------------------------------------------------------------------------------

    async def _connect(self) -> socket.socket | None:
        where = self._dialler.host
        self._dialling = trio.CancelScope()
        try:
            with self._dialling:
                return await self._dialler.connect()
        except (OSError, trio.TooSlowError) as error:
            why = getattr(error, "strerror", None) or str(error) or "no answer"
            self._log.warning("link.unreachable", host=where.host, port=where.port, why=why)
        return None

    def _proven(self) -> None:
        """The host is good: after its end the first one is called, after the first pause."""
        self._is_proven = True
        self._backoff.succeeded()
        self._dialler.succeeded()

    async def _serve(self, sock: socket.socket) -> None:
        """One connection from bind to end; what was not answered is reported then."""
        config = self._owner.config
        timers = Timers(
            session_init_s=min(_BIND_S, config.response_timeout_s),
            enquire_link_s=config.enquire_link_s,
            response_s=config.response_timeout_s,
            misses=_MISSES,
        )
        session = Session(
            Role.ESME,
            trio.current_time(),
            timers=timers,
            window=config.window,
            hold=max(config.window, 100),
            peek=read_deliver_sm,
        )
        link = Link(sock, session, self._handle)
        self.session, self.link, self.bound_at, self._cut_at = session, link, None, None
        session.bind(
            _COMMANDS[self.kind],
            system_id=config.system_id,
            password=config.password.value,
            system_type=config.system_type,
            interface_version=config.interface_version,
        )
        self.written_at = trio.current_time()
        link.flush()
        try:
            await link.run()
        finally:
            self.heard_at = session.heard_at or self.heard_at
            self.session = self.link = self.bound_at = None
            self._log.warning("link.down", why=link.why_closed)
            self._owner.unanswered(session.lost())

    def _handle(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Alerted(source_addr):
                    self._owner.flow.number_seen(source_addr)
                case Answered(answers):
                    if not self._is_proven:
                        self._proven()
                    self._owner.answered(self, answers)
                case Delivered(requests):
                    self._deliver(requests)
                case TimedOut(parts):
                    self._log.warning("link.no_response", messages=len(parts))
                    self._owner.unanswered(parts)
                case Bound(system_id):
                    self.bound_at = trio.current_time()
                    self._log.info("link.bound", peer_system_id=system_id)
                    self._owner.push()
                case BindFailed(status):
                    self._log.error("link.bind_failed", status=status_name(status))
                    self.cut(f"the bind was refused with {status_name(status)}")
                case Refused(_, status, why):
                    self._log.warning("pdu.refused", status=status_name(status), why=why)
                case _:
                    pass  # events of a message centre; an ESME's session has none of them

    def _deliver(self, requests: Sequence[Incoming]) -> None:
        """Hand receipts and messages to the flow; answer each kind when it is on disk."""
        session, link = self.session, self.link
        assert session is not None
        assert link is not None
        owner = self._owner
        receipts: list[UpstreamReceipt] = []
        messages: list[MobileOriginated] = []
        numbers: list[int] = []
        others: list[int] = []
        name, quirks = owner.name, owner.config.quirks
        for sequence_number, read, body in requests:
            receipt = read_receipt(name, read, body, quirks)
            if receipt is not None:
                receipts.append(receipt)
                numbers.append(sequence_number)
            else:
                messages.append(MobileOriginated(name, quirks.mobile_originated(body)))
                others.append(sequence_number)

        def answer(sequence_numbers: list[int], statuses: list[int]) -> None:
            self.written_at = trio.current_time()
            session.confirm_many(sequence_numbers, statuses)
            link.flush()

        if receipts:
            owner.flow.receipts_nowait(receipts, lambda statuses: answer(numbers, statuses))
        if messages:
            owner.flow.mobile_originated_nowait(messages, lambda statuses: answer(others, statuses))
