"""End to end: a gateway in a process of its own, and load against it.

    python -m bench.end_to_end [accept] [receipts] [memory] [http] [chain] [--seconds S] [--profile]

*In*: a directory on the disk to measure. *Out*: a table, figures by name.
*Never*: fsync off; a rate without its percentiles and the server's CPU time.

- accept: bind, decode, check, route, fsynced group commit, answer. The only outlet is down, so that
  nothing but intake is measured: messages stay queued. smpplib, one message at a time, beside it.
- receipts: the same, then simulator (0.05 s), journal, receipt home, deliver_sm_resp journalled.
- memory: what 200 000 queued messages add to the process.
- http: the native API in batches of 100.
- chain: accept, SMPP to a carrier of next to no cost (`bench.carrier`), journal, receipt back and
  home; then the same beside a carrier that takes messages and answers none; three rounds in turn.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Final

import attrs
import trio
from rich.console import Console
from rich.table import Table

from bench.gateway import (
    CHAIN,
    CLOSED,
    PASSWORD,
    PROFILE,
    RUN,
    SIMULATOR,
    SLOW,
    SYSTEM_ID,
    RunningGateway,
    gateway,
    quick_carrier,
    settle_down,
    silent_carrier,
)
from bench.load import LoadPlan, LoadReport, run_load
from bench.load_http import HttpTally, post_load
from bench.load_smpplib import one_at_a_time

SECONDS: Final = 5.0
_SMPPLIB_S: Final = 2.0
_CHAIN_ROUNDS: Final = 3
_WARM_UP: Final = 3000
_QUEUED: Final = 200_000
_MIB: Final = 1 << 20

Figures = dict[str, float | None]


@attrs.frozen(kw_only=True)
class Measured:
    """One measurement: `figures` by name, `wanted` limits for some of them, `errors` by name."""

    what: str
    figures: Figures
    wanted: dict[str, str] = attrs.field(factory=dict)
    errors: dict[str, int] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Place:
    """Where and how to measure."""

    directory: Path
    seconds: float = SECONDS
    how: Sequence[str] = RUN

    def measure_accept(self) -> Measured:
        """Accept alone, and what smpplib's way of sending reaches on the same server."""
        with gateway(self.directory, CLOSED, how=self.how) as server:
            _load(server, count=_WARM_UP)
            report, cpu_us = _load(server, seconds=self.seconds)
            usual = one_at_a_time(server.smpp_port, SYSTEM_ID, PASSWORD, _SMPPLIB_S)
        return Measured(
            what="accept, fsynced: 10 sessions × window 100",
            figures={
                "submits_per_s": report.submits_per_s,
                **_submit_figures(report, cpu_us),
                "smpplib_one_at_a_time_per_s": round(usual, 1),
                "times_smpplib": round(report.submits_per_s / usual, 1),
            },
            wanted={"submits_per_s": "≥ 60 000"},
            errors=report.errors,
        )

    def measure_receipts(self) -> Measured:
        """Accept → simulator → receipt home."""
        with gateway(self.directory, SIMULATOR.format(delay_s=0.05), how=self.how) as server:
            _load(server, count=_WARM_UP, receipts=True)
            report, cpu_us = _load(server, seconds=self.seconds, receipts=True)
        missing = {"receipts missing": report.missing_receipts} if report.missing_receipts else {}
        return Measured(
            what="accept → simulator → receipt home: 10 sessions × window 100",
            figures={
                "receipts_per_s": report.receipts_per_s,
                "submits_per_s": report.submits_per_s,
                **_submit_figures(report, cpu_us),
                "receipt_p50_ms": report.receipt.p50_ms,
                "receipt_p99_ms": report.receipt.p99_ms,
            },
            wanted={"receipts_per_s": "≥ 20 000"},
            errors=report.errors | missing,
        )

    def measure_chain(self) -> Measured:
        """Through to a carrier and home again; alone, and beside a carrier that stands still.

        In turn, since neighbours of a virtual machine change what it does; the medians count.
        """
        rounds: list[tuple[LoadReport, float, LoadReport]] = []
        with silent_carrier() as port:
            for _ in range(_CHAIN_ROUNDS):
                alone, cpu_us = self._chained("")
                beside, _ = self._chained(SLOW.format(port=port), slow_share=True)
                rounds.append((alone, cpu_us, beside))
        rounds.sort(key=lambda one: one[0].receipts_per_s)
        alone, cpu_us, _ = rounds[_CHAIN_ROUNDS // 2]
        share = median(two.receipts_per_s / max(one.receipts_per_s, 1) for one, _, two in rounds)
        reports = [one for alone, _, beside in rounds for one in (alone, beside)]
        lost = sum(one.missing_receipts for one in reports)
        errors: Counter[str] = Counter({"receipts missing": lost} if lost else {})
        for one in reports:
            errors.update(one.errors)
        return Measured(
            what="accept → upstream SMPP → receipt back → client: 10 sessions × window 100",
            figures={
                "receipts_per_s": alone.receipts_per_s,
                "receipts_per_s_best": rounds[-1][0].receipts_per_s,
                "submits_per_s": alone.submits_per_s,
                **_submit_figures(alone, cpu_us),
                "receipt_p50_ms": alone.receipt.p50_ms,
                "receipt_p99_ms": alone.receipt.p99_ms,
                "beside_slow_receipts_per_s": median(two.receipts_per_s for _, _, two in rounds),
                "beside_slow_percent": round(share * 100, 1),
            },
            wanted={"receipts_per_s": "≥ 40 000", "beside_slow_percent": "≥ 90"},
            errors=dict(errors),
        )

    def _chained(self, more: str, *, slow_share: bool = False) -> tuple[LoadReport, float]:
        """A load through to a carrier; `slow_share`: messages wait for the slow one, too."""
        with quick_carrier() as port:
            outlets = CHAIN.format(port=port) + more
            with gateway(self.directory, outlets, how=self.how) as server:
                if slow_share:
                    _load(server, count=_WARM_UP, to_prefix="4979")
                _load(server, count=_WARM_UP, receipts=True)
                return _load(server, seconds=self.seconds, receipts=True)

    def measure_memory(self) -> Measured:
        """What queued messages cost; the pages of the store's file belong to the kernel's cache."""
        with gateway(self.directory, CLOSED, how=self.how) as server:
            _load(server, count=_WARM_UP)
            before = server.memory()
            report, _ = _load(server, count=_QUEUED)
            after = server.memory()
        own = after.own - before.own
        return Measured(
            what=f"memory: {_QUEUED:,} messages queued",
            figures={
                "own_mib": round(own / _MIB, 1),
                "octets_per_message": round(own / max(report.accepted, 1), 1),
                "file_pages_mib": round((after.files - before.files) / _MIB, 1),
                "resident_mib": round((after.own + after.files) / _MIB, 1),
            },
            wanted={"own_mib": "< 100"},
            errors=report.errors,
        )

    def measure_http(self) -> Measured:
        """The native API."""
        with gateway(self.directory, CLOSED, how=self.how) as server:
            _post(server, 1.0)
            tally, cpu_us = _post(server, self.seconds)
        p50, p99 = map(tally.responses_s.percentile, (50.0, 99.0))
        return Measured(
            what="HTTP: POST /v1/messages, batches of 100, 8 connections",
            figures={
                "messages_per_s": round(tally.accepted / tally.seconds, 1),
                "server_cpu_us": cpu_us,
                "batch_p50_ms": p50 and round(p50 * 1e3, 2),
                "batch_p99_ms": p99 and round(p99 * 1e3, 2),
            },
            wanted={"messages_per_s": "≥ 30 000"},
            errors=tally.errors,
        )


MEASUREMENTS: Final[dict[str, Callable[[Place], Measured]]] = {
    "accept": Place.measure_accept,
    "receipts": Place.measure_receipts,
    "memory": Place.measure_memory,
    "http": Place.measure_http,
    "chain": Place.measure_chain,
}


def measure(names: Sequence[str], place: Place) -> list[Measured]:
    """Measure and print, one after the other."""
    console = Console()
    results = []
    for name in names:
        settle_down()
        result = MEASUREMENTS[name](place)
        results.append(result)
        console.print(f"[bold]{result.what}")
        console.print(_table(result))
    return results


def main() -> int:
    """Measure and print; 1 when a message or a receipt was lost or refused."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.end_to_end",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("which", nargs="*", choices=[[], *MEASUREMENTS], help="all by default")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each load")
    parser.add_argument("--dir", type=Path, default=Path(), help="where the stores are put")
    parser.add_argument("--profile", action="store_true", help="print the server's profile")
    options = parser.parse_args()
    place = Place(
        directory=options.dir.resolve(),
        seconds=options.seconds,
        how=PROFILE if options.profile else RUN,
    )
    results = measure(options.which or list(MEASUREMENTS), place)
    return 1 if any(result.errors for result in results) else 0


# --- helpers ----------------------------------------------------------------------------------


def _load(
    server: RunningGateway,
    *,
    seconds: float = SECONDS,
    count: int | None = None,
    receipts: bool = False,
    to_prefix: str = "4179",
) -> tuple[LoadReport, float]:
    """A load, and the server's CPU time for each message, µs."""
    plan = LoadPlan(
        port=server.smpp_port,
        system_id=SYSTEM_ID,
        password=PASSWORD,
        seconds=seconds,
        count=count,
        receipts=receipts,
        to_prefix=to_prefix,
    )
    cpu_s = server.cpu_s()
    report = trio.run(run_load, plan)
    return report, round((server.cpu_s() - cpu_s) / max(report.accepted, 1) * 1e6, 2)


def _post(server: RunningGateway, seconds: float) -> tuple[HttpTally, float]:
    async def post() -> HttpTally:
        return await post_load(server.http_port, (SYSTEM_ID, PASSWORD), seconds=seconds)

    cpu_s = server.cpu_s()
    tally = trio.run(post)
    return tally, round((server.cpu_s() - cpu_s) / max(tally.accepted, 1) * 1e6, 2)


def _submit_figures(report: LoadReport, cpu_us: float) -> Figures:
    return {
        "server_cpu_us": cpu_us,
        "client_cpu_us": report.client_cpu_us,
        "submit_p50_ms": report.submit.p50_ms,
        "submit_p95_ms": report.submit.p95_ms,
        "submit_p99_ms": report.submit.p99_ms,
    }


def _table(result: Measured) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_column(min_width=30)
    table.add_column(justify="right", min_width=12)
    table.add_column()
    for name, figure in result.figures.items():
        shown = "-" if figure is None else f"{figure:,.0f}" if figure >= 1000 else f"{figure:,.1f}"
        table.add_row(name, shown, result.wanted.get(name, ""))
    for name, count in result.errors.items():
        table.add_row(f"[red]{name}", f"[red]{count:,}", "error")
    return table


if __name__ == "__main__":
    sys.exit(main())
