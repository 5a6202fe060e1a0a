"""A carrier that does what a script says, one word for each submit_sm; then it is well-behaved.

It keeps the books of what it took and told, so that a test can tell which repetition was allowed.
"""

import socket
import struct
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from pdu.codec import encode_body, pack, peek_submit_sm
from pdu.commands import RESPONSE, Command
from pdu.framer import Framer
from pdu.message_pdus import DeliverSm
from pdu.status import Status

_SUBMIT_RESP: Final = Command.SUBMIT_SM | RESPONSE
_DELIVER_RESP: Final = Command.DELIVER_SM | RESPONSE
_REFUSALS: Final = {
    "throttle": Status.ESME_RTHROTTLED,
    "full": Status.ESME_RMSGQFUL,
    "system": Status.ESME_RSYSERR,
    "refuse": Status.ESME_RINVDSTADR,
    "vendor": 0x4FF,
}
LATE_S: Final = 0.4
IDS: Final = {
    "same": ("%d", "%d"),
    "hex": ("%08x", "%d"),
    "decimal": ("%d", "%08X"),
    "padded": ("%d", "%015d"),
    "case": ("a%xf", "A%XF"),
}
"""How an id is written in responses, and in receipts."""
WORDS: Final = (
    "good", "early", "twice", "late receipt", "failed", "double", "throttle", "full", "system",
    "refuse", "vendor", "drop", "late", "wrong sequence", "cut", "cut in PDU", "silence",
    "backwards", "stranger", "dribble", "unasked",
)  # fmt: skip


class HostileCarrier:
    """Listens on `port`.

    :param ids: how responses name messages, and receipts otherwise: a word of `IDS`.
    """

    def __init__(self, *, ids: str = "same") -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.ids = ids
        self.is_reversing = False
        self.submits: Counter[bytes] = Counter()
        """How often each text came."""
        self.excuses: Counter[bytes] = Counter()
        """How often each text was given a reason to come again."""
        self.refused_acks = 0
        self.connections = 0
        self.most_at_once = 0
        self._script: deque[str] = deque()
        self._ids = 0x1A2B3C4D
        self._owed: list[bytes] = []
        """Receipts that nobody has acknowledged on a connection that lived."""
        self._lock = threading.RLock()
        self._live: set[_Connection] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def play(self, script: Iterable[str]) -> None:
        """Say what becomes of the next submit_sm."""
        with self._lock:
            self._script.extend(script)

    @property
    def unacknowledged(self) -> int:
        """Receipts that the gateway still owes an answer to."""
        with self._lock:
            return len(self._owed) + sum(len(one.unacknowledged) for one in self._live)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._live):
            one.end()

    # --- for connections -----------------------------------------------------------------------

    def owe(self, receipt: bytes) -> None:
        """Its connection was gone before it was told: the one of now brings it, or the next."""
        for one in self._live:
            if one.is_bound:
                one.deliver(receipt)
                return
        self._owed.append(receipt)

    def next_word(self) -> str:
        return self._script.popleft() if self._script else "good"

    def next_id(self) -> int:
        self._ids += 1
        return self._ids

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                one = _Connection(self, sock, self._lock)
                with self._lock:
                    self.connections += 1
                    self._live.add(one)
                    self.most_at_once = max(self.most_at_once, len(self._live))
                threading.Thread(target=self._serve, args=(one,), daemon=True).start()

    def _serve(self, one: "_Connection") -> None:
        with suppress(OSError):
            one.serve(self._owed)
        with self._lock:
            self._live.discard(one)
            self._owed += one.leave()
            self.excuses.update(one.taken)
        one.end()


class _Connection:
    """One bind."""

    def __init__(self, carrier: HostileCarrier, sock: socket.socket, lock: threading.RLock) -> None:
        self.unacknowledged: dict[int, bytes] = {}
        self.taken: Counter[bytes] = Counter()
        """Texts that came on it: when it ends, their answers may have been lost."""
        self._carrier = carrier
        self._sock = sock
        self._lock = lock
        self._sequence = 0
        self._kept: list[bytes] = []
        self._is_silent = False
        self._is_over = False
        self.is_bound = False

    def end(self, *, is_reset: bool = False) -> None:
        with suppress(OSError):
            if is_reset:
                linger = struct.pack("ii", 1, 0)
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            else:
                self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def leave(self) -> list[bytes]:
        """The connection is over: the receipts that the next one is to bring."""
        self._is_over = True
        self.is_bound = False
        return [*self.unacknowledged.values(), *self._kept]

    def serve(self, owed: list[bytes]) -> None:
        framer = Framer()
        while data := self._sock.recv(65536):
            with self._lock:
                for command_id, status, number, body in framer.feed(data):
                    if self._is_silent:
                        continue
                    if command_id == Command.SUBMIT_SM:
                        self._submitted(number, body)
                    elif command_id == _DELIVER_RESP:
                        self._carrier.refused_acks += bool(status)
                        self.unacknowledged.pop(number, None)
                    elif command_id < RESPONSE:
                        answer = b"" if command_id == Command.ENQUIRE_LINK else b"carrier\0"
                        self._send(pack(command_id | RESPONSE, 0, number, answer))
                        if command_id == Command.BIND_TRANSCEIVER:
                            self.is_bound = True
                            again, owed[:] = owed[:], []
                            for receipt in again:
                                self.deliver(receipt)
                kept, self._kept = self._kept[::-1], []
                for receipt in kept:
                    self.deliver(receipt)

    def _submitted(self, number: int, body: bytes) -> None:
        peek = peek_submit_sm(body)
        text = body[peek.text_at : peek.text_at + peek.sm_length]
        carrier = self._carrier
        carrier.submits[text] += 1
        self.taken[text] += 1
        word = carrier.next_word()
        if word in _REFUSALS:
            carrier.excuses[text] += 1
            self._send(pack(_SUBMIT_RESP, _REFUSALS[word], number, b""))
            return
        if word == "cut":
            self.end(is_reset=True)
            raise OSError(word)
        id_ = carrier.next_id()
        in_response, in_receipt = (form % id_ for form in IDS[carrier.ids])
        named = in_response.encode() + b"\0"
        answer = pack(_SUBMIT_RESP, 0, number, named)
        if word == "unasked":  # answers to what nobody asked, and a complaint about nothing
            for command_id in (_SUBMIT_RESP, Command.ENQUIRE_LINK | RESPONSE, Command.GENERIC_NACK):
                self._send(pack(command_id, 0, number + 0x200000, b""))
        if word == "stranger":
            self.deliver(_receipt(f"9{in_receipt}7", "DELIVRD"))
        if word == "cut in PDU":
            self._send(answer[:20])
            self.end()
            raise OSError(word)
        if word == "silence":
            self._is_silent = True
            return
        if word in {"drop", "late", "wrong sequence"}:
            carrier.excuses[text] += 1
        receipt = _receipt(in_receipt, "UNDELIV" if word == "failed" else "DELIVRD")
        if word == "early":
            self.deliver(receipt)
        if word == "wrong sequence":
            self._send(pack(_SUBMIT_RESP, 0, number + 0x100000, named))
        elif word == "late":
            self._later(LATE_S, lambda: self._send(answer))
        elif word == "dribble":
            for octet in answer:
                self._send(bytes((octet,)))
        elif word != "drop":
            self._send(answer * (2 if word == "double" else 1))
        if word == "late receipt":
            self._later(0.05, lambda: self.deliver(receipt))
        elif carrier.is_reversing:
            self._kept.append(receipt)
        elif word != "early":
            self.deliver(receipt)
        if word == "twice":
            self.deliver(receipt)
        if word == "backwards":  # what was, and what never could be, behind the end
            for stat in ("ENROUTE", "ACCEPTD", "UNDELIV"):
                self.deliver(_receipt(in_receipt, stat))

    def _later(self, delay_s: float, what: Callable[[], None]) -> None:
        def go() -> None:
            with self._lock:
                what()

        timer = threading.Timer(delay_s, go)
        timer.daemon = True
        timer.start()

    def deliver(self, receipt: bytes) -> None:
        """Bring a receipt home."""
        if self._is_over:
            self._carrier.owe(receipt)
            return
        self._sequence += 1
        self.unacknowledged[self._sequence] = receipt
        self._send(pack(Command.DELIVER_SM, 0, self._sequence, receipt))

    def _send(self, octets: bytes) -> None:
        with suppress(OSError):  # the end of it is noticed by the reader
            self._sock.sendall(octets)


def _receipt(id_: str, stat: str) -> bytes:
    text = f"id:{id_} sub:001 dlvrd:001 submit date:2611220301 done date:2611220302 stat:{stat} err:000"
    return encode_body(DeliverSm(esm_class=4, short_message=text.encode()))
