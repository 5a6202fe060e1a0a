"""Group commit: accepts a second with fsync on, by batch size; a journal mix; single records.

    python -m bench.commit [--seconds S] [--dir DIR]

*In*: a directory on the disk to measure. *Out*: a table.
*Never*: `sync=False`; a figure without the machine it was taken on.

The loop keeps `OUTSTANDING` messages handed in and unanswered, as sessions with windows do:
each answer hands in the next batch. Encoding runs in the loop, so both threads want the
interpreter; that is the case that matters.
"""

import argparse
import logging
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import lmdb
import structlog
import trio

from smsc.message import (
    AccountId,
    Delivery,
    Mailbox,
    Message,
    MessageId,
    OutletName,
    Progress,
    State,
)
from smsc.ports import CommitResult, Committed
from smsc.store.batch import WriteBatch
from smsc.store.lmdb_store import LmdbStore, open_store
from smsc.store.records import decode_message, encode_delivery, encode_message, encode_progress

OUTSTANDING = 2000
BODY = bytes(170)
SIM = OutletName("sim")
DEMO = Mailbox("demo")


def a_message(id_: MessageId) -> Message:
    """A message as the SMPP server stores one."""
    now_ms = 1_790_000_000_000
    return Message(
        id_, AccountId("demo"), "smpp", now_ms, 0, now_ms, 0, 1, None, None, None, (), BODY
    )


def accept(batch: WriteBatch, ids: Sequence[MessageId]) -> None:
    """What intake writes."""
    for id_ in ids:
        batch.accept_many([a_message(MessageId(id_))], Progress(State.QUEUED, SIM))


def journal(batch: WriteBatch, ids: Sequence[MessageId]) -> None:
    """All that one message writes in its life, for each id."""
    for number in ids:
        id_ = MessageId(number)
        upstream_id = str(id_)
        batch.accept_many([a_message(id_)], Progress(State.QUEUED, SIM))
        batch.progress(id_, Progress(State.ENROUTE, SIM, 1, 0, 0, 0, b"\x01", (upstream_id,)))
        batch.upstream(SIM, upstream_id, id_, 0)
        batch.progress(id_, Progress(State.DELIVERED, SIM, 1, 0, 5, 0, b"\x02", (upstream_id,)))
        batch.park(a_delivery(id_))
        batch.unpark(DEMO, id_)


def a_delivery(id_: MessageId) -> Delivery:
    """A receipt on its way home."""
    return Delivery(id_, DEMO, AccountId("demo"), "receipt", 1, 2, BODY, id_, State.DELIVERED)


class Run:
    """One measurement: hand in, be answered, hand in the next."""

    def __init__(
        self, store: LmdbStore, fill: Callable[[WriteBatch, Sequence[MessageId]], None], size: int
    ) -> None:
        self.store = store
        self.fill = fill
        self.size = size
        self.answered = 0
        self.latencies_s: list[float] = []
        self.stop_at = float("inf")
        self.outstanding = 0
        self.idle = trio.Event()

    async def measure(self, seconds: float) -> tuple[float, float]:
        """(messages/s, CPU µs a message)."""
        started, cpu = time.perf_counter(), time.process_time()
        self.stop_at = started + seconds
        for _ in range(max(2, OUTSTANDING // self.size)):
            self.hand_in()
        await self.idle.wait()
        took = time.perf_counter() - started
        return self.answered / took, (time.process_time() - cpu) / self.answered * 1e6

    def hand_in(self) -> None:
        """One more batch."""
        batch = self.store.batch()
        self.fill(batch, self.store.ids.take(self.size, time.time_ns() // 1_000_000))
        started = time.perf_counter()

        def done(result: CommitResult) -> None:
            assert result == Committed()
            now = time.perf_counter()
            self.latencies_s.append(now - started)
            self.answered += self.size
            self.outstanding -= 1
            if now < self.stop_at:
                self.hand_in()
            elif not self.outstanding:
                self.idle.set()

        self.outstanding += 1
        self.store.commit_nowait(batch, done)


async def table(directory: Path, seconds: float) -> None:
    """Print all measurements."""
    print(f"{'what':<10} {'batch':>6} {'msg/s':>10} {'CPU µs':>8} {'p50 ms':>8} {'p99 ms':>8}")
    for name, fill in (("accept", accept), ("journal", journal)):
        for size in (1, 10, 100, 1000):
            data_dir = directory / f"{name}-{size}"
            async with open_store(data_dir, node=1, failed=_fail) as store:
                run = Run(store, fill, size)
                rate, cpu_us = await run.measure(seconds)
            cuts = statistics.quantiles(run.latencies_s, n=100)
            print(
                f"{name:<10} {size:>6} {rate:>10,.0f} {cpu_us:>8.2f} "
                f"{cuts[49] * 1e3:>8.2f} {cuts[98] * 1e3:>8.2f}"
            )
            shutil.rmtree(data_dir)


def singles() -> None:
    """Print what one record costs in the loop."""
    message, id_ = a_message(MessageId(1 << 60)), MessageId(1 << 60)
    progress, record = Progress(State.QUEUED, SIM), encode_message(a_message(MessageId(1)))
    for name, call in (
        ("encode message", lambda: encode_message(message)),
        ("encode progress", lambda: encode_progress(progress)),
        ("encode delivery", lambda: encode_delivery(a_delivery(id_))),
        ("decode message", lambda: decode_message(id_, record)),
    ):
        n = 100_000
        started = time.perf_counter()
        for _ in range(n):
            call()
        print(f"{name:<18} {(time.perf_counter() - started) / n * 1e6:>6.2f} µs")


def machine() -> str:
    """One line on what the figures were taken on."""
    cpus = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    model = cpus[0].split(":")[1].strip() if cpus else platform.machine()
    return (
        f"{platform.system()} {platform.release()}, {os.cpu_count()} × {model}, "
        f"Python {platform.python_version()}, LMDB {'.'.join(map(str, lmdb.version()))}, "
        f"switch interval {sys.getswitchinterval() * 1e3:g} ms"
    )


def _fail(error: Exception) -> None:
    raise error


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.commit", description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of each measurement")
    parser.add_argument("--dir", type=Path, default=Path(), help="where to put the store")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(machine())
    singles()
    with tempfile.TemporaryDirectory(dir=options.dir, prefix="bench-commit-") as directory:
        trio.run(table, Path(directory), options.seconds)


if __name__ == "__main__":
    main()
