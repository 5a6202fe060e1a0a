"""A whole gateway with the JSON-and-parameter dialects switched on, and clients of all sorts.

One gateway serves a module of tests: they look at what their own requests stored.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import httpx2

from smsc.directory.slowdown import Slowdown
from smsc.message import AccountId, MessageId, State
from tests.fakes.house import RunningGateway, read_config

TOML = """
[http]
listen = ["127.0.0.1:0"]
dialects = ["subito", "kannel", "jasmin", "smshub", "netoxygen", "playsms"]
callback_networks = ["127.0.0.0/8"]
[credit]
CREDIT
[accounts.demo]
password = "demo"
[accounts.plain]
password = "plain"
default_sender = "Plain"
[accounts.poor]
password = "poor"
credit = 1
[accounts.shop]
password = "shop"
senders = ["Shop", "41790000001"]
[accounts.far]
password = "far"
networks = ["10.0.0.0/8"]
[accounts.banned]
password = "banned"
[accounts.slow]
password = "slow"
rate = 0.001
burst = 1
[accounts.other]
password = "other"
[accounts.rome]
password = "rome"
region = "IT"
[accounts.boss]
password = "boss"
admin = true
"""
PRICE = "default_price = 0.5"
ROUTES = """
[outlets.sim]
kind = "simulator"
delay_s = 0.0
[outlets.bad]
kind = "simulator"
delay_s = 0.0
fail = 1.0
[[routes]]
to = ["39", "41", "352"]
outlets = ["sim"]
[[routes]]
to = ["49"]
outlets = ["bad"]
"""
"""Numbers that begin with 39, 41 or 352 arrive, those with 49 do not; others have no way out."""


class DialectHouse(RunningGateway):
    """A running gateway, a client for it, and what it stored."""

    def __init__(self, data_dir: Path, more: str = ROUTES, credit: str = PRICE) -> None:
        super().__init__(read_config(TOML.replace("CREDIT", credit) + more, data_dir))
        assert self.http is not None
        host, port = self.http
        self.base = f"http://{host}:{port}"
        self.client = httpx2.Client(base_url=self.base, timeout=10.0, trust_env=False)
        refused = self.await_(
            lambda: self.gateway.directory.ban(
                AccountId("banned"), by=AccountId("demo"), banned=True
            )
        )
        assert refused is None, refused

    def stored(self) -> int:
        """How many messages there are."""
        return int(self.call(lambda: self.gateway.store.counts()["message"]))

    def forgive(self) -> None:
        """Forget wrong passwords, so that the next one is not slowed down for them."""
        self.call(lambda: setattr(self.gateway.directory, "_slowdown", Slowdown()))

    def token(self, account: str) -> str:
        """The API token of an account; made if it has none."""
        name, directory = AccountId(account), self.gateway.directory
        found = self.call(lambda: directory.token(name))
        made = found or self.await_(lambda: directory.new_token(name, by=name))
        assert isinstance(made, str), made
        return made

    def texts_logged(self) -> str:
        """Everything that was logged."""
        return repr(self.log.entries)

    def receive(self, from_: str, to: str, text: str) -> None:
        """The simulator's handset sends a message."""
        mo = {"outlet": "sim", "from": from_, "to": to, "text": text}
        answer = self.client.post("/v1/simulate/mo", json=mo, auth=("boss", "boss"))
        assert answer.status_code == 202, answer.text

    def wait_for(self, id_: int | str, state: State) -> None:
        """Return once a message is in that state."""

        def is_so() -> bool:
            progress = self.gateway.store.progress(MessageId(int(id_)))
            return progress is not None and progress.state is state

        self.wait_until(is_so, f"message {id_} {state.name}")


@contextmanager
def running(data_dir: Path, more: str = ROUTES, credit: str = PRICE) -> Iterator[DialectHouse]:
    """A house for as long as the block runs; `more` is what comes behind `TOML`."""
    house = DialectHouse(data_dir, more, credit)
    try:
        yield house
    finally:
        house.client.close()
        house.kill()


@attrs.frozen
class Heard:
    """One request that a client's own server got."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Sink:
    """The client's own HTTP server: keeps what it hears, answers as it is told."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.answers: list[tuple[int, bytes]] = []
        """The next answers; when there are none, `answer`."""
        self.answer = (200, b"ACK/Jasmin")
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                sink.heard.append(Heard(self.command, self.path, dict(self.headers), body))
                status, text = sink.answers.pop(0) if sink.answers else sink.answer
                self.send_response(status)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_POST = do_GET  # noqa: N815 as above

            def log_message(self, *_args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
