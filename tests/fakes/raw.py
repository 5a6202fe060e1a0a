"""An ESME over a plain socket that says anything, in PDU objects or in octets."""

import socket
from collections.abc import Callable
from typing import Any

import attrs

from pdu.codec import decode, encode, pack
from pdu.commands import RESPONSE, Command
from pdu.fields import Pdu
from pdu.framer import Frame, Framer
from tests.fakes.house import PATIENCE_S

_DELIVERIES = frozenset({int(Command.DELIVER_SM), int(Command.DATA_SM)})
_UNASKED = frozenset({*_DELIVERIES, int(Command.ALERT_NOTIFICATION)})


@attrs.define
class Raw:
    """Blocking; what the gateway sends unasked is kept in `got`, deliveries are answered OK."""

    port: int
    got: list[tuple[int, Any]] = attrs.Factory(list)
    """command_id and PDU of each delivery and alert."""
    _sock: socket.socket = attrs.field(init=False)
    _framer: Framer = attrs.Factory(Framer)
    _frames: list[Frame] = attrs.Factory(list)
    _sequence: int = 1

    def __attrs_post_init__(self) -> None:
        self._sock = socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)

    def send(self, octets: bytes) -> None:
        self._sock.sendall(octets)

    def read(self) -> Frame | None:
        """The next answer; None when the gateway closed."""
        while True:
            frame = self._next()
            if frame is None or frame[0] not in _UNASKED:
                return frame
            self._keep(frame)

    def ask(self, request: Pdu) -> tuple[int, Any]:
        """command_status and response of one request."""
        self._sequence += 1
        self.send(encode(request, self._sequence))
        answer = self.read()
        assert answer is not None, "closed by the gateway"
        command_id, status, sequence_number, body = answer
        assert (command_id, sequence_number) == (request.command_id | RESPONSE, self._sequence)
        return status, decode(command_id, body, status)

    def bind(
        self,
        kind: int = Command.BIND_TRANSCEIVER,
        version: int = 0x34,
        name: str = "demo",
        password: str = "demo",
    ) -> "Raw":
        self.send(pack(kind, 0, 1, f"{name}\0{password}\0\0".encode() + b"%c\0\0\0" % version))
        answer = self.read()
        assert answer is not None
        assert answer[:3] == (kind | RESPONSE, 0, 1)
        return self

    def wait_for(self, is_it: Callable[[int, Any], bool]) -> Any:
        """The first unasked PDU that fits, read or still to come."""
        while True:
            for command_id, pdu in self.got:
                if is_it(command_id, pdu):
                    return pdu
            frame = self._next()
            assert frame is not None, "closed by the gateway"
            if frame[0] in _UNASKED:
                self._keep(frame)

    def close(self) -> None:
        self._sock.close()

    def _next(self) -> Frame | None:
        while not self._frames:
            data = self._sock.recv(65536)
            if not data:
                return None
            self._frames += self._framer.feed(data)
        return self._frames.pop(0)

    def _keep(self, frame: Frame) -> None:
        command_id, _, sequence_number, body = frame
        self.got.append((command_id, decode(command_id, body)))
        if command_id in _DELIVERIES:
            self.send(pack(command_id | RESPONSE, 0, sequence_number, b"\0"))
