"""`smsc send` over SMPP: bind as a transceiver, submit, wait for the receipt, unbind.

*In*: a `Wish`, where the message centre listens. *Out*: a `Step` for each thing that happens.
*Never*: more than one message; a receipt of another message taken for ours.

The project's own session in the role of an ESME, so it speaks to any message centre.
"""

import socket
from typing import Final

import attrs
import trio

from pdu.address import guess_destination, guess_source
from pdu.codec import encode_body
from pdu.commands import Command
from pdu.compose import compose
from pdu.message_pdus import SubmitSm
from pdu.operations import Role
from pdu.receipt_text import parse_receipt, state_of
from pdu.status import status_name
from pdu.tlvs import Tag, find_tlv
from smsc.link import Link
from smsc.message import State
from smsc.send_way import FINAL, Step, Tell, Wish
from smsc.session.events import Answered, BindFailed, Bound, Delivered, Event, Request, TimedOut
from smsc.session.machine import Session
from smsc.session.timers import Timers

_CONNECT_S: Final = 10.0
_GOODBYE_S: Final = 1.0
_HOLD: Final = 100


@attrs.frozen
class SmppWay:
    """See `smsc.send_way.Way`."""

    host: str
    port: int

    def __call__(self, wish: Wish, wait_s: float, tell: Tell) -> str:
        """Run one session from bind to unbind."""
        return trio.run(_Conversation(wish, tell).run, self.host, self.port, wait_s)


class _Conversation:
    """One session, and what is known of its one message."""

    def __init__(self, wish: Wish, tell: Tell) -> None:
        self._wish = wish
        self._tell = tell
        self._id = ""
        self._state = "unreachable"
        self._over = trio.Event()
        self._early: list[Request] = []
        """Came before the response that names our message: one of them may be its receipt."""

    async def run(self, host: str, port: int, wait_s: float) -> str:
        try:
            with trio.fail_after(_CONNECT_S):
                stream = await trio.open_tcp_stream(host, port)
        except (OSError, trio.TooSlowError) as error:
            self._told(Step("unreachable", f"{host}:{port}: {error or 'no answer'}"))
            return self._state
        with socket.socket(fileno=stream.socket.detach()) as sock:
            sock.setblocking(False)
            await self._talk(sock, wait_s)
        return self._state

    async def _talk(self, sock: socket.socket, wait_s: float) -> None:
        timers = Timers(session_init_s=_CONNECT_S, response_s=_CONNECT_S)
        session = Session(Role.ESME, trio.current_time(), timers=timers, window=1, hold=_HOLD)
        link = Link(sock, session, lambda events: self._handle(session, events))
        session.bind(
            Command.BIND_TRANSCEIVER, system_id=self._wish.account, password=self._wish.password
        )
        left = trio.Event()
        async with trio.open_nursery() as nursery:

            async def live() -> None:
                await link.run()
                left.set()
                if not self._over.is_set():
                    self._told(Step("unreachable", link.why_closed))

            nursery.start_soon(live)
            nursery.start_soon(_tick, link)
            link.flush()
            with trio.move_on_after(wait_s) as waiting:
                await self._over.wait()
            if waiting.cancelled_caught:
                self._tell(Step("waiting", f"still {self._state} after {wait_s:g} s"))
            self._over.set()
            session.unbind()
            link.flush()
            with trio.move_on_after(_GOODBYE_S):
                await left.wait()
            nursery.cancel_scope.cancel()

    def _handle(self, session: Session, events: list[Event]) -> None:
        for event in events:
            match event:
                case Bound():
                    self._tell(Step("bound", f"as {self._wish.account}"))
                    session.request_many([_body(self._wish)], [None], trio.current_time())
                case BindFailed(status):
                    self._told(Step("refused", f"the bind: {status_name(status)}"))
                case Answered(answers):
                    self._answered(*answers[0][1:])
                case TimedOut():
                    self._told(Step("unreachable", "no answer to submit_sm in time"))
                case Delivered(requests):
                    session.answer_many([(request[0], 0, b"") for request in requests])
                    if not self._id:
                        self._early += requests
                        continue
                    for request in requests:
                        self._delivered(request)
                case _:
                    pass  # events of a message centre; an ESME's session has none of them

    def _answered(self, status: int, body: bytes) -> None:
        if status:
            self._told(Step("refused", status_name(status), {"status": status}))
            return
        self._id = body.split(b"\0", 1)[0].decode("latin-1")
        self._state = "ENROUTE"
        self._tell(Step("accepted", f"id {self._id}", {"id": self._id}))
        early, self._early = self._early, []
        for request in early:
            self._delivered(request)

    def _delivered(self, request: Request) -> None:
        """A receipt of our message, or anything else that waits for the account."""
        _, peek, body = request
        named = find_tlv(body, peek.tlvs_at, Tag.RECEIPTED_MESSAGE_ID)
        told = find_tlv(body, peek.tlvs_at, Tag.MESSAGE_STATE)
        parsed = parse_receipt(body[peek.text_at : peek.text_at + peek.sm_length])
        id_ = named.rstrip(b"\0").decode("latin-1") if named else parsed and parsed.message_id
        if id_ != self._id:
            self._tell(Step("other", "the account got something else that waited for it"))
            return
        value = told[0] if told else state_of((parsed and parsed.stat) or "")
        state = State(value).name if value in set(State) else "UNKNOWN"
        step = Step(
            state, f"error {parsed.err}" if parsed and parsed.err not in {None, "000"} else ""
        )
        if state in FINAL:
            self._told(step)
        else:
            self._state = state
            self._tell(step)

    def _told(self, step: Step) -> None:
        """The last step there is."""
        if not self._over.is_set():
            self._state = step.state
            self._tell(step)
            self._over.set()


async def _tick(link: Link) -> None:
    while True:
        await trio.sleep(1.0)
        link.tick(trio.current_time())


def _body(wish: Wish) -> bytes:
    data, data_coding = wish.coded()
    sender, recipient = guess_source(wish.sender), guess_destination(wish.to)
    submit_sm = compose(
        SubmitSm, sender, recipient, data, registered_delivery=1, data_coding=data_coding
    )
    return encode_body(submit_sm)
