"""Connectors: posts to a local service, what each costs, and what a dead service costs the others.

    python -m bench.connectors [--seconds S] [--concurrency N] [--profile]

*In*: nothing. *Out*: a table. *Never*: a service outside this machine; a store: what the journal
costs is measured by `bench.end_to_end`.

The service is a process of its own, so CPU time is the connector's alone. The transport is also
measured without the driver: the difference is our share of a message.
"""

import argparse
import cProfile
import pstats
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

import attrs
import structlog
import trio

from bench.machine import facts
from bridges.connectors import kinds
from bridges.connectors.connector import Connector
from bridges.connectors.exchange import Exchanger
from bridges.connectors.kinds import ClickatellConfig
from bridges.connectors.service import Request, Response
from bridges.connectors.sms import Dress, read_sms
from pdu.codec import encode_body
from pdu.message_pdus import SubmitSm
from smsc.config_errors import Secret
from smsc.message import AccountId, Message, MessageId, OutletName, Progress, State
from smsc.ports import Failed, Outcome, Outgoing, Sent

_JSON: Final = (
    b'{"messages":[{"apiMessageId":"0123456789abcdef0123456789abcdef","accepted":true,'
    b'"to":"41791234567","error":null}],"error":null}'
)
_ANSWER: Final = (
    b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
    % (len(_JSON), _JSON)
)
_BODY: Final = encode_body(
    SubmitSm(
        source_addr_ton=5,
        source_addr="Shop",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="41791234567",
        short_message=b"Your code is 123456. Do not tell it to anybody.",
    )
)
_ROUNDS: Final = 3
_PATIENCE_S: Final = 1.0
"""How long the dead service is waited for."""


# --- the service, in a process of its own ---------------------------------------------------------


_DELAYS_S: Final = {"live": 0.0, "slow": 0.05, "dead": float("inf")}


async def _serve(delay_s: float) -> None:
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    print(listeners[0].socket.getsockname()[1], flush=True)

    async def talk(stream: trio.SocketStream) -> None:
        buffer = b""
        while octets := await stream.receive_some():
            buffer += octets
            while (end := buffer.find(b"\r\n\r\n")) >= 0:
                head = buffer[:end].lower()
                at = head.find(b"content-length:")
                length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
                if len(buffer) < end + 4 + length:
                    break
                buffer = buffer[end + 4 + length :]
                if delay_s:
                    await trio.sleep(delay_s)
                await stream.send_all(_ANSWER)

    async def guarded(stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError):
            await talk(stream)

    await trio.serve_listeners(guarded, listeners)


@asynccontextmanager
async def _service(kind: str) -> AsyncIterator[str]:
    """A service on a port of its own; its URL."""
    command = [sys.executable, "-m", "bench.connectors", "--serve", kind]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220
    assert process.stdout is not None
    try:
        port = await trio.to_thread.run_sync(process.stdout.readline)
        yield f"http://127.0.0.1:{port.strip()}"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


# --- the flow -------------------------------------------------------------------------------------


class Feed:
    """A flow without a store: gives a connector messages as long as it has room."""

    def __init__(self) -> None:
        self.sent = 0
        self.other = 0
        self.is_open = True
        self.outlet: Connector
        self._ids = count(1 << 40)
        self._is_pumping = False

    def room_changed(self, _outlet: OutletName) -> None:
        """Give it what it has room for."""
        if self._is_pumping or not self.is_open:
            return
        self._is_pumping = True
        while (room := self.outlet.room()) > 0:
            self.outlet.send([_outgoing(next(self._ids)) for _ in range(room)])
        self._is_pumping = False

    def settle(self, outlet: OutletName, outcomes: Sequence[Outcome]) -> None:
        """Count, and give it more."""
        for one in outcomes:
            if isinstance(one, Sent):
                self.sent += 1
            else:
                self.other += 1
        self.room_changed(outlet)

    def attempting_nowait(
        self, _outlet: OutletName, _attempts: Any, done: Callable[[], None]
    ) -> None:
        """Nothing is journalled."""
        done()

    def receipts_nowait(self, receipts: Any, done: Callable[[list[int]], None]) -> None:
        """None come."""
        done([0] * len(receipts))

    def mobile_originated_nowait(self, messages: Any, done: Callable[[list[int]], None]) -> None:
        """None come."""
        done([0] * len(messages))

    def number_seen(self, _number: str) -> None:
        """None are."""


def _outgoing(id_: int) -> Outgoing:
    message = Message(
        MessageId(id_), AccountId("demo"), "smpp", 0, 0, 1 << 42, 0, 1, None, None, None, (), _BODY
    )
    return Outgoing(message, Progress(State.QUEUED, OutletName("")))


@attrs.frozen
class Figures:
    """What one run showed."""

    rate: float
    """Messages that the live service took, a second."""
    cpu_us: float
    """CPU time for each of them, µs."""

    def __str__(self) -> str:
        return f"{self.rate:9.0f}/s {self.cpu_us:9.0f} µs"


def _config(url: str, concurrency: int, **more: Any) -> ClickatellConfig:
    return ClickatellConfig(url=url, key=Secret("key"), concurrency=concurrency, **more)


async def _drive(seconds: float, live: ClickatellConfig, *others: ClickatellConfig) -> Figures:
    """Run connectors side by side for so long; the figures of the first one."""
    log = structlog.wrap_logger(None, processors=[_drop])
    async with trio.open_nursery() as nursery:
        feeds: list[Feed] = []
        for number, config in enumerate((live, *others)):
            feed = Feed()
            feed.outlet = kinds.build("clickatell")(OutletName(f"online{number}"), config, log)
            feeds.append(feed)
            nursery.start_soon(feed.outlet.run, feed)
        await trio.sleep(min(0.3, seconds))  # connections are made
        sent, began_at, cpu_s = feeds[0].sent, time.perf_counter(), time.process_time()
        await trio.sleep(seconds)
        messages = feeds[0].sent - sent
        took_s, cpu_s = time.perf_counter() - began_at, time.process_time() - cpu_s
        for feed in feeds:
            feed.is_open = False
        nursery.cancel_scope.cancel()
    return Figures(messages / took_s, cpu_s / max(messages, 1) * 1e6)


async def _transport_alone(seconds: float, config: ClickatellConfig) -> Figures:
    """The same requests without a driver, a service's file or a flow."""
    made = read_sms(_outgoing(1), Dress(), 0)
    assert not isinstance(made, Failed)
    request = config.service().request(made[0], 0.0)
    assert isinstance(request, Request)
    done = 0
    async with Exchanger(config) as exchanger, trio.open_nursery() as nursery:

        async def repeat() -> None:
            nonlocal done
            while True:
                assert isinstance(await exchanger.exchange(request), Response)
                done += 1

        for _ in range(config.concurrency):
            nursery.start_soon(repeat)
        await trio.sleep(min(0.3, seconds))
        before, began_at, cpu_s = done, time.perf_counter(), time.process_time()
        await trio.sleep(seconds)
        messages = done - before
        took_s, cpu_s = time.perf_counter() - began_at, time.process_time() - cpu_s
        nursery.cancel_scope.cancel()
    return Figures(messages / took_s, cpu_s / max(messages, 1) * 1e6)


def _drop(_logger: object, _name: str, _event: object) -> Any:
    raise structlog.DropEvent


async def measure(seconds: float, concurrency: int) -> None:
    """All figures, printed as they come."""
    async with _service("live") as url:
        live = _config(url, concurrency)
        bare = await _transport_alone(seconds, live)
        print(f"{'transport alone':<44}{bare}")
        driven = await _drive(seconds, live)
        print(f"{f'connector, {concurrency} posts at a time':<44}{driven}")
        print(f"{'of which ours':<44}{'':>11} {driven.cpu_us - bare.cpu_us:9.0f} µs", flush=True)
    async with _service("slow") as url, _service("dead") as dead_url:
        # A service that takes its time, as real ones do: its rate is its own, not this machine's.
        slow = _config(url, concurrency)
        dead = _config(dead_url, concurrency, read_timeout_s=_PATIENCE_S, breaker_s=_PATIENCE_S)
        stubborn = attrs.evolve(dead, breaker_failures=1 << 30)
        for what, other in (("a dead one", dead), ("a dead one, no breaker", stubborn)):
            alone, beside = [], []
            for _ in range(_ROUNDS):  # in turn: on a shared machine rates drift within seconds
                alone.append((await _drive(seconds / _ROUNDS, slow)).rate)
                beside.append((await _drive(seconds / _ROUNDS, slow, other)).rate)
            rate, share = statistics.median(beside), 0.0
            if any(alone):
                share = rate / statistics.median(alone)
            head = f"a service of {_DELAYS_S['slow'] * 1000:.0f} ms beside {what}"
            print(f"{head:<44}{rate:9.0f}/s   keeps {share:.1%} of its rate alone", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.connectors",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=2.0, help="for each figure")
    parser.add_argument("--concurrency", type=int, default=50, help="posts at a time")
    parser.add_argument("--profile", action="store_true", help="where the connector's time goes")
    parser.add_argument("--serve", choices=tuple(_DELAYS_S), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        trio.run(_serve, _DELAYS_S[options.serve])
        return 0
    machine = facts(Path())
    print(f"{machine['cpu']}, {machine['cores']} cores; {options.seconds:g} s each")
    print(f"{'':<44}{'messages':>11} {'CPU each':>12}")
    if options.profile:
        profiler = cProfile.Profile()
        profiler.enable()
        trio.run(_profiled, options.seconds, options.concurrency)
        profiler.disable()
        pstats.Stats(profiler).sort_stats("tottime").print_stats(40)
        return 0
    trio.run(measure, options.seconds, options.concurrency)
    return 0


async def _profiled(seconds: float, concurrency: int) -> None:
    async with _service("live") as url:
        print(await _drive(seconds, _config(url, concurrency)))


if __name__ == "__main__":
    sys.exit(main())
