"""A client that writes down every answer it got and every delivery it took.

*In*: letters to submit. *Out*: a log over all lives of the gateway.
*Never*: submits a letter twice, whatever became of it.
"""

import random
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

import attrs

from pdu.codec import encode, pack, peek_deliver_sm
from pdu.commands import RESPONSE, Command
from pdu.framer import Framer
from pdu.receipt_text import parse_receipt
from pdu.session_pdus import BindTransceiver
from pdu.tlvs import Tag, find_tlv
from smsc.message import State
from tests.flow.traffic import Letter, part_of, text_of

WINDOWS: Final = (5, 30)
"""Smaller than the upstream window: what is accepted leaves at once; larger: it queues."""
_LOOK_S: Final = 0.02
_RECEIPT: Final = 0x04


@attrs.define
class ClientLog:
    """What the client knows, whatever happened to the gateway.

    :ivar letters: all that were submitted, by tag.
    :ivar receipts: (life, final state) by message id, in order; also those that came again.
    :ivar mobiles: lives in which a handset's message was delivered, by its tag.
    :ivar unanswered: receipts of the newest life for which no deliver_sm_resp was written.
    """

    life: int = 0
    letters: dict[str, Letter] = attrs.field(factory=dict)
    acknowledged: dict[str, int] = attrs.field(factory=dict)
    refused: dict[str, int] = attrs.field(factory=dict)
    receipts: dict[int, list[tuple[int, State]]] = attrs.field(factory=dict)
    mobiles: dict[str, list[int]] = attrs.field(factory=dict)
    unanswered: set[int] = attrs.field(factory=set)


class WitnessClient:
    """One connection, bound as transceiver; `log` goes on from one to the next.

    :param is_mute: take deliveries and never answer them.
    """

    def __init__(
        self, port: int, log: ClientLog, draw: random.Random, *, is_mute: bool = False
    ) -> None:
        self._log = log
        self._draw = draw
        self._is_mute = is_mute
        self._window = draw.choice(WINDOWS)
        self._owed: dict[int, str] = {}
        self._sequence = 1
        self._framer = Framer()
        self._answers = b""
        self.is_connected = True
        self._is_bound = False
        try:
            self._socket = socket.create_connection(("127.0.0.1", port), 5.0)
        except OSError:
            self.is_connected = False
            return
        self._socket.settimeout(_LOOK_S)
        self._send(encode(BindTransceiver("demo", "demo"), 1))
        self.read(lambda: self._is_bound)

    def close(self) -> None:
        """Cut the connection."""
        if self.is_connected:
            self.is_connected = False
            self._socket.close()

    def work(self, letters: Iterator[Letter], is_enough: Callable[[], bool]) -> None:
        """Keep the window full until it is enough, or the peer is gone."""
        while self.is_connected and not is_enough():
            burst = []
            while len(self._owed) < self._window:
                letter = next(letters)
                self._log.letters[letter.tag] = letter
                self._sequence += 1
                self._owed[self._sequence] = letter.tag
                burst.append(pack(Command.SUBMIT_SM, 0, self._sequence, letter.body))
            self._send(b"".join(burst))
            self._read()

    def read(self, is_enough: Callable[[], bool]) -> None:
        """Submit nothing more, take what comes until it is enough, or the peer is gone."""
        while self.is_connected and not is_enough():
            self._read()

    # --- helpers -------------------------------------------------------------------------------

    def _send(self, octets: bytes) -> None:
        if octets:
            # When the peer is gone, what it had sent before is still read.
            with suppress(ConnectionError):
                self._socket.sendall(octets)

    def _read(self) -> None:
        try:
            data = self._socket.recv(65536)
        except TimeoutError:
            self._send_answers()
            return
        except ConnectionError:
            data = b""
        if not data:
            self.close()
            return
        for command_id, status, sequence_number, body in self._framer.feed(data):
            self._handle(command_id, status, sequence_number, body)
        if self._draw.randrange(4):  # else they wait, so that a kill finds some unanswered
            self._send_answers()

    def _send_answers(self) -> None:
        if self._answers and not self._is_mute:
            self._log.unanswered.clear()
            self._send(self._answers)
            self._answers = b""

    def _handle(self, command_id: int, status: int, sequence_number: int, body: bytes) -> None:
        if command_id == Command.SUBMIT_SM | RESPONSE:
            tag = self._owed.pop(sequence_number)
            if status:
                self._log.refused[tag] = status
            else:
                self._log.acknowledged[tag] = int(body.rstrip(b"\0"))
        elif command_id == Command.DELIVER_SM:
            self._take(body)
            self._answers += pack(command_id | RESPONSE, 0, sequence_number, b"\0")
        elif command_id == Command.BIND_TRANSCEIVER | RESPONSE:
            assert not status
            self._is_bound = True
        elif command_id < RESPONSE:
            self._answers += pack(command_id | RESPONSE, 0, sequence_number, b"")

    def _take(self, body: bytes) -> None:
        log, peek = self._log, peek_deliver_sm(body)
        if not peek.esm_class & _RECEIPT:
            log.mobiles.setdefault(part_of(body, peek)[0], []).append(log.life)
            return
        receipt = parse_receipt(text_of(body, peek))
        assert receipt is not None
        assert receipt.state is not None
        assert find_tlv(body, peek.tlvs_at, Tag.MESSAGE_STATE) == bytes((receipt.state,))
        states = log.receipts.setdefault(int(receipt.message_id), [])
        states.append((log.life, State(receipt.state)))
        log.unanswered.add(int(receipt.message_id))
