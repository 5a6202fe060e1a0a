"""A whole gateway in a thread of its own, on free ports: the peer of foreign clients in tests.

Foreign clients block, so the gateway runs its Trio loop beside them. What a test wants to know
of the inside it asks through `call` and `wait_until`, both of which run in the gateway's loop.
"""

import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import trio

from bridges import REGISTRY
from bridges.http.registry import DIALECTS
from smsc import app, logs
from smsc.cli import _bridges
from smsc.config import Config, load
from smsc.gateway.life import DRAIN_S
from smsc.message import Message, MessageId, Progress
from tests.fakes.log import FakeLog

T = TypeVar("T")

PATIENCE_S = 10.0
"""How long a test waits for something that takes milliseconds, before it fails."""

ACCOUNT = """
[accounts.demo]
password = "demo"
"""
SIMULATOR = """
[outlets.sim]
kind = "simulator"
delay_s = 0.0
[[routes]]
name = "default"
outlets = ["sim"]
"""


OUTLET_KINDS = {name: kind.config for name, kind in REGISTRY.items()}
DIALECT_KINDS = {name: kind.config for name, kind in DIALECTS.items()}


def read_config(text: str, data_dir: Path, *, smpp_port: int = 0, smpp: str = "") -> Config:
    """A configuration from TOML, with loopback listeners; `smpp` is more of `[smpp]`."""
    head = f'[node]\ndata_dir = "{data_dir}"\n[smpp]\nlisten = ["127.0.0.1:{smpp_port}"]\n{smpp}\n'
    config = load(head + text, OUTLET_KINDS, {}, DIALECT_KINDS)
    assert isinstance(config, Config), config
    return config


class RunningGateway:
    """One gateway: everything that `smsc run` starts, without the process around it.

    :param config: what to run.
    :param file: where it was read from, for tests of reloads.
    """

    def __init__(self, config: Config, file: app.ConfigFile | None = None) -> None:
        self.config = config
        self.file = file
        self.log = FakeLog()
        self.gateway: app.Gateway
        self.smpp: tuple[str, int]
        self.smpp_tls: tuple[str, int]
        self.http: tuple[str, int] | None = None
        self.exit_status: int | None = None
        self._stop: trio.Event
        self._scope: trio.CancelScope
        self._token: trio.lowlevel.TrioToken
        self._ready = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="gateway", daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE_S), "the gateway did not start"
        if self._error is not None:
            raise self._error

    @property
    def port(self) -> int:
        """Where it listens for SMPP on 127.0.0.1."""
        return self.smpp[1]

    def call(self, ask: Callable[[], T]) -> T:
        """What `ask` returns in the gateway's loop."""
        return trio.from_thread.run_sync(ask, trio_token=self._token)

    def await_(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` returns in the gateway's loop, which it may wait in."""
        return trio.from_thread.run(ask, trio_token=self._token)

    def message(self, id_: int | bytes | str) -> tuple[Message, Progress]:
        """A stored message; fails if there is none."""
        key = MessageId(int(id_))

        def ask() -> tuple[Message | None, Progress | None]:
            return self.gateway.store.message(key), self.gateway.store.progress(key)

        message, progress = self.call(ask)
        assert message is not None
        assert progress is not None
        return message, progress

    def wait_until(self, is_so: Callable[[], bool], what: str = "") -> None:
        """Return once `is_so` holds in the gateway's loop; fail after `PATIENCE_S`."""
        trio.from_thread.run(eventually, is_so, what, trio_token=self._token)

    def wait_for_event(self, event: str, times: int = 1) -> None:
        """Return once `event` was logged so often."""
        self.wait_until(lambda: self.log.events.count(event) >= times, f"{event} logged")

    def tell_to_stop(self) -> None:
        """As the first SIGTERM."""
        if self._thread.is_alive():
            self._tell(self._stop.set)

    def stop(self) -> int:
        """Drain and end; the exit status."""
        self.tell_to_stop()
        return self._join()

    def kill(self) -> None:
        """End at once, without a goodbye to anyone: what was not on disk is gone."""
        if self._thread.is_alive():
            self._tell(self._scope.cancel)
        self._join()

    # --- helpers -------------------------------------------------------------------------------

    def _tell(self, what: Callable[[], None]) -> None:
        with suppress(trio.RunFinishedError):
            self.call(what)

    def _join(self) -> int:
        self._thread.join(DRAIN_S + PATIENCE_S)
        assert not self._thread.is_alive(), "the gateway did not stop"
        if self._error is not None:
            raise self._error
        unlisted = set(self.log.events) - set(logs.EVENTS)
        assert not unlisted, f"events that smsc.logs does not list: {unlisted}"
        return self.exit_status if self.exit_status is not None else -1

    def _run(self) -> None:
        try:
            trio.run(self._live)
        except BaseException as error:  # noqa: BLE001 - raised again in the test
            self._error = error
        finally:
            self._ready.set()

    async def _live(self) -> None:
        self._stop = trio.Event()
        self._token = trio.lowlevel.current_trio_token()
        with trio.CancelScope() as self._scope:
            async with trio.open_nursery() as nursery:
                self.gateway, addresses = await nursery.start(self._run_gateway)
                self.smpp = addresses.smpp[0]
                self.smpp_tls = addresses.smpp_tls[0] if addresses.smpp_tls else ("", 0)
                self.http = addresses.http[0] if addresses.http else None
                self._ready.set()

    async def _run_gateway(self, task_status: trio.TaskStatus[Any]) -> None:
        self.exit_status = await app.run(
            self.config,
            _bridges(),
            self.log.log,
            stop=self._stop,
            signals=False,
            file=self.file,
            task_status=task_status,
        )


StartGateway = Callable[..., RunningGateway]
"""The fixture `start_gateway`: (toml, name="a", smpp_port=0, smpp="")."""


async def eventually(is_so: Callable[[], bool], what: str = "") -> None:
    """Return once `is_so`; for what real sockets and threads bring about, and nothing tells."""
    with trio.move_on_after(PATIENCE_S):
        while not is_so():  # noqa: ASYNC110 - see the docstring
            await trio.sleep(0.002)
        return
    raise AssertionError(f"waited {PATIENCE_S} s in vain: {what or is_so}")
