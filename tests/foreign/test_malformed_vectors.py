"""Every malformed vector, sent to a real gateway over a socket."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest

from pdu.codec import pack
from pdu.commands import RESPONSE, Command, command_of
from pdu.framer import Frame, Framer
from tests.fakes.house import PATIENCE_S, SIMULATOR, RunningGateway, read_config

VECTORS = [
    vector
    for line in (Path(__file__).parents[1] / "vectors" / "vectors.jsonl").read_text().splitlines()
    if (vector := json.loads(line))["kind"] == "malformed"
]
ACCOUNT = """
[accounts.esme01]
password = "secret"
max_binds = 0
"""
KINDS = {
    "BOUND_TX": Command.BIND_TRANSMITTER,
    "BOUND_RX": Command.BIND_RECEIVER,
    "BOUND_TRX": Command.BIND_TRANSCEIVER,
}
PROBE = 0x7F00


@attrs.define
class Raw:
    """An ESME that sends any octets."""

    sock: socket.socket
    _framer: Framer = attrs.Factory(Framer)
    _frames: list[Frame] = attrs.Factory(list)

    def send(self, octets: bytes) -> None:
        self.sock.sendall(octets)

    def read(self) -> Frame | None:
        """The next answer; None when the gateway closed. Receipts of other vectors are left."""
        while not self._frames:
            data = self.sock.recv(65536)
            if not data:
                return None
            frames = self._framer.feed(data)
            self._frames += [frame for frame in frames if frame[0] != Command.DELIVER_SM]
        return self._frames.pop(0)

    def bind(self, state: str, version: int) -> None:
        if state == "OPEN":
            return
        body = b"esme01\0secret\0\0%c\0\0\0" % version
        self.send(pack(KINDS[state], 0, 1, body))
        answer = self.read()
        assert answer is not None
        assert answer[:3] == (KINDS[state] | RESPONSE, 0, 1)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    one = RunningGateway(read_config(ACCOUNT + SIMULATOR, tmp_path_factory.mktemp("vectors")))
    yield one
    one.kill()
    assert not [event for event in one.log.events if event.endswith(".crashed")]


def connect(gateway: RunningGateway) -> Raw:
    return Raw(socket.create_connection(("127.0.0.1", gateway.port), PATIENCE_S))


@pytest.mark.parametrize("version", [0x34, 0x50], ids=["3.4", "5.0"])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_the_gateway_answers_as_the_vector_expects(
    vector: dict[str, Any], version: int, running: RunningGateway
) -> None:
    expect = vector["expect"]
    raw = connect(running)
    with closing(raw.sock):
        raw.bind(vector["state"], version)
        raw.send(bytes.fromhex(vector["hex"]))
        if expect["response"] is not None:
            answer = raw.read()
            if answer is None:
                assert expect.get("response_optional"), "closed without an answer"
                return
            check(vector, answer)
        if expect["close"]:
            assert raw.read() is None
        elif not expect.get("close_allowed"):
            raw.send(pack(Command.ENQUIRE_LINK, 0, PROBE, b""))
            probe = raw.read()
            assert probe is not None
            assert (probe[0], probe[2]) == (Command.ENQUIRE_LINK_RESP, PROBE)


def check(vector: dict[str, Any], answer: Frame) -> None:
    expect = vector["expect"]
    command_id, status, sequence_number, _ = answer
    unsupported = expect.get("alt_if_unsupported")
    if unsupported and command_id == command_of(unsupported["response"]):
        assert status == unsupported["command_status"]
    else:
        names = {expect["response"], expect.get("alt_response", expect["response"])}
        assert command_id in {command_of(name) for name in names}
        assert status in expect["command_status_any_of"]
    if "sequence_number" in expect:
        assert sequence_number == expect["sequence_number"]


def test_no_vector_was_left_out() -> None:
    assert len(VECTORS) == 46
