"""Kills a gateway again and again, compares the books after each kill, lets it finish at the end.

*In*: a directory, a seed, which deaths. *Out*: a report of each life; an AssertionError that names
what was lost, sent twice or told twice. *Never*: waits for a time instead of for something.

Deterministic by seed in everything but the moment a random kill arrives, and what the scheduler
makes of three processes.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, Self

import attrs

from tests.flow.kill_points import AT_START, AT_STOP, IN_HISTORY, UNDER_LOAD
from tests.flow.logging_carrier import SHORT_CODE, LoggingCarrier
from tests.flow.reconcile import UPSTREAM_WINDOW, Books, LifeReport
from tests.flow.stock import CREDIT, Stock, Stocktaker
from tests.flow.traffic import letters
from tests.flow.witness import ClientLog, WitnessClient
from tests.flow.witness_http import HttpWitness

ROOT: Final = Path(__file__).resolve().parents[2]
PATIENCE_S: Final = 30.0
_UNDER_LOAD_AT_MOST: Final = 6
"""A point under load is passed so often at most before it kills."""
_RANDOM_AT_MOST: Final = 200
_SOON_S: Final = 0.25
_NEED_NO_ANSWERS: Final = ("accept.", "send.", "receipt.", "random acknowledged")
"""Deaths that come whether or not the client answers what is delivered to it."""


@attrs.frozen
class Death:
    """How a life is to end."""

    what: str
    """The name of a point, or "random …"."""
    nth: int = 1
    """How often the point is passed, or the count is reached, before the kill."""
    after_s: float = 0.0
    """For "random start": since the start."""

    @property
    def is_random(self) -> bool:
        return self.what.startswith("random ")


def draw_death(draw: random.Random, what: str) -> Death:
    """One death of that kind."""
    if what == "random start":
        return Death(what, after_s=draw.random() * _SOON_S)
    if what.startswith("random "):
        return Death(what, draw.randrange(1, _RANDOM_AT_MOST))
    if what in UNDER_LOAD:
        return Death(what, draw.randrange(1, _UNDER_LOAD_AT_MOST + 1))
    return Death(what)


RANDOM: Final = (
    "random acknowledged",
    "random taken upstream",
    "random receipts",
    "random start",
    "random stop",
)
NAMED: Final = (*UNDER_LOAD, *AT_START, *AT_STOP, *IN_HISTORY)


class Nursery:
    """Starts gateways: a process with all imports done, that forks one for each life."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.flow.kill_points"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=PATIENCE_S)

    def start(self, config: Path, death: Death | None) -> "Life":
        """A gateway; with a named death it will kill itself."""
        point = death.what if death is not None and not death.is_random else None
        order = {
            "point": point,
            "nth": death.nth if death is not None else 0,
            "arguments": ["run", "--config", str(config)],
            "log": str(self._log),
        }
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(order) + "\n")
        stdin.flush()
        return Life(stdout, death.after_s if death is not None else 0.0)


class Life:
    """One gateway process.

    :ivar port: where it listens for SMPP; 0 if it died before it said so.
    :ivar http_port: where it listens for HTTP, likewise.
    :ivar status: of its exit; minus the signal that killed it.
    """

    def __init__(self, said: IO[str], after_s: float) -> None:
        self.port = self.http_port = 0
        self.status: int | None = None
        self._said = said
        self._pid = int(json.loads(said.readline())["started"])
        self._timer = threading.Timer(after_s, self.kill)
        if after_s:
            self._timer.start()
        while self.status is None and not self.http_port:
            self._listen()

    def signal(self, number: int) -> None:
        """Send it a signal; harmless when it is gone."""
        if self.status is None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, number)

    def kill(self) -> None:
        """SIGKILL."""
        self.signal(signal.SIGKILL)

    def wait(self) -> int:
        """Return the exit status when it has ended."""
        while self.status is None:
            self._listen()
        return self.status

    def _listen(self) -> None:
        line = self._said.readline()
        assert line, "the runner ended"
        if line.startswith("{"):
            self._timer.cancel()
            self.status = int(json.loads(line)["ended"])
        elif found := re.search(r"SMPP +127\.0\.0\.1:(\d+)", line):
            self.port = int(found[1])
        elif found := re.search(r"HTTP +http://127\.0\.0\.1:(\d+)", line):
            self.http_port = int(found[1])


class Campaign:
    """One store, one carrier, one client, many lives of a gateway.

    :ivar lives: how each life was to end, and what it left.
    """

    def __init__(self, directory: Path, seed: int, nursery: Nursery) -> None:
        self.draw = random.Random(seed)
        self.lives: list[tuple[Death, LifeReport]] = []
        self.log = ClientLog()
        self.carrier = LoggingCarrier(random.Random(seed + 1))
        self._nursery = nursery
        self._directory = directory
        self._letters = letters(random.Random(seed + 2))
        self._stocktaker = Stocktaker(directory / "var")
        self._books = Books(self.log, self.carrier)
        self._config = self._write_config("gateway.toml", history_keep_s=604_800)
        self._forgetful = self._write_config("forgetful.toml", history_keep_s=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.carrier.close()

    def live_and_die(self, death: Death) -> LifeReport:
        """One life; then the books are compared."""
        may_forget = death.what in IN_HISTORY
        life = self._begin(self._forgetful if may_forget else self._config, death)
        if life.port:
            self._lead(life, death)
        status = life.wait()
        is_right = status == -signal.SIGKILL or (death.what == "random stop" and not status)
        assert is_right, f"{death}: ended with {status}, see {self._directory}"
        self.carrier.wait_until_idle()
        report = self._compare(may_forget=may_forget)
        self.lives.append((death, report))
        return report

    def finish(self) -> Stock:
        """One more life, in which everything that is owed is done."""
        life = self._begin(self._config, None)
        client = WitnessClient(life.port, self.log, self.draw)
        client.work(self._letters, lambda: True)
        deadline = time.monotonic() + PATIENCE_S
        while not self._is_done():
            assert time.monotonic() < deadline, f"never finished: {self._unfinished()}"
            look_at = time.monotonic() + 0.05
            client.read(lambda at=look_at: time.monotonic() >= at)  # type: ignore[misc]
            assert client.is_connected, "the gateway went away"
        life.signal(signal.SIGTERM)
        client.read(lambda: False)
        assert life.wait() == 0
        self.carrier.wait_until_idle()
        self._compare(may_forget=False)
        stock = self._stocktaker.take()
        self._books.check_finished(stock)
        return stock

    # --- helpers -------------------------------------------------------------------------------

    def _begin(self, config: Path, death: Death | None) -> Life:
        self.log.life += 1
        self.log.unanswered.clear()
        self.carrier.life = self.log.life
        return self._nursery.start(config, death)

    def _lead(self, life: Life, death: Death) -> None:
        """Give the gateway work until it dies, or kill it; then read what it had said."""
        is_mute = death.what.startswith(_NEED_NO_ANSWERS) and not self.draw.randrange(3)
        client = WitnessClient(life.port, self.log, self.draw, is_mute=is_mute)
        http_client = HttpWitness(life.http_port, self.log) if life.http_port else None
        try:
            self._work(life, client, death)
        except BaseException:
            life.kill()
            raise
        finally:
            if http_client is not None:
                http_client.stop()

    def _work(self, life: Life, client: WitnessClient, death: Death) -> None:
        deadline = time.monotonic() + PATIENCE_S
        is_enough = self._trigger(death)

        def is_over() -> bool:
            assert time.monotonic() < deadline, f"{death} was not reached"
            return is_enough()

        client.work(self._letters, is_over)
        if death.what in AT_STOP or death.what == "random stop":
            life.signal(signal.SIGTERM)
            left = [self.draw.randrange(20)]
            client.read(lambda: death.is_random and _count_down(left))
        if death.is_random:
            life.kill()
        client.read(lambda: False)

    def _trigger(self, death: Death) -> Callable[[], bool]:
        """When the client has done enough; a gateway that kills itself decides on its own."""
        log, carrier = self.log, self.carrier
        counts: dict[str, Callable[[], int]] = {
            "random acknowledged": lambda: len(log.acknowledged),
            "random stop": lambda: len(log.acknowledged),
            "random taken upstream": lambda: carrier.taken,
            "random receipts": lambda: len(log.receipts),
        }
        count = counts.get(death.what)
        nth = death.nth
        if death.what in AT_STOP:
            count, nth = counts["random stop"], _RANDOM_AT_MOST // 4
        if count is None:
            return lambda: False
        at = count() + nth
        return lambda: count() >= at

    @property
    def credit_proofs(self) -> int:
        """How often the account's credit was what the messages on disk leave of it."""
        return self._stocktaker.proofs

    def _compare(self, *, may_forget: bool) -> LifeReport:
        self._stocktaker.check()
        return self._books.compare(self._stocktaker.take(), may_forget=may_forget)

    def _is_done(self) -> bool:
        return not self.carrier.has_deliveries and self._stocktaker.take().is_finished

    def _unfinished(self) -> str:
        stock = self._stocktaker.take()
        live = [entry for entry in stock.by_id.values() if not entry.is_final]
        return f"{live[:5]}, parked {stock.parked}, carrier {self.carrier.has_deliveries}"

    def _write_config(self, name: str, *, history_keep_s: int) -> Path:
        path = self._directory / name
        path.write_text(
            f"""
[node]
data_dir = "{self._directory / "var"}"
[smpp]
listen = ["127.0.0.1:0"]
[http]
listen = ["127.0.0.1:0"]
[store]
history_keep_s = {history_keep_s}
[accounts.demo]
password = "demo"
window = 100
credit = {CREDIT}
[outlets.up]
kind = "smpp"
host = "127.0.0.1"
port = {self.carrier.port}
system_id = "gw"
window = {UPSTREAM_WINDOW}
reconnect_s = 0.01
[[routes]]
to = ["417"]
outlets = ["up"]
[[mo_routes]]
to = ["{SHORT_CODE}"]
account = "demo"
""",
            encoding="utf-8",
        )
        return path


def _count_down(left: list[int]) -> bool:
    left[0] -= 1
    return left[0] < 0


def first_death() -> Death:
    """The first life must leave something for those that die before they do anything."""
    return Death("random acknowledged", 50)


def deaths(draw: random.Random) -> Iterator[Death]:
    """Deaths without end: every kind in turn, shuffled anew each time."""
    while True:
        kinds = [*NAMED, *RANDOM, *RANDOM]
        draw.shuffle(kinds)
        for kind in kinds:
            yield draw_death(draw, kind)
