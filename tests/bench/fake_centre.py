"""A message centre on loopback for the load client: obedient, or wrong on purpose."""

import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio

from pdu.codec import encode_body
from pdu.message_pdus import DeliverSm
from pdu.operations import Role
from pdu.receipt_text import MessageState, format_receipt
from pdu.status import Status
from smsc.link import Link
from smsc.session.events import Answered, BindRequested, Delivered, Event, Submitted, TimedOut
from smsc.session.machine import Session

PASSWORD = "secret"


def receipt(message_id: str, state: MessageState = MessageState.DELIVERED) -> bytes:
    """The deliver_sm body of a receipt in the usual form."""
    text = format_receipt(message_id, submitted_ms=0, done_ms=60_000, state=state)
    return encode_body(DeliverSm(source_addr="41", esm_class=4, short_message=text))


class FakeCentre:
    """Accepts all; a receipt follows at once where one is asked for.

    :param status_of: command_status of the n-th submit_sm, from 0.
    :param receipt_of: whether the n-th submit_sm gets its receipt.
    :param receipts_first: receipts overtake the responses.
    :param cut_after: closes a connection instead of answering so many submit_sm.
    """

    def __init__(
        self,
        *,
        status_of: Callable[[int], int] = lambda _: 0,
        receipt_of: Callable[[int], bool] = lambda _: True,
        receipts_first: bool = False,
        cut_after: int | None = None,
    ) -> None:
        self.status_of = status_of
        self.receipt_of = receipt_of
        self.receipts_first = receipts_first
        self.cut_after = cut_after
        self.port = 0
        self.submitted = 0
        self.most_unanswered = 0
        self.delivered: Counter[int] = Counter()
        self.binds: list[int] = []
        self.destinations: list[str] = []

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["FakeCentre"]:
        """Listen on a free port."""
        async with trio.open_nursery() as nursery:
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            self.port = listeners[0].socket.getsockname()[1]
            nursery.start_soon(trio.serve_listeners, self._serve, listeners)
            yield self
            nursery.cancel_scope.cancel()

    async def _serve(self, stream: trio.SocketStream) -> None:
        session = Session(Role.MC, trio.current_time(), window=10_000, hold=10_000)

        def handle(events: list[Event]) -> None:
            for event in events:
                match event:
                    case BindRequested(command_id, _, password):
                        self.binds.append(command_id)
                        if password == PASSWORD:
                            session.accept_bind("centre")
                        else:
                            session.refuse_bind(Status.ESME_RINVPASWD)
                    case Submitted(requests):
                        self._submitted(session, link, requests)
                    case Answered(answers):
                        self.delivered.update(status for _, status, _ in answers)
                    case Delivered() | TimedOut():
                        raise AssertionError(event)
                    case _:
                        pass

        link = Link(socket.socket(fileno=stream.socket.detach()), session, handle)
        await link.run()

    def _submitted(self, session: Session, link: Link, requests: list[tuple]) -> None:  # type: ignore[type-arg]
        self.most_unanswered = max(self.most_unanswered, len(requests))
        answers, receipts = [], []
        for sequence_number, peek, _ in requests:
            number = self.submitted
            self.submitted += 1
            self.destinations.append(peek.destination_addr)
            if self.cut_after is not None and number >= self.cut_after:
                link.close("cut")
                return
            status = self.status_of(number)
            answers.append((sequence_number, status, b"" if status else b"%d" % (number + 1)))
            if peek.registered_delivery and not status and self.receipt_of(number):
                receipts.append(receipt(str(number + 1)))
        if self.receipts_first:
            session.request_many(receipts, receipts, trio.current_time())
            link.flush()
        session.answer_many(answers)
        if not self.receipts_first and receipts:
            session.request_many(receipts, receipts, trio.current_time())
