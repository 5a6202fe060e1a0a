"""The outlet kind `smpp`: an upstream link, one or more binds to a carrier's message centre.

*In*: messages, as any outlet. *Out*: submit_sm to the carrier; outcomes, receipts and MO messages
to the flow.
*Never*: two sockets for one bind; a deliver_sm answered before it is on disk; an outcome twice.

The session machine is the server's, in the other role.
"""

import random
import socket
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final

import trio

from bridges.backoff import Backoff
from bridges.outgoing import part_bodies, unsent_parts
from bridges.upstream_config import UpstreamConfig
from bridges.upstream_receipt import read_receipt
from pdu.commands import Command
from pdu.operations import Role
from pdu.status import Status, status_class, status_name
from pdu.text.errors import TextError
from smsc.link import Link
from smsc.message import MessageId, OutletName
from smsc.ports import (
    Failed,
    Flow,
    MobileOriginated,
    Outcome,
    Outgoing,
    Sent,
    TryLater,
    UpstreamReceipt,
)
from smsc.session.events import (
    Alerted,
    Answer,
    Answered,
    BindFailed,
    Bound,
    Delivered,
    Event,
    Refused,
    Request,
    TimedOut,
)
from smsc.session.machine import Session
from smsc.session.timers import Timers

_CONNECT_S: Final = 10.0
_UNBIND_S: Final = 1.0
"""How long a stop waits for unbind_resp; a stop in a hurry waits as long, so it is short."""
_TICK_S: Final = 1.0
_THROTTLED: Final = frozenset({int(Status.ESME_RTHROTTLED), int(Status.ESME_RMSGQFUL)})
_PAUSE_S: Final = 1.0
"""How long a throttled link takes nothing more."""
NO_ANSWER: Final = int(Status.ESME_RSYSERR)
"""Noted as the error of parts that the carrier did not answer: time-out, or a cut."""
_BINDS: Final = {
    "transmitter": Command.BIND_TRANSMITTER,
    "receiver": Command.BIND_RECEIVER,
    "transceiver": Command.BIND_TRANSCEIVER,
}

_Context = tuple[MessageId, int, int]
"""Message, part, parts."""


class _Bind:
    """One connection to the carrier, kept bound."""

    def __init__(self, outlet: "UpstreamLink", number: int, draw: random.Random) -> None:
        config = outlet.config
        self.session: Session | None = None
        self.link: Link | None = None
        self._outlet = outlet
        self._log = outlet.log.bind(outlet=outlet.name, bind=number)
        self._backoff = Backoff(draw, config.reconnect_s)

    @property
    def room(self) -> int:
        """Free places of the window; 0 while not bound."""
        return self.session.room if self.session is not None else 0

    @property
    def is_bound(self) -> bool:
        """Is the session bound?"""
        return self.session is not None and self.session.is_bound

    async def run(self) -> None:
        """Connect and bind, again and again, until the outlet stops."""
        while not self._outlet.is_stopping:
            sock = await self._connect()
            if sock is not None:
                with sock:
                    await self._serve(sock)
            if not self._outlet.is_stopping:
                await trio.sleep(self._backoff.next_s())

    async def _connect(self) -> socket.socket | None:
        config = self._outlet.config
        try:
            with trio.fail_after(_CONNECT_S):
                stream = await trio.open_tcp_stream(config.host, config.port)
        except (OSError, trio.TooSlowError) as error:
            why = getattr(error, "strerror", None) or str(error) or "no answer"
            self._log.warning("link.unreachable", host=config.host, port=config.port, why=why)
            return None
        return socket.socket(fileno=stream.socket.detach())

    async def _serve(self, sock: socket.socket) -> None:
        """One connection from bind to end; what was not answered is reported at the end."""
        config = self._outlet.config
        timers = Timers(enquire_link_s=config.enquire_link_s, response_s=config.response_timeout_s)
        session = Session(
            Role.ESME,
            trio.current_time(),
            timers=timers,
            window=config.window,
            hold=max(config.window, 100),
        )
        link = Link(sock, session, self._handle)
        self.session, self.link = session, link
        session.bind(
            _BINDS[config.bind],
            system_id=config.system_id,
            password=config.password.value,
            system_type=config.system_type,
        )
        link.flush()
        try:
            await link.run()
        finally:
            self.session = self.link = None
            self._log.warning("link.down", why=link.why_closed)
            self._outlet.unanswered(session.lost())

    def _handle(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Alerted(source_addr):
                    self._outlet.flow.number_seen(source_addr)
                case Answered(answers):
                    self._outlet.answered(answers)
                case Delivered(requests):
                    self._deliver(requests)
                case TimedOut(contexts):
                    self._log.warning("link.no_response", messages=len(contexts))
                    self._outlet.unanswered(contexts)
                case Bound(system_id):
                    self._backoff.succeeded()
                    self._log.info("link.bound", peer_system_id=system_id)
                    self._outlet.push()
                case BindFailed(status):
                    self._log.error("link.bind_failed", status=status_name(status))
                    if self.link is not None:
                        self.link.close(f"the bind was refused with {status_name(status)}")
                case Refused(_, status, why):
                    self._log.warning("pdu.refused", status=status_name(status), why=why)
                case _:
                    pass  # events of a message centre; an ESME's session has none of them

    def _deliver(self, requests: Sequence[Request]) -> None:
        """Hand receipts and messages to the flow; answer each kind when it is on disk."""
        session, link = self.session, self.link
        assert session is not None
        assert link is not None
        outlet = self._outlet
        receipts: list[tuple[int, UpstreamReceipt]] = []
        messages: list[tuple[int, MobileOriginated]] = []
        for sequence_number, peek, body in requests:
            receipt = read_receipt(outlet.name, peek, body)
            if receipt is not None:
                receipts.append((sequence_number, receipt))
            else:
                messages.append((sequence_number, MobileOriginated(outlet.name, body)))

        def answer(sequence_numbers: list[int], statuses: list[int]) -> None:
            session.answer_many(
                [(one, status, b"") for one, status in zip(sequence_numbers, statuses, strict=True)]
            )
            link.flush()

        if receipts:
            numbers = [one for one, _ in receipts]
            outlet.flow.receipts_nowait(
                [one for _, one in receipts], lambda statuses: answer(numbers, statuses)
            )
        if messages:
            others = [one for one, _ in messages]
            outlet.flow.mobile_originated_nowait(
                [one for _, one in messages], lambda statuses: answer(others, statuses)
            )


class UpstreamLink:
    """See `smsc.ports.Outlet`."""

    remembers = True

    def __init__(
        self, name: OutletName, config: UpstreamConfig, *, log: Any, draw: random.Random
    ) -> None:
        self.name = name
        self.config = config
        self.log = log
        self.is_stopping = False
        self.flow: Flow
        self._binds = [_Bind(self, number, draw) for number in range(1, config.binds + 1)]
        # Parts that were taken and found no room yet: at most those of one long message.
        self._backlog: deque[tuple[_Context, bytes]] = deque()
        self._paused_until = 0.0
        self._counts = {"sent": 0, "accepted": 0, "refused": 0, "throttled": 0, "unanswered": 0}

    @property
    def is_up(self) -> bool:
        """Is one of the binds there to send on?"""
        return any(bind.is_bound for bind in self._binds) and self.config.bind != "receiver"

    def room(self) -> int:
        """Free places in the windows of all binds."""
        if self._is_paused or self.is_stopping:
            return 0
        return max(0, sum(bind.room for bind in self._binds) - len(self._backlog))

    def send(self, batch: Sequence[Outgoing]) -> None:
        """Part the messages and write what the windows take."""
        failed: list[Outcome] = []
        taken: list[tuple[_Context, bytes]] = []
        for outgoing in batch:
            message = outgoing.message
            try:
                bodies = part_bodies(message, ask_receipts=self.config.ask_receipts)
            except TextError:
                failed.append(Failed(message.id, Status.ESME_RINVMSGLEN))
                continue
            parts = len(bodies)
            unsent = unsent_parts(outgoing.progress.parts, parts)
            taken += [((message.id, part, parts), bodies[part]) for part in unsent]
        self._backlog += taken  # at the end: who raises has taken nothing
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
            try:
                await self._sweep()
            finally:
                self.is_stopping = True
                for bind in self._binds:
                    if bind.session is not None and bind.link is not None:
                        bind.session.unbind()
                        bind.link.flush()
                with trio.move_on_after(_UNBIND_S, shield=True):
                    # A stop looks a few times, so that nothing has to tell on the way.
                    while any(bind.session is not None for bind in self._binds):  # noqa: ASYNC110
                        await trio.sleep(_UNBIND_S / 100)
                scope.cancel()

    def statistics(self) -> Mapping[str, object]:
        """State of the binds, use of the windows, counts since the start."""
        return {
            "kind": "smpp",
            "up": self.is_up,
            "bound": sum(bind.is_bound for bind in self._binds),
            "binds": len(self._binds),
            "window_used": sum(
                bind.session.outstanding for bind in self._binds if bind.session is not None
            ),
            "window": self.config.window * len(self._binds),
            **self._counts,
        }

    # --- what its binds tell -------------------------------------------------------------------

    def push(self) -> None:
        """There may be room: write the backlog, then ask for more."""
        self._write()
        self.flow.room_changed(self.name)

    def answered(self, answers: Sequence[Answer]) -> None:
        """submit_sm_resp came in."""
        outcomes: list[Outcome] = []
        for (id_, part, parts), status, body in answers:
            if not status:
                upstream_id = body.split(b"\0", 1)[0].decode("latin-1")
                self._counts["accepted"] += 1
                outcomes.append(Sent(id_, upstream_id, part, parts))
            elif status_class(status) == "permanent":
                self._counts["refused"] += 1
                outcomes.append(Failed(id_, status, part, parts))
            else:
                if status in _THROTTLED:
                    self._counts["throttled"] += 1
                    self._paused_until = trio.current_time() + _PAUSE_S
                outcomes.append(TryLater(id_, status, part, parts))
        self._write()
        self.flow.settle(self.name, outcomes)

    def unanswered(self, contexts: Sequence[_Context]) -> None:
        """The carrier never answered these: it may or may not have them. They are sent again."""
        self._counts["unanswered"] += len(contexts)
        outcomes: list[Outcome] = [
            TryLater(id_, NO_ANSWER, part, parts) for id_, part, parts in contexts
        ]
        if not self.is_up:
            outcomes += [TryLater(id_, NO_ANSWER, p, n) for (id_, p, n), _ in self._backlog]
            self._backlog.clear()
        self.flow.settle(self.name, outcomes)
        self.flow.room_changed(self.name)

    # --- helpers -------------------------------------------------------------------------------

    @property
    def _is_paused(self) -> bool:
        """Did the carrier ask for a rest?"""
        return self._paused_until > trio.current_time()

    async def _keep_bound(self, scope: trio.CancelScope) -> None:
        with scope:
            async with trio.open_nursery() as nursery:
                for bind in self._binds:
                    nursery.start_soon(bind.run)

    async def _sweep(self) -> None:
        """Let the sessions look at the clock, and end a pause."""
        while True:
            await trio.sleep(_TICK_S)
            for bind in self._binds:
                if bind.link is not None:
                    bind.link.tick(trio.current_time())
            self.push()

    def _write(self) -> None:
        """Fill the windows from the backlog, one write for each bind."""
        if self._is_paused:
            return
        for bind in self._binds:
            room = min(bind.room, len(self._backlog))
            if room and bind.session is not None and bind.link is not None:
                pairs = [self._backlog.popleft() for _ in range(room)]
                bind.session.request_many(
                    [body for _, body in pairs],
                    [context for context, _ in pairs],
                    trio.current_time(),
                )
                self._counts["sent"] += room
                bind.link.flush()
