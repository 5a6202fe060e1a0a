"""A real gateway in a process of its own, and a client that writes down what it was told."""

import base64
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from pdu.codec import encode
from pdu.commands import Command
from pdu.session_pdus import BindTransceiver

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60.0
_HEADER = struct.Struct(">IIII")
_RESPONSE = 0x80000000
_AUTHORIZATION = "Basic " + base64.b64encode(b"demo:demo").decode()

SIMULATOR = '[outlets.sim]\nkind = "simulator"\ndelay_s = 0.01'
CARRIER_DOWN = """
[outlets.sim]
kind = "smpp"
host = "127.0.0.1"
port = 9
system_id = "gw"
reconnect_s = 60.0
"""


def write_config(directory: Path, *, outlet: str = SIMULATOR, store: str = "") -> Path:
    """A configuration on free ports, its data in the directory."""
    path = directory / "gateway.toml"
    path.write_text(
        f"""
[node]
data_dir = "{directory / "var"}"
[smpp]
listen = ["127.0.0.1:0"]
[http]
listen = ["127.0.0.1:0"]
[store]
{store}
[accounts.demo]
password = "demo"
window = 200
{outlet}
[[routes]]
outlets = ["sim"]
""",
        encoding="utf-8",
    )
    return path


class GatewayProcess:
    """`smsc run`, started and ended by the test."""

    def __init__(self, config: Path) -> None:
        self._log = (config.parent / "log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from smsc.cli import main; main()", "run", "--config", config],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        greeting = self._read_greeting()
        self.port = _port(r"SMPP +127\.0\.0\.1:(\d+)", greeting)
        self.http_port = _port(r"HTTP +http://127\.0\.0\.1:(\d+)", greeting)

    def _read_greeting(self) -> str:
        stdout = self._process.stdout
        assert stdout is not None
        greeting = ""
        for line in _lines(stdout):
            greeting += line
            if "HTTP" in line:
                return greeting
        raise AssertionError(f"no greeting, see {self._log.name}: {greeting}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone; again is harmless."""
        self._process.kill()
        self._ended()

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self._ended()

    def _ended(self) -> int:
        status = self._process.wait(PATIENCE_S)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._log.close()
        return status

    def http(self, method: str, path: str, value: object = None) -> tuple[int, Any]:
        """(status, JSON) of a request as the demo account."""
        request = Request(
            f"http://127.0.0.1:{self.http_port}{path}",
            json.dumps(value).encode() if value is not None else None,
            {"Authorization": _AUTHORIZATION, "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urlopen(request, timeout=PATIENCE_S) as response:
                return response.status, json.load(response)
        except HTTPError as error:
            with error:
                return error.code, json.load(error)


def _lines(stream: IO[str]) -> Iterator[str]:
    while line := stream.readline():
        yield line


def _port(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found, text
    return int(found[1])


class LoggingClient:
    """Submits with a window and notes each id it was given; answers and notes receipts.

    :ivar acknowledged: ids of submit_sm_resp ESME_ROK.
    :ivar refused: the other command_status values, in order.
    :ivar receipts: ids in deliver_sm, repeated ones too.
    """

    def __init__(self, port: int) -> None:
        self.acknowledged: list[str] = []
        self.refused: list[int] = []
        self.receipts: list[str] = []
        self._owed = 0
        self._sequence = 1
        self._buffer = b""
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self._socket.sendall(encode(BindTransceiver("demo", "demo"), 1))
        while not self._read():
            assert self._socket.fileno() >= 0, "the bind was not answered"

    def close(self) -> None:
        """Cut the connection."""
        self._socket.close()

    def submit(
        self, bodies: Sequence[bytes], is_enough: Callable[[], bool], *, window: int = 150
    ) -> None:
        """Submit the bodies, again and again, until it is enough or the peer is gone."""
        count = 0
        while not is_enough():
            burst = b""
            while self._owed < window:
                body = bodies[count % len(bodies)]
                self._sequence += 1
                burst += _HEADER.pack(16 + len(body), Command.SUBMIT_SM, 0, self._sequence) + body
                self._owed += 1
                count += 1
            if not (self._send(burst) and self._read()):
                break

    def submit_all(self, bodies: Sequence[bytes]) -> None:
        """Submit each body once and wait for every answer."""
        self.submit(bodies, lambda: bool(self._owed), window=len(bodies))
        while self._owed and self._read():
            pass

    def read_until(self, is_so: Callable[[], bool]) -> None:
        """Take what comes until it is so or the peer is gone."""
        while not is_so() and self._read():
            pass

    def _send(self, octets: bytes) -> bool:
        try:
            self._socket.sendall(octets)
        except ConnectionError:
            # The peer is gone; what it had sent before may still be read.
            self.read_until(lambda: False)
            return False
        return True

    def _read(self) -> bool:
        """One read with all its PDUs; False at the end of the connection."""
        try:
            octets = self._socket.recv(1 << 16)
        except ConnectionError:
            octets = b""
        if not octets:
            return False
        self._buffer += octets
        answers = b""
        while len(self._buffer) >= 16:
            length, command_id, status, sequence = _HEADER.unpack_from(self._buffer)
            if len(self._buffer) < length:
                break
            body, self._buffer = self._buffer[16:length], self._buffer[length:]
            answers += self._handle(command_id, status, sequence, body)
        return self._send(answers) if answers else True

    def _handle(self, command_id: int, status: int, sequence: int, body: bytes) -> bytes:
        if command_id == Command.SUBMIT_SM | _RESPONSE:
            self._owed -= 1
            if status:
                self.refused.append(status)
            else:
                self.acknowledged.append(body.split(b"\0", 1)[0].decode())
        elif command_id == Command.DELIVER_SM:
            found = re.search(rb"id:(\d+) ", body)
            assert found, body
            self.receipts.append(found[1].decode())
            return _HEADER.pack(17, Command.DELIVER_SM | _RESPONSE, 0, sequence) + b"\0"
        return b""
