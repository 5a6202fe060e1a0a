"""A carrier that outlives its clients and writes down what they handed it and were told.

*In*: binds of gateways, one after the other. *Out*: a log of copies, receipts and messages.
*Never*: forgets a receipt that was not answered ESME_ROK: the next bind gets it.

It makes life hard on purpose: some receipts overtake the response that names their message, some
come twice, and a copy of a message that it had before ends otherwise than the first one.
"""

import random
import socket
import threading
from collections import deque
from contextlib import suppress
from typing import Final

import attrs

from pdu.codec import encode_body, pack, peek_submit_sm
from pdu.commands import RESPONSE, Command
from pdu.framer import Framer
from pdu.message_pdus import DeliverSm
from pdu.status import Status
from pdu.tlvs import Tag, pack_tlv
from smsc.message import State
from tests.flow.traffic import REFUSED_BY_CARRIER, part_of

SHORT_CODE: Final = "12345"
_IDLE_S: Final = 0.003
_STAT: Final = {State.DELIVERED: "DELIVRD", State.UNDELIVERABLE: "UNDELIV"}
_MAY_END: Final = tuple(_STAT)
PATIENCE_S: Final = 30.0


@attrs.define(eq=False)
class Copy:
    """One submit_sm that arrived."""

    life: int
    """Which life of the gateway sent it."""
    upstream_id: str
    """"" when it was refused."""
    state: State
    """How it ends."""
    is_answered: bool = False
    """Was the submit_sm_resp handed to the socket?"""
    receipts: int = 0
    """How many were answered ESME_ROK."""


@attrs.define(eq=False)
class Mobile:
    """One message of a handset."""

    tag: str
    is_taken: bool = False
    """Was its deliver_sm answered ESME_ROK?"""


Deliver = tuple[bytes, Copy | Mobile]


class LoggingCarrier:
    """Listens on `port` until closed. The log belongs to the thread of the connection while there
    is one, and to the caller after `wait_until_idle`.

    :ivar life: set by the caller before each life of the gateway.
    :ivar copies: by (tag, part), in the order of arrival.
    """

    def __init__(self, draw: random.Random) -> None:
        self.life = 0
        self.copies: dict[tuple[str, int], list[Copy]] = {}
        self.mobiles: list[Mobile] = []
        self.taken = 0
        self._draw = draw
        self._deliveries: deque[Deliver] = deque()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._idle = threading.Condition()
        self._connections = 0
        self._failure: BaseException | None = None
        threading.Thread(target=self._accept, name="carrier", daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def wait_until_idle(self) -> None:
        """Return when everything that a dead gateway had sent is in the log."""
        # A connection that was begun and not accepted yet is served and found empty.
        with self._idle:
            assert self._idle.wait_for(lambda: not self._connections, PATIENCE_S)
        if self._failure is not None:
            raise self._failure

    @property
    def has_deliveries(self) -> bool:
        """Is a receipt or a message still to be delivered, or not answered yet?"""
        return any(not mobile.is_taken for mobile in self.mobiles) or any(
            copy.upstream_id and not copy.receipts
            for copies in list(self.copies.values())
            for copy in copies
        )

    # --- helpers -------------------------------------------------------------------------------

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                with self._idle:
                    self._connections += 1
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        connection = _Connection(self, sock)
        try:
            with sock:
                connection.live()
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._failure = error
        finally:
            with self._idle:
                self._deliveries.extendleft(reversed(connection.unanswered.values()))
                self._connections -= 1
                self._idle.notify_all()

    def note(self, body: bytes) -> Copy:
        """Enter a submit_sm; the copy tells how to answer it."""
        peek = peek_submit_sm(body)
        key = part_of(body, peek)
        earlier = self.copies.setdefault(key, [])
        self.taken += 1
        if peek.destination_addr.startswith(REFUSED_BY_CARRIER):
            copy = Copy(self.life, "", State.REJECTED)
        else:
            copy = Copy(self.life, f"{self.taken:x}", self._fate(earlier))
            self.deliver(_receipt(copy), copy)
            if not self._draw.randrange(16):
                self.deliver(_receipt(copy), copy)
            if not self._draw.randrange(8):
                self.mobiles.append(Mobile(f"h{self.taken}"))
                self.deliver(_mobile_originated(self.mobiles[-1]), self.mobiles[-1])
        earlier.append(copy)
        return copy

    def deliver(self, body: bytes, what: Copy | Mobile) -> None:
        self._deliveries.append((body, what))

    def next_deliveries(self) -> list[Deliver]:
        """All that is to be delivered now."""
        deliveries = list(self._deliveries)
        self._deliveries.clear()
        return deliveries

    def is_hasty(self) -> bool:
        """Do receipts overtake the responses this time?"""
        return not self._draw.randrange(6)

    def is_slow(self) -> bool:
        """Do responses wait for the next read this time?"""
        return not self._draw.randrange(3)

    def _fate(self, earlier: list[Copy]) -> State:
        if earlier:
            first = _MAY_END.index(earlier[0].state)
            return _MAY_END[(first + len(earlier)) % len(_MAY_END)]
        return self._draw.choices(_MAY_END, (7, 1))[0]


class _Connection:
    """One bind."""

    def __init__(self, carrier: LoggingCarrier, sock: socket.socket) -> None:
        self._carrier = carrier
        self._sock = sock
        self._sequence = 0
        self._responses: list[tuple[bytes, Copy]] = []
        self._is_bound = False
        self.unanswered: dict[int, Deliver] = {}

    def live(self) -> None:
        framer = Framer()
        self._sock.settimeout(_IDLE_S)
        with suppress(ConnectionError):
            while True:
                try:
                    data = self._sock.recv(65536)
                except TimeoutError:
                    self._say()
                    continue
                if not data:
                    return
                for command_id, status, sequence_number, body in framer.feed(data):
                    self._handle(command_id, status, sequence_number, body)
                if self._carrier.is_hasty():
                    self._say_deliveries()
                if not self._carrier.is_slow():
                    self._say()

    def _handle(self, command_id: int, status: int, sequence_number: int, body: bytes) -> None:
        if command_id == Command.SUBMIT_SM:
            copy = self._carrier.note(body)
            pdu = (
                pack(command_id | RESPONSE, 0, sequence_number, copy.upstream_id.encode() + b"\0")
                if copy.upstream_id
                else pack(command_id | RESPONSE, Status.ESME_RINVDSTADR, sequence_number, b"")
            )
            self._responses.append((pdu, copy))
        elif command_id == Command.DELIVER_SM | RESPONSE:
            self._answered(status, sequence_number)
        elif command_id < RESPONSE:
            self._is_bound = command_id == Command.BIND_TRANSCEIVER
            answer = b"carrier\0" if self._is_bound else b""
            self._send(pack(command_id | RESPONSE, 0, sequence_number, answer))

    def _answered(self, status: int, sequence_number: int) -> None:
        assert not status, f"a receipt or message was refused with {status:#x}"
        _, what = self.unanswered.pop(sequence_number)
        if isinstance(what, Copy):
            what.receipts += 1
        else:
            what.is_taken = True

    def _say(self) -> None:
        """Responses first, as it should be."""
        responses, self._responses = self._responses, []
        for _, copy in responses:
            copy.is_answered = True  # from here on it may have arrived
        self._send(b"".join(pdu for pdu, _ in responses))
        self._say_deliveries()

    def _say_deliveries(self) -> None:
        if not self._is_bound:
            return
        pdus = []
        for delivery in self._carrier.next_deliveries():
            self._sequence += 1
            self.unanswered[self._sequence] = delivery
            pdus.append(pack(Command.DELIVER_SM, 0, self._sequence, delivery[0]))
        self._send(b"".join(pdus))

    def _send(self, octets: bytes) -> None:
        if octets:
            self._sock.settimeout(PATIENCE_S)
            self._sock.sendall(octets)
            self._sock.settimeout(_IDLE_S)


def _receipt(copy: Copy) -> bytes:
    text = f"id:{copy.upstream_id} stat:{_STAT[copy.state]} err:000"
    body = encode_body(
        DeliverSm(
            source_addr="4179",
            destination_addr="Shop",
            esm_class=4,
            short_message=text.encode(),
        )
    )
    return (
        body
        + pack_tlv(Tag.RECEIPTED_MESSAGE_ID, copy.upstream_id.encode() + b"\0")
        + pack_tlv(Tag.MESSAGE_STATE, bytes((copy.state,)))
    )


def _mobile_originated(mobile: Mobile) -> bytes:
    return encode_body(
        DeliverSm(
            source_addr="41791234567",
            destination_addr=SHORT_CODE,
            short_message=f"<{mobile.tag}>".encode(),
        )
    )
