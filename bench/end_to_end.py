"""End to end: a gateway of its own process, and the load client against it.

    python -m bench.end_to_end [--seconds S] [accept] [receipts] …

*In*: a directory on the disk to measure. *Out*: a line a measurement.
*Never*: fsync off.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import trio

from bench.gateway import CLOSED, PASSWORD, PROFILE, RUN, SIMULATOR, SYSTEM_ID, gateway, settle_down
from bench.load import LoadPlan, run_load


def accept(directory: Path, seconds: float, how: Sequence[str]) -> None:
    """Accept alone: checked, stored, answered; the only outlet is down, so all stay queued."""
    with gateway(directory, CLOSED, how=how) as server:
        plan = LoadPlan(
            port=server.smpp_port, system_id=SYSTEM_ID, password=PASSWORD, seconds=seconds
        )
        cpu_s = server.cpu_s()
        report = trio.run(run_load, plan)
        cpu_s = server.cpu_s() - cpu_s
        print(report)
        print(f"server CPU {cpu_s / report.accepted * 1e6:.1f} µs/message")


def receipts(directory: Path, seconds: float, how: Sequence[str]) -> None:
    """Accept → simulator → receipt home."""
    with gateway(directory, SIMULATOR.format(delay_s=0.05), how=how) as server:
        plan = LoadPlan(
            port=server.smpp_port,
            system_id=SYSTEM_ID,
            password=PASSWORD,
            seconds=seconds,
            receipts=True,
        )
        cpu_s = server.cpu_s()
        report = trio.run(run_load, plan)
        cpu_s = server.cpu_s() - cpu_s
        print(report)
        print(f"server CPU {cpu_s / report.accepted * 1e6:.1f} µs/message")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.end_to_end")
    parser.add_argument("which", nargs="*", default=["accept", "receipts"])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--dir", type=Path, default=Path())
    parser.add_argument("--profile", action="store_true", help="print the server's profile")
    options = parser.parse_args()
    for name in options.which:
        settle_down()
        {"accept": accept, "receipts": receipts}[name](
            options.dir.resolve(), options.seconds, PROFILE if options.profile else RUN
        )


if __name__ == "__main__":
    main()
