"""`smsc load`: the load client for people at a terminal, and for pipes.

*In*: the arguments of the command. *Out*: exit status: 0 all went well, 1 something was refused,
lost or is missing, 2 wrong usage.
*Never*: progress into a pipe; the password on the screen.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import attrs
import orjson
import trio
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bench.load import Latency, LoadPlan, LoadReport, make_bodies, run_load
from bench.load_tally import Tally

_USAGE: Final = 2


def load_command(
    *,
    password: str | None,
    password_env: str | None,
    count: int | None,
    seconds: float | None,
    text: str | None,
    json: bool,
    **wanted: Any,
) -> int:
    """Run the load that the arguments ask for; `wanted` are fields of `LoadPlan`."""
    if password_env is not None:
        password = os.environ.get(password_env)
        if password is None:
            return _complain(f"the environment variable {password_env} is not set")
    if password is None:
        return _complain("say --password or --password-env")
    given: dict[str, Any] = {**wanted, "password": password, "count": count}
    if seconds is not None:
        given["seconds"] = seconds
    if text is not None:
        given["text"] = text
    try:
        plan = LoadPlan(**given)
        make_bodies(plan)
    except ValueError as error:
        return _complain(str(error))
    with watching(quiet=json) as watch:
        report = trio.run(_run_interruptibly, plan, watch)
    if json:
        sys.stdout.write(orjson.dumps(attrs.asdict(report)).decode() + "\n")
    else:
        Console().print(table(report))
    return 0 if report.is_good else 1


async def _run_interruptibly(plan: LoadPlan, watch: Callable[[Tally], None] | None) -> LoadReport:
    """The first Ctrl-C ends the sending, so that there is a result; the second ends it all."""
    stop = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_await_interrupt, stop)
        report = await run_load(plan, watch, stop)
        nursery.cancel_scope.cancel()
    return report


async def _await_interrupt(stop: trio.Event) -> None:
    with trio.open_signal_receiver(signal.SIGINT) as interrupts:
        async for _ in interrupts:
            stop.set()
            break


@contextmanager
def watching(*, quiet: bool) -> Iterator[Callable[[Tally], None] | None]:
    """A live line on a terminal; nothing in a pipe."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        pulse = Pulse(time.perf_counter())

        def watch(tally: Tally) -> None:
            live.update(Text(pulse.line(tally, time.perf_counter())), refresh=True)

        yield watch


class Pulse:
    """The live line: rates since the last look, totals since the start."""

    def __init__(self, now: float) -> None:
        self._started = now
        self._looked = now
        self._accepted = 0
        self._receipts = 0

    def line(self, tally: Tally, now: float) -> str:
        """What a look at `now` (seconds of a monotonic clock) shows."""
        past_s = max(now - self._looked, 1e-9)
        submits = (tally.accepted - self._accepted) / past_s
        receipts = (tally.receipts - self._receipts) / past_s
        self._looked, self._accepted, self._receipts = now, tally.accepted, tally.receipts
        line = f"{now - self._started:6.1f} s  {submits:9,.0f} submits/s  {tally.accepted:,} ok"
        if tally.wants_receipts:
            line += f"  {receipts:9,.0f} receipts/s  {tally.missing:,} to come"
        errors = sum(tally.errors.values())
        return line + (f"  {errors:,} errors" if errors else "")


def table(report: LoadReport) -> Table:
    """The result for people."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column()
    table.add_row("sessions bound", f"{report.sessions:,}")
    table.add_row("submitted", f"{report.submitted:,}", f"in {report.seconds:.2f} s")
    table.add_row("accepted", f"{report.accepted:,}")
    table.add_row("submits/s", f"{report.submits_per_s:,.0f}")
    table.add_row("submit_sm → resp", *_latency(report.submit))
    if report.receipts or report.missing_receipts:
        table.add_row("receipts", f"{report.receipts:,}", _counts(report.states))
        table.add_row("receipts/s", f"{report.receipts_per_s:,.0f}")
        table.add_row("submit_sm → receipt", *_latency(report.receipt))
    if report.missing_receipts:
        table.add_row("[red]receipts missing", f"[red]{report.missing_receipts:,}")
    if report.stray_receipts:
        note = "of earlier runs, or repeated"
        table.add_row("stray receipts", f"{report.stray_receipts:,}", note)
    for name, count in sorted(report.errors.items()):
        table.add_row("[red]error", f"[red]{count:,}", name)
    if not report.errors:
        table.add_row("errors", "0")
    table.add_row("CPU of the client", f"{report.client_cpu_us:.1f} µs", "a message")
    return table


def _latency(latency: Latency) -> tuple[str, str]:
    if latency.p50_ms is None:
        return "-", ""
    return f"{latency.p50_ms:.1f} ms", (
        f"p50; p95 {latency.p95_ms:.1f}, p99 {latency.p99_ms:.1f}, max {latency.max_ms:.1f} ms"
    )


def _counts(states: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(states.items()))


def _complain(what: str) -> int:
    sys.stderr.write(f"smsc load: {what}\n")
    return _USAGE
